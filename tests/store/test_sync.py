"""What was logged without a server comes to one: whole, once, and as often as one likes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mlflow
from mlflow.entities.run import Metric
from mlflow.exceptions import MlflowException
from mlflow.server.app import ServerApp
from mlflow.server.roots import ArtifactRoots
from mlflow.store import locate
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore
from mlflow.store.rest import RestStore
from mlflow.store.sync import Sync
from tests.conftest import FULL
from tests.server.serving import Served

ROOT = "mlflow-artifacts:"


@pytest.fixture(params=["files", "sqlite", *(["postgresql"] if FULL else [])])
def server(request, tmp_path, servers):
    """The address of a server, and its store."""
    if request.param == "files":
        backend = FileBackend(str(tmp_path / "server"), artifact_root=ROOT)
    elif request.param == "sqlite":
        backend = SqlBackend(f"sqlite:///{tmp_path}/server.db", artifact_root=ROOT)
    else:
        backend = SqlBackend(servers[request.param].empty(), artifact_root=ROOT)
    app = ServerApp(LocalStore(backend), None, ArtifactRoots(str(tmp_path / "kept")))
    with Served(app) as served:
        yield served.uri
    app.close()


@pytest.fixture
def logged(tmp_path):
    """A folder with runs of a few kinds; the ids by name."""
    mlflow.set_tracking_uri(str(tmp_path / "mlruns"))
    mlflow.set_experiment("offline")
    ids = {}
    with mlflow.start_run(run_name="whole") as run:
        ids["whole"] = run.info.run_id
        mlflow.log_params({f"p{n}": n for n in range(250)})
        mlflow.log_metrics({"a": 1.0, "odd": math.nan})
        for step in range(1100):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.set_tag("t", "v")
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_text("", "empty.txt")
        mlflow.log_input(mlflow.data.from_numpy(np.arange(3)), "train")
        with mlflow.start_run(run_name="child", nested=True) as child:
            ids["child"] = child.info.run_id
        model = mlflow.pyfunc.log_model(
            name="model", python_model=lambda model_input: model_input, pip_requirements=["mlflow"]
        )
        ids["model"] = model.model_id
        mlflow.log_metric("score", 0.5, model_id=model.model_id)
    ids["open"] = mlflow.MlflowClient().create_run(run.info.experiment_id).info.run_id
    mlflow.MlflowClient().log_metric(ids["open"], "m", 1.0, step=1)
    return str(tmp_path / "mlruns"), ids


def brought(folder, uri):
    return Sync(locate.tracking(folder), locate.tracking(uri), uri).copy()


def scores(model):
    return sorted((one.key, one.run_id is not None) for one in model.metrics)


def told(uri):
    """Return what a client sees of a store, but for where things are."""
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("offline")
    seen = {}
    for run in client.search_runs([experiment.experiment_id]):
        info, data, run_id = run.info, run.data, run.info.run_id
        series = {
            key: sorted(
                (one.step, one.timestamp, repr(one.value))
                for one in client.get_metric_history(run_id, key)
            )
            for key in data.metrics
        }
        tags = {key: value for key, value in data.tags.items() if key != "mlflow.log-model.history"}
        files = sorted(
            (one.path, one.file_size)
            for folder in ("", "notes", "model")
            for one in client.list_artifacts(run_id, folder)
        )
        seen[run_id] = (
            info.status, info.start_time, info.end_time, info.run_name, info.user_id, data.params,
            tags, series, files, [one.dataset.digest for one in run.inputs.dataset_inputs],
            [one.model_id for one in run.outputs.model_outputs],
        )  # fmt: skip
    return seen


def test_everything_comes_once(server, logged):
    """Ids, times, histories, datasets, models, files; a second time nothing is sent."""
    folder, ids = logged
    first = brought(folder, server)

    assert [] == first.failed
    assert told(folder) == told(server)
    model = mlflow.MlflowClient(tracking_uri=server).get_logged_model(ids["model"])
    assert "READY" == str(model.status)
    own = mlflow.MlflowClient(tracking_uri=folder).get_logged_model(ids["model"])
    assert scores(own) == scores(model)
    assert ("score", 1) in scores(model)
    mlflow.set_tracking_uri(server)
    assert ["y"] == mlflow.pyfunc.load_model(f"models:/{ids['model']}").predict(["y"])
    assert "hello" == mlflow.artifacts.load_text(f"runs:/{ids['whole']}/notes/a.txt")

    before = told(server)
    again = brought(folder, server)
    assert ([], {}, {"run": 3}) == (again.failed, dict(again.copied), {"run": again.present["run"]})
    assert before == told(server)


def test_what_was_logged_meanwhile_follows(server, logged):
    """Points, params, tags, files and the end of a run that was open; and runs that are new."""
    folder, ids = logged
    brought(folder, server)
    there = mlflow.MlflowClient(tracking_uri=server)
    there.log_metric(ids["open"], "m", 2.0, step=2)  # logged at the server alone
    here = mlflow.MlflowClient(tracking_uri=folder)
    here.log_metric(ids["open"], "m", 3.0, step=3)
    here.log_param(ids["open"], "late", "1")
    here.set_tag(ids["open"], "t", "late")
    here.log_text(ids["open"], "late", "late.txt")
    here.set_terminated(ids["open"], "FAILED")

    assert [] == brought(folder, server).failed
    found = there.get_run(ids["open"])
    assert ["FAILED", "1", "late"] == [
        found.info.status, found.data.params["late"], found.data.tags["t"],
    ]  # fmt: skip
    steps = [one.step for one in there.get_metric_history(ids["open"], "m")]
    assert [1, 2, 3] == sorted(steps)
    assert ["late.txt"] == [one.path for one in there.list_artifacts(ids["open"])]


def test_it_goes_on_where_it_broke_off(server, logged, monkeypatch):
    """Whatever call was the last one that came through."""
    folder, _ = logged
    real = RestStore.log_batch
    broken = 0
    for limit in range(1, 50):
        left = [limit]

        def failing(self, *arguments, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise MlflowException("the server went away")
            real(self, *arguments)

        monkeypatch.setattr(RestStore, "log_batch", failing)
        report = brought(folder, server)
        monkeypatch.undo()
        if not report.failed:
            break
        assert all("went away" in line for line in report.failed)
        broken += 1
    assert broken > 2
    assert told(folder) == told(server)


def test_one_bad_run_hides_no_other(server, logged):
    """It is named; what conflicts is not overwritten."""
    folder, ids = logged
    client = mlflow.MlflowClient(tracking_uri=server)
    brought(folder, server)
    client.delete_run(ids["open"])
    mlflow.MlflowClient(tracking_uri=folder).log_metric(ids["open"], "m", 9.0, step=9)
    found = brought(folder, server)

    assert [ids["open"] in line for line in found.failed] == [True]
    assert 2 == found.present["run"]


def test_a_store_that_gives_ids_of_its_own():
    """What is brought to it twice would be there twice."""

    class Other(LocalStore):
        def takes_ids(self):
            return False

    with pytest.raises(MlflowException, match="ids of its own"):
        Sync(LocalStore(MemoryBackend()), Other(MemoryBackend()), "x")


def test_points_are_told_apart_by_how_often_they_are_there(server, logged, request):
    """A point that is there once more here is sent once."""
    folder, ids = logged
    store = LocalStore(FileBackend(folder))
    for _ in range(3):
        store.log_batch(ids["open"], [Metric("same", 1.0, 5, 5)], [], [])
    brought(folder, server)
    brought(folder, server)

    count = len(mlflow.MlflowClient(tracking_uri=server).get_metric_history(ids["open"], "same"))
    # In a database a point is its own key.
    assert count == (3 if request.node.callspec.params["server"] == "files" else 1)
