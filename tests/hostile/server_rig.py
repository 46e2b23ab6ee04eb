"""One tracking server a backend, with a run and a model in each, asked the same and compared."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from mlflow.server.app import ServerApp, Settings
from mlflow.server.roots import ArtifactRoots
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore

from .server_requests import Asked, target

ROOT = "mlflow-artifacts:"
CANARY = b"the canary is alive"
BACKENDS = ("memory", "files", "sqlite", "postgresql", "mysql")
# What no answer may hold: files of the machine, inner paths, traces.
SECRETS = (
    CANARY,
    b"root:x:",
    b"Traceback",
    b"site-packages",
    b"sqlalchemy",
    b"psycopg",
    b"pymysql",
)
PAGE = b"<p>a page</p>"


class Found(NamedTuple):
    """An answer."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def code(self) -> str:
        """The error code, where there is one."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return ""
        return value.get("error_code", "") if isinstance(value, dict) else ""


class Rig:
    """A server with things in it.

    Args:
        kind: which backend.
        store: of that backend, empty.
        folder: where its artifacts are, and beside them what must not be reached.
        guards: stand in front of it.
    """

    def __init__(self, kind: str, store: LocalStore, folder: Path, guards=()) -> None:
        self.kind = kind
        self.folder = folder
        self.store = store
        (folder / "outside").mkdir()
        (folder / "outside" / "canary").write_bytes(CANARY)
        (folder / "kept").mkdir()
        self.app = self.new_app(guards)
        self._runner = asyncio.Runner()
        self._number = 0
        self.things: dict[str, str] = {}
        self.refresh()

    def new_app(self, guards=()) -> ServerApp:
        """Return a server of the same things; one serves the event loop that asks it first."""
        roots = ArtifactRoots(str(self.folder / "kept"))
        return ServerApp(self.store, None, roots, Settings(), guards=guards)

    def close(self) -> None:
        """End it."""
        self.app.close()
        self._runner.close()

    def refresh(self) -> None:
        """Make the things that requests name anew; the old ones may be changed or gone."""
        self._number += 1
        number = self._number
        store = self.store
        experiment = store.create_experiment(f"experiment {number}", None, [])
        run = store.create_run(experiment, "ada", number, [], f"run {number}").info
        dead = store.create_run(experiment, "ada", number, [], f"dead {number}").info.run_id
        store.delete_run(dead)
        gone = store.create_experiment(f"gone {number}", None, [])
        store.delete_experiment(gone)
        home = f"{experiment}/{run.run_id}/artifacts"
        logged = store.create_logged_model(experiment, f"l{number}", run.run_id, [])
        model = f"model{number}"
        store.create_registered_model(model, [])
        uri = f"{ROOT}/{home}/model"
        store.create_model_version(model, uri, run.run_id)
        store.set_registered_model_alias(model, "champion", "1")
        self.things = {
            "<experiment>": experiment, "<dead experiment>": gone, "<dead run>": dead,
            "<run short>": run.run_id[:-1], "<run long>": run.run_id + "0",
            "<run upper>": run.run_id.upper(), "<run>": run.run_id, "<logged>": logged.model_id,
            "<model>": model, "<model upper>": model.upper(), "<home>": home,
            "<outside>": str(self.folder / "outside")[1:],
        }  # fmt: skip
        for place in (home, logged.artifact_location.removeprefix(f"{ROOT}/")):
            self._write(f"{place}/MLmodel", b"flavors: {}")
            self._write(f"{place}/page.html", PAGE)
        self._write(f"{home}/model/MLmodel", b"flavors: {}")
        self._write(f"{home}/a/b", b"inside")

    def _write(self, path: str, data: bytes) -> None:
        at = self.folder / "kept" / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(data)

    def ask(self, asked: Asked, *headers: tuple[str, str]) -> Found:
        """Return the answer to a request."""
        self._number += 1
        things = {
            **self.things,
            "<new>": f"new{self._number}",
            "<new id>": f"{self._number:032x}",
            "<name>": "Default",
        }
        path, query, body = target(asked, things)
        given = [(a.lower().encode(), b.encode("latin-1")) for a, b in (*asked.headers, *headers)]
        if asked.kind is not None:
            given.append((b"content-type", asked.kind.encode()))
        return self._runner.run(self._send(asked.method, path, query, body, given))

    async def _send(self, method, path, query, body, headers) -> Found:
        sent: list[dict[str, Any]] = []
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            if parts:
                return parts.pop()
            await asyncio.sleep(3600)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "scheme": "http", "method": method, "path": path.decode("latin-1"),
            "raw_path": path, "query_string": query, "headers": headers,
        }  # fmt: skip
        await self.app(scope, receive, send)
        headers = dict(sent[0]["headers"])
        return Found(sent[0]["status"], headers, b"".join(one["body"] for one in sent[1:]))

    def plain(self, found: Found) -> tuple[int, str, str]:
        """Return what every backend must answer alike: of refusals every word but ids.

        What is found, and in which order, is compared by the suites of stores and searches.
        """
        if found.status < 400:
            return found.status, "", ""
        text = found.body.decode("utf-8", "surrogateescape")
        # The longest first: a short one may be a part of it.
        for word, thing in sorted(self.things.items(), key=lambda pair: -len(pair[1])):
            if word not in ("<experiment>", "<dead experiment>"):
                text = text.replace(thing, word)
        text = re.sub(r"\b(m-)?[0-9a-f]{32}\b", "<id>", text)
        text = re.sub(r"\bnew\d+\b", "<new>", text)
        # Experiments of files have long numbers, those of databases short ones, which may be others.
        return found.status, found.code, re.sub(r"\b\d+\b", "<n>", text)


def make_rig(kind: str, folder: Path, servers: Any = None, guards=()) -> Rig:
    """Return a server over an empty store of a kind."""
    folder.mkdir()
    if kind == "memory":
        backend = MemoryBackend(ROOT)
    elif kind == "files":
        backend = FileBackend(str(folder / "mlruns"), artifact_root=ROOT)
    else:
        if kind == "sqlite":
            uri = f"sqlite:///{folder}/store.db"
        else:
            uri = servers[kind].empty()
        backend = SqlBackend(uri, artifact_root=ROOT)
    return Rig(kind, LocalStore(backend), folder, guards)


def same(rigs: list[Rig], asked: Asked, *headers: tuple[str, str]) -> Found:
    """Send a request to all servers; return what they answer, which is harmless and the same.

    Raises:
        AssertionError: it is not.
    """
    answers = [(rig, rig.ask(asked, *headers)) for rig in rigs]
    shown = str(asked)[:600]
    for rig, found in answers:
        assert found.status < 500 or found.code == "NOT_IMPLEMENTED", (rig.kind, shown, found)
        for secret in (*SECRETS, str(rig.folder).encode()):
            # What was asked may be said again; the asker knows it.
            assert secret not in found.body or "<outside>" in shown, (rig.kind, shown, found)
        assert b"nosniff" == found.headers.get(b"x-content-type-options"), (rig.kind, shown)
        if found.status >= 400 and found.status != 416:
            assert found.code, (rig.kind, shown, found)
            assert b"application/json" == found.headers[b"content-type"], (rig.kind, shown, found)
    # Columns of databases are of a size: what has no room is refused there, whole and said.
    fitting = [pair for pair in answers if b"refuses a value" not in pair[1].body] or answers
    plain = {rig.kind: rig.plain(found) for rig, found in fitting}
    assert 1 == len(set(plain.values())), (shown, plain)
    return answers[0][1]


def untouched(rig: Rig) -> None:
    """Check that nothing outside of a server's folders was changed, and that it still answers."""
    outside = rig.folder / "outside"
    assert ["canary"] == os.listdir(outside)
    assert CANARY == (outside / "canary").read_bytes()
    assert {"kept", "outside", "mlruns"} >= {
        name for name in os.listdir(rig.folder) if not name.startswith("store.db")
    }
    assert 200 == rig.ask(Asked("GET", "/health")).status
