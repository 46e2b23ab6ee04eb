"""The application: guards, limits, and what is said when something goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.app import ServerApp, Settings
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore

from .asking import Client, ask


class Broken(LocalStore):
    def get_experiment(self, experiment_id):
        raise RuntimeError("secret of the store")


def test_what_nobody_expected(caplog):
    """The caller gets a number, the log what happened."""
    with Client(Broken(MemoryBackend())) as client:
        answer = client.get("experiments/get", experiment_id="0")

    assert (500, "INTERNAL_ERROR") == (answer.status, answer.code)
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    reference = answer.json["message"].rsplit(" ", 1)[1].rstrip(".")
    assert reference in caplog.text
    assert "secret of the store" in caplog.text


def test_a_body_that_is_too_long():
    """Is refused before it is read, and the connection ends."""
    with Client(settings=Settings(max_body=100)) as client:
        answer = client.post("experiments/create", {"name": "x" * 200})

    assert (413, "close") == (answer.status, answer.headers["connection"])
    assert "REQUEST_LIMIT_EXCEEDED" == answer.code


class Slow(LocalStore):
    gate = threading.Event()

    def get_experiment(self, experiment_id):
        self.gate.wait()
        return super().get_experiment(experiment_id)


def test_more_than_can_be_done():
    """Further requests are told to come back, and those that were accepted are answered."""
    store = Slow(MemoryBackend())
    with Client(store, settings=Settings(queue=3, threads=1)) as client:

        async def main():
            path = "experiments/get"
            asked = [
                asyncio.create_task(ask(client.app, "GET", path, {"experiment_id": "0"}))
                for _ in range(5)
            ]
            refused = set()
            while len(refused) < 2:
                done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                refused |= done
                asked = [one for one in asked if one not in done]
            store.gate.set()
            return [one.result() for one in refused], await asyncio.gather(*asked)

        refused, answered = client.run(main())

    assert [(503, "1")] * 2 == [(one.status, one.headers["retry-after"]) for one in refused]
    assert "TEMPORARILY_UNAVAILABLE" == refused[0].code
    assert [200] * 3 == [one.status for one in answered]


def test_guards_stand_in_order():
    """The first sees a request first, and none of the routes sees what it answers."""
    seen = []

    def guard(name):
        def wrap(app):
            async def guarded(scope, receive, send):
                seen.append((name, scope["path"]))
                if scope["path"] == "/version" and name == "a":
                    await send({"type": "http.response.start", "status": 403, "headers": []})
                    await send({"type": "http.response.body", "body": b"no"})
                    return
                await app(scope, receive, send)

            return guarded

        return wrap

    with Client(guards=[guard("a"), guard("b")]) as client:
        assert 200 == client.get("/health").status
        assert (403, b"no") == client.get("/version")[::2]

    assert [("a", "/health"), ("b", "/health"), ("a", "/version")] == seen


def test_a_client_that_leaves(client, caplog):
    """Gets no answer, and is no error."""
    sent = []
    scope = {"type": "http", "method": "POST", "path": "/api/2.0/mlflow/experiments/create",
             "query_string": b"", "headers": [(b"content-type", b"application/json")]}  # fmt: skip

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    with caplog.at_level(logging.INFO):
        client.run(client.app(scope, receive, send))

    assert [] == sent
    assert "" == caplog.text


def test_other_protocols(client):
    """Web sockets are not answered."""
    client.run(client.app({"type": "websocket"}, None, None))


def test_life_and_death():
    """The end finishes what was accepted and closes the store."""
    closed = []

    class Store(LocalStore):
        def close(self):
            closed.append(1)

    app = ServerApp(Store(MemoryBackend()))
    sent = []
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))

    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == sent
    assert [1] == closed


def test_settings_from_the_environment(monkeypatch):
    """Each limit has its variable."""
    monkeypatch.setenv("MILLSTREAM_SERVER_MAX_BODY", "5")
    monkeypatch.setenv("MILLSTREAM_SERVER_THREADS", "2")
    monkeypatch.setenv("MILLSTREAM_SERVER_QUEUE", "7")
    monkeypatch.setenv("MILLSTREAM_SERVER_BODY_TIMEOUT", "9")

    assert Settings("/p", "SqlStore", 5, 9, 2, 3, 7) == Settings.from_environment(
        prefix="/p", store_type="SqlStore", writers=3
    )


@pytest.mark.parametrize("registry", [None, LocalStore(MemoryBackend())])
def test_a_registry_of_its_own(registry):
    """Registered models may be kept apart from runs."""
    store = LocalStore(MemoryBackend())
    with Client(store, registry=registry) as client:
        assert 200 == client.post("registered-models/create", {"name": "M"}).status
        assert "M" == (registry or store).get_registered_model("M").name
        assert 200 == client.get("registered-models/get", name="M").status


class Blocks(LocalStore):
    """Counts the blocks of calls, and fails at the end of those that it is told to."""

    def __init__(self, failing=0):
        super().__init__(MemoryBackend())
        self.sizes = []
        self.failing = failing

    @contextlib.contextmanager
    def together(self):
        before = len(self._backend._runs)
        yield
        self.sizes.append(len(self._backend._runs) - before)
        if self.failing:
            self.failing -= 1
            for run_id in list(self._backend._runs)[before:]:
                del self._backend._runs[run_id]
            msg = "the disk is full"
            raise OSError(msg)


async def _many(client, count):
    """Create runs at the same time, one of them in an experiment that does not exist."""
    bodies = [{"experiment_id": "0"}] * count + [{"experiment_id": "77"}]
    return await asyncio.gather(*(
        ask(client.app, "POST", "runs/create", body) for body in bodies
    ))  # fmt: skip


@pytest.mark.parametrize("failing", [0, 1])
def test_writes_that_wait_are_kept_together(failing):
    """Each is answered for itself, when the block was kept; if it was not, one by one."""
    store = Blocks(failing)
    with Client(store) as client:
        blocked = threading.Event()

        async def go():
            first = client.app.calls.submit(blocked.wait)
            asked = asyncio.ensure_future(_many(client, 20))
            await asyncio.sleep(0.2)
            blocked.set()
            await first
            return await asked

        answers = client.run(go())

    assert [200] * 20 + [404] == [answer.status for answer in answers]
    assert 20 == len({answer.json["run"]["info"]["run_id"] for answer in answers[:20]})
    assert 20 == len(store.search_runs(["0"], "", 1))
    assert [20] == store.sizes


def test_a_lone_write_is_no_block():
    with Client(Blocks()) as client:
        assert 200 == client.post("runs/create", {"experiment_id": "0"}).status
        assert [] == client.store.sizes


@pytest.mark.parametrize("sql_uri", ["sqlite"], indirect=True)
def test_where_the_store_is_stays_the_operator_s_business(sql_uri, monkeypatch):
    """Its own messages name files and addresses; those that leave the server do not."""
    store = LocalStore(SqlBackend(sql_uri))
    assert store.address == sql_uri

    def fails(run_id):
        raise MlflowException(f"The database {store.address} is full.", "RESOURCE_EXHAUSTED")

    monkeypatch.setattr(store, "get_run", fails)
    with Client(store) as client:
        answer = client.get("runs/get", run_id="0" * 32)

    assert "The database of this server is full." == answer.json["message"]
    assert (429, "RESOURCE_EXHAUSTED") == (answer.status, answer.code)
