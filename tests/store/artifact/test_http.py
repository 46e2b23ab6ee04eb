"""Artifacts behind a real server: they arrive whole, also when the way breaks off."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.http import HttpArtifactRepository
from mlflow.store.artifact.locate import artifact_repository
from tests.server.running import server

MIB = 1 << 20


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server in a process of its own: (folder, process, address)."""
    folder = tmp_path_factory.mktemp("server")
    with server(folder) as (process, address):
        yield folder, process, address


@pytest.fixture
def files(place, request):
    """A folder of that server for one test."""
    return artifact_repository(f"mlflow-artifacts:/{request.node.originalname}", place[2])


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def test_files_and_folders(files, tmp_path):
    """What was logged is listed, and comes back byte for byte."""
    data = {
        "a": b"1",
        "deep/er/b.bin": os.urandom(3 * MIB + 5),
        "deep/ü.txt": "日本".encode(),
        "e": b"",
    }
    for name, content in data.items():
        path = tmp_path / "here" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    files.log_artifacts(str(tmp_path / "here"), "top")
    files.log_artifact(str(tmp_path / "here" / "a"))
    files.log_stream(io.BytesIO(b"streamed"), "s/t.txt")

    found = [(one.path, one.is_dir, one.file_size) for one in files.list_artifacts("top")]
    assert [("top/a", False, 1), ("top/deep", True, None), ("top/e", False, 0)] == found
    assert [] == files.list_artifacts("top/a")
    back = files.download_artifacts("top", str(tmp_path / "back"))
    assert data == {name: read(os.path.join(back, name)) for name in data}
    assert b"streamed" == read(files.download_artifacts("s/t.txt"))


def test_removing(files):
    files.log_stream(io.BytesIO(b"x"), "a/b")
    files.log_stream(io.BytesIO(b"x"), "c")
    files.delete_artifacts("a")
    files.delete_artifacts("never")
    assert ["c"] == [one.path for one in files.list_artifacts()]


def test_what_is_not_there(files, tmp_path):
    with pytest.raises(MlflowException, match="Failed to download|No such artifact") as caught:
        files.download_artifacts("no")
    assert "RESOURCE_DOES_NOT_EXIST" == caught.value.error_code
    with pytest.raises(FileNotFoundError):
        files.log_artifact(str(tmp_path / "no"))
    with pytest.raises(MlflowException, match="No such folder"):
        files.log_artifacts(str(tmp_path / "no"))


@pytest.mark.parametrize("name", ["../x", "/x", "a/../b", "a\\b", "a//b", "%2e%2e/x"])
def test_names_that_lead_elsewhere(files, name):
    with pytest.raises(MlflowException) as caught:
        files.log_stream(io.BytesIO(b"x"), name)
    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code


def test_a_refusal_is_told(files):
    """In the server's own words."""
    files.log_stream(io.BytesIO(b"x"), "a")
    with pytest.raises(MlflowException, match="not below folders only"):
        files.log_stream(io.BytesIO(b"x"), "a/b")


def test_addresses(place):
    """By scheme with the tracking server's address, or the whole address itself."""
    address = place[2]
    artifact_repository("mlflow-artifacts:/where", address).log_stream(io.BytesIO(b"x"), "f")
    for uri in (f"{address}/api/2.0/mlflow-artifacts/artifacts/where",
                f"mlflow-artifacts://{address.partition('://')[2]}/where"):  # fmt: skip
        assert ["f"] == [one.path for one in artifact_repository(uri, address).list_artifacts()]
    with pytest.raises(MlflowException, match="set the tracking URI"):
        artifact_repository("mlflow-artifacts:/where", "file:///x")
    with pytest.raises(MlflowException, match="no folder of a tracking server"):
        artifact_repository("http://127.0.0.1:1/x")


# --- the way breaks off --------------------------------------------------------------------------


class Cutter:
    """Passes connections on, and cuts each of the first ones after so many bytes."""

    def __init__(self, port, cuts, *, sent):
        self._port, self._cuts, self._of_request = port, list(cuts), sent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.made = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.made += 1
                limit = self._cuts.pop(0) if self._cuts else None
                there = socket.create_connection(("127.0.0.1", self._port))
                to_server, to_client = (limit, None) if self._of_request else (None, limit)
                for one, other, most in ((client, there, to_server), (there, client, to_client)):
                    threading.Thread(
                        target=self._pass, args=(one, other, most), daemon=True
                    ).start()

    def _pass(self, one, other, most):
        done = 0
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
                done += len(data)
                if most is not None and done > most:
                    break
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self):
        self._listener.close()


@pytest.fixture
def cut(place, request):
    """Make a repository whose connections are cut."""
    made = []

    def make(*cuts, sent):
        made.append(Cutter(int(place[2].rpartition(":")[2]), cuts, sent=sent))
        uri = f"mlflow-artifacts:/{request.node.originalname}"
        return artifact_repository(uri, f"http://127.0.0.1:{made[-1].port}"), made[-1]

    yield make
    for one in made:
        one.close()


def test_an_upload_is_sent_again(cut, files, tmp_path):
    """Until it is there; before that, nothing is."""
    data = os.urandom(5 * MIB)
    (tmp_path / "f").write_bytes(data)
    broken, cutter = cut(MIB, 3 * MIB, 10, sent=True)
    broken.log_artifact(str(tmp_path / "f"))

    assert data == read(files.download_artifacts("f"))
    assert 4 == cutter.made


def test_a_download_goes_on_where_it_broke_off(cut, files, tmp_path):
    data = os.urandom(6 * MIB)
    files.log_stream(io.BytesIO(data), "f")
    broken, cutter = cut(10, 2 * MIB, 2 * MIB, sent=False)
    at = tmp_path / "f"
    broken._download_file("f", str(at))

    assert data == at.read_bytes()
    assert 4 == cutter.made


def test_a_server_that_never_answers_is_told(cut, files, tmp_path):
    """And what was there before stays."""
    files.log_stream(io.BytesIO(b"before"), "f")
    (tmp_path / "f").write_bytes(b"x" * MIB)
    broken, _ = cut(*[10_000] * 50, sent=True)
    with pytest.raises(MlflowException, match="failed"):
        broken.log_artifact(str(tmp_path / "f"))

    assert b"before" == read(files.download_artifacts("f"))


# --- servers that lie ----------------------------------------------------------------------------


@pytest.fixture
def liar():
    """Make a server that answers each path as it is told, and a repository that asks it."""
    running = []

    def make(answers):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, headers, body = answers(self.path)
                self.send_response(status)
                for name, value in {"Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        made.daemon_threads = True
        threading.Thread(target=made.serve_forever, daemon=True).start()
        running.append(made)
        return HttpArtifactRepository("mlflow-artifacts:/x", f"http://127.0.0.1:{made.server_port}")

    yield make
    for one in running:
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../x", "..", ".", "", "a\\..\\x", "a\u0000b", "x/y"]
)
def test_listings_that_lead_elsewhere(liar, tmp_path, name):
    """Nothing is written outside of the folder that downloads go to."""
    import json

    listing = json.dumps({"files": [{"path": name, "is_dir": False, "file_size": 3}]}).encode()
    lying = liar(lambda path: (200, {}, listing if "?" in path else b"bad"))
    with pytest.raises(MlflowException):
        lying.download_artifacts("", str(tmp_path / "here"))

    assert [] == [one for one in tmp_path.rglob("*") if one.is_file()]


def test_a_file_that_is_not_what_it_says(liar, tmp_path):
    """Its digest is another each time: it is refused, and nothing is left."""
    digest = "sha-256=:" + "A" * 43 + "=:"
    lying = liar(
        lambda path: (200, {}, b"{}") if "?" in path else (200, {"Repr-Digest": digest}, b"data")
    )
    with pytest.raises(MlflowException, match="SHA-256"):
        lying.download_artifacts("f", str(tmp_path))
    assert [] == [one for one in tmp_path.rglob("*") if one.is_file()]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"files": 3}', b"\xff", b'{"files": [1]}']
)
def test_listings_that_are_none(liar, body):
    with pytest.raises(MlflowException, match="cannot be read"):
        liar(lambda path: (200, {}, body)).list_artifacts()


# --- the whole way -------------------------------------------------------------------------------


def test_runs_and_models_behind_a_server(place, tmp_path, monkeypatch):
    """The user's way: log, register, load, with nothing but the server's address."""
    import numpy as np
    from sklearn.linear_model import LinearRegression

    import mlflow

    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(place[2])
    model = LinearRegression().fit(np.array([[0.0], [1.0]]), [0.0, 2.0])
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_dict({"a": 1}, "d.json")
        info = mlflow.sklearn.log_model(model, name="model", registered_model_name="behind")
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    uris = (f"runs:/{run.info.run_id}/model", info.model_uri, "models:/behind/1",
            f"models:/{info.model_id}")  # fmt: skip
    for uri in uris:
        loaded = mlflow.pyfunc.load_model(uri)
        assert loaded.predict(np.array([[2.0]])) == pytest.approx([4.0])
    assert "hello" == mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/a.txt")
    assert {"a": 1} == mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/d.json")
    names = [one.path for one in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
    assert ["d.json", "model", "notes"] == names
    assert [] == os.listdir(tmp_path)


@pytest.mark.slow
def test_a_gigabyte_in_constant_memory(place, files, tmp_path):
    """Up and down; the server stays under 100 MB, and so does what the client needs for it."""
    process = psutil.Process(place[1].pid)
    most = []
    stop = threading.Event()

    def watch():
        while not stop.wait(0.02):
            most.append(process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    before = psutil.Process().memory_info().rss
    try:
        with open(tmp_path / "big", "wb") as file:
            file.truncate(1 << 30)
        files.log_artifact(str(tmp_path / "big"))
        back = files.download_artifacts("big", str(tmp_path / "back"))
    finally:
        stop.set()
        watcher.join()

    assert 1 << 30 == os.path.getsize(back)
    assert max(most) < 100 * MIB
    assert psutil.Process().memory_info().rss - before < 64 * MIB
    files.delete_artifacts("big")
