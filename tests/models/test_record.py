"""Logging a model: where it lies, what is recorded, what happens when it fails."""

import os

import pytest
from sklearn.linear_model import LinearRegression

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus
from mlflow.models import Model


@pytest.fixture
def model():
    return LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])


def test_the_folder_is_the_runs(model):
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(model, "elasticnet_alpha_0.2_l1_0.3")

    place = f"mlruns/0/{run.info.run_id}/artifacts/elasticnet_alpha_0.2_l1_0.3"
    assert os.path.isfile(f"{place}/MLmodel")
    assert mlflow.sklearn.load_model(place).predict([[2.0]])[0] == pytest.approx(4.0)
    uri = f"runs:/{run.info.run_id}/elasticnet_alpha_0.2_l1_0.3"
    assert mlflow.pyfunc.load_model(uri).predict([[2.0]])[0] == pytest.approx(4.0)


def test_metrics_of_its_step_describe_it(model):
    with mlflow.start_run() as run:
        mlflow.log_metric("acc", 0.25, step=2)
        mlflow.log_metric("acc", 0.5, step=3)
        mlflow.log_metric("late", 1.0, step=4)
        info = mlflow.sklearn.log_model(model, name="m", step=3)

    found = MlflowClient().get_logged_model(info.model_id).metrics
    assert [(one.key, one.value, one.step, one.run_id) for one in found] == [
        ("acc", 0.5, 3, run.info.run_id)
    ]
    assert [one.key for one in info.metrics] == ["acc"]
    history = MlflowClient().get_metric_history(run.info.run_id, "acc")
    assert [one.value for one in history] == [0.25, 0.5]


def test_metrics_that_cannot_be_given_to_it_cost_nothing(model, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise mlflow.MlflowException("broken")

    with mlflow.start_run():
        mlflow.log_metric("acc", 0.5)
        monkeypatch.setattr(MlflowClient, "log_batch", fail)
        info = mlflow.sklearn.log_model(model, name="m")

    assert "without its metrics: broken" in caplog.text
    assert mlflow.sklearn.load_model(info.model_uri).coef_[0] == pytest.approx(2.0)


def test_one_name_is_enough(model):
    with mlflow.start_run() as run, pytest.raises(mlflow.MlflowException, match="Both"):
        mlflow.sklearn.log_model(model, "a", name="b")

    assert MlflowClient().get_run(run.info.run_id).outputs.model_outputs == []


def test_it_is_a_ready_output_of_its_run(model):
    with mlflow.start_run() as run:
        mlflow.log_params({"a": 1})
        info = mlflow.sklearn.log_model(model, name="m", step=3)

    logged = MlflowClient().get_logged_model(info.model_id)
    outputs = MlflowClient().get_run(run.info.run_id).outputs.model_outputs
    assert logged.status == LoggedModelStatus.READY
    assert logged.source_run_id == run.info.run_id
    assert logged.params == {"a": "1"}
    assert [(out.model_id, out.step) for out in outputs] == [(info.model_id, 3)]


def test_the_mlmodel_names_its_run_and_id(model):
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(model, name="m", metadata={"k": "v"})

    meta = Model.load(info.model_uri)
    assert meta.run_id == run.info.run_id
    assert meta.model_id == meta.model_uuid == info.model_id
    assert meta.metadata == {"k": "v"}
    assert meta.artifact_path == MlflowClient().get_logged_model(info.model_id).artifact_location


def test_a_second_one_of_the_name_does_not_replace_the_first(model):
    other = LinearRegression().fit([[0.0], [1.0]], [0.0, 3.0])
    with mlflow.start_run():
        first = mlflow.sklearn.log_model(model, name="m")
        second = mlflow.sklearn.log_model(other, name="m")

    assert mlflow.sklearn.load_model(first.model_uri).coef_[0] == pytest.approx(2.0)
    assert mlflow.sklearn.load_model(second.model_uri).coef_[0] == pytest.approx(3.0)


def test_without_a_run_none_is_begun(model):
    info = mlflow.sklearn.log_model(model, name="m")

    assert mlflow.active_run() is None
    assert info.run_id is None
    assert mlflow.sklearn.load_model(info.model_uri).coef_[0] == pytest.approx(2.0)
    assert mlflow.search_runs(output_format="list") == []


def test_a_run_that_is_named_is_used(model):
    run = MlflowClient().create_run("0")

    info = Model.log("m", mlflow.sklearn, run_id=run.info.run_id, sk_model=model)

    assert info.run_id == run.info.run_id
    assert mlflow.active_run() is None


def test_it_is_registered(model):
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(model, name="m", registered_model_name="reg")
        again = mlflow.sklearn.log_model(model, name="n", registered_model_name="reg")

    assert (info.registered_model_version, again.registered_model_version) == (1, 2)
    assert mlflow.pyfunc.load_model("models:/reg/2").predict([[2.0]])[0] == pytest.approx(4.0)


def test_a_model_that_cannot_be_saved_is_failed_and_the_error_seen():
    def save_model(path, mlflow_model, **_):
        raise RuntimeError("full")

    flavor = type("flavor", (), {"save_model": staticmethod(save_model)})
    with mlflow.start_run(), pytest.raises(RuntimeError, match="full"):
        Model.log("m", flavor)

    (logged,) = mlflow.search_logged_models(output_format="list")
    assert logged.status == LoggedModelStatus.FAILED


def test_a_model_is_logged_into_one_that_exists(model):
    made = mlflow.initialize_logged_model(name="m")

    info = mlflow.sklearn.log_model(model, model_id=made.model_id)

    assert info.model_id == made.model_id
    assert mlflow.get_logged_model(made.model_id).status == LoggedModelStatus.READY


def test_no_temporary_folder_is_left(model, tmp_path, monkeypatch):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with mlflow.start_run():
        mlflow.sklearn.log_model(model, name="m")

    assert os.listdir(tmp_path) == []
