"""Asking an ASGI server without a network."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json as standard_json
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlencode

from mlflow.server.app import ServerApp
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore

API = "/api/2.0/mlflow/"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"
#: What lies beside the folders of a server in tests, and must never be seen.
CANARY = b"the canary is alive"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    #: What the browser is to keep, one text a cookie.
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return standard_json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["error_code"]


async def ask(
    app,
    method,
    path,
    json=...,
    *,
    query=(),
    body=b"",
    headers=(),
    kind="application/json",
    scheme="http",
):
    """Return the answer to one request; a path without a slash in front is one of the API."""
    if json is not ...:
        body = standard_json.dumps(json).encode()
    raw = path if path.startswith("/") else API + path
    given = [(name.lower().encode(), value.encode()) for name, value in headers]
    if kind is not None:
        given.append((b"content-type", kind.encode()))
    scope = {
        "type": "http",
        "scheme": scheme,
        "method": method,
        "path": unquote(raw),
        "raw_path": quote(raw, safe="/%{}").encode(),
        "query_string": urlencode(query, doseq=True).encode(),
        "headers": given,
    }
    sent = []
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if parts:
            return parts.pop()
        await asyncio.sleep(3600)

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    whole = b"".join(message["body"] for message in sent[1:])
    cookies = tuple(value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie")
    return Answer(sent[0]["status"], found, whole, cookies)


class Client:
    """Asks one server in one event loop."""

    def __init__(self, store=None, **options):
        self.store = store or LocalStore(MemoryBackend())
        self.app = ServerApp(self.store, **options)
        self._runner = asyncio.Runner()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.app.close()
        self._runner.close()

    def run(self, work):
        return self._runner.run(work)

    def ask(self, method, path, json=..., **options):
        return self.run(ask(self.app, method, path, json, **options))

    def get(self, path, /, **query):
        return self.ask("GET", path, query=query)

    def post(self, path, json=..., **options):
        return self.ask("POST", path, json, **options)


def put(client, path, body=b"data", **options):
    return client.ask("PUT", f"{PROXY}/{path}", body=body, kind=None, **options)


def sha256(data):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(data).digest()).decode() + ":"
