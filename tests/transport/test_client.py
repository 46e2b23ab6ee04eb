"""Requests arrive once, or as often as is safe; answers are read within bounds."""

from __future__ import annotations

import logging
import socket
import threading

import pytest

from mlflow.exceptions import MlflowException
from mlflow.transport import client
from mlflow.transport.client import LostError, NotSentError, Transport

from .raw import OK, Raw, answer


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """How long the transport would have waited."""
    waited = []
    monkeypatch.setattr(client.time, "sleep", waited.append)
    return waited


@pytest.fixture
def made():
    """Makes transports, and closes them."""
    opened = []

    def make(uri):
        opened.append(Transport(uri))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def ask(transport, *, is_safe=True, body=b"{}", headers=None):
    return transport.request("POST", "/a", body, headers, is_safe=is_safe)


def test_a_request(made):
    """What is sent, and over one connection."""
    with Raw(OK, OK) as server:
        transport = made(server.uri + "/p/")
        assert (200, b"{}") == (ask(transport).status, ask(transport).body)

    assert 1 == server.connections
    head = server.requests[0].split("\r\n")
    assert "POST /p/a HTTP/1.1" == head[0]
    assert {
        f"Host: 127.0.0.1:{server.port}", "User-Agent: mlflow-python-client/3.17.2",
        "X-MLflow-Client-Version: 3.17.2", "Content-Length: 2",
    } <= set(head)  # fmt: skip


def test_small_requests_are_not_held_back(made):
    """TCP_NODELAY is on."""
    with Raw(OK) as server:
        transport = made(server.uri)
        ask(transport)
        sock = transport._connections._idle[0].sock
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_credentials_follow_the_environment(made, monkeypatch):
    """They are looked at for each request."""
    with Raw(OK, OK, OK) as server:
        transport = made(server.uri)
        ask(transport)
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc")
        ask(transport)
        ask(transport, headers={"Authorization": "Mine"})

    assert "Authorization" not in server.requests[0]
    assert "\r\nAuthorization: Bearer abc\r\n" in server.requests[1]
    assert "\r\nAuthorization: Mine\r\n" in server.requests[2]


@pytest.mark.parametrize(
    "headers", [{"A": "x\r\nB: y"}, {"A\r\nB": "x"}, {"A": "ä"}, {"A: b": "x"}, {"A": "\0"}]
)
def test_headers_stay_headers(made, headers):
    """What a provider or a caller says cannot become another header."""
    with Raw(OK) as server:
        transport = made(server.uri)
        with pytest.raises(MlflowException) as caught:
            ask(transport, headers=headers)

    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code
    assert [] == server.requests


# --- trying again --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_answers_that_pass(made, status):
    """Are asked for again, when it is safe."""
    with Raw(answer(status), answer(status), OK) as server:
        assert 200 == ask(made(server.uri)).status

    assert 3 == len(server.requests)


@pytest.mark.parametrize("status", [429, 503])
def test_turned_away(made, status):
    """Nothing was begun, so it is safe; the server says how long to wait."""
    with Raw(answer(status, b"{}", "Retry-After: 3"), OK) as server:
        assert 200 == ask(made(server.uri), is_safe=False).status

    assert 2 == len(server.requests)


@pytest.mark.parametrize("status", [400, 404, 501, 500, 502, 504])
def test_answers_that_stay(made, status):
    """Are given back at once: not passing, or not safe."""
    with Raw(answer(status)) as server:
        assert status == ask(made(server.uri), is_safe=False).status

    assert 1 == len(server.requests)


@pytest.mark.parametrize(("code", "tries"), [("INVALID_STATE", 1), ("INTERNAL_ERROR", 2)])
def test_a_refusal_with_status_500(made, code, tries):
    """With a code of its own it is an answer like others."""
    body = f'{{"error_code": "{code}"}}'.encode()
    with Raw(answer(500, body), OK) as server:
        ask(made(server.uri))
        assert tries == len(server.requests)


def test_the_waits(made, waits, monkeypatch):
    """The first time at once, then longer and longer, never without end."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0")
    with Raw(*[answer(502)] * 10) as server:
        assert 502 == ask(made(server.uri)).status

    assert [0, 4, 8, 16, 32, 64, 120, 120, 120] == waits


def test_the_server_says_how_long(made, waits):
    """In seconds; other forms are not read."""
    with Raw(
        answer(503, b"", "Retry-After: 7"), answer(503, b"", "Retry-After: soon"), OK
    ) as server:
        ask(made(server.uri))

    assert 7 == waits[0]


def test_a_connection_that_grew_old(made):
    """Is not used: what the server closed is seen before anything is sent."""
    with Raw(answer(200, b"{}", "Connection: close"), OK) as server:
        transport = made(server.uri)
        assert 200 == ask(transport, is_safe=False).status
        assert 200 == ask(transport, is_safe=False).status

    assert 2 == server.connections


def test_an_answer_that_does_not_come(made):
    """Is asked for again where that is safe; otherwise the caller has to know."""
    with Raw(b"", OK) as server:
        assert 200 == ask(made(server.uri)).status
    with Raw(b"", OK) as server:
        with pytest.raises(LostError):
            ask(made(server.uri), is_safe=False)
        assert 1 == len(server.requests)


def test_an_answer_that_is_cut_short(made):
    """Is no answer."""
    with Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\nConnection: close\r\n\r\n{}", OK) as server:
        assert b"{}" == ask(made(server.uri)).body
        assert 2 == len(server.requests)


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http(made, garbage):
    """Is as if nothing came."""
    with Raw(garbage) as server, pytest.raises(LostError):
        ask(made(server.uri), is_safe=False)


def test_nobody_there(made, waits, monkeypatch):
    """A server that was never reached is given up soon, with the address and a hint."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(MlflowException, match="Is the server running") as caught:
        ask(made(f"http://ada:secret@127.0.0.1:{port}"), is_safe=False)

    assert "TEMPORARILY_UNAVAILABLE" == caught.value.error_code
    assert f"http://127.0.0.1:{port}" in caught.value.message
    assert "secret" not in caught.value.message
    assert 3 == len(waits)


def test_a_server_that_restarts(made, waits):
    """One that was there before is waited for, also for what may be sent once only."""
    with Raw(OK) as server:
        transport = made(server.uri)
        ask(transport)
        port = server.port
    again = []

    def back(seconds):
        if len(waits) == 4:
            listening = socket.create_server(("127.0.0.1", port))
            again.append(listening)
            threading.Thread(target=serve_once, args=(listening,), daemon=True).start()
        waits.append(seconds)

    client.time.sleep = back
    try:
        assert 200 == ask(transport, is_safe=False).status
    finally:
        for one in again:
            one.close()

    assert 5 == len(waits)


def serve_once(listening):
    connection, _ = listening.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(OK)


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [answer(200, b"x" * 101), b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 101,
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n"],
)  # fmt: skip
def test_an_answer_that_is_too_long(made, monkeypatch, reply):
    """However it is sent."""
    monkeypatch.setenv("MILLSTREAM_HTTP_MAX_RESPONSE", "100")
    with Raw(reply) as server, pytest.raises(MlflowException, match="more than 100 bytes"):
        ask(made(server.uri))


@pytest.mark.parametrize(
    "reply",
    [answer(200, b"x" * 50), b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 50,
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n" + b"x" * 50 + b"\r\n0\r\n\r\n"],
)  # fmt: skip
def test_parts(made, reply):
    """A long answer is read piece by piece."""
    with Raw(reply) as server:
        with made(server.uri).stream("GET", "/a") as stream:
            assert [20, 20, 10] == [len(part) for part in stream.parts(20)]


def test_a_body_in_parts(made):
    """A long body is sent piece by piece."""
    with Raw(OK) as server:
        parts = iter([b"abc", b"def"])
        transport = made(server.uri)
        with transport.stream("PUT", "/a", parts, {"Content-Length": "6"}) as stream:
            assert b"{}" == stream.read(10)
        assert server.requests[0].endswith("\r\n\r\nabcdef")
        assert 1 == len(transport._connections._idle)


def test_a_stream_that_is_left(made):
    """Its connection is not used again."""
    with Raw(answer(200, b"x" * 50), OK) as server:
        transport = made(server.uri)
        with transport.stream("GET", "/a"):
            pass
        assert [] == transport._connections._idle


def test_a_server_that_wants_no_more(made):
    """Its answer is read, though not all was sent."""
    listening = socket.create_server(("127.0.0.1", 0))

    def refuse():
        connection, _ = listening.accept()
        with connection:
            connection.recv(100)
            connection.sendall(answer(413, b"{}", "Connection: close"))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 20):
                pass

    thread = threading.Thread(target=refuse)
    thread.start()
    try:
        transport = made(f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert 413 == ask(transport, body=b"x" * 30_000_000).status
    finally:
        transport.close()
        listening.close()
        thread.join()


def test_a_body_that_cannot_be_read(made):
    """Its own error is the caller's, and the connection is given up."""

    def torn():
        yield b"abc"
        raise ValueError("of the file")

    with Raw(OK) as server:
        transport = made(server.uri)
        with pytest.raises(ValueError, match="of the file"):
            transport.stream("PUT", "/a", torn(), {"Content-Length": "600"})
        assert [] == transport._connections._idle


def test_a_request_that_was_not_sent_whole(made):
    """Was not done, and may be sent again."""
    listening = socket.create_server(("127.0.0.1", 0))

    def hang_up():
        connection, _ = listening.accept()
        connection.recv(100)
        connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    try:
        transport = made(f"http://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(NotSentError):
            transport.stream("PUT", "/a", b"x" * 30_000_000)
    finally:
        listening.close()
        thread.join()


# --- warnings ------------------------------------------------------------------------------------


def test_credentials_in_the_clear(made, monkeypatch, caplog):
    """Are warned of, where the way leads off this machine."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc")
    with caplog.at_level(logging.WARNING):
        made("http://tracking.example")._headers({})
        assert "travel unencrypted" in caplog.text
        caplog.clear()
        made("http://localhost:5")._headers({})
        made("https://tracking.example")._headers({})

    assert "" == caplog.text


def test_no_certificates(made, monkeypatch, caplog):
    """Not checking them is warned of."""
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
    made("https://h.example")

    assert "certificate of https://h.example is not checked" in caplog.text
