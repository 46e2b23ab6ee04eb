"""A write that comes twice is done once."""

from __future__ import annotations

import asyncio

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.messages import Answer
from mlflow.server.replay import Replays

from .asking import Client


def test_the_second_gets_the_answer_of_the_first():
    """Whether the first is done or still going on."""
    calls = []

    async def main():
        replays = Replays()
        going = asyncio.Event()

        async def work():
            calls.append(1)
            await going.wait()
            return Answer(200, b"x")

        both = [asyncio.create_task(replays.once(("k",), work)) for _ in range(2)]
        await asyncio.sleep(0)
        going.set()
        assert [b"x", b"x"] == [one.body for one in await asyncio.gather(*both)]
        assert b"x" == (await replays.once(("k",), work)).body

    asyncio.run(main())

    assert [1] == calls


@pytest.mark.parametrize("status", [500, 503])
def test_what_failed_may_be_tried_again(status):
    """An answer that says nothing of the outcome is not remembered."""
    answers = [Answer(status, b""), Answer(200, b"done")]

    async def work():
        return answers.pop(0)

    async def main():
        replays = Replays()
        await replays.once(("k",), work)
        return await replays.once(("k",), work)

    assert b"done" == asyncio.run(main()).body


def test_what_was_raised_may_be_tried_again():
    """Both who wait are told; the next one tries."""
    outcomes = [MlflowException("x"), None]

    async def work():
        await asyncio.sleep(0)
        error = outcomes.pop(0)
        if error:
            raise error
        return Answer(200, b"done")

    async def main():
        replays = Replays()
        both = [asyncio.create_task(replays.once(("k",), work)) for _ in range(2)]
        failed = await asyncio.gather(*both, return_exceptions=True)
        assert [MlflowException, MlflowException] == [type(one) for one in failed]
        return await replays.once(("k",), work)

    assert b"done" == asyncio.run(main()).body


def test_old_answers_are_forgotten():
    """What is remembered is bounded."""

    async def main():
        replays = Replays(kept=3)
        for number in range(10):
            await replays.once((number,), lambda: asyncio.sleep(0, Answer(200, b"")))
        return len(replays._answers)

    assert 3 == asyncio.run(main())


def test_runs_are_not_doubled(client):
    """The same key: the same run. Another key, or none: another run."""
    body = {"experiment_id": "0"}
    ids = [
        client.post("runs/create", body, headers=headers).json["run"]["info"]["run_id"]
        for headers in ([("Idempotency-Key", "a")], [("Idempotency-Key", "a")],
                        [("Idempotency-Key", "b")], [], [])
    ]  # fmt: skip

    assert ids[0] == ids[1]
    assert 4 == len(set(ids))
    assert 4 == len(client.store.search_runs(["0"], None, 1))
    assert "1" == client.post("runs/create", body).headers["x-millstream-replay"]


def test_a_key_belongs_to_one_operation(client):
    """The key of a run does not answer for an experiment."""
    key = [("Idempotency-Key", "a")]
    client.post("runs/create", {"experiment_id": "0"}, headers=key)
    made = client.post("experiments/create", {"name": "x"}, headers=key)

    assert {"experiment_id": "1"} == made.json
    too_long = [("Idempotency-Key", "k" * 200)]
    assert 400 == client.post("experiments/create", {"name": "y"}, headers=too_long).status


def test_servers_that_share_a_store_make_one_run(client):
    """Though neither knows what the other answered: the id follows from the key, if that is long."""
    with Client(client.store) as other:
        _make_twice(client, other)


def _make_twice(client, other):
    long, short = [("Idempotency-Key", "5" * 32)], [("Idempotency-Key", "a")]
    body = {"experiment_id": "0", "run_name": "r", "tags": [{"key": "t", "value": "1"}]}
    first, second = (one.post("runs/create", body, headers=long) for one in (client, other))
    assert 200 == first.status
    assert first.json["run"]["info"] == second.json["run"]["info"]
    models = [
        one.post("logged-models", {"experiment_id": "0", "name": "m"}, headers=long).json
        for one in (client, other)
    ]
    assert models[0] == models[1]
    for one in (client, other):
        one.post("runs/create", body, headers=short)
    assert 3 == len(client.store.search_runs(["0"], None, 1))
    assert 1 == len(client.store.search_logged_models(["0"]))
