"""Calling an ASGI application without a network."""

from __future__ import annotations

import asyncio
from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes


async def ask(app, path, body=b"", headers=(), method=None, chunks=None, hang=False):
    """Return the answer to one request; `hang` never sends the rest of the body."""
    parts = list(chunks) if chunks is not None else [body]
    method = method or ("POST" if path == "/invocations" else "GET")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }
    sent = []

    async def receive():
        if parts:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts) or hang}
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return Answer(sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"])


JSON = ("Content-Type", "application/json")
LOCAL = ("Host", "localhost:5000")


def post(app, body, *headers, **options):
    """Return the answer to one prediction request."""
    given = headers or (JSON, LOCAL)
    return asyncio.run(ask(app, "/invocations", body, given, **options))


def get(app, path, *headers, **options):
    """Return the answer to one GET."""
    return asyncio.run(ask(app, path, b"", headers or (LOCAL,), **options))
