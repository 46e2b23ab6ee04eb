"""What goes on while a server is away, what does not, and what a server is told afterwards."""

from __future__ import annotations

import logging
import os
import time

import pytest

import mlflow
from mlflow.entities.run import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.server.app import ServerApp
from mlflow.server.roots import ArtifactRoots
from mlflow.store import failover, locate
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.backends.file import FileBackend
from mlflow.store.failover import FailoverStore
from mlflow.store.local import LocalStore
from tests.server.serving import Served


class Switch:
    """A server that can be away: requests are turned away before anything is done, or after."""

    def __init__(self, app):
        self.app, self.is_away, self.after = app, False, False

    async def __call__(self, scope, receive, send):
        if self.is_away and not self.after:
            await self._refuse(send)
            return
        if self.is_away:
            await self.app(scope, receive, _nothing)
            await self._refuse(send)
            return
        await self.app(scope, receive, send)

    async def _refuse(self, send):
        body = b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "away"}'
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def _nothing(_):
    pass


@pytest.fixture
def switch(tmp_path, monkeypatch):
    monkeypatch.setenv("MILLSTREAM_JOURNAL_DIR", str(tmp_path / "journal"))
    monkeypatch.setattr(failover, "_FIRST", 0.02)
    monkeypatch.setattr(failover, "_LONGEST", 0.05)
    monkeypatch.setattr(failover, "_AT_EXIT", 0.2)
    backend = FileBackend(str(tmp_path / "server"), artifact_root="mlflow-artifacts:")
    app = ServerApp(LocalStore(backend), None, ArtifactRoots(str(tmp_path / "kept")))
    made = Switch(app)
    with Served(made) as served:
        made.uri = served.uri
        yield made
    app.close()


@pytest.fixture
def store(switch):
    made = FailoverStore(switch.uri)
    yield made
    switch.is_away = False
    made.close()


@pytest.fixture
def plain(switch):
    return locate.tracking(switch.uri)


def back(switch, store):
    """Let the server come back, and wait until the store asks it again."""
    switch.is_away = False
    until = time.monotonic() + 60
    while store._is_away:
        assert time.monotonic() < until
        time.sleep(0.01)


def run_in(store, experiment="0"):
    return store.create_run(experiment, "ada", 1, [RunTag("t", "0")], "name")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_that_loses_its_server(switch, store, plain, after):
    """All that is logged goes on; also when calls were made whose answers were lost."""
    run_id = run_in(store).info.run_id
    store.log_metric(run_id, Metric("m", 1.0, 1, 1))
    switch.is_away, switch.after = True, after
    store.log_metric(run_id, Metric("m", 2.0, 2, 2))
    store.log_param(run_id, Param("p", "1"))
    store.set_tag(run_id, RunTag("t", "1"))
    store.log_batch(run_id, [Metric("m", 3.0, 3, 3), Metric("n", 1.0, 1, 1)], [Param("q", "1")], [])
    assert ["1", "1"] == [store.get_run(run_id).data.params[key] for key in ("p", "q")]
    files = artifact_repository(store.get_run(run_id).info.artifact_uri, store.artifact_server)
    files.log_text("kept", "a/b.txt") if hasattr(files, "log_text") else _put(files, "a/b.txt")
    back(switch, store)
    store.log_metric(run_id, Metric("m", 4.0, 4, 4))
    store.update_run_info(run_id, 3, 9, None)

    run = plain.get_run(run_id)
    assert (["1", "2", "3", "4"], "FINISHED") == (
        [str(one.step) for one in plain.get_metric_history(run_id, "m")], run.info.status,
    )  # fmt: skip
    assert ({"p": "1", "q": "1"}, "1") == (run.data.params, run.data.tags["t"])
    there = artifact_repository(run.info.artifact_uri, switch.uri)
    assert ["a/b.txt"] == [one.path for one in there.list_artifacts("a")]


def _put(files, path):
    name = os.path.basename(path)
    with open(name, "w") as file:
        file.write("kept")
    files.log_artifact(name, os.path.dirname(path))


@pytest.mark.parametrize("way", ["artifact", "artifacts", "stream"])
def test_an_upload_that_loses_its_server(switch, store, plain, tmp_path, monkeypatch, way):
    """It is made again, into the journal, and follows with the rest."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    client = mlflow.MlflowClient()
    client._set_store(switch.uri, store)
    run_id = run_in(store).info.run_id
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_text("kept")
    # The run is asked for, then the server goes.
    answered = store._remote.get_run

    def get_run(run_id):
        run = answered(run_id)
        switch.is_away = True
        return run

    monkeypatch.setattr(store._remote, "get_run", get_run)
    if way == "artifact":
        client.log_artifact(run_id, str(folder / "a.txt"), "b")
    elif way == "artifacts":
        client.log_artifacts(run_id, str(folder), "b")
    else:
        client.log_text(run_id, "kept", "b/a.txt")
    monkeypatch.setattr(store._remote, "get_run", answered)
    back(switch, store)

    there = artifact_repository(plain.get_run(run_id).info.artifact_uri, switch.uri)
    with open(there.download_artifacts("b/a.txt")) as file:
        assert "kept" == file.read()


def test_runs_and_experiments_that_begin_without_it(switch, store, plain):
    """They have their ids at once, keep them, and go on at the server."""
    switch.is_away = True
    assert store.get_experiment_by_name("new") is None
    experiment = store.create_experiment("new")
    run_id = run_in(store, experiment).info.run_id
    store.log_metric(run_id, Metric("m", 1.0, 1, 1))
    model = store.create_logged_model(experiment, "model", source_run_id=run_id)
    store.finalize_logged_model(model.model_id, "READY")
    back(switch, store)
    store.log_metric(run_id, Metric("m", 2.0, 2, 2))
    second = run_in(store, experiment).info

    there = plain.get_experiment_by_name("new")
    assert {run_id, second.run_id} == {
        run.info.run_id for run in plain.search_runs([there.experiment_id], "", 1)
    }
    assert 2 == len(store.search_runs([experiment], "", 1))
    assert "new" == store.get_experiment(experiment).name
    assert 2 == len(plain.get_metric_history(run_id, "m"))
    assert "READY" == str(plain.get_logged_model(model.model_id).status)


def test_what_was_set_at_the_server_since_is_not_set_back(switch, store, plain):
    """A second outage begins with a journal of its own."""
    run_id = run_in(store).info.run_id
    for number in range(3):
        switch.is_away = True
        store.set_tag(run_id, RunTag("t", f"away {number}"))
        back(switch, store)
        assert f"away {number}" == plain.get_run(run_id).data.tags["t"]
        store.set_tag(run_id, RunTag("t", f"back {number}"))
    store.close()

    assert "back 2" == plain.get_run(run_id).data.tags["t"]


def test_what_the_server_refuses_is_kept(switch, tmp_path, plain, caplog):
    """It is told, and the journal stays, though everything else was brought."""
    store = FailoverStore(switch.uri)
    refused, kept = run_in(store).info.run_id, run_in(store).info.run_id
    switch.is_away = True
    for run_id in (refused, kept):
        store.log_metric(run_id, Metric("m", 1.0, 1, 1))
    LocalStore(FileBackend(str(tmp_path / "server"))).delete_run(refused)
    back(switch, store)
    store.close()

    (place,) = (tmp_path / "journal").glob("*/*/mlruns")
    assert f"mlflow sync {place}" in caplog.text
    assert refused in caplog.text
    assert 1 == len(plain.get_metric_history(kept, "m"))
    assert 1 == len(LocalStore(FileBackend(str(place))).get_metric_history(refused, "m"))


def test_a_lost_answer_makes_no_second_run(switch, store, plain):
    """Nor a second model: the ids are made here."""
    switch.is_away, switch.after = True, True
    run_id = run_in(store).info.run_id
    model = store.create_logged_model("0", "model")
    back(switch, store)

    assert [run_id] == [run.info.run_id for run in plain.search_runs(["0"], "", 1)]
    assert [model.model_id] == [one.model_id for one in plain.search_logged_models(["0"])]


def test_what_needs_the_server(switch, store, plain):
    """Runs and experiments that this process knows nothing of, searches, the registry."""
    run_id = run_in(plain).info.run_id
    other = plain.create_experiment("other")
    switch.is_away = True
    for call in (
        lambda: store.log_metric(run_id, Metric("m", 1.0, 1, 1)),
        lambda: run_in(store, other),
        lambda: store.search_runs(["0"], "", 1),
        lambda: store.create_registered_model("m"),
        lambda: store.delete_run(run_id),
        lambda: store.finalize_logged_model("m-" + "0" * 32, "READY"),
    ):
        with pytest.raises(MlflowException) as caught:
            call()
        assert caught.value.error_code in ("TEMPORARILY_UNAVAILABLE", "RESOURCE_DOES_NOT_EXIST")


def test_refusals_are_no_outage(switch, store):
    """They are told, and the server is asked on."""
    run_id = run_in(store).info.run_id
    store.log_param(run_id, Param("p", "1"))
    with pytest.raises(MlflowException, match="already logged"):
        store.log_param(run_id, Param("p", "2"))
    assert not store._is_away


def test_the_end_of_a_process(switch, tmp_path, caplog):
    """It waits a little, then says where what was logged is, and how it gets to the server."""
    store = FailoverStore(switch.uri)
    run_id = run_in(store).info.run_id
    switch.is_away = True
    store.log_metric(run_id, Metric("m", 1.0, 1, 1))
    with caplog.at_level(logging.ERROR):
        store.close()

    (place,) = (tmp_path / "journal").glob("*/*/mlruns")
    assert f"mlflow sync {place} {switch.uri}" in caplog.text
    switch.is_away = False
    FailoverStore(switch.uri).close()
    until = time.monotonic() + 60
    while place.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert 1 == len(locate.tracking(switch.uri).get_metric_history(run_id, "m"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_forked_child_has_a_journal_of_its_own(switch, store, plain):
    """What it logs is its own to bring, or the next one's that starts."""
    run_id = run_in(store).info.run_id
    switch.is_away = True
    store.log_metric(run_id, Metric("m", 1.0, 1, 1))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store.log_metric(run_id, Metric("m", 2.0, 2, 2))
            code = 0
        finally:
            os._exit(code)
    assert 0 == os.waitpid(child, 0)[1]
    back(switch, store)
    assert [1] == [one.step for one in plain.get_metric_history(run_id, "m")]
    FailoverStore(switch.uri).close()
    until = time.monotonic() + 60
    while len(plain.get_metric_history(run_id, "m")) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert [1, 2] == [one.step for one in plain.get_metric_history(run_id, "m")]


def test_the_setting(monkeypatch):
    """One word; anything else is an error that names it."""
    monkeypatch.setenv("MLFLOW_TRACKING_FAILOVER", "spool")
    with pytest.raises(MlflowException, match="MLFLOW_TRACKING_FAILOVER is 'spool'"):
        locate.tracking("http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_TRACKING_FAILOVER", "journal")
    assert isinstance(locate.tracking("http://127.0.0.1:9"), FailoverStore)
    locate.forget()
