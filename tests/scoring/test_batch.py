"""Requests that wait together are answered together, and each with its own answer."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.scoring.batch import MAX_BATCH_ROWS, Batcher


def doubled(rows):
    if (rows < 0).any():
        msg = "negative"
        raise ValueError(msg)
    return rows.sum(axis=1) * 2


def run(batcher, requests):
    async def main():
        return await asyncio.gather(
            *(batcher.submit(rows) for rows in requests), return_exceptions=True
        )

    return asyncio.run(main())


@given(
    st.lists(
        st.lists(st.lists(st.integers(-1, 50), min_size=2, max_size=2), min_size=1, max_size=5),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_together_equals_singly(requests):
    """Each request gets what it would get alone, its own error included."""
    requests = [np.array(rows, dtype=float) for rows in requests]
    found = run(Batcher(doubled), requests)

    for rows, answer in zip(requests, found, strict=True):
        if (rows < 0).any():
            assert isinstance(answer, ValueError)
        else:
            assert np.array_equal(doubled(rows), answer)


def test_one_call_for_many():
    """Sixteen waiting requests cost one call of the model."""
    batcher = Batcher(doubled)
    run(batcher, [np.ones((1, 2))] * 16)

    assert batcher.calls == 1


def test_a_lone_request_waits_for_one_turn_of_the_loop():
    """No timer delays a request that nobody else waits with."""

    async def main():
        batcher = Batcher(doubled)
        future = batcher.submit(np.ones((1, 2)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return future.done()

    assert asyncio.run(main())


def test_large_requests_are_not_joined():
    """A batch holds no more rows than the bound."""
    batcher = Batcher(doubled)
    run(batcher, [np.ones((MAX_BATCH_ROWS - 1, 2))] * 3)

    assert batcher.calls == 3


def test_a_model_that_changes_the_number_of_rows():
    """An answer of another length is not cut up; each request is asked for singly."""
    found = run(Batcher(lambda rows: np.array([len(rows)])), [np.ones((2, 1)), np.ones((3, 1))])

    assert [2, 3] == [int(answer[0]) for answer in found]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_model_that_exits(error):
    """A model that calls sys.exit fails its request, not the server."""

    def leave(rows):
        raise error

    found = run(Batcher(leave), [np.ones((1, 1))])

    assert isinstance(found[0], RuntimeError)


def test_a_cancelled_request_is_not_computed():
    """A request whose client left costs nothing."""

    async def main():
        batcher = Batcher(doubled)
        batcher.submit(np.ones((1, 2))).cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return batcher.calls

    assert asyncio.run(main()) == 0
