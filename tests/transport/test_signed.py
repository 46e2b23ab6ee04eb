"""Signed addresses are asked without our credentials, and redirects are not followed."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.transport import signed
from tests.bucket_server import Proxy, refuse, times


@pytest.fixture
def host(monkeypatch):
    import threading

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    made = Proxy("http://127.0.0.1:1")
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    made.fault = lambda handler, asked: not handler.answer(200, [], b"found")
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_credentials_stay_here(host, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    answer = signed.send("PUT", f"{host.address}/a?sig=x%2By", b"data", {"x-a": "b"})

    (asked,) = host.asked
    assert (200, b"found") == (answer.status, answer.body)
    assert (b"data", "x+y", "b") == (asked.body, asked.query["sig"], asked.headers["x-a"])
    assert "authorization" not in asked.headers


def test_a_redirect_is_an_answer(host):
    host.fault = lambda handler, asked: not handler.answer(302, [("location", "/b")], b"")
    assert 302 == signed.send("GET", f"{host.address}/a").status
    assert 1 == len(host.asked)


def test_what_is_busy_is_asked_again_and_no_secret_is_told(host, monkeypatch):
    good = host.fault
    fault = times(2, refuse(503, "SlowDown"))
    host.fault = lambda handler, asked: fault(handler, asked) or good(handler, asked)
    with signed.fetch(f"{host.address}/a", {}) as stream:
        assert b"found" == stream.read(100)
    assert 3 == len(host.asked)

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    host.fault = times(99, refuse(503, "SlowDown"))
    with pytest.raises(MlflowException, match="does not answer .status 503") as caught:
        signed.send("GET", f"{host.address}/a?sig=secret")
    assert "secret" not in caught.value.message


def test_nobody_is_there(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(MlflowException, match="127.0.0.1:1 does not answer .NewConnectionError"):
        signed.send("GET", "http://127.0.0.1:1/a?sig=secret")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "http:///x", "x"])
def test_addresses_that_are_none(url):
    with pytest.raises(MlflowException, match="none of http"):
        signed.send("GET", url)
