"""Trains with XGBoost and LightGBM under autologging and prints what the runs hold; for stock and ours.

`boosted.py FOLDER` keeps its store below FOLDER: a database, since stock's file store repeats the
first point of a series and forgets the steps of points that name a dataset.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings

import lightgbm
import numpy as np
import pandas as pd
import scipy.sparse
import sklearn.metrics as sk
import xgboost
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow
import mlflow.lightgbm
import mlflow.xgboost

random = np.random.RandomState(0)
FRAME = pd.DataFrame(random.rand(60, 3), columns=list("abc"))
ARRAY = FRAME.to_numpy()
BINARY = (FRAME.a > 0.5).astype(int)
CLASSES = (FRAME.a * 3).astype(int)
TARGET = FRAME.a * 2 - FRAME.b
HOLES = FRAME.mask(FRAME > 0.9)
TREES = {"objective": "binary:logistic", "max_depth": 2, "seed": 1}
LEAVES = {"objective": "binary", "max_depth": 2, "seed": 1, "verbose": -1, "min_data_in_leaf": 2}
FEW = {"n_estimators": 3, "max_depth": 2, "verbose": -1, "min_child_samples": 2}


def matrix(rows: object = FRAME, labels: object = BINARY, **more: object) -> xgboost.DMatrix:
    return xgboost.DMatrix(rows, labels, **more)


def dataset(rows: object = FRAME, labels: object = BINARY, **more: object) -> lightgbm.Dataset:
    return lightgbm.Dataset(rows, labels, **more)


# What is tested on is labelled the wrong way round, so that training on is no use.
def against() -> xgboost.DMatrix:
    return matrix(FRAME.head(20), 1 - BINARY.head(20))


def xgb_train():
    xgboost.train(TREES, matrix(), 3)


def xgb_stops_early():
    data = matrix()
    params = {**TREES, "eval_metric": ["logloss", "auc"]}
    xgboost.train(params, data, 30, evals=[(data, "train"), (against(), "valid")],
                  early_stopping_rounds=2, verbose_eval=False)  # fmt: skip


def xgb_could_stop_early():
    xgboost.train(TREES, matrix(), 3, evals=[(matrix(), "v")], early_stopping_rounds=9,
                  verbose_eval=False)  # fmt: skip


def xgb_stops_by_callback():
    stop = xgboost.callback.EarlyStopping(2)
    xgboost.train(TREES, matrix(), 30, evals=[(against(), "v")], callbacks=[stop])


def xgb_names_with_at():
    params = {**TREES, "eval_metric": ["ndcg@3-", "map@2"]}
    xgboost.train(params, matrix(), 2, evals=[(matrix(), "v")], maximize=True)


def xgb_sparse():
    xgboost.train(TREES, matrix(scipy.sparse.csr_matrix(ARRAY)), 2)


def xgb_many_rows():
    rows = np.tile(ARRAY, (100, 1))
    xgboost.train(TREES, matrix(rows, np.tile(BINARY, 100)), 2)


def xgb_holes():
    xgboost.train(TREES, matrix(HOLES), 2)


def xgb_quantiles():
    xgboost.train(TREES, xgboost.QuantileDMatrix(FRAME, BINARY), 2)


def xgb_linear():
    params = {"booster": "gblinear", "updater": "coord_descent"}
    xgboost.train(params, matrix(labels=TARGET), 2)


def xgb_twice_in_own_run():
    with mlflow.start_run(run_name="own"):
        xgboost.train(params=TREES, dtrain=matrix(), num_boost_round=2)
        xgboost.train(TREES, matrix(), 3, evals=[(matrix(), "v")])


def xgb_fails():
    try:
        xgboost.train({"objective": "nothing"}, matrix(), 2)
    except xgboost.core.XGBoostError:
        pass


def xgb_regressor():
    model = xgboost.XGBRegressor(n_estimators=9, early_stopping_rounds=2, eval_metric="rmse")
    tested = [(FRAME, TARGET), (FRAME.head(20), -TARGET.head(20))]
    model.fit(FRAME, TARGET, eval_set=tested, verbose=False)


def xgb_classifier_on_arrays():
    xgboost.XGBClassifier(n_estimators=2, max_depth=2).fit(ARRAY, CLASSES.to_numpy())


def xgb_ranker():
    xgboost.XGBRanker(n_estimators=2).fit(FRAME, CLASSES, qid=np.repeat([0, 1], 30))


def xgb_judged():
    X_test, y_test = FRAME.head(20), BINARY.head(20)
    model = xgboost.XGBClassifier(n_estimators=2).fit(FRAME, BINARY)
    predicted = model.predict(X_test)
    sk.accuracy_score(y_test, predicted)
    model.score(X_test, y_test)


def xgb_folds():
    cross_val_score(xgboost.XGBClassifier(n_estimators=2), FRAME, BINARY, cv=2)


def xgb_in_pipeline():
    make_pipeline(StandardScaler(), xgboost.XGBClassifier(n_estimators=2)).fit(FRAME, BINARY)


def lgb_train():
    lightgbm.train(LEAVES, dataset(), 3)


def lgb_on_arrays():
    lightgbm.train(LEAVES, dataset(ARRAY, BINARY.to_numpy()), 2)


def lgb_sparse():
    lightgbm.train(LEAVES, dataset(scipy.sparse.csr_matrix(ARRAY), BINARY.to_numpy()), 2)


def lgb_stops_early():
    data = dataset()
    params = {**LEAVES, "metric": ["binary_logloss", "auc"]}
    wrong = dataset(FRAME.head(20), 1 - BINARY.head(20), reference=data)
    lightgbm.train(params, data, 30, valid_sets=[data, wrong], valid_names=["one", "two"],
                   callbacks=[lightgbm.early_stopping(2, verbose=False)])  # fmt: skip


def lgb_stops_by_param():
    data = dataset()
    wrong = dataset(FRAME.head(20), 1 - BINARY.head(20), reference=data)
    lightgbm.train({**LEAVES, "early_stopping_round": 3}, data, 30, valid_sets=[wrong])


def lgb_could_stop_early():
    lightgbm.train(LEAVES, dataset(), 3, valid_sets=[dataset()],
                   callbacks=[lightgbm.early_stopping(9, verbose=False)])  # fmt: skip


def lgb_same_data_twice():
    data = dataset()
    lightgbm.train(LEAVES, data, 2)
    lightgbm.train(LEAVES, data, 2)


def lgb_ranks():
    params = {"objective": "lambdarank", "eval_at": [1, 2], "verbose": -1, "min_data_in_leaf": 2}
    data = dataset(labels=CLASSES, group=[30, 30])
    lightgbm.train(params, data, 2, valid_sets=[data])


def lgb_classifier():
    lightgbm.LGBMClassifier(**FEW).fit(FRAME, CLASSES)


def lgb_regressor():
    model = lightgbm.LGBMRegressor(**{**FEW, "n_estimators": 30})
    tested = [(FRAME, TARGET), (FRAME.head(20), -TARGET.head(20))]
    model.fit(FRAME, TARGET, eval_set=tested, eval_names=["one", "two"],
              callbacks=[lightgbm.early_stopping(2, verbose=False)])  # fmt: skip


def lgb_fails():
    try:
        lightgbm.train({**LEAVES, "objective": "nothing"}, dataset(), 2)
    except lightgbm.basic.LightGBMError:
        pass


def search_over_both():
    model = xgboost.XGBClassifier(n_estimators=2)
    GridSearchCV(model, {"max_depth": [2, 3]}, cv=2).fit(FRAME, BINARY)
    lightgbm.train(LEAVES, dataset(), 2)


PLAIN = [xgb_could_stop_early, xgb_names_with_at, xgb_many_rows, xgb_quantiles, xgb_fails,
         xgb_twice_in_own_run, xgb_classifier_on_arrays, xgb_in_pipeline, lgb_sparse,
         lgb_stops_by_param, lgb_same_data_twice, lgb_ranks]  # fmt: skip
if os.environ.get("MILLSTREAM_FULL") == "all":
    PLAIN = [one for name, one in list(globals().items()) if name.startswith(("xgb_", "lgb_"))]
MODELS = [xgb_stops_early, xgb_regressor, xgb_judged, lgb_stops_early, lgb_classifier,
          lgb_regressor]  # fmt: skip
OPTIONS = [xgb_train, xgb_classifier_on_arrays, lgb_on_arrays]
TAGS = ["mlflow.autologging", "mlflow.user", "mlflow.source.type", "mlflow.modelVersions"]


def text_of(run_id: str, path: str) -> object:
    if not path.endswith(".json"):
        return None
    place = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path)
    with open(place) as file:
        return json.load(file) if path == "metric_info.json" else file.read()


def chosen(tags: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in tags.items() if k in TAGS or not k.startswith("mlflow.")}


def rounded(value: float) -> float:
    """Drop what depends on the build of a library for linear algebra."""
    return float(f"{value:.9g}")


def last(points: list[object]) -> list[list[object]]:
    """The last points; stock's database gives all."""
    found: dict[object, list[object]] = {}
    for m in points:
        one = [m.key, m.step, rounded(m.value), m.dataset_name, m.dataset_digest]
        kept = found.setdefault((m.key, m.dataset_digest), one)
        if m.step >= kept[1]:
            found[m.key, m.dataset_digest] = one
    return sorted(found.values(), key=str)


def model_of(model_id: str) -> dict[str, object]:
    logged = mlflow.get_logged_model(model_id)
    described = mlflow.models.get_model_info(f"models:/{model_id}")
    flavors = described.flavors
    for conf in flavors.values():
        conf.pop("skops_trusted_types", None)
    return {
        "name": logged.name,
        "status": str(logged.status),
        "tags": chosen(logged.tags),
        "params": logged.params,
        "metrics": last(logged.metrics or []),
        "signature": str(described.signature),
        "example": described.saved_input_example_info,
        "flavors": flavors,
    }


def describe(run: mlflow.entities.Run) -> dict[str, object]:
    client = mlflow.MlflowClient()
    run_id = run.info.run_id
    outputs = run.outputs.model_outputs if run.outputs else []
    data = [one.dataset for one in run.inputs.dataset_inputs]
    used = [[tag.value for tag in one.tags] for one in run.inputs.dataset_inputs]
    paths = [info.path for info in client.list_artifacts(run_id) if not info.is_dir]
    return {
        "status": run.info.status,
        "child": "mlflow.parentRunId" in run.data.tags,
        "params": run.data.params,
        "tags": chosen(run.data.tags),
        "metrics": {
            key: [[one.step, "a time" if "_time" in key else rounded(one.value)] for one in points]
            for key in sorted(run.data.metrics)
            for points in [client.get_metric_history(run_id, key)]
        },
        "inputs": sorted(
            [one.name, one.digest, one.source_type, one.schema, one.profile, use]
            for one, use in zip(data, used, strict=True)
        ),
        "files": {path: text_of(run_id, path) for path in sorted(paths)},
        "models": sorted((model_of(one.model_id) for one in outputs), key=str),
    }


def record(label: str, train: object) -> list[dict[str, object]]:
    experiment = mlflow.set_experiment(label)
    train()
    runs = mlflow.search_runs([experiment.experiment_id], output_format="list")
    return sorted(map(describe, runs), key=lambda run: json.dumps(run, sort_keys=True))


def main() -> dict[str, object]:
    enable = {"xgb": mlflow.xgboost.autolog, "lgb": mlflow.lightgbm.autolog}
    for autolog in enable.values():
        autolog(log_models=False)
    found = {train.__name__: record(train.__name__, train) for train in PLAIN}
    for autolog in enable.values():
        autolog(extra_tags={"team": "x"})
    for train in MODELS:
        found[f"{train.__name__} with models"] = record(f"{train.__name__} with models", train)
    more = {"log_input_examples": True, "log_datasets": False, "registered_model_name": "kept"}
    mlflow.lightgbm.autolog(**more)
    mlflow.xgboost.autolog(**more, importance_types=["gain", "cover"], model_format="json")
    for train in OPTIONS:
        found[f"{train.__name__} with options"] = record(f"{train.__name__} with options", train)
    # What was asked for by hand stays; scikit-learn is new.
    for autolog in enable.values():
        autolog(log_models=False, log_datasets=False)
    mlflow.autolog(log_models=False)
    found["all"] = record("all", search_over_both)
    return found


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    # Spares stock the processes, one a model, that find out what a model imports.
    mlflow.models.infer_pip_requirements = lambda *args, **kwargs: []
    os.chdir(sys.argv[1])
    mlflow.set_tracking_uri(f"sqlite:///{sys.argv[1]}/mlflow.db")
    print(json.dumps(main(), sort_keys=True))
