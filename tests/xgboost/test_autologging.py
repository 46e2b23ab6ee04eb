"""What XGBoost trains is logged, and training does not change."""

import inspect
import logging
import threading

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
import xgboost

import mlflow
import mlflow.xgboost
from mlflow import MlflowClient
from mlflow.models import boosting
from mlflow.tracking.autolog import AUTOLOGGING_INTEGRATIONS, disable_autologging
from mlflow.xgboost import autologging

rng = np.random.RandomState(0)
FRAME = pd.DataFrame(rng.rand(40, 3), columns=list("abc"))
BINARY = (FRAME.a > 0.5).astype(int)
PARAMS = {"objective": "binary:logistic", "max_depth": 2, "seed": 1}


@pytest.fixture
def autolog():
    yield mlflow.xgboost.autolog
    AUTOLOGGING_INTEGRATIONS["xgboost"] = {"disable": True}


def matrix(rows=FRAME):
    return xgboost.DMatrix(rows, BINARY[: len(rows)])


def train(rounds=3, **kwargs):
    return xgboost.train(PARAMS, matrix(), rounds, verbose_eval=False, **kwargs)


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
    booster = train(evals=[(matrix(), "t")], evals_result=seen)

    (run,) = runs()
    assert (run.info.status, mlflow.active_run()) == ("FINISHED", None)
    assert run.data.tags["mlflow.autologging"] == "xgboost"
    assert run.data.params == {
        "objective": "binary:logistic", "max_depth": "2", "seed": "1", "num_boost_round": "3",
        "maximize": "None", "early_stopping_rounds": "None", "verbose_eval": "False",
        "custom_metric": "None",
    }  # fmt: skip
    assert history(run, "t-logloss") == list(enumerate(seen["t"]["logloss"]))
    assert {"feature_importance_weight.json", "feature_importance_weight.png"} < files(run)
    loaded = mlflow.xgboost.load_model(f"runs:/{run.info.run_id}/model")
    assert np.array_equal(loaded.predict(matrix()), booster.predict(matrix()))
    (model,) = mlflow.search_logged_models(output_format="list")
    assert model.params == run.data.params
    assert [(one.key, one.step) for one in model.metrics] == [("t-logloss", 2)]
    contexts = sorted(tag.value for one in run.inputs.dataset_inputs for tag in one.tags)
    assert contexts == ["eval", "train"]


def test_early_stopping_adds_the_best_round(autolog):
    autolog(log_models=False)
    wrong = xgboost.DMatrix(FRAME, 1 - BINARY)
    booster = train(30, evals=[(wrong, "v")], early_stopping_rounds=2)

    (run,) = runs()
    points = history(run, "v-logloss")
    assert run.data.metrics["best_iteration"] == booster.best_iteration == 0
    assert run.data.metrics["stopped_iteration"] == 2
    assert [step for step, _ in points] == [0, 1, 2, 3]
    assert points[3][1] == points[0][1]


def test_all_rounds_are_two_requests(autolog, monkeypatch):
    batches = []
    real = MlflowClient.log_batch

    def log_batch(self, run_id, metrics=(), params=(), tags=(), **kwargs):
        batches.append(len(metrics))
        return real(self, run_id, metrics=metrics, params=params, tags=tags, **kwargs)

    autolog(log_models=False)
    monkeypatch.setattr(boosting, "_SECONDS_BETWEEN", float("inf"))
    monkeypatch.setattr(MlflowClient, "log_batch", log_batch)
    train(50, evals=[(matrix(), "t")])

    assert [size for size in batches if size] == [1, 49]


def test_an_estimator_has_one_run_and_its_scores(autolog):
    autolog()
    X_test = FRAME.head(9)
    model = xgboost.XGBClassifier(n_estimators=2).fit(FRAME, BINARY)
    score = sk.accuracy_score(BINARY.head(9), model.predict(X_test))

    (run,) = runs()
    assert run.data.params["num_boost_round"] == "2"
    assert run.data.metrics == {"accuracy_score_X_test": score}
    loaded = mlflow.xgboost.load_model(f"runs:/{run.info.run_id}/model")
    assert isinstance(loaded, xgboost.XGBClassifier)
    meta = mlflow.models.get_model_info(f"runs:/{run.info.run_id}/model")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]


def test_a_forest_is_logged_as_other_estimators_are(autolog):
    autolog(log_models=False)
    xgboost.XGBRFRegressor(n_estimators=2).fit(FRAME, FRAME.a)

    (run,) = runs()
    assert run.data.params["num_parallel_tree"] == "2"
    assert "feature_importance_weight.json" in files(run)


def test_matrices_of_quantiles_have_a_signature(autolog):
    autolog()
    xgboost.train(PARAMS, xgboost.QuantileDMatrix(FRAME, BINARY), 2)

    meta = mlflow.models.get_model_info(f"runs:/{runs()[0].info.run_id}/model")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]


def test_an_error_of_the_training_is_the_users(autolog):
    autolog()
    with pytest.raises(xgboost.core.XGBoostError) as logged:
        xgboost.train({"objective": "nothing"}, matrix(), 2)
    with disable_autologging(), pytest.raises(xgboost.core.XGBoostError) as plain:
        xgboost.train({"objective": "nothing"}, matrix(), 2)

    assert str(logged.value)[20:60] == str(plain.value)[20:60]
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert run.data.params["objective"] == "nothing"
    assert [one.status for one in mlflow.search_logged_models(output_format="list")] == ["FAILED"]


def test_arguments_that_do_not_fit_are_refused_by_xgboost(autolog):
    autolog()
    with pytest.raises(TypeError, match="no_such"):
        train(no_such=1)


BROKEN = ["log_new_params", "log_dataset", "initialize_logged_model", "points", "MlflowClient",
          "log_trained", "active_run", "importance_figure"]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_nothing_of_ours_changes_the_training(autolog, monkeypatch, caplog, broken):
    def fail(*args, **kwargs):
        raise RuntimeError(f"broken {broken}")

    with disable_autologging():
        expected = train(evals=[(matrix(), "t")]).save_raw("json")
    autolog()
    monkeypatch.setattr(boosting, broken, fail)
    with caplog.at_level(logging.WARNING):
        found = train(evals=[(matrix(), "t")]).save_raw("json")

    assert found == expected
    assert "broken" in caplog.text


def test_an_unreachable_store_does_not_stop_the_training(autolog, tmp_path):
    (tmp_path / "file").write_text("no folder")
    autolog()
    mlflow.set_tracking_uri(str(tmp_path / "file" / "mlruns"))

    assert train().num_boosted_rounds() == 3


def test_switched_off_and_in_the_users_run(autolog):
    autolog(disable=True)
    train()
    assert runs() == []

    autolog(exclusive=True)
    with mlflow.start_run(run_name="left alone"):
        train()
    autolog(log_models=False, extra_tags={"team": "x"})
    with mlflow.start_run(run_name="outer"), mlflow.start_run(run_name="inner", nested=True):
        train()

    # By name: two that start in the same millisecond have no order.
    told = {
        run.info.run_name: ("team" in run.data.tags, run.data.params.get("max_depth"))
        for run in runs()
    }
    assert told == {"left alone": (False, None), "outer": (False, None), "inner": (False, "2")}


def test_threads_of_the_user_get_runs_of_their_own(autolog):
    autolog(log_models=False)
    threads = [threading.Thread(target=train, args=(count,)) for count in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(run.data.params["num_boost_round"] for run in runs()) == ["1", "2", "3"]
    assert {run.info.status for run in runs()} == {"FINISHED"}


def test_options_reach_the_model(autolog):
    autolog(importance_types=["gain"], model_format="json", log_input_examples=True,
            registered_model_name="auto", log_datasets=False, log_model_signatures=False)  # fmt: skip
    train()

    (run,) = runs()
    info = mlflow.models.get_model_info("models:/auto/1")
    assert "feature_importance_gain.json" in files(run)
    assert "feature_importance_weight.json" not in files(run)
    assert run.inputs.dataset_inputs == []
    assert info.flavors["xgboost"]["model_format"] == "json"
    assert info.saved_input_example_info is not None


def test_what_is_patched_keeps_its_signature_and_is_patched_once(autolog):
    before = inspect.signature(xgboost.train)
    autolog()
    first = xgboost.train
    autolog()

    assert xgboost.train is first
    assert inspect.signature(xgboost.train) == before


def test_training_inside_an_estimator_of_the_user_is_not_logged_twice(autolog):
    autolog(log_models=False)

    class Own(xgboost.XGBRegressor):
        def fit(self, X, y):
            return super().fit(X, y)

    Own(n_estimators=1).fit(FRAME, FRAME.a)

    assert len(runs()) == 1
    assert autologging._log_model is mlflow.xgboost.log_model
