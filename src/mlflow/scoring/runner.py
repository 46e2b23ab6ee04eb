"""How calls of the model are run: in the event loop, together, or in bounded threads."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from mlflow.exceptions import MlflowException
from mlflow.scoring.batch import Batcher
from mlflow.scoring.cast import common_dtype
from mlflow.scoring.plan import Plan, Work

_logger = logging.getLogger("mlflow.scoring")
# A call expected to hold the event loop no longer than this is not worth a thread.
INLINE_SECONDS = 0.005
# The last call that timed out is told so before the process goes.
FAREWELL_SECONDS = 0.2
_PROBE_ROWS = 64


class BusyError(Exception):
    """More calls are waiting than the queue holds (503)."""


class TooSlowError(Exception):
    """The model did not answer in time (504)."""


class ModelError(Exception):
    """The model raised; `reference` finds the trace in the server's log (500)."""

    def __init__(self, reference: str) -> None:
        super().__init__(reference)
        self.reference = reference


class Runner:
    """Runs the calls of one plan.

    Args:
        plan: the model and its array twin.
        threads: how many calls may run beside each other.
        queue: how many calls may wait.
        timeout: seconds a call may take.
        batch: whether waiting calls may be answered together.
        on_stuck: called when every thread hangs in a call that timed out, once the last of these
            calls had its answer.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        threads: int = 4,
        queue: int = 1024,
        timeout: float = 60,
        batch: bool = True,
        on_stuck: Callable[[], None] | None = None,
    ) -> None:
        self._plan = plan
        self._threads = max(1, threads)
        self._queue = queue
        self._timeout = timeout
        self._on_stuck = on_stuck
        self._pool: ThreadPoolExecutor | None = None
        self._waiting = 0
        self._stuck = 0
        self._batcher = Batcher(plan.twin) if batch and plan.twin is not None else None
        self._first_row, self._each_row = self._measure()

    @property
    def stuck(self) -> bool:
        """Whether no thread is left that could answer."""
        return self._stuck >= self._threads

    @property
    def busy(self) -> bool:
        """Whether a thread is in a call, or hangs in one."""
        return self._waiting > 0

    def _measure(self) -> tuple[float, float]:
        """Return the seconds of a one-row call and of each further row."""
        plan = self._plan
        if plan.twin is None:
            return 1.0, 1.0
        rows = np.ones((_PROBE_ROWS, len(plan.layout.kinds)), dtype=common_dtype(plan.layout.kinds))
        one = min(_seconds(plan.twin, rows[:1]) for _ in range(3))
        many = min(_seconds(plan.twin, rows) for _ in range(2))
        return one, max(0.0, (many - one) / (_PROBE_ROWS - 1))

    async def run(self, work: Work, gone: Callable[[], Any] | None = None) -> Any:
        """Return the model's answer.

        Args:
            work: one call.
            gone: awaited beside a call in a thread; when it returns, nobody waits any more.

        Raises:
            MlflowException: (400) the data does not fit the signature.
            BusyError: too many calls wait.
            TooSlowError: the model did not answer in time.
            ModelError: the model raised.
        """
        if work.array and self._first_row + self._each_row * len(work.data) < INLINE_SECONDS:
            if self._batcher is not None:
                try:
                    return await self._batcher.submit(work.data)
                except Exception as error:  # noqa: BLE001 - whatever the model raised
                    raise _reported(error) from None
            return self._guarded(work)
        return await self._in_thread(work, gone)

    def _guarded(self, work: Work) -> Any:
        try:
            return self._plan.call(work)
        except MlflowException as error:
            if error.get_http_status_code() < 500:
                raise
            raise _reported(error) from None
        except BaseException as error:  # noqa: BLE001 - sys.exit in a model must not end the server
            raise _reported(error) from None

    async def _in_thread(self, work: Work, gone: Callable[[], Any] | None) -> Any:
        if self._waiting >= self._queue or self.stuck:
            raise BusyError
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="mlflow-scoring")
        self._waiting += 1
        job = self._pool.submit(self._guarded, work)
        job.add_done_callback(self._finished(asyncio.get_running_loop()))
        future = asyncio.wrap_future(job)
        watch = asyncio.ensure_future(gone()) if gone is not None else None
        try:
            await asyncio.wait(
                {future} if watch is None else {future, watch},
                timeout=self._timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            if watch is not None:
                watch.cancel()
        if future.done():
            return future.result()
        if watch is not None and watch.done():
            job.cancel()
            raise asyncio.CancelledError
        if not job.cancel():
            self._hangs(job)
        raise TooSlowError

    def _finished(self, loop: asyncio.AbstractEventLoop) -> Callable[[Any], None]:
        def leave() -> None:
            self._waiting -= 1

        def done(_: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(leave)

        return done

    def _hangs(self, job: Any) -> None:
        loop = asyncio.get_running_loop()
        self._stuck += 1

        def recover() -> None:
            self._stuck -= 1

        def done(_: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(recover)

        job.add_done_callback(done)
        if self.stuck:
            _logger.error("every thread hangs in a call that timed out after %s s", self._timeout)
            if self._on_stuck is not None:
                loop.call_later(FAREWELL_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.stuck and self._on_stuck is not None:
            self._on_stuck()

    def close(self) -> None:
        """Let running calls go and start no more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _seconds(call: Callable[[Any], Any], rows: Any) -> float:
    start = time.perf_counter()
    try:
        call(rows)
    except Exception:  # noqa: BLE001 - such a model is not called in the event loop
        return 1.0
    return time.perf_counter() - start


def _reported(error: BaseException) -> ModelError:
    reference = uuid.uuid4().hex[:12]
    _logger.error("the model raised (%s)", reference, exc_info=error)
    return ModelError(reference)
