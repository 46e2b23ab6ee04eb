"""Artifacts over HTTP: what is kept is sent back, and nothing leaves the folders."""

from __future__ import annotations

import itertools
import os

import pytest

from mlflow.server.app import Settings
from mlflow.server.roots import ArtifactRoots
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore

from .asking import CANARY, PROXY, Client, put, sha256


@pytest.fixture
def run_id(served):
    made = served.post("runs/create", {"experiment_id": "0"})
    return made.json["run"]["info"]["run_id"]


# --- what users do -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "folder/b.bin", "deep/er/still/c", "sp ace/ü/日本.txt",
                                  "a%b", "x#y", "q&a=1", "semi;colon", "plus+"])  # fmt: skip
def test_files_come_back_as_they_were(served, place, name):
    """Whatever is in them, and whatever they are called."""
    data = bytes(range(256)) * 9
    kept = put(served, name.replace("%", "%25"), data)
    assert (200, b"{}") == (kept.status, kept.body)
    assert sha256(data) == kept.headers["repr-digest"]

    answer = served.get(f"{PROXY}/{name.replace('%', '%25')}")
    assert (200, data) == (answer.status, answer.body)
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert (place / "kept" / name).read_bytes() == data


def test_listings(served, run_id):
    """By path they are relative to the folder, by run to the run's root."""
    below = f"0/{run_id}/artifacts"
    put(served, f"{below}/model/MLmodel", b"12345")
    put(served, f"{below}/note.txt", b"1")

    answer = served.get(PROXY, path=f"{below}/model").json
    assert {"files": [{"path": "MLmodel", "is_dir": False, "file_size": 5}]} == answer
    answer = served.get("artifacts/list", run_id=run_id).json
    assert f"mlflow-artifacts:/{below}" == answer["root_uri"]
    assert [("model", True), ("note.txt", False)] == [
        (f["path"], f["is_dir"]) for f in answer["files"]
    ]
    answer = served.get("artifacts/list", run_id=run_id, path="model").json
    assert ["model/MLmodel"] == [one["path"] for one in answer["files"]]
    assert {} == served.get(PROXY, path="nothing/here").json


def test_files_of_runs_and_models(served, run_id):
    put(served, f"0/{run_id}/artifacts/model/MLmodel", b"flavors: {}")
    for path in ("/get-artifact", "/ajax-api/2.0/mlflow/get-artifact"):
        assert b"flavors: {}" == served.get(path, run_uuid=run_id, path="model/MLmodel").body

    served.post("registered-models/create", {"name": "m"})
    source = f"mlflow-artifacts:/0/{run_id}/artifacts/model"
    served.post("model-versions/create", {"name": "m", "source": source, "run_id": run_id})
    asked = {"name": "m", "version": "1", "path": "MLmodel"}
    assert b"flavors: {}" == served.get("/model-versions/get-artifact", **asked).body

    made = served.post("logged-models", {"experiment_id": "0", "name": "l"}).json["model"]["info"]
    below = made["artifact_uri"].removeprefix("mlflow-artifacts:/")
    put(served, f"{below}/MLmodel", b"of the model")
    model = f"logged-models/{made['model_id']}/artifacts"
    assert ["MLmodel"] == [one["path"] for one in served.get(f"{model}/directories").json["files"]]
    assert b"of the model" == served.get(f"{model}/files", artifact_file_path="MLmodel").body


def test_removing(served, place):
    put(served, "a/b/c")
    put(served, "a/d")
    assert 200 == served.ask("DELETE", f"{PROXY}/a/b").status
    assert 200 == served.ask("DELETE", f"{PROXY}/never/there").status
    assert ["d"] == os.listdir(place / "kept" / "a")
    assert 400 == served.ask("DELETE", f"{PROXY}/").status


def test_small_files_of_pages(served, run_id, place):
    query = {"run_uuid": run_id, "path": "image.png"}
    answer = served.ask("POST", "upload-artifact", body=b"png", query=query)
    assert (200, {}) == (answer.status, answer.json)
    length = [("Content-Length", str(11 * 2**20))]
    answer = served.ask("POST", "upload-artifact", body=b"png", query=query, headers=length)
    assert (400, "Artifact size is too large. Max size is 10MB.") == (
        answer.status, answer.json["message"]
    )  # fmt: skip


def test_what_is_not_there(served, run_id):
    for answer in (
        served.get(f"{PROXY}/no"),
        served.get("/get-artifact", run_id=run_id, path="no"),
        served.get("/get-artifact", run_id="0" * 32, path="no"),
    ):
        assert (404, "RESOURCE_DOES_NOT_EXIST") == (answer.status, answer.code)
    for query in ({}, {"run_id": run_id}, {"path": "x"}, {"run_id": run_id, "path": ""}):
        assert 400 == served.get("/get-artifact", **query).status
    put(served, f"0/{run_id}/artifacts/folder/file")
    assert 404 == served.get("/get-artifact", run_id=run_id, path="folder").status


# --- what is switched off ------------------------------------------------------------------------


def test_a_server_that_passes_nothing_on(place):
    roots = ArtifactRoots(str(place / "kept"))
    with Client(roots=roots, settings=Settings(serve_artifacts=False)) as client:
        for method, path in (("GET", f"{PROXY}/a"), ("PUT", f"{PROXY}/a"), ("GET", PROXY)):
            answer = client.ask(method, path)
            assert 503 == answer.status
            assert b"--no-serve-artifacts" in answer.body


def test_a_server_for_artifacts_alone(place):
    roots = ArtifactRoots(str(place / "kept"))
    with Client(roots=roots, settings=Settings(artifacts_only=True)) as client:
        assert 200 == put(client, "a").status
        assert 200 == client.get("/health").status
        answer = client.post("runs/search", {})
        assert 503 == answer.status
        assert b"--artifacts-only" in answer.body


def test_no_parts_of_uploads(served):
    for path in ("mpu/create/a", "mpu/complete/a", "mpu/abort/a"):
        answer = served.ask("POST", f"/api/2.0/mlflow-artifacts/{path}", {"path": "a"})
        assert (501, "NOT_IMPLEMENTED") == (answer.status, answer.code)


# --- paths that lead elsewhere -------------------------------------------------------------------

DOTS = ["..", "%2e%2e", "%252e%252e", "%25252e%25252e", ".%2e"]
SEPARATORS = ["/", "\\", "%2f", "%5c", "%252f", "%255c"]
OTHERS = [
    "/etc/passwd", "//etc/passwd", "./../x", "a/../b", "path/../to/file", "..", "C:\\x", "C:/x",
    "\\\\host\\share", "a%00.png", "%00", "%0d%0a", "%c0%ae%c0%ae/x", "%ff", "a//b", "a/./b",
    "x" * 5000, "x" * 300, "/".join("a" * 2000),
]  # fmt: skip


def traversals():
    found = list(OTHERS)
    for dots, separator, prefix in itertools.product(DOTS, SEPARATORS, ("", "a", ".")):
        start = prefix + separator if prefix else ""
        found.append(f"{start}{(dots + separator) * 3}outside/canary")
    return found


def test_no_way_out(served, run_id, place):
    """On every endpoint, in a path or a parameter, decoded once or not at all."""
    put(served, f"0/{run_id}/artifacts/a/b", b"inside")
    for path in traversals():
        kept = served.ask("PUT", f"{PROXY}/{path}", body=b"bad", kind=None)
        assert kept.status in (400, 404), path
        query = {"run_uuid": run_id, "path": path}
        for answer in (
            kept,
            served.get(f"{PROXY}/{path}"),
            served.ask("DELETE", f"{PROXY}/{path}"),
            served.get(PROXY, path=path),
            served.get("artifacts/list", **query),
            served.get("/get-artifact", **query),
            served.ask("POST", "upload-artifact", body=b"bad", query=query),
        ):
            assert answer.status in (200, 400, 404), path
            for secret in (CANARY, b"root:", str(place).encode(), b"Traceback"):
                assert secret not in answer.body, path
    assert ["kept", "outside"] == sorted(os.listdir(place))


def test_links_are_not_there(served, run_id, place):
    """In the path, at its end, to files or folders."""
    home = place / "kept" / "0" / run_id / "artifacts"
    home.mkdir(parents=True)
    os.symlink(place / "outside" / "canary", home / "file")
    os.symlink(place / "outside", home / "folder")
    os.mkfifo(home / "pipe")
    for path in ("file", "folder/canary", "pipe"):
        assert 404 == served.get("/get-artifact", run_id=run_id, path=path).status
        assert 404 == served.get(f"{PROXY}/0/{run_id}/artifacts/{path}").status
    assert {} == served.get(PROXY, path=f"0/{run_id}/artifacts/folder").json
    assert 400 == put(served, f"0/{run_id}/artifacts/folder/new").status
    assert 200 == put(served, f"0/{run_id}/artifacts/file", b"ours").status
    assert 200 == served.ask("DELETE", f"{PROXY}/0/{run_id}/artifacts/folder").status


@pytest.mark.parametrize("uri", ["file:///etc", "/", "//proc/self/root", "s3://b/x", "",
                                 "http://127.0.0.1:1/x", "mlflow-artifacts:/../outside"])  # fmt: skip
def test_records_that_name_other_places(place, uri):
    """Written by somebody who had the store to himself; checked when they are used."""
    store = LocalStore(MemoryBackend(uri))
    with Client(store, roots=ArtifactRoots(str(place / "kept"))) as client:
        made = client.post("runs/create", {"experiment_id": "0"})
        run_id = made.json["run"]["info"]["run_id"]
        for answer in (
            client.get("/get-artifact", run_id=run_id, path="passwd"),
            client.get("artifacts/list", run_id=run_id),
        ):
            assert answer.status in (400, 403), answer.body
