"""Logging without waiting: what is logged is noted, and one thread for each store writes it."""

from __future__ import annotations

import atexit
import os
from _thread import allocate_lock
from importlib import import_module
from time import monotonic, sleep

from mlflow.entities.run import RunTag
from mlflow.environment_variables import (
    MILLSTREAM_JOURNAL_MAX_BYTES,
    MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS,
)
from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, MlflowException, without_password
from mlflow.store import durability, locate
from mlflow.tags import MILLSTREAM_ACKNOWLEDGED
from mlflow.tracking.values import portions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from mlflow.entities.run import Metric, Param
    from mlflow.store.base import AbstractStore
    from mlflow.store.calls import Call, CallLog
    from mlflow.store.journal import Journal

# As many waiting calls are written together, where they concern the same run.
_GATHERED = 1_000
# Seconds in which calls gather before they are written, when nobody waits for them and
# MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS does not say: two threads that write at once are slower
# than one after the other.
_GATHERING = 0.02
# Seconds that anybody waits for a store that gives no answer, and between attempts: the first, the
# longest.
PATIENCE, _FIRST, _LONGEST = 30.0, 0.1, 2.0


class _Operation:
    """One call that waits to be written."""

    __slots__ = ("__weakref__", "error", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self.error: Exception | None = None


class RunOperations:
    """Calls that wait to be written, or are."""

    def __init__(self, parts: Sequence[tuple[LoggingQueue, _Operation]]) -> None:
        self._parts = list(parts)

    def wait(self) -> None:
        """Wait until all of them are kept by the store.

        Raises:
            MlflowException: some were refused, and the message names each reason; or the store
                has not answered for a while, and has them when it is back.
        """
        for queue, one in self._parts:
            queue.wait(one.position)
        errors = [one.error for _, one in self._parts if one.error is not None]
        if errors:
            msg = "The following failures occurred while performing one or more async logging"
            raise MlflowException(f"{msg} operations: {errors!r}")

    def is_done(self) -> bool:
        """Tell whether all of them are kept by the store, or refused."""
        return all(one.position <= queue.done for queue, one in self._parts)

    def error(self) -> Exception | None:
        """Return why the first of the refused ones was, so far."""
        return next((one.error for _, one in self._parts if one.error is not None), None)


def get_combined_run_operations(run_operations_list: Sequence[RunOperations]) -> RunOperations:
    """Return one object that waits for all of the given ones."""
    return RunOperations([one for each in run_operations_list for one in each._parts])


class LoggingQueue:
    """Writes calls to one store, in the order in which they were made, from a thread of its own.

    Calls wait in a `CallLog`, so there may be many. While the store is away they go on waiting.

    Args:
        store: where to.
        log: where they wait.
        level: what a call that returned survives, one of `durability.LEVELS`; runs get it as a
            tag, but for `memory`, which is what other clients of MLflow give.
        journal: the folder that the log is in, when it outlives the process.
        uri: the address of the store, for messages.
    """

    def __init__(
        self,
        store: AbstractStore,
        log: CallLog,
        level: str = durability.MEMORY,
        journal: Journal | None = None,
        uri: str = "",
    ) -> None:
        from threading import Condition, Event
        from weakref import WeakValueDictionary

        self._store, self._log, self._level = store.impatient(), log, level
        self._journal, self._uri = journal, uri
        self._bound = MILLSTREAM_JOURNAL_MAX_BYTES.get()
        self._pid = os.getpid()
        # Those that somebody may ask for, by their positions.
        self._waiting: WeakValueDictionary[int, _Operation] = WeakValueDictionary()
        self._changed = Condition()
        # Whether the thread has nothing to do; whether somebody waits for what it does.
        self._is_idle, self._hurry = False, Event()
        self._is_started = self._is_told = self._is_full = False
        self._marked: set[str] = set()
        # Since when somebody has waited for an answer.
        self._since: float | None = None
        self._delivery: Any = None

    @property
    def done(self) -> int:
        """The position up to which everything is written or refused."""
        return self._log.done

    def put(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> RunOperations:
        """Take a call; wait only at the level `server`, or while too much waits already.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: a number that no store takes;
                TEMPORARILY_UNAVAILABLE: the store is away, and no more may wait.
        """
        self._start()
        if run_id not in self._marked:
            self._marked.add(run_id)
            if self._level != durability.MEMORY:
                tags = [*tags, RunTag(MILLSTREAM_ACKNOWLEDGED, self._level)]
        parts = [self._append(run_id, *some) for some in portions(metrics, params, tags)]
        made = RunOperations([(self, one) for one in parts])
        if self._level == durability.SERVER:
            made.wait()
        return made

    def _append(self, run_id: str, *logged: Any) -> _Operation:
        log = self._log
        if log.end - log.done > self._bound:
            self._make_room()
        try:
            with self._changed:
                one = _Operation(log.append(run_id, *logged))
                self._waiting[one.position] = one
                if self._is_idle:
                    self._is_idle = False
                    self._changed.notify_all()
        except OSError as error:
            return self._direct(error, run_id, *logged)
        return one

    def _direct(self, reason: OSError, run_id: str, *logged: Any) -> _Operation:
        """Write a call that cannot be noted (a full disk), after those that were."""
        if not self._is_full:
            self._is_full = True
            _logger().warning("Logging waits for the store: its journal cannot grow: %s", reason)
        self.flush()
        self._store.log_batch(run_id, *logged)
        return _Operation(self.done)

    def _make_room(self) -> None:
        log = self._log
        if not self._until(lambda: log.end - log.done <= self._bound):
            raise MlflowException(
                f"{log.end - log.done} bytes wait for {self._name()}, which does not answer, and "
                f"MILLSTREAM_JOURNAL_MAX_BYTES allows {self._bound}.",
                TEMPORARILY_UNAVAILABLE,
            )

    def wait(self, position: int) -> None:
        """Wait until everything up to a position is written or refused.

        Raises:
            MlflowException: TEMPORARILY_UNAVAILABLE: the store has not answered for a while.
        """
        if position > self.done and not self._until(lambda: position <= self.done):
            raise MlflowException(self._left(), TEMPORARILY_UNAVAILABLE)

    def _until(self, condition: Callable[[], bool]) -> bool:
        """Wait for a condition, as long as the store answers; tell whether it holds."""
        self._hurry.set()
        with self._changed:
            while not condition():
                if self._since is None:
                    self._since = monotonic()
                left = self._since + PATIENCE - monotonic()
                if left <= 0 or not self.belongs_here():
                    return False
                self._changed.wait(left)
            return True

    def flush(self) -> bool:
        """Wait until everything that was put before is written or refused.

        Returns:
            Whether it is; when the store has not answered for a while it is not, which is told.
        """
        if not self._is_started or not self.belongs_here():
            return True
        end = self._log.end
        if self._until(lambda: end <= self.done):
            return True
        if not self._is_told:
            self._is_told = True
            _logger().error("%s", self._left())
        return False

    def close(self) -> None:
        """Write what waits, and leave the rest where the next process finds it."""
        if not self.belongs_here():
            return
        is_written = self.flush()
        self._log.close()
        if self._journal is not None:
            self._journal.close(remove=is_written)

    def belongs_here(self) -> bool:
        """Tell whether this process made the queue: threads do not survive a fork."""
        return self._pid == os.getpid()

    def _name(self) -> str:
        return without_password(self._uri) or repr(self._store)

    def _left(self) -> str:
        text = f"{self._name()} has not answered for {PATIENCE:.0f} seconds. "
        if self._journal is None:
            return text + "What was logged meanwhile is lost when this process ends."
        place = self._journal.place
        return (
            f"{text}What was logged meanwhile is in {place}, and is brought there by the next "
            f"program that logs without waiting, or by: mlflow sync {place} "
            f"{without_password(self._uri)}"
        )

    # --- the thread that writes ------------------------------------------------------------

    def _start(self) -> None:
        if self._is_started:
            return
        with self._changed:
            if not self._is_started:
                from threading import Thread

                self._delivery = import_module("mlflow.store.delivery")
                Thread(target=self._run, name="mlflow-logging", daemon=True).start()
                self._is_started = True

    def _run(self) -> None:
        log = self._log
        gathering = MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS.get() or _GATHERING
        while True:
            with self._changed:
                while log.at == log.end:
                    self._is_idle = True
                    self._changed.wait()
            self._hurry.wait(gathering)
            # Whoever waits from now on waits for more than this.
            self._hurry.clear()
            end = log.end
            while log.at < end:
                try:
                    found = log.read(_GATHERED)
                except OSError as error:
                    _logger().error("What waits cannot be read, and is tried again: %s", error)
                    sleep(_LONGEST)
                else:
                    self._write(found)

    def _write(self, found: list[tuple[int, Call]]) -> None:
        calls = [call for _, call in found]
        results = self._delivered(calls)
        for (position, call), error in zip(found, results, strict=True):
            if error is not None:
                _logger().error("Run %s: not logged: %s", call.run_id, error)
                one = self._waiting.get(position)
                if one is not None:
                    one.error = error
        with self._changed:
            self._log.finish(found[-1][0])
            self._since, self._is_told = None, False
            self._changed.notify_all()

    def _delivered(self, calls: list[Call]) -> list[Exception | None]:
        """Write calls, however long the store is away; return why they were refused."""
        seconds, in_doubt = _FIRST, False
        while True:
            try:
                if in_doubt:
                    # Their answers may be all that was lost.
                    calls = self._delivery.missing(self._store, calls)
                results: list[Exception | None] = self._delivery.deliver(self._store, calls)
                return results
            except Exception as error:  # noqa: BLE001 - this thread is all there is to write
                if not self._delivery.is_away(error):
                    return [error] * len(calls)
                if not in_doubt:
                    _logger().warning("%s What is logged waits, and is sent again.", error)
                in_doubt = True
            sleep(seconds)
            seconds = min(seconds * 2, _LONGEST)


def _logger() -> Any:
    import logging

    return logging.getLogger(__name__)


# --- one for each store ----------------------------------------------------------------------

# By the identity of the store, which the entry keeps alive, and whether it goes with the process.
_queues: dict[tuple[int, bool], LoggingQueue] = {}
_lock = allocate_lock()


def _renew_lock() -> None:
    # The thread that held it does not exist in a forked child.
    global _lock
    _lock = allocate_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def queue_of(store: AbstractStore, *, is_kept: bool = True) -> LoggingQueue:
    """Return the queue that writes to a store, made on first use in this process.

    Args:
        store: where to.
        is_kept: whether what waits survives what `MILLSTREAM_DURABILITY` says; else nothing.
    """
    key = id(store), is_kept
    found = _queues.get(key)
    if found is None or not found.belongs_here():
        with _lock:
            found = _queues.get(key)
            if found is None or not found.belongs_here():
                level = durability.level() if is_kept else durability.MEMORY
                found = _queues[key] = _made(store, level)
                # Before what was registered earlier: runs end after what waits for them.
                atexit.register(found.flush)
    return found


def _made(store: AbstractStore, level: str) -> LoggingQueue:
    uri = locate.uri_of(store) or ""
    log = import_module("mlflow.store.calls").CallLog
    if level in (durability.OS, durability.DISK) and uri:
        journals = import_module("mlflow.store.journal")
        try:
            journal = journals.Journal.new(uri)
            made = log(journal.place, is_synced=level == durability.DISK)
        except OSError as error:
            _logger().warning(
                "What is logged without waiting is lost when this process is killed: %s. Set "
                "MILLSTREAM_JOURNAL_DIR to a folder that can be written.", error,
            )  # fmt: skip
        else:
            _adopt(store, uri)
            return LoggingQueue(store, made, level, journal, uri)
    level = durability.SERVER if level == durability.SERVER else durability.MEMORY
    return LoggingQueue(store, log(None), level, None, uri)


def _adopt(store: AbstractStore, uri: str) -> None:
    """Bring what earlier processes left for a store, in a thread."""
    if store.brings_journals:
        return
    from threading import Thread

    adopt = import_module("mlflow.store.journal").adopt
    bring = import_module("mlflow.store.sync").bring
    target = store.impatient()
    Thread(
        target=adopt, args=(uri, lambda journal: bring(journal, target, uri)),
        name="mlflow-journals", daemon=True,
    ).start()  # fmt: skip


def flush(store: AbstractStore) -> None:
    """Wait until everything that was put in a store's queues is written or refused."""
    for is_kept in (True, False):
        found = _queues.get((id(store), is_kept))
        if found is not None:
            found.flush()


def flush_all() -> None:
    """Do the same for all stores."""
    for one in list(_queues.values()):
        one.flush()


def close_all() -> None:
    """Write what waits for any store at the end of the process, or say where it is."""
    for one in list(_queues.values()):
        one.close()
    _queues.clear()


# The first to be registered is the last to be called.
atexit.register(close_all)
