"""Logging without waiting: one bounded queue and one writing thread for each store."""

from __future__ import annotations

import atexit
import os
from _thread import allocate_lock

from mlflow.api import rules
from mlflow.exceptions import MlflowException
from mlflow.tracking.values import portions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from queue import Queue

    from mlflow.entities.run import Metric, Param, RunTag
    from mlflow.store.base import AbstractStore

# A program that logs faster than its store writes waits once this many calls are behind.
CAPACITY = 10_000
# As many waiting calls are written together, where they concern the same run.
_GATHERED = 1_000


class _Operation:
    """One call that waits to be written, or a mark in the queue when it has no run."""

    __slots__ = ("_done", "error", "metrics", "params", "run_id", "tags")

    def __init__(
        self,
        run_id: str | None,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
    ) -> None:
        self.run_id = run_id
        self.metrics = metrics
        self.params = params
        self.tags = tags
        self.error: Exception | None = None
        self._done = allocate_lock()
        self._done.acquire()

    def finish(self, error: Exception | None = None) -> None:
        """Say that it was written, or why not."""
        self.error = error
        self._done.release()

    def is_done(self) -> bool:
        """Tell whether it was written or refused."""
        return not self._done.locked()

    def wait(self) -> Exception | None:
        """Wait until it was written; return why not."""
        with self._done:
            return self.error


class RunOperations:
    """Calls that were put in the queue."""

    def __init__(self, operations: Sequence[_Operation]) -> None:
        self._operations = list(operations)

    def wait(self) -> None:
        """Wait until all of them are kept by the store.

        Raises:
            MlflowException: some were refused; the message names each reason.
        """
        errors = [error for one in self._operations if (error := one.wait()) is not None]
        if errors:
            msg = "The following failures occurred while performing one or more async logging"
            raise MlflowException(f"{msg} operations: {errors!r}")

    def is_done(self) -> bool:
        """Tell whether all of them are kept by the store, or refused."""
        return all(one.is_done() for one in self._operations)

    def error(self) -> Exception | None:
        """Return why the first of the refused ones was, so far."""
        return next((one.error for one in self._operations if one.error is not None), None)


def get_combined_run_operations(run_operations_list: Sequence[RunOperations]) -> RunOperations:
    """Return one object that waits for all of the given ones."""
    return RunOperations([one for each in run_operations_list for one in each._operations])


class LoggingQueue:
    """Writes calls to one store, in the order in which they were made, from a thread of its own.

    Args:
        store: where to.
    """

    def __init__(self, store: AbstractStore) -> None:
        from queue import Queue

        self._store = store
        self._pid = os.getpid()
        self._waiting: Queue[_Operation] = Queue(CAPACITY)
        self._lock = allocate_lock()
        self._is_started = False

    def put(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> RunOperations:
        """Take a call; wait only while the queue is full."""
        self._start()
        operations = [_Operation(run_id, *some) for some in portions(metrics, params, tags)]
        for one in operations:
            self._waiting.put(one)
        return RunOperations(operations)

    def flush(self) -> None:
        """Wait until everything that was put before is written or refused."""
        if not self._is_started or self._pid != os.getpid():
            return
        mark = _Operation(None)
        self._waiting.put(mark)
        mark.wait()

    def belongs_here(self) -> bool:
        """Tell whether this process made the queue: threads do not survive a fork."""
        return self._pid == os.getpid()

    def _start(self) -> None:
        if self._is_started:
            return
        with self._lock:
            if not self._is_started:
                from threading import Thread

                Thread(target=self._run, name="mlflow-logging", daemon=True).start()
                self._is_started = True

    def _run(self) -> None:
        while True:
            for batch in _by_run(_drain(self._waiting)):
                self._write(batch)

    def _write(self, batch: list[_Operation]) -> None:
        if batch[0].run_id is None:
            batch[0].finish()
            return
        if len(batch) == 1 or self._try(_merged(batch)) is not None:
            # One of them is refused, perhaps: the others must not be lost with it.
            for one in batch:
                one.finish(self._try(one))
            return
        for one in batch:
            one.finish()

    def _try(self, one: _Operation) -> Exception | None:
        try:
            self._store.log_batch(one.run_id or "", one.metrics, one.params, one.tags)
        except Exception as error:  # noqa: BLE001 - it is given to whoever waits
            _report(one, error)
            return error
        return None


def _drain(waiting: Queue[_Operation]) -> list[_Operation]:
    """Wait for a call; return it with those behind it."""
    from queue import Empty

    found = [waiting.get()]
    try:
        while len(found) < _GATHERED:
            found.append(waiting.get_nowait())
    except Empty:
        pass
    return found


def _by_run(operations: list[_Operation]) -> list[list[_Operation]]:
    """Group neighbours of one run, as many as one batch may hold."""
    groups: list[list[_Operation]] = []
    room = [0, 0, 0]
    for one in operations:
        sizes = [len(one.metrics), len(one.params), len(one.tags)]
        together = groups and one.run_id is not None and groups[-1][0].run_id == one.run_id
        if together and _fits([a + b for a, b in zip(room, sizes, strict=True)]):
            groups[-1].append(one)
            room = [a + b for a, b in zip(room, sizes, strict=True)]
        else:
            groups.append([one])
            room = sizes
    return groups


def _fits(sizes: list[int]) -> bool:
    few = rules.MAX_PARAMS_TAGS_PER_BATCH
    return sizes[1] <= few and sizes[2] <= few and sum(sizes) <= rules.MAX_ENTITIES_PER_BATCH


def _merged(batch: list[_Operation]) -> _Operation:
    return _Operation(
        batch[0].run_id,
        [metric for one in batch for metric in one.metrics],
        [param for one in batch for param in one.params],
        [tag for one in batch for tag in one.tags],
    )


def _report(one: _Operation, error: Exception) -> None:
    import logging

    logging.getLogger(__name__).error("Run %s: not logged: %s", one.run_id, error)


# By the identity of the store, which the entry keeps alive.
_queues: dict[int, LoggingQueue] = {}
_lock = allocate_lock()


def queue_of(store: AbstractStore) -> LoggingQueue:
    """Return the queue that writes to a store, made on first use in this process."""
    found = _queues.get(id(store))
    if found is None or not found.belongs_here():
        with _lock:
            found = _queues.get(id(store))
            if found is None or not found.belongs_here():
                if not _queues:
                    atexit.register(flush_all)
                found = _queues[id(store)] = LoggingQueue(store)
    return found


def flush(store: AbstractStore) -> None:
    """Wait until everything that was put in a store's queue is written or refused."""
    found = _queues.get(id(store))
    if found is not None:
        found.flush()


def flush_all() -> None:
    """Do the same for all stores."""
    for one in list(_queues.values()):
        one.flush()
