"""Bytes that are no proper request, on a socket of the tracking server."""

from __future__ import annotations

import os
import re
import socket
import time

import pytest

from mlflow.server.app import ServerApp
from mlflow.server.roots import ArtifactRoots
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore
from tests.server.serving import Served

PUT = "/api/2.0/mlflow-artifacts/artifacts"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("wire")


@pytest.fixture(scope="module")
def port(kept):
    app = ServerApp(LocalStore(MemoryBackend()), None, ArtifactRoots(str(kept)))
    with Served(app) as server:
        yield server.port
    app.close()


def talk(port, *parts, half=False):
    """Send bytes; return the statuses of what is answered until the server ends or says enough."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        found = b""
        try:
            for part in parts:
                connection.sendall(part)
            if half:
                connection.shutdown(socket.SHUT_WR)
            while True:
                data = connection.recv(65536)
                if not data:
                    break
                found += data
                if not half and re.search(rb"\r\n\r\n.*[}\w.]$", found, re.DOTALL):
                    break
        except OSError:  # it has ended the connection already
            pass
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+)", found)]


def head(*lines, path="/api/2.0/mlflow/experiments/search", method="POST"):
    first = f"{method} {path} HTTP/1.1"
    return "\r\n".join(
        [first, "Host: localhost", "Content-Type: application/json", *lines, "", ""]
    ).encode()


SMUGGLED = HEALTH
D08 = {
    "both lengths": (head("Content-Length: 5", "Transfer-Encoding: chunked"), b"0\r\n\r\n", SMUGGLED),
    "two lengths": (head("Content-Length: 2", "Content-Length: 3"), b"{} ", SMUGGLED),
    "odd coding": (head("Transfer-Encoding: chunked, identity"), b"0\r\n\r\n", SMUGGLED),
    "negative": (head("Content-Length: -1"), SMUGGLED),
    "signed": (head("Content-Length: +2"), b"{}", SMUGGLED),
    "bad chunk": (head("Transfer-Encoding: chunked"), b"zz\r\n{}\r\n0\r\n\r\n", SMUGGLED),
    "negative chunk": (head("Transfer-Encoding: chunked"), b"-2\r\n{}\r\n0\r\n\r\n", SMUGGLED),
    "folded": (head("X: a", " b: c", "Content-Length: x"), SMUGGLED),
    "space before colon": (head("Content-Length : 2"), b"{}", SMUGGLED),
    "garbage": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),),
    "nul in a header": (head("X: a\0b", "Content-Length: 2"), b"{}", SMUGGLED),
}  # fmt: skip


@pytest.mark.parametrize("what", D08)
def test_d08_requests_that_two_readers_read_differently(port, what):
    """One refusal, and what follows is no second request."""
    found = talk(port, *D08[what], half=True)

    assert len(found) <= 1
    assert 200 not in found
    assert [200] == talk(port, HEALTH)


@pytest.mark.parametrize(
    "lines", [["X: " + "a" * 100_000], [f"X{number}: a" for number in range(10_000)],
              ["Cookie: " + "a=b; " * 30_000]], ids=["long", "many", "cookie"]
)  # fmt: skip
def test_d07_endless_heads(port, lines):
    assert set(talk(port, head(*lines, "Content-Length: 2"), b"{}", half=True)) <= {400, 431}
    assert [200] == talk(port, HEALTH)


def test_d07_a_body_that_is_said_to_be_huge(port):
    """It is refused before it is sent."""
    assert [413] == talk(port, head("Content-Length: 10000000000"))


def test_d07_clients_that_stall(port):
    """Many that say nothing, or half of something, keep nobody from an answer."""
    stalled = []
    for number in range(200):
        connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        connection.sendall([b"", b"GET /hea", head("Content-Length: 50") + b"{"][number % 3])
        stalled.append(connection)

    assert [200] == talk(port, HEALTH)
    for connection in stalled:
        connection.close()
    assert [200] == talk(port, HEALTH)


def test_d08_absolute_and_odd_targets(port):
    """A target with a host of its own is a path like others, and opens nothing."""
    for target in (
        "http://evil/health",
        "//evil/health",
        "*",
        "/%2e%2e/health",
        "/health/../health",
    ):
        request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        assert set(talk(port, request, half=True)) <= {
            400,
            404,
            200 if "evil/health" in target else 404,
        }


BROKEN = {
    "too short": (["Content-Length: 100"], b"only this"),
    "chunk cut off": (["Transfer-Encoding: chunked"], b"5\r\nabc"),
    "no last chunk": (["Transfer-Encoding: chunked"], b"3\r\nabc\r\n"),
    "bad chunk": (["Transfer-Encoding: chunked"], b"3\r\nabc\r\nxyz\r\n\r\n"),
    "other digest": (["Content-Digest: sha-256=:" + "A" * 43 + "=:", "Content-Length: 3"], b"abc"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_t24_uploads_that_break_off(port, kept, what):
    """Nothing of them is seen; what was there before stays."""
    path = f"{PUT}/{what.replace(' ', '-')}"
    before = head("Content-Length: 3", path=path, method="PUT") + b"old"
    assert [200] == talk(port, before)
    lines, body = BROKEN[what]
    assert 200 not in talk(port, head(*lines, path=path, method="PUT") + body, half=True)
    new = head(*lines, path=f"{path}-new", method="PUT") + body
    assert 200 not in talk(port, new, half=True)
    assert [200] == talk(port, HEALTH)

    assert b"old" == (kept / what.replace(" ", "-")).read_bytes()
    assert not (kept / f"{what.replace(' ', '-')}-new").exists()


def test_t24_more_than_was_said(port, kept):
    """Is the next request, a bad one, and no part of the file; what is not kept is not said to be."""
    found = talk(
        port, head("Content-Length: 3", path=f"{PUT}/more", method="PUT") + b"abcGARBAGE\r\n\r\n"
    )

    assert found[0] in (200, 400)
    assert (kept / "more").exists() or 200 not in found
    assert not (kept / "more").exists() or b"abc" == (kept / "more").read_bytes()


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left(kept, port):
    """Of what broke off, when all is over."""
    yield
    assert [200] == talk(port, HEALTH)
    # The server learns that a client has left when it next looks.
    until = time.monotonic() + 10
    while (left := [name for name in os.listdir(kept) if name.startswith(".")]) and (
        time.monotonic() < until
    ):
        time.sleep(0.01)
    assert not left
