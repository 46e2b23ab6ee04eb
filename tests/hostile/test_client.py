"""Servers that mean harm, and what the client makes of their answers."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import mlflow
from mlflow.exceptions import MlflowException

CANARY = b"the canary is alive"
SECRET = "hunter2hunter2"
OUTSIDE = ["../x", "../../x", "/etc/x", "a/../../x", "..\\x", "C:\\x", "a//b", "", ".", "x\0y", "\n",
           "a/./b", "//h/x", "..", "%2e%2e/x/../../y"]  # fmt: skip


class Evil:
    """Answers what a test says; keeps what it was asked.

    Args:
        answer: (path, headers) to (status, headers, body).
    """

    def __init__(self, answer):
        self.asked = []
        evil = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                evil.asked.append((self.path, dict(self.headers)))
                status, headers, body = answer(self.path, evil)
                self.send_response(status)
                for name, value in {"content-length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.uri = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def json_of(value):
    return 200, {"content-type": "application/json"}, json.dumps(value).encode()


def run_at(uri):
    info = {"run_id": "0" * 32, "run_uuid": "0" * 32, "experiment_id": "0", "status": "RUNNING",
            "artifact_uri": uri, "lifecycle_stage": "active", "start_time": 1}  # fmt: skip
    return {"run": {"info": info, "data": {}}}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "canary").write_bytes(CANARY)
    (tmp_path / "target").mkdir()
    yield tmp_path
    assert ["canary", "target"] == sorted(os.listdir(tmp_path))
    assert CANARY == (tmp_path / "canary").read_bytes()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")


@pytest.mark.parametrize("name", OUTSIDE)
def test_c04_listings_that_lead_elsewhere(place, quick, name):
    """Names of a listing are written below the target, or refused."""

    def answer(path, evil):
        if "runs/get" in path:
            return json_of(run_at("mlflow-artifacts:/0/r/artifacts"))
        if "path=" in path and "artifacts?" in path:
            return json_of({"files": [{"path": name, "is_dir": False, "file_size": 1}]})
        return 200, {}, b"overwritten"

    with Evil(answer) as evil:
        client = mlflow.MlflowClient(tracking_uri=evil.uri)
        try:
            client.download_artifacts("0" * 32, "", str(place / "target"))
        except MlflowException as error:
            assert "INTERNAL_ERROR" != error.error_code or "\0" in name


@pytest.mark.parametrize(
    "uri", ["file://evil/etc", "runs:/x/y", "gopher://h/x", "", "\n", "mlflow-artifacts:/../x",
            "file:///x?y", "models:/x/1/../../y"]
)  # fmt: skip
def test_l15_places_that_a_server_names(place, quick, uri):
    """One that could be taken for another is not read; a folder that both share is, as in MLflow."""
    with Evil(lambda path, evil: json_of(run_at(uri))) as evil:
        client = mlflow.MlflowClient(tracking_uri=evil.uri)
        with pytest.raises((MlflowException, OSError)):
            client.download_artifacts("0" * 32, "passwd", str(place / "target"))
    assert [] == os.listdir(place / "target")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_c08_credentials_do_not_follow_a_redirect(quick, monkeypatch, status):
    """To another host, or another port: it sees neither token nor password."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    with Evil(lambda path, evil: json_of(run_at("s3://b"))) as other:

        def moved(path, evil):
            return status, {"location": f"http://localhost:{other.port}{path}"}, b""

        with Evil(moved) as evil:
            client = mlflow.MlflowClient(tracking_uri=evil.uri)
            try:
                client.get_run("0" * 32)
            except MlflowException as error:
                assert SECRET not in error.message
        assert any(SECRET in headers.get("Authorization", "") for _, headers in evil.asked)
    assert not [headers for _, headers in other.asked if SECRET in str(headers)]


def test_c08_passwords_are_shown_nowhere(quick, caplog, capsys):
    """Not in errors, logs, output, nor in how things print."""
    with Evil(lambda path, evil: (500, {}, b"no")) as evil, caplog.at_level(logging.DEBUG):
        uri = f"http://ada:{SECRET}@127.0.0.1:{evil.port}"
        client = mlflow.MlflowClient(tracking_uri=uri)
        with pytest.raises(MlflowException) as caught:
            client.get_run("0" * 32)
        shown = [str(caught.value), repr(caught.value), repr(client), repr(client._store), caplog.text,
                 *capsys.readouterr()]  # fmt: skip
    assert not [one for one in shown if SECRET in one]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'"x"', b"{", b"<html>", b"\xff\xfe", b'{"run": null}', b'{"run": []}',
     b'{"run": {"info": {"run_id": 5}}}', b"[" * 100_000, b'{"a":' * 50_000],
    ids=range(12),
)  # fmt: skip
def test_answers_that_are_none(quick, body):
    """What is no answer is told in one sentence."""
    with Evil(lambda path, evil: (200, {"content-type": "application/json"}, body)) as evil:
        client = mlflow.MlflowClient(tracking_uri=evil.uri)
        with pytest.raises(MlflowException) as caught:
            client.get_run("0" * 32)
    assert len(caught.value.message) < 2000


@pytest.mark.parametrize(
    "headers",
    [pytest.param({"content-encoding": "gzip"}, marks=pytest.mark.slow),
     {"content-length": "999999999999"}],
)  # fmt: skip
def test_answers_that_say_too_much(quick, headers, monkeypatch):
    """A bomb is not unpacked, and a length is not believed."""
    import gzip

    bomb = gzip.compress(b" " * (300 * 2**20), 9) if "content-encoding" in headers else b"{}"

    def answer(path, evil):
        return 200, {"content-type": "application/json", "connection": "close", **headers}, bomb

    with Evil(answer) as evil:
        client = mlflow.MlflowClient(tracking_uri=evil.uri)
        with pytest.raises(MlflowException):
            client.get_run("0" * 32)


def test_c06_and_d15_names_in_what_is_printed(quick, monkeypatch):
    """What a server says is told on one line, without what a terminal would obey."""
    said = "x\n2026-01-01 ADMIN login ok\x1b]8;;http://evil\x07"
    error = {"error_code": "INVALID_PARAMETER_VALUE", "message": said}

    def answer(path, evil):
        return 400, {"content-type": "application/json"}, json.dumps(error).encode()

    with Evil(answer) as evil:
        client = mlflow.MlflowClient(tracking_uri=evil.uri)
        with pytest.raises(MlflowException) as caught:
            client.get_run("0" * 32)
    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code


def test_c10_files_of_the_working_folder(tmp_path, quick, monkeypatch):
    """Nothing in it is read as settings or credentials."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in (".env", "mlflow.toml", "pip.conf", ".netrc", "credentials", "mlflow.ini"):
        (tmp_path / "here" / name).write_text(
            f"MLFLOW_TRACKING_TOKEN={SECRET}\nmachine 127.0.0.1 login a password {SECRET}\n"
        )
    with Evil(lambda path, evil: json_of(run_at("s3://b"))) as evil:
        mlflow.MlflowClient(tracking_uri=evil.uri).get_run("0" * 32)
    assert [None] == [headers.get("Authorization") for _, headers in evil.asked]


def test_w17_nothing_is_shown_as_a_page(oracle):
    """No object of ours makes HTML of itself, which a notebook would run."""
    sources = Path(mlflow.__file__).parent.rglob("*.py")
    makers = [path.name for path in sources if re.search(r"_repr_\w+_\(|HTML\(", path.read_text())]

    assert [] == makers
