"""Logged models: made, finished, found, and the active one."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

import mlflow
from mlflow.exceptions import MlflowException


def test_from_start_to_end():
    with mlflow.start_run() as run:
        model = mlflow.initialize_logged_model("forest", params={"a": 1}, tags={"t": "x"})
        assert str(model.status) == "PENDING"
    done = mlflow.finalize_logged_model(model.model_id, "READY")

    assert str(done.status) == "READY"
    assert (done.source_run_id, done.params, done.tags["t"]) == (run.info.run_id, {"a": "1"}, "x")
    assert mlflow.last_logged_model().model_id == model.model_id
    assert done.artifact_location == f"{run.info.artifact_uri}/forest"
    mlflow.set_logged_model_tags(model.model_id, {"u": 2})
    mlflow.delete_logged_model_tag(model.model_id, "t")
    mlflow.log_model_params({"b": 2}, model.model_id)
    found = mlflow.get_logged_model(model.model_id)
    assert (found.tags["u"], found.params) == ("2", {"a": "1", "b": "2"})
    assert "t" not in found.tags


def test_search_as_frame_and_list():
    for name in ("a", "b"):
        mlflow.create_external_model(name)

    frame = mlflow.search_logged_models()
    assert list(frame["name"]) == ["b", "a"]
    assert {"artifact_location", "metrics", "model_id", "status", "tags"} <= set(frame.columns)
    found = mlflow.search_logged_models(filter_string="name = 'a'", output_format="list")
    assert [one.name for one in found] == ["a"]
    with pytest.raises(MlflowException, match="Unsupported output format"):
        mlflow.search_logged_models(output_format="x")


def test_metrics_describe_the_active_model():
    model = mlflow.create_external_model("m")
    with mlflow.start_run():
        with mlflow.set_active_model(name="m") as active:
            assert active.model_id == mlflow.get_active_model_id() == model.model_id
            mlflow.log_metric("inside", 1)
            seen = []
            thread = threading.Thread(target=lambda: seen.append(mlflow.get_active_model_id()))
            thread.start()
            thread.join()
        mlflow.log_metric("outside", 1)

    assert seen == [None]
    assert mlflow.get_active_model_id() is None
    assert [one.key for one in mlflow.get_logged_model(model.model_id).metrics] == ["inside"]


def test_the_active_model_is_made_when_missing():
    made = mlflow.set_active_model(name="new")
    assert mlflow.get_logged_model(made.model_id).name == "new"
    mlflow.log_model_params({"a": 1})
    mlflow.clear_active_model()
    with pytest.raises(MlflowException, match="Which model"):
        mlflow.log_model_params({"a": 1})
    with pytest.raises(MlflowException, match="exactly one"):
        mlflow.set_active_model()


def test_the_environment_names_the_active_model(monkeypatch):
    model = mlflow.create_external_model("forest")
    program = (
        "import mlflow\n"
        "print(mlflow.get_active_model_id())\n"
        "with mlflow.start_run(): mlflow.log_metric('loss', 0.5)\n"
        "mlflow.clear_active_model(); print(mlflow.get_active_model_id())\n"
        "with mlflow.start_run(): mlflow.log_metric('other', 0.5)\n"
    )
    monkeypatch.setenv("MLFLOW_ACTIVE_MODEL_ID", model.model_id)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [model.model_id, "None"]
    metrics = mlflow.get_logged_model(model.model_id).metrics or []
    assert [metric.key for metric in metrics] == ["loss"]
