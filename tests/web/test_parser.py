"""What the parser lets through in front of a body."""

from __future__ import annotations

import asyncio
import re

import pytest
import uvicorn

from mlflow.web import parser

GOOD = b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def hello(scope, receive, send):
    if scope["type"] == "http":
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
        )
        await send({"type": "http.response.body", "body": b""})


async def talk(pieces):
    config = uvicorn.Config(hello, port=0, http=parser.HTTP, lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.write_eof()
        found = await asyncio.wait_for(reader.read(), 30)
    except OSError:
        found = b""
    writer.close()
    server.should_exit = True
    await running
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+)", found)]


@pytest.mark.parametrize("size", [0, 1000, parser.MAX_HEAD - 200])
def test_heads_within_the_bound_are_read(size):
    request = b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * size + b"\r\n\r\n"

    assert asyncio.run(talk([request, GOOD])) == [200, 200]


def test_a_longer_head_is_refused():
    request = b"GET /ping HTTP/1.1\r\nX: " + b"a" * parser.MAX_HEAD + b"\r\n\r\n"

    assert asyncio.run(talk([request, GOOD])) in ([431], [])


@pytest.mark.parametrize("line", [b"X: a\r\n", b"a"], ids=["many headers", "one header"])
def test_an_endless_head_is_refused_before_it_ends(line):
    start = b"GET /ping HTTP/1.1\r\nHost: localhost\r\n" + (b"X: " if line == b"a" else b"")
    pieces = [start, *[line * (8192 // len(line))] * 12]

    assert asyncio.run(talk(pieces)) in ([431], [])


def test_each_request_of_a_connection_has_its_own_bound():
    half = b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40_000 + b"\r\n\r\n"

    assert asyncio.run(talk([half, half, half])) == [200, 200, 200]


def test_a_long_body_is_no_head():
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"b" * 200_000

    assert asyncio.run(talk([request])) == [200]


async def with_connection(talking):
    """Talk to a server that keeps connections for ever."""
    config = uvicorn.Config(
        hello, port=0, http=parser.HTTP, lifespan="off", ws="none", log_level="critical",
        timeout_keep_alive=3600,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await asyncio.wait_for(talking(reader, writer, server), 60)
    finally:
        writer.close()
        server.should_exit = True
        await running


@pytest.mark.parametrize("start", [b"", b"GET /ping HTTP/1.1\r\nX: "])
def test_half_a_head_does_not_hold_a_connection(start, monkeypatch):
    """Nor does none at all."""
    monkeypatch.setattr(parser, "HEAD_SECONDS", 0.1)

    async def talking(reader, writer, server):
        writer.write(start)
        return await reader.read()  # until the server closes it

    assert b"" == asyncio.run(with_connection(talking))


def test_kept_connections(monkeypatch):
    """Between requests nothing is late; half of the next one is."""

    async def talking(reader, writer, server):
        for _ in range(2):
            writer.write(GOOD)
            assert b"200" in await reader.readuntil(b"\r\n\r\n")
            (protocol,) = server.server_state.connections
            protocol._check()
        writer.write(GOOD[:9])
        while protocol._since is None:
            await asyncio.sleep(0.01)
        monkeypatch.setattr(parser, "HEAD_SECONDS", 0.0)
        protocol._check()
        return await reader.read()

    assert b"" == asyncio.run(with_connection(talking))
