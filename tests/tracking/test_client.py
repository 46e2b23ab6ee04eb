"""The client: its whole surface, and calls by explicit ids."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import client as client_module


@pytest.fixture
def client():
    return MlflowClient()


def test_experiments(client):
    number = client.create_experiment("a", tags={"x": 1})
    assert client.get_experiment(number).tags == {"x": "1"}
    assert client.get_experiment_by_name("a").experiment_id == number
    assert client.get_experiment_by_name("none") is None
    client.rename_experiment(number, "b")
    client.set_experiment_tag(number, "y", 2)
    client.delete_experiment_tag(number, "x")
    client.delete_experiment(number)
    found = client.search_experiments(ViewType.DELETED_ONLY)
    assert [(one.name, one.tags) for one in found] == [("b", {"y": "2"})]
    client.restore_experiment(number)
    assert len(client.search_experiments(max_results=1)) == 1
    with pytest.raises(MlflowException) as caught:
        client.create_experiment("b")
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_runs(client):
    run = client.create_run("0", tags={"a": 1}, run_name="first", start_time=5)
    run_id = run.info.run_id
    assert (run.info.status, run.info.start_time, run.data.tags["a"]) == ("RUNNING", 5, "1")
    client.update_run(run_id, status="SCHEDULED", name="second")
    assert client.get_run(run_id).info.run_name == "second"
    client.set_terminated(run_id, "FAILED", end_time=9)
    info = client.get_run(run_id).info
    assert (info.status, info.end_time) == ("FAILED", 9)
    client.delete_run(run_id)
    assert client.search_runs("0") == []
    client.restore_run(run_id)
    assert [one.info.run_id for one in client.search_runs(["0"])] == [run_id]
    assert mlflow.active_run() is None


def test_logging(client):
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "m", 1, timestamp=1, step=2)
    client.log_batch(run_id, [Metric("m", 2, 2, 3)], [Param("p", "1")], [RunTag("t", "1")])
    assert client.log_param(run_id, "q", [1]) == [1]
    client.set_tag(run_id, "u", None)
    client.delete_tag(run_id, "t")
    client.log_metric(run_id, "a", 1, synchronous=False).wait()
    data = client.get_run(run_id).data
    assert data.metrics == {"m": 2.0, "a": 1.0}
    assert data.params == {"p": "1", "q": "[1]"}
    assert data.tags["u"] == "None"
    assert "t" not in data.tags
    history = client.get_metric_history(run_id, "m")
    assert [(one.value, one.timestamp, one.step) for one in history] == [(1.0, 1, 2), (2.0, 2, 3)]
    assert client.get_metric_history(run_id, "none") == []


def test_a_batch_of_any_size_is_written(client):
    run_id = client.create_run("0").info.run_id
    client.log_batch(run_id, [Metric("m", i, i, i) for i in range(2345)])

    assert len(client.get_metric_history(run_id, "m")) == 2345


def test_it_speaks_to_the_store_it_was_given(tmp_path):
    other = MlflowClient(str(tmp_path / "other"))
    run_id = other.create_run("0").info.run_id

    assert (tmp_path / "other" / "0" / run_id).is_dir()
    assert other.tracking_uri == other._tracking_client.tracking_uri == str(tmp_path / "other")
    other.create_registered_model("m")
    assert (tmp_path / "other" / "models" / "m").is_dir()


def test_the_place_of_artifacts_is_reached_as_qlib_reaches_it(client, tmp_path):
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "kept", "note.txt")
    repository = client._tracking_client._get_artifact_repo(run_id)

    assert Path(repository.download_artifacts("note.txt", str(tmp_path))).read_text() == "kept"


def test_a_subclass_may_have_a_repr_of_the_tracking_uri(monkeypatch, client):
    monkeypatch.setattr(MlflowClient, "__repr__", lambda self: self._tracking_client.tracking_uri)
    assert repr(client) == mlflow.get_tracking_uri()


@pytest.mark.parametrize("name", client_module._LATER.split())
def test_what_comes_later_says_so(client, name):
    with pytest.raises(MlflowException, match=f"MlflowClient.{name} is not in this version"):
        getattr(client, name)()
