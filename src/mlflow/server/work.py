"""Where the server's blocking work is done: bounded queues of calls in front of threads."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")


class BusyError(Exception):
    """More calls wait than may."""


class Job(NamedTuple):
    """A call that waits, and where its outcome goes."""

    call: Callable[[], Any]
    future: asyncio.Future[Any]


class Outcome(NamedTuple):
    """What became of a job."""

    future: asyncio.Future[Any]
    result: Any
    error: BaseException | None


class Threads:
    """Threads that make the calls of one event loop, in the order in which they came.

    Args:
        count: how many threads.
        waiting: how many calls may wait or run; further ones are refused.
        name: what the threads are called.
        perform: makes the jobs that wait, and returns their outcomes; one job at a time when
            absent. With one thread it gets everything that waits, so that a store may put it into
            one transaction.
    """

    def __init__(
        self,
        count: int,
        waiting: int,
        name: str,
        perform: Callable[[list[Job]], list[Outcome]] | None = None,
    ) -> None:
        self._waiting = waiting
        self._open = 0
        self._perform = perform
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(count)
        ]
        self._started = False
        self._awake = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def open(self) -> int:
        """How many calls wait or run."""
        return self._open

    def submit(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Have a call made by a thread; must be called in the event loop.

        A call that was accepted is made, whether or not anybody waits for it still.

        Raises:
            BusyError: too many calls wait.
        """
        if self._open >= self._waiting:
            raise BusyError
        if not self._started:
            self._start()
        assert self._loop is not None  # noqa: S101 - `_start` has set it
        future: asyncio.Future[T] = self._loop.create_future()
        self._open += 1
        self._jobs.put(Job(call, future))
        return future

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started = True
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Make the calls that wait, then end the threads."""
        if not self._started:
            return
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    # --- in the threads --------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            if self._perform is None:
                self._finish([outcome_of(job)])
                continue
            jobs, ended = self._all_waiting(job)
            self._finish(self._perform(jobs))
            if ended:
                return

    def _all_waiting(self, first: Job) -> tuple[list[Job], bool]:
        jobs = [first]
        while not self._jobs.empty():
            job = self._jobs.get()
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False

    def _finish(self, outcomes: list[Outcome]) -> None:
        # One wake-up of the loop for all outcomes that it has not yet seen. The loop puts the flag
        # down before it looks, so what is added here is seen by it or wakes it.
        self._outcomes.extend(outcomes)
        if self._awake or self._loop is None:
            return
        self._awake = True
        try:
            self._loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:  # the loop has ended, and with it whoever waited
            self._outcomes.clear()

    # --- in the event loop -----------------------------------------------------------------------

    def _deliver(self) -> None:
        self._awake = False
        while self._outcomes:
            future, result, error = self._outcomes.popleft()
            self._open -= 1
            if future.cancelled():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


def outcome_of(job: Job) -> Outcome:
    """Make the call of a job."""
    try:
        return Outcome(job.future, job.call(), None)
    except StopIteration as error:  # which no future takes
        return Outcome(job.future, None, RuntimeError(repr(error)))
    except BaseException as error:  # noqa: BLE001 - raised where the caller waits
        return Outcome(job.future, None, error)
