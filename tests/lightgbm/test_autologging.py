"""What LightGBM trains is logged, and training does not change."""

import logging

import lightgbm
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

import mlflow
import mlflow.lightgbm
from mlflow import MlflowClient
from mlflow.models import boosting
from mlflow.tracking.autolog import AUTOLOGGING_INTEGRATIONS, disable_autologging

rng = np.random.RandomState(0)
FRAME = pd.DataFrame(rng.rand(40, 3), columns=list("abc"))
BINARY = (FRAME.a > 0.5).astype(int)
PARAMS = {"objective": "binary", "seed": 1, "verbose": -1, "min_data_in_leaf": 2}
FEW = {"n_estimators": 2, "verbose": -1, "min_child_samples": 2}


@pytest.fixture
def autolog():
    yield mlflow.lightgbm.autolog
    AUTOLOGGING_INTEGRATIONS["lightgbm"] = {"disable": True}


def dataset(labels=BINARY):
    return lightgbm.Dataset(FRAME, labels)


def train(rounds=3, **kwargs):
    return lightgbm.train(PARAMS, dataset(), rounds, **kwargs)


def runs():
    return mlflow.search_runs(output_format="list", order_by=["start_time ASC"])


def files(run):
    return {info.path for info in MlflowClient().list_artifacts(run.info.run_id)}


def history(run, key):
    points = MlflowClient().get_metric_history(run.info.run_id, key)
    return [(point.step, point.value) for point in points]


def test_a_training(autolog):
    autolog()
    seen = {}
    tested = {"valid_sets": [dataset()], "valid_names": ["v"]}
    booster = train(**tested, callbacks=[lightgbm.record_evaluation(seen)])

    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.autologging"] == "lightgbm"
    expected = {**PARAMS, "num_boost_round": 3, "keep_training_booster": False}
    assert run.data.params == {key: str(value) for key, value in expected.items()}
    told = list(enumerate(seen["v"]["binary_logloss"]))
    assert history(run, "v-binary_logloss") == told
    for kind in ("split", "gain"):
        assert {f"feature_importance_{kind}.json", f"feature_importance_{kind}.png"} < files(run)
    loaded = mlflow.lightgbm.load_model(f"runs:/{run.info.run_id}/model")
    assert np.array_equal(loaded.predict(FRAME), booster.predict(FRAME))
    (model,) = mlflow.search_logged_models(output_format="list")
    assert model.params == run.data.params
    contexts = sorted(tag.value for one in run.inputs.dataset_inputs for tag in one.tags)
    assert contexts == ["eval", "train"]


def test_early_stopping_adds_the_best_round(autolog):
    autolog(log_models=False)
    stop = lightgbm.early_stopping(2, verbose=False)
    booster = train(30, valid_sets=[dataset(1 - BINARY)], valid_names="v", callbacks=[stop])

    (run,) = runs()
    points = history(run, "v-binary_logloss")
    assert run.data.metrics["best_iteration"] == booster.best_iteration == 1
    assert run.data.metrics["stopped_iteration"] == 3
    assert [step for step, _ in points] == [0, 1, 2, 3]
    assert points[3][1] == points[0][1]


def test_an_estimator_has_one_run_and_its_scores(autolog):
    autolog()
    X_test = FRAME.head(9)
    model = lightgbm.LGBMClassifier(**FEW).fit(FRAME, BINARY)
    score = sk.accuracy_score(BINARY.head(9), model.predict(X_test))

    (run,) = runs()
    assert run.data.params["num_boost_round"] == "2"
    assert run.data.metrics == {"accuracy_score_X_test": score}
    loaded = mlflow.lightgbm.load_model(f"runs:/{run.info.run_id}/model")
    assert isinstance(loaded, lightgbm.LGBMClassifier)
    meta = mlflow.models.get_model_info(f"runs:/{run.info.run_id}/model")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]


def test_data_that_was_let_go_of_leaves_its_example(autolog):
    autolog()
    data = lightgbm.Dataset(FRAME, BINARY, params=PARAMS).construct()
    assert data.data is None
    lightgbm.train(PARAMS, data, 2)

    (run,) = runs()
    meta = mlflow.models.get_model_info(f"runs:/{run.info.run_id}/model")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]
    assert run.inputs.dataset_inputs == []


@pytest.mark.parametrize("labels", [BINARY, BINARY.to_numpy(), BINARY.tolist()])
def test_labels_of_any_kind_are_targets(autolog, labels):
    autolog(log_models=False)
    lightgbm.train(PARAMS, lightgbm.Dataset(FRAME.to_numpy(), labels), 1)

    ((used,),) = [run.inputs.dataset_inputs for run in runs()]
    assert '"targets_shape": [40]' in used.dataset.profile


def test_an_error_of_the_training_is_the_users(autolog):
    autolog()
    with pytest.raises(lightgbm.basic.LightGBMError, match="nothing"):
        lightgbm.train({**PARAMS, "objective": "nothing"}, dataset(), 2)

    (run,) = runs()
    assert run.info.status == "FAILED"
    assert [one.status for one in mlflow.search_logged_models(output_format="list")] == ["FAILED"]


BROKEN = ["log_new_params", "log_dataset", "initialize_logged_model", "points", "MlflowClient"]


@pytest.mark.parametrize("broken", BROKEN)
def test_nothing_of_ours_changes_the_training(autolog, monkeypatch, caplog, broken):
    def fail(*args, **kwargs):
        raise RuntimeError(f"broken {broken}")

    with disable_autologging():
        expected = train(valid_sets=[dataset()]).model_to_string()
    autolog(log_models=broken == "initialize_logged_model")
    monkeypatch.setattr(boosting, broken, fail)
    with caplog.at_level(logging.WARNING):
        found = train(valid_sets=[dataset()]).model_to_string()

    assert found == expected
    assert "broken" in caplog.text


def test_switched_off_and_in_the_users_run(autolog):
    autolog(disable=True)
    train()
    assert runs() == []

    autolog(log_models=False, extra_tags={"team": "x"})
    with mlflow.start_run(run_name="own"):
        train()
    train()

    own, new = runs()
    assert ("team" in own.data.tags, new.data.tags["team"]) == (False, "x")
    assert own.data.params == new.data.params
