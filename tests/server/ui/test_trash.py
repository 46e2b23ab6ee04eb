"""The trash: what is in it, how large it is, and what stays when it is emptied."""

from __future__ import annotations

import io
import json

import pytest

from mlflow.exceptions import PERMISSION_DENIED, MlflowException
from mlflow.server.roots import ArtifactRoots
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.backends.file import FileBackend
from mlflow.store.local import LocalStore

from ..asking import Client  # noqa: TID252 - tests are no package that could be named


class Place:
    """A store of files, a server over it, and things in its trash."""

    def __init__(self, folder, *, reaches=True):
        self.folder = folder
        self.store = LocalStore(FileBackend(str(folder / "mlruns")))
        self.experiment = self.store.create_experiment("kept")
        roots = ArtifactRoots(str(folder / "kept"), [str(folder / "mlruns")])
        self.client = Client(self.store, roots=roots if reaches else None)

    def run(self, experiment=None, size=10, *, deleted=True):
        made = self.store.create_run(experiment or self.experiment, "u", 1, [], "a-run")
        run_id, uri = made.info.run_id, made.info.artifact_uri
        if size:
            artifact_repository(uri).log_stream(io.BytesIO(b"x" * size), "folder/file.bin")
        if deleted:
            self.store.delete_run(run_id)
        return run_id

    def look(self, **asked):
        return self.client.post("/ui-api/trash", asked).json

    def empty(self, **asked):
        return self.client.post("/ui-api/trash/empty", asked)

    def has(self, run_id):
        try:
            self.store.get_run(run_id)
        except MlflowException:
            return False
        return True


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    with made.client:
        yield made


def test_what_would_go(place):
    """Counts and bytes of what was deleted, and of nothing else; nothing is removed."""
    first, second, kept = place.run(size=10), place.run(size=25), place.run(deleted=False)
    empty = place.store.create_experiment("old")
    inside = place.run(empty, size=100, deleted=False)
    place.store.delete_experiment(empty)

    found = place.look()

    assert {"run": 3, "model": 0, "experiment": 1} == found["counts"]
    assert (135, True) == (found["bytes"], found["measured"])
    lines = {one["id"]: (one["kind"], one["name"], one["bytes"]) for one in found["items"]}
    assert ("run", "a-run", 25) == lines[second]
    assert ("experiment", "old", 0) == lines[empty]
    assert {first, second, inside, empty} == set(lines)
    assert all(place.has(one) for one in (first, second, inside, kept))


def test_it_is_emptied(place):
    """Runs, then experiments; their files with them, and no others."""
    gone, kept = place.run(), place.run(deleted=False)
    empty = place.store.create_experiment("old")
    inside = place.run(empty, deleted=False)
    place.store.delete_experiment(empty)
    until = place.look()["until"]

    told = place.empty(until=until).json

    assert {"removed": 3, "stays": [], "left": 0} == told
    assert [False, False, True] == [place.has(one) for one in (gone, inside, kept)]
    assert [] == place.store.list_deleted_experiments()
    (file,) = place.folder.rglob("file.bin")
    assert kept in str(file)


def test_what_came_later_is_left(place):
    """Nobody agreed to its removal."""
    until = place.look()["until"] - 1
    later = place.run()

    assert {"removed": 0, "stays": [], "left": 0} == place.empty(until=until).json
    assert place.has(later)


def test_only_what_is_named(place):
    """And only if it was deleted."""
    first, second, active = place.run(), place.run(), place.run(deleted=False)

    assert 10 == place.look(runs=[first])["bytes"]
    refused = place.empty(runs=[first, active])
    assert (400, True) == (refused.status, place.has(first))
    assert 1 == place.empty(runs=[first]).json["removed"]
    assert [False, True] == [place.has(first), place.has(second)]


def test_files_that_cannot_be_removed_keep_what_they_belong_to(tmp_path):
    """The run stays, and so does its experiment; the reason is told, and the rest goes."""
    place = Place(tmp_path)
    with place.client:
        outside = place.store.create_experiment("outside", (tmp_path / "other").as_uri())
        stays, gone = place.run(outside, size=5, deleted=False), place.run()
        place.store.delete_experiment(outside)

        (line,) = [one for one in place.look()["items"] if one["id"] == stays]
        told = place.empty().json

        assert (0, True) == (line["bytes"], "outside of the folders" in line["stays"])
        assert {stays, outside} == {one["id"] for one in told["stays"]}
        assert (1, False, True) == (told["removed"], place.has(gone), place.has(stays))
        again = place.empty(skip=len(told["stays"])).json
        assert {"removed": 0, "stays": [], "left": 0} == again


def test_a_server_without_artifacts_removes_none(tmp_path):
    """What has files there stays, too."""
    place = Place(tmp_path, reaches=False)
    with place.client:
        run_id = place.run()

        assert "mlflow gc" in place.empty().json["stays"][0]["reason"]
        assert place.has(run_id)


def test_it_goes_in_parts(place, monkeypatch):
    """A long trash does not hold up a server; who asks is told what is left."""
    monkeypatch.setattr("mlflow.server.ui.trash._AT_ONCE", 2)
    runs = [place.run(size=0) for _ in range(5)]
    place.client.post("/ui-api/summary", {"experiments": [place.experiment], "view": 2})

    told = [place.empty().json for _ in range(3)]

    assert [(2, 3), (2, 1), (1, 0)] == [(one["removed"], one["left"]) for one in told]
    assert not any(place.has(run_id) for run_id in runs)
    summary = place.client.post("/ui-api/summary", {"experiments": [place.experiment], "view": 2})
    assert 0 == summary.json["total"]


def test_a_slow_trash_goes_in_parts_too(place, monkeypatch):
    """When its time is over what is left is told; what was named is finished."""
    monkeypatch.setattr("mlflow.server.ui.trash._PATIENCE", -1.0)
    runs = [place.run(size=0) for _ in range(4)]

    assert {"removed": 1, "stays": [], "left": 3} == place.empty().json
    left = [run_id for run_id in runs if place.has(run_id)]
    assert {"removed": 3, "stays": [], "left": 0} == place.empty(runs=left).json


def test_permission_is_asked(place):
    """Looking needs another one than emptying."""
    asked = []

    async def refuse(request, permission, arguments):
        asked.append((permission.action, permission.kind))
        raise MlflowException("no", PERMISSION_DENIED)

    run_id = place.run()
    place.client.app.calls.permits = refuse

    assert [403, 403] == [
        place.client.post("/ui-api/trash", {}).status, place.empty().status,
    ]  # fmt: skip
    assert [("read", "store"), ("manage", "store")] == asked
    assert place.has(run_id)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"until": "x"}', b'{"skip": -1}', b'{"runs": 5}'])
def test_nonsense_is_refused(place, body):
    """Before anything is touched."""
    run_id = place.run()
    for path in ("/ui-api/trash", "/ui-api/trash/empty"):
        found = place.client.post(path, body=body)
        assert (400, "INVALID_PARAMETER_VALUE") == (found.status, found.code)
    assert 400 == place.client.post("/ui-api/trash/empty", kind="text/plain").status
    assert place.has(run_id)
    assert "skip" not in json.dumps(place.look())
