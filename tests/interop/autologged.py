"""Trains under `mlflow.sklearn.autolog` and prints what the runs hold; for stock MLflow and ours.

`autologged.py FOLDER` keeps its store below FOLDER.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings

import numpy as np
import pandas as pd
import sklearn.metrics as sk
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow
import mlflow.sklearn

random = np.random.RandomState(0)
FRAME = pd.DataFrame(random.rand(60, 3), columns=list("abc"))
CLASSES = (FRAME.a * 3).astype(int)
TARGET = FRAME.a * 2 - FRAME.b
HOLES = [{"alpha": [0.1, 1.0]}, {"alpha": [5.0], "solver": ["svd"]}]


def classifier():
    LogisticRegression().fit(FRAME, CLASSES)


def regressor_on_arrays():
    weights = np.linspace(0.1, 1, 60)
    Ridge().fit(FRAME.to_numpy(), y=TARGET.to_numpy(), sample_weight=weights)


def forest():
    RandomForestRegressor(3, random_state=0).fit(FRAME, TARGET)


def clusters():
    KMeans(2, n_init=1, random_state=0).fit_predict(FRAME)


def pipeline_in_own_run():
    with mlflow.start_run(run_name="own"):
        make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, CLASSES)


def search():
    GridSearchCV(Ridge(), HOLES, cv=2).fit(FRAME, TARGET)


def folds():
    cross_val_score(LogisticRegression(), FRAME, CLASSES, cv=2)


def judged():
    X_test, y_test = FRAME.head(20), CLASSES.head(20)
    model = LogisticRegression().fit(FRAME, CLASSES)
    predicted = model.predict(X_test)
    sk.accuracy_score(y_test, predicted)
    sk.f1_score(y_test, y_pred=predicted, average="macro")
    sk.accuracy_score(CLASSES, model.predict(FRAME), normalize=False)
    sk.log_loss(y_test, model.predict_proba(X_test))
    sk.confusion_matrix(y_test, predicted)
    model.score(X_test, y_test)


PLAIN = [regressor_on_arrays, forest, clusters, pipeline_in_own_run, folds, judged, search]
MODELS = [classifier, search]


def value(key: str, number: float) -> object:
    return "a time" if "_time" in key else round(number, 9)


def file_of(run_id: str, path: str) -> object:
    place = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path)
    if path.endswith(".json"):
        with open(place) as file:
            return json.load(file)
    if path.endswith(".csv"):
        table = pd.read_csv(place)
        return [list(table.columns), len(table)]
    return None


def model_of(model_id: str) -> dict[str, object]:
    logged = mlflow.get_logged_model(model_id)
    described = mlflow.models.get_model_info(f"models:/{model_id}")
    return {
        "name": logged.name,
        "params": logged.params,
        "metrics": sorted((m.key, value(m.key, m.value)) for m in logged.metrics or []),
        "signature": str(described.signature),
        "format": described.flavors["sklearn"]["serialization_format"],
    }


def describe(run: mlflow.entities.Run) -> dict[str, object]:
    client = mlflow.MlflowClient()
    names = ["mlflow.autologging", "mlflow.user", "mlflow.source.type"]
    tags = {k: v for k, v in run.data.tags.items() if k in names or not k.startswith("mlflow.")}
    models = [model_of(one.model_id) for one in (run.outputs.model_outputs if run.outputs else [])]
    inputs = [
        (one.dataset.digest, one.dataset.profile, [tag.value for tag in one.tags])
        for one in run.inputs.dataset_inputs
    ]
    paths = [info.path for info in client.list_artifacts(run.info.run_id) if not info.is_dir]
    return {
        "status": run.info.status,
        "child": "mlflow.parentRunId" in run.data.tags,
        "params": run.data.params,
        "metrics": {key: value(key, number) for key, number in run.data.metrics.items()},
        "tags": tags,
        "inputs": sorted(inputs),
        "files": {path: file_of(run.info.run_id, path) for path in sorted(paths)},
        "models": sorted(models, key=str),
    }


def record(label: str, train: object) -> list[dict[str, object]]:
    experiment = mlflow.set_experiment(label)
    train()
    runs = mlflow.search_runs([experiment.experiment_id], output_format="list")
    return sorted(map(describe, runs), key=lambda run: json.dumps(run, sort_keys=True))


if __name__ == "__main__":
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    mlflow.set_tracking_uri(f"file:{sys.argv[1]}/mlruns")
    mlflow.sklearn.autolog(log_models=False)
    found = {train.__name__: record(train.__name__, train) for train in PLAIN}
    mlflow.sklearn.autolog(max_tuning_runs=2, extra_tags={"team": "x"})
    for train in MODELS:
        label = f"{train.__name__} with models"
        found[label] = record(label, train)
    print(json.dumps(found, sort_keys=True))
