"""Two workers answer one replay: the write is done once, whichever of them is asked again."""

from __future__ import annotations

import asyncio
import http.client
import json

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server import shared_replays
from mlflow.server.messages import Answer
from mlflow.server.shared_replays import SharedReplays
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore

from .asking import Client
from .running import server


@pytest.fixture
def workers(tmp_path):
    """What two processes have, in one."""
    made = [SharedReplays(str(tmp_path / "replays.db"), kept=3) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def test_the_other_worker_gives_the_answer_of_the_first(workers):
    """Headers and all; also while the first is at it."""
    calls = []
    kept = Answer(200, b'{"a":1}', ((b"content-type", b"application/json"),))

    async def main():
        begun, going = asyncio.Event(), asyncio.Event()

        async def work():
            calls.append(1)
            begun.set()
            await going.wait()
            return kept

        first = asyncio.create_task(workers[0].once(("k", "op", None), work))
        await begun.wait()
        second = asyncio.create_task(workers[1].once(("k", "op", None), work))
        await asyncio.sleep(0)
        going.set()
        assert [kept, kept] == [await first, await second]
        assert kept == await workers[1].once(("k", "op", None), work)

    asyncio.run(main())

    assert [1] == calls


@pytest.mark.parametrize("outcome", [Answer(503, b""), MlflowException("x")])
def test_what_failed_may_be_tried_by_the_other(workers, outcome):
    """Nothing is left of it."""

    async def fails():
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def works():
        return Answer(200, b"done")

    async def main():
        await asyncio.gather(workers[0].once(("k",), fails), return_exceptions=True)
        return await workers[1].once(("k",), works)

    assert b"done" == asyncio.run(main()).body


def test_a_worker_that_is_gone(tmp_path, monkeypatch):
    """What it had begun is begun again, later; until then there is no second write."""
    monkeypatch.setattr(shared_replays, "_LOOK", 0)
    time = [0.0]

    def clock():
        time[0] += 1
        return time[0]

    gone, other = (SharedReplays(str(tmp_path / "r.db"), clock=clock) for _ in range(2))
    assert gone._claim(repr(("k",)))
    gone.close()

    async def work():
        return Answer(200, b"done")

    assert b"done" == asyncio.run(other.once(("k",), work)).body
    assert shared_replays.ABANDONED < time[0]
    other.close()


def test_what_is_remembered_is_bounded(workers):
    async def main():
        for number in range(10):
            await workers[0].once((number,), lambda: asyncio.sleep(0, Answer(200, b"")))

    asyncio.run(main())

    assert [(3,)] == workers[0]._file.execute("SELECT COUNT(*) FROM replays").fetchall()


@pytest.mark.parametrize("sql_uri", ["sqlite"], indirect=True)
def test_one_run_by_two_workers(sql_uri, tmp_path):
    """Two applications over one database, the same key: one run, one answer."""
    path = str(tmp_path / "replays.db")
    body, key = {"experiment_id": "0"}, [("Idempotency-Key", "a")]
    with (
        Client(LocalStore(SqlBackend(sql_uri)), replays=SharedReplays(path)) as first,
        Client(LocalStore(SqlBackend(sql_uri)), replays=SharedReplays(path)) as second,
    ):
        answers = [one.post("runs/create", body, headers=key) for one in (first, second, first)]
        assert 1 == len({answer.body for answer in answers})
        assert 1 == len(first.store.search_runs(["0"], None, 1))
        again = second.post("runs/create", body, headers=[("Idempotency-Key", "b")])
        assert again.body != answers[0].body


@pytest.mark.slow
@pytest.mark.parametrize("sql_uri", ["postgresql", "mysql"], indirect=True)
def test_worker_processes(sql_uri, tmp_path):
    """A real server with two: each connection goes to either, and no run is doubled."""
    options = ("--backend-store-uri", sql_uri, "--workers", "2")
    with server(str(tmp_path), *options) as (_, address):
        ids = set()
        for number in range(40):
            # A new connection each time: whichever worker takes it answers.
            connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
            headers = {"Content-Type": "application/json", "Idempotency-Key": f"k{number // 20}"}
            content = json.dumps({"experiment_id": "0"})
            connection.request("POST", "/api/2.0/mlflow/runs/create", content, headers)
            ids.add(json.loads(connection.getresponse().read())["run"]["info"]["run_id"])
            connection.close()
    store = LocalStore(SqlBackend(sql_uri))
    assert 2 == len(ids) == len(store.search_runs(["0"], "", 3))
    store.close()
