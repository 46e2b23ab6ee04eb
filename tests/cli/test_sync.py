"""The command that brings what was logged without a server."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import mlflow
from mlflow.cli import cli
from mlflow.server.app import ServerApp
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore
from tests.server.serving import Served


@pytest.fixture
def server():
    app = ServerApp(LocalStore(MemoryBackend("mlflow-artifacts:")))
    with Served(app) as served:
        yield served.uri
    app.close()


@pytest.fixture
def folder(tmp_path):
    mlflow.set_tracking_uri(str(tmp_path / "mlruns"))
    with mlflow.start_run():
        mlflow.log_metric("m", 1.0)
    return str(tmp_path / "mlruns")


def sync(*words):
    return CliRunner().invoke(cli, ["sync", *words])


def test_a_folder(folder, server, monkeypatch):
    """To the server that is named, or that of the environment; what was done is counted."""
    done = sync(folder, server)
    assert (0, True) == (done.exit_code, "run" in done.output), done.output
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    again = sync(folder)

    assert 0 == again.exit_code, again.output
    assert 1 == len(mlflow.MlflowClient(tracking_uri=server).search_runs(["0"]))


def test_what_cannot_be(folder, server, tmp_path, monkeypatch):
    """One line says why."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert "Name the server" in sync(folder).stderr
    assert "There is no store" in sync(str(tmp_path / "none"), server).stderr
    assert "the same store" in sync(folder, folder).stderr


def test_a_run_that_is_refused(folder, server):
    """It is named, and the command fails."""
    assert 0 == sync(folder, server).exit_code
    client = mlflow.MlflowClient(tracking_uri=server)
    run_id = client.search_runs(["0"])[0].info.run_id
    client.delete_run(run_id)
    mlflow.MlflowClient(tracking_uri=folder).log_metric(run_id, "m", 2.0)
    done = sync(folder, server)

    assert 1 == done.exit_code
    assert run_id in done.stderr
