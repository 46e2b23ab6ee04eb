"""Where a process keeps what waits for its store: runs, calls, and whose they are."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import sys
import time
from functools import cached_property
from importlib import import_module

from mlflow.environment_variables import MILLSTREAM_JOURNAL_DIR
from mlflow.exceptions import MlflowException, without_password
from mlflow.store import durability
from mlflow.store.calls import is_log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

    from mlflow.store.base import AbstractStore
    from mlflow.store.migrate import Report

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: journals of ended processes are brought by `mlflow sync` alone
    fcntl = None

_logger = logging.getLogger(__name__)

_LOCK, _SERVER, _RUNS = "lock", "server", "mlruns"
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")


def folder_of(uri: str) -> str:
    """Return the folder of all journals for one store; it may not exist yet."""
    base = MILLSTREAM_JOURNAL_DIR.get()
    if not base:
        if sys.platform == "win32":
            base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
        else:
            state = os.environ.get("XDG_STATE_HOME") or ""
            base = state if os.path.isabs(state) else os.path.expanduser("~/.local/state")
        base = os.path.join(base, "millstream", "journal")
    plain = without_password(uri)
    plain = plain.partition("://")[2] or plain
    return os.path.join(base, "".join(one if one in _SAFE else "-" for one in plain))


class Journal:
    """A folder that belongs to one process, or to whoever brings what is in it to the store.

    There may be calls in it (see `CallLog`), and a store of files; `mlflow sync` reads both.

    Args:
        place: the folder; it is made when it is not there.
        uri: the store that it is for.
    """

    def __init__(self, place: str, uri: str) -> None:
        self.place = place
        is_synced = durability.level() == durability.DISK
        durability.make_folders(place, 0o700, is_synced=is_synced)
        self._lock = self._locked()
        with open(os.path.join(place, _SERVER), "w", encoding="utf-8") as file:
            file.write(without_password(uri) + "\n")
            if is_synced:
                file.flush()
                os.fsync(file.fileno())
        if is_synced:
            durability.settle(place)

    @classmethod
    def new(cls, uri: str) -> Journal:
        """Make one for this process."""
        name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        name = f"{name}-{os.getpid()}-{secrets.token_hex(2)}"
        return cls(os.path.join(folder_of(uri), name), uri)

    @property
    def runs(self) -> str:
        """The folder of its store, which is there when something was kept in it."""
        return os.path.join(self.place, _RUNS)

    @cached_property
    def store(self) -> AbstractStore:
        """The store of files in it."""
        return _file_store(self.runs)

    def _locked(self) -> BinaryIO:
        """Take the lock that tells others whose it is; it goes with the process.

        Raises:
            BlockingIOError: another process has it.
        """
        file = open(os.path.join(self.place, _LOCK), "ab")  # noqa: SIM115 - held until it is closed
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.close()
                raise
        return file

    def close(self, *, remove: bool = False) -> None:
        """Give it back; remove it when all of it is at the server."""
        if "store" in self.__dict__:
            self.store.close()
        if remove:
            shutil.rmtree(self.place, ignore_errors=True)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(self.place))
        self._lock.close()


def is_journal(folder: str) -> bool:
    """Tell whether a folder is that of a journal."""
    return os.path.isfile(os.path.join(folder, _SERVER)) and os.path.isfile(
        os.path.join(folder, _LOCK)
    )


def left_behind(uri: str) -> Iterator[Journal]:
    """Yield the journals for a store whose processes are gone; each belongs to the caller then.

    Those with runs come first: calls may be about these.
    """
    folder = folder_of(uri)
    if fcntl is None or not os.path.isdir(folder):
        return
    places = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    filled = [one for one in places if os.path.isdir(os.path.join(one, _RUNS))]
    filled += [one for one in places if one not in filled and os.path.isdir(one) and is_log(one)]
    for place in filled:
        with contextlib.suppress(OSError):
            yield Journal(place, uri)


def adopt(uri: str, bring: Callable[[Journal], Report]) -> None:
    """Bring what processes left behind that ended while their store was away, or were killed.

    Args:
        uri: the store.
        bring: brings one journal there.
    """
    for journal in left_behind(uri):
        try:
            report = bring(journal)
        except MlflowException as error:
            _logger.info("%s waits still: %s", journal.place, error.message)
            journal.close()
            return
        journal.close(remove=not report.failed)
        if report.copied.total() or report.completed.total():
            _logger.warning("What an earlier process had logged was brought to the server.")
        tell(report, journal)


def tell(report: Report, journal: Journal) -> None:
    """Say what could not be brought."""
    for line in report.failed:
        _logger.error("Not brought to the server: %s (it is in %s)", line, journal.place)


def _file_store(folder: str) -> AbstractStore:
    backend: Any = import_module("mlflow.store.backends.file").FileBackend(folder)
    made: AbstractStore = import_module("mlflow.store.local").LocalStore(backend)
    return made
