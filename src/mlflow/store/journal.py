"""Where a process keeps what it logs while its server is away: a store of files, and whose it is."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import time
from importlib import import_module

from mlflow.environment_variables import MILLSTREAM_JOURNAL_DIR
from mlflow.exceptions import without_password

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

    from mlflow.store.base import AbstractStore

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: journals of ended processes are brought by `mlflow sync` alone
    fcntl = None

_LOCK, _SERVER, _RUNS = "lock", "server", "mlruns"
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")


def folder_of(uri: str) -> str:
    """Return the folder of all journals of one server; it may not exist yet."""
    base = MILLSTREAM_JOURNAL_DIR.get()
    if not base:
        if sys.platform == "win32":
            base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
        else:
            state = os.environ.get("XDG_STATE_HOME") or ""
            base = state if os.path.isabs(state) else os.path.expanduser("~/.local/state")
        base = os.path.join(base, "millstream", "journal")
    plain = without_password(uri).partition("://")[2]
    return os.path.join(base, "".join(one if one in _SAFE else "-" for one in plain))


class Journal:
    """A store in a folder that belongs to one process, or to whoever brings it to the server.

    Its records and artifacts are those of a store of files, each on its own disk before a call
    returns; `mlflow sync` reads it like any other.

    Args:
        place: the folder; it is made when it is not there.
        uri: the server that it is for.
    """

    def __init__(self, place: str, uri: str) -> None:
        self.place = place
        os.makedirs(place, mode=0o700, exist_ok=True)
        self._lock = self._locked()
        with open(os.path.join(place, _SERVER), "w", encoding="utf-8") as file:
            file.write(without_password(uri) + "\n")
        self.store: AbstractStore = _file_store(self.runs)

    @classmethod
    def new(cls, uri: str) -> Journal:
        """Make one for this process."""
        name = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
        name = f"{name}-{os.getpid()}-{secrets.token_hex(2)}"
        return cls(os.path.join(folder_of(uri), name), uri)

    @property
    def runs(self) -> str:
        """The folder of its store."""
        return os.path.join(self.place, _RUNS)

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
        closing = getattr(self.store, "close", None)
        if closing is not None:
            closing()
        if remove:
            shutil.rmtree(self.place, ignore_errors=True)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(self.place))
        self._lock.close()


def left_behind(uri: str) -> Iterator[Journal]:
    """Yield the journals for a server whose processes are gone; each belongs to the caller then."""
    folder = folder_of(uri)
    if fcntl is None or not os.path.isdir(folder):
        return
    for name in sorted(os.listdir(folder)):
        place = os.path.join(folder, name)
        if os.path.isdir(os.path.join(place, _RUNS)):
            with contextlib.suppress(OSError):
                yield Journal(place, uri)


def _file_store(folder: str) -> AbstractStore:
    backend: Any = import_module("mlflow.store.backends.file").FileBackend(folder)
    made: AbstractStore = import_module("mlflow.store.local").LocalStore(backend)
    return made
