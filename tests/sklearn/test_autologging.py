"""What scikit-learn trains is logged, and training does not change."""

import json
import logging
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import mlflow
from mlflow import MlflowClient
from mlflow.sklearn import autologging
from mlflow.tracking.autolog import AUTOLOGGING_INTEGRATIONS, disable_autologging

rng = np.random.RandomState(0)
FRAME = pd.DataFrame(rng.rand(40, 3), columns=list("abc"))
CLASSES = (FRAME.a > 0.5).astype(int)

CLASSIFIER = {
    "training_precision_score", "training_recall_score", "training_f1_score",
    "training_accuracy_score", "training_log_loss", "training_roc_auc", "training_score",
}  # fmt: skip
REGRESSOR = {
    "training_mean_squared_error", "training_mean_absolute_error", "training_r2_score",
    "training_root_mean_squared_error", "training_score",
}  # fmt: skip


@pytest.fixture
def autolog():
    yield mlflow.sklearn.autolog
    AUTOLOGGING_INTEGRATIONS["sklearn"] = {"disable": True}


def runs():
    return mlflow.search_runs(output_format="list", order_by=["start_time ASC"])


def files(run):
    return {info.path for info in MlflowClient().list_artifacts(run.info.run_id)}


def test_a_classifier(autolog):
    autolog()
    model = LogisticRegression(C=2.0)

    assert model.fit(FRAME, CLASSES) is model

    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert mlflow.active_run() is None
    assert set(run.data.metrics) == CLASSIFIER
    assert run.data.params == {k: str(v) for k, v in model.get_params(deep=True).items()}
    assert run.data.metrics["training_score"] == model.score(FRAME, CLASSES)
    tags = run.data.tags
    assert tags["estimator_name"] == "LogisticRegression"
    assert tags["estimator_class"] == "sklearn.linear_model._logistic.LogisticRegression"
    assert tags["mlflow.autologging"] == "sklearn"
    assert {"estimator.html", "model"} <= files(run)
    ((dataset,),) = [run.inputs.dataset_inputs]
    assert [tag.value for tag in dataset.tags] == ["train"]
    loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    assert np.array_equal(loaded.predict(FRAME), model.predict(FRAME))
    meta = mlflow.models.get_model_info(f"runs:/{run.info.run_id}/model")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]
    assert meta.saved_input_example_info is None
    assert meta.flavors["sklearn"]["serialization_format"] == "cloudpickle"


def test_a_regressor_in_the_users_run(autolog):
    autolog(log_input_examples=True)
    with mlflow.start_run() as own:
        ElasticNet().fit(FRAME.to_numpy(), FRAME.a)

    (run,) = runs()
    assert run.info.run_id == own.info.run_id
    assert set(run.data.metrics) == REGRESSOR
    assert "mlflow.autologging" not in run.data.tags
    meta = mlflow.models.get_model_info(f"runs:/{run.info.run_id}/model")
    assert meta.saved_input_example_info is not None


def test_one_run_for_everything_that_is_fitted_inside(autolog):
    autolog(log_models=False)
    make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, CLASSES)
    RandomForestClassifier(4, n_jobs=2).fit(FRAME, CLASSES)
    KMeans(2, n_init=1).fit_predict(FRAME)
    StandardScaler().fit(FRAME)

    names = [run.data.tags["estimator_name"] for run in runs()]
    assert names == ["Pipeline", "RandomForestClassifier", "KMeans"]
    # Without targets there is nothing to score against.
    assert runs()[2].data.metrics == {}


@pytest.mark.parametrize(("given", "children"), [(5, 5), (2, 2), (None, 7), (0, 0)])
def test_a_search_has_capped_children(autolog, given, children):
    autolog(max_tuning_runs=given, log_models=False)
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1, 2, 3, 4, 5, 6]}, cv=2)
    search.fit(FRAME, CLASSES)

    found = runs()
    parents = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    (parent,) = parents
    assert len(found) - 1 == children
    assert parent.data.metrics["best_cv_score"] == pytest.approx(search.best_score_)
    assert parent.data.params["best_C"] == str(search.best_params_["C"])
    assert "estimator__C" not in parent.data.params
    assert "cv_results.csv" in files(parent)
    kept = sorted(run.data.metrics["rank_test_score"] for run in found if run is not parent)
    assert kept == sorted(float(rank) for rank in search.cv_results_["rank_test_score"])[:children]
    for run in found:
        assert run.info.status == "FINISHED"
        if run is not parent:
            assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
            assert set(run.data.params) == set(LogisticRegression().get_params())
            assert run.data.params["C"] in {"0.1", "1", "2", "3", "4", "5", "6"}
            assert "split0_test_score" not in run.data.metrics
            assert run.data.tags["mlflow.user"] == parent.data.tags["mlflow.user"]
            ((dataset,),) = [run.inputs.dataset_inputs]
            assert dataset.dataset.digest == parent.inputs.dataset_inputs[0].dataset.digest


def test_the_best_estimator_is_a_model_of_its_own(autolog):
    autolog()
    GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2).fit(FRAME, CLASSES)

    parent = next(run for run in runs() if "mlflow.parentRunId" not in run.data.tags)
    best = mlflow.sklearn.load_model(f"runs:/{parent.info.run_id}/best_estimator")
    assert isinstance(best, LogisticRegression)
    assert isinstance(mlflow.sklearn.load_model(f"runs:/{parent.info.run_id}/model"), GridSearchCV)

    models = {one.name: one for one in mlflow.search_logged_models(output_format="list")}
    told = {name: {one.key for one in model.metrics} for name, model in models.items()}
    assert told["model"] == CLASSIFIER | {"best_cv_score"}
    assert {"mean_test_score", "rank_test_score"} <= told["best_estimator"]
    assert not told["model"] & told["best_estimator"]
    assert "best_C" in models["model"].params
    assert models["best_estimator"].params["C"] == parent.data.params["best_C"]


def test_a_second_fit_in_a_run_adds_what_is_new(autolog):
    autolog(log_models=False)
    with mlflow.start_run():
        LogisticRegression(max_iter=300).fit(FRAME, CLASSES)
        ElasticNet(alpha=0.5).fit(FRAME, FRAME.a)

    (run,) = runs()
    assert run.data.params["alpha"] == "0.5"
    assert run.data.params["max_iter"] == "300"
    assert REGRESSOR | CLASSIFIER == set(run.data.metrics)


def test_metrics_name_the_model_and_the_data(autolog):
    autolog()
    LogisticRegression().fit(FRAME, CLASSES)

    (run,) = runs()
    digest = run.inputs.dataset_inputs[0].dataset.digest
    (model,) = mlflow.search_logged_models(output_format="list")
    assert {one.key for one in model.metrics} == CLASSIFIER
    assert {one.dataset_digest for one in model.metrics} == {digest}
    history = MlflowClient().get_metric_history(run.info.run_id, "training_score")
    assert len(history) == 1


def test_an_error_of_the_training_is_the_users_and_fails_the_run(autolog):
    autolog()
    with pytest.raises(ValueError, match="inconsistent") as logged:
        LogisticRegression().fit(FRAME, CLASSES[:3])
    with disable_autologging(), pytest.raises(ValueError, match="inconsistent") as plain:
        LogisticRegression().fit(FRAME, CLASSES[:3])

    assert str(logged.value) == str(plain.value)
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert run.inputs.dataset_inputs == []
    assert mlflow.active_run() is None


BROKEN = ["describe_params", "training_metrics", "training_plots", "log_dataset", "_log_one_model",
          "first_rows", "FitArguments", "MlflowClient", "active_run", "remember_fit"]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_nothing_of_ours_changes_the_training(autolog, monkeypatch, caplog, broken):
    calls = []

    def fail(*args, **kwargs):
        raise RuntimeError(f"broken {broken}")

    class Counted(LogisticRegression):
        def _partial(self):
            calls.append(1)

        def fit(self, X, y, sample_weight=None):
            calls.append(1)
            return super().fit(X, y, sample_weight)

    with disable_autologging():
        expected = LogisticRegression().fit(FRAME, CLASSES).coef_
    autolog()
    monkeypatch.setattr(autologging, broken, fail)
    with caplog.at_level(logging.WARNING):
        model = Counted()
        assert model.fit(FRAME, CLASSES) is model

    assert np.array_equal(model.coef_, expected)
    assert calls == [1]
    assert "broken" in caplog.text


def test_an_unreachable_store_does_not_stop_the_training(autolog, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    autolog()
    mlflow.set_tracking_uri(str(tmp_path / "file" / "mlruns"))

    model = LogisticRegression().fit(FRAME, CLASSES)

    assert model.predict(FRAME).shape == (40,)


def test_switched_off(autolog):
    autolog()
    autolog(disable=True)
    LogisticRegression().fit(FRAME, CLASSES)

    assert runs() == []


def test_exclusive_leaves_the_users_runs_alone(autolog):
    autolog(exclusive=True)
    with mlflow.start_run():
        LogisticRegression().fit(FRAME, CLASSES)

    (run,) = runs()
    assert run.data.params == {}


def test_threads_of_the_user_get_runs_of_their_own(autolog):
    autolog(log_models=False)
    threads = [
        threading.Thread(target=LogisticRegression(C=c).fit, args=(FRAME, CLASSES))
        for c in (1.0, 2.0, 3.0)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(run.data.params["C"] for run in runs()) == ["1.0", "2.0", "3.0"]


def test_estimators_keep_their_signatures_and_conditions(autolog):
    import inspect

    before = inspect.signature(LogisticRegression.fit)
    autolog()

    assert inspect.signature(LogisticRegression.fit) == before
    assert not hasattr(Pipeline([("a", LogisticRegression())]), "fit_predict")
    assert hasattr(Pipeline([("a", KMeans())]), "fit_predict")


def test_estimators_of_the_user_are_logged_through_what_they_inherit(autolog):
    autolog(log_models=False)

    class Own(LogisticRegression):
        pass

    class FromScratch(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            return self

    Own().fit(FRAME, CLASSES)
    FromScratch().fit(FRAME, CLASSES)

    assert [run.data.tags["estimator_name"] for run in runs()] == ["Own"]


def test_tags_and_weights(autolog):
    autolog(extra_tags={"team": "x"}, log_models=False)
    weights = np.linspace(0, 1, 40)
    model = LogisticRegression().fit(FRAME, CLASSES, sample_weight=weights)

    (run,) = runs()
    assert run.data.tags["team"] == "x"
    assert run.data.metrics["training_score"] == model.score(FRAME, CLASSES, weights)


def test_registered_models(autolog):
    autolog(registered_model_name="auto")
    ElasticNet().fit(FRAME, FRAME.a)

    assert mlflow.sklearn.load_model("models:/auto/1").predict(FRAME).shape == (40,)


def test_files_are_what_they_say(autolog):
    autolog(log_models=False)
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2).fit(FRAME, CLASSES)

    parent = next(run for run in runs() if "mlflow.parentRunId" not in run.data.tags)
    path = mlflow.artifacts.download_artifacts(f"runs:/{parent.info.run_id}/cv_results.csv")
    table = pd.read_csv(path)
    assert list(table.columns) == list(search.cv_results_)
    assert json.loads(table.params[0].replace("'", '"')) == {"C": 1}
