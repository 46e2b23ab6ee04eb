"""Calls are made by threads, in order, and their outcomes come back."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mlflow.server.work import BusyError, Outcome, Threads, outcome_of


def run(main):
    return asyncio.run(asyncio.wait_for(main, 60))


def test_results_and_errors():
    """Each caller gets what its call returned or raised."""

    def fails():
        raise ValueError("x")

    async def main():
        threads = Threads(2, 100, "t")
        good = [threads.submit(lambda n=n: n) for n in range(50)]
        bad = threads.submit(fails)
        stop = threads.submit(lambda: next(iter(())))
        assert list(range(50)) == await asyncio.gather(*good)
        with pytest.raises(ValueError, match="x"):
            await bad
        with pytest.raises(RuntimeError, match="StopIteration"):
            await stop
        assert 0 == threads.open
        threads.close()

    run(main())


def test_one_thread_keeps_the_order():
    """Writes are done as they came."""
    done = []

    async def main():
        threads = Threads(1, 1000, "t")
        await asyncio.gather(*(threads.submit(lambda n=n: done.append(n)) for n in range(500)))
        threads.close()

    run(main())

    assert list(range(500)) == done


def test_no_outcome_is_lost():
    """Several threads finish at the same time, over and over."""

    async def main():
        threads = Threads(4, 10_000, "t")
        for _ in range(200):
            await asyncio.gather(*(threads.submit(int) for _ in range(8)))
        threads.close()

    run(main())


def test_a_full_queue_refuses():
    """And takes calls again when there is room."""
    gate = threading.Event()

    async def main():
        threads = Threads(1, 3, "t")
        waiting = [threads.submit(gate.wait) for _ in range(3)]
        with pytest.raises(BusyError):
            threads.submit(int)
        gate.set()
        await asyncio.gather(*waiting)
        assert 0 == await threads.submit(int)
        threads.close()

    run(main())


def test_everything_that_waits_comes_together():
    """The seam of a store that commits all waiting writes at once."""
    gate = threading.Event()
    batches = []

    def perform(jobs):
        batches.append(len(jobs))
        outcomes = [outcome_of(job) for job in jobs]
        return [
            one if one.error is None else Outcome(one.future, "failed", None) for one in outcomes
        ]

    def fails():
        raise ValueError

    async def main():
        threads = Threads(1, 100, "t", perform)
        first = threads.submit(gate.wait)
        while not batches and threads._jobs.qsize():  # until the thread has taken the first
            await asyncio.sleep(0)
        rest = [threads.submit(fails if n == 3 else int) for n in range(10)]
        gate.set()
        await first
        assert [0, 0, 0, "failed", *[0] * 6] == await asyncio.gather(*rest)
        threads.close()

    run(main())

    assert [1, 10] == batches


def test_closing_makes_the_calls_that_wait():
    """What was accepted is done."""
    gate = threading.Event()
    done = []

    async def main():
        threads = Threads(1, 100, "t", lambda jobs: [outcome_of(job) for job in jobs])
        threads.submit(gate.wait)
        for n in range(5):
            threads.submit(lambda n=n: done.append(n))
        threading.Timer(0.01, gate.set).start()
        await asyncio.get_running_loop().run_in_executor(None, threads.close)

    run(main())

    assert [0, 1, 2, 3, 4] == done


def test_a_caller_that_left():
    """Its call is made all the same, and nobody is told."""
    gate = threading.Event()
    done = []

    async def main():
        threads = Threads(1, 100, "t")
        threads.submit(gate.wait)
        left = threads.submit(lambda: done.append(1))
        left.cancel()
        gate.set()
        await threads.submit(int)
        assert 0 == threads.open
        threads.close()

    run(main())

    assert [1] == done


def test_closing_what_never_began():
    """A server without requests ends too."""
    Threads(2, 10, "t").close()
