"""A folder is sent as an archive with what is in it, and nothing from elsewhere."""

from __future__ import annotations

import io
import os
import zipfile

import pytest

from mlflow.store.artifact import root

from .asking import put


@pytest.fixture
def run_id(served):
    made = served.post("runs/create", {"experiment_id": "0"})
    return made.json["run"]["info"]["run_id"]


def opened(answer):
    assert (200, "application/zip") == (answer.status, answer.headers["content-type"])
    found = zipfile.ZipFile(io.BytesIO(answer.body))
    assert found.testzip() is None
    return {name: found.read(name) for name in found.namelist()}


def test_a_folder_and_a_whole_run(served, run_id):
    """Names are those below the folder; the archive is called as the folder, or the run."""
    below = f"0/{run_id}/artifacts"
    files = {"model/MLmodel": b"flavors", "model/data/w.bin": bytes(range(256)) * 9, "ü.txt": b""}
    for name, data in files.items():
        put(served, f"{below}/{name}", data)

    answer = served.get("/get-archive", run_id=run_id, path="model")
    assert {"MLmodel": b"flavors", "data/w.bin": files["model/data/w.bin"]} == opened(answer)
    assert 'filename="model.zip"' in answer.headers["content-disposition"]
    assert "nosniff" == answer.headers["x-content-type-options"]
    answer = served.get("/get-archive", run_id=run_id)
    assert files == opened(answer)
    assert f'filename="{run_id}.zip"' in answer.headers["content-disposition"]


def test_it_is_made_in_portions(served, run_id, monkeypatch):
    """A file of many portions comes whole."""
    monkeypatch.setattr(root, "_PORTION", 1000)
    data = os.urandom(25_500)
    put(served, f"0/{run_id}/artifacts/big/a", data)

    assert {"a": data} == opened(served.get("/get-archive", run_id=run_id, path="big"))


def test_what_is_no_folder(served, run_id, place):
    """Files, what is not there, ways out, and links, which are not followed."""
    put(served, f"0/{run_id}/artifacts/in/a.txt", b"1")
    inside = place / "kept" / "0" / run_id / "artifacts"
    os.symlink("/etc", inside / "away")
    os.symlink("/etc/passwd", inside / "in" / "link")

    for path in ("in/a.txt", "none", "away", "in/link"):
        assert 404 == served.get("/get-archive", run_id=run_id, path=path).status
    for path in ("..", "../..", "/etc", "in/../.."):
        assert 400 == served.get("/get-archive", run_id=run_id, path=path).status
    assert 404 == served.get("/get-archive", run_id="0" * 32).status
    assert ["a.txt"] == list(opened(served.get("/get-archive", run_id=run_id, path="in")))


def test_names_that_mean_something_elsewhere(served, run_id, place, tmp_path):
    """Files that a program of the machine put there; whoever unpacks them finds nothing outside."""
    inside = place / "kept" / "0" / run_id / "artifacts" / "odd"
    inside.mkdir(parents=True)
    for name in ("..\\x", "\\\\host\\x", "C:x", "a\nb", "\x1b[2J", "12:30.png"):
        (inside / name).write_bytes(b"1")
    answer = served.get("/get-archive", run_id=run_id, path="odd")

    expected = ["%1B[2J", "%5C%5Chost%5Cx", "..%5Cx", "12:30.png", "C%3Ax", "a%0Ab"]
    assert expected == sorted(opened(answer))
    zipfile.ZipFile(io.BytesIO(answer.body)).extractall(tmp_path / "out")
    assert sorted(expected) == sorted(os.listdir(tmp_path / "out"))
