"""Brings the lines that writers of a shared run keep apart into its metric files, each once."""

from __future__ import annotations

import os
import time
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.store.backends.base import BackendError
from mlflow.store.backends.file.appender import open_for_append
from mlflow.store.backends.file.reading import (
    Unreadable,
    is_folder,
    key_path,
    make_parent,
    read_file,
)
from mlflow.store.backends.file.series import open_series
from mlflow.store.backends.file.writing import APPEND, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.store.backends.file.tree import Tree

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

#: The folder of the writers' files, in that of a run. MLflow looks at no folder there that it does
#: not know.
WRITERS = ".writers"
#: What the name of a file ends with whose writer has closed it.
DONE = ".done"
_LOCK, _STATE = "lock", "folded"
# Lines whose key is no path, or where a folder is: two writers may have chosen `a` and `a/b`.
_REFUSED = "refused"
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_MAX_STATE = 64 << 20
# A writer that was killed closes nothing. One that lives begins a new file long before this.
_FORGOTTEN = 86_400


class Folding:
    """Folds what writers added to a run into its metric files.

    One process at a time does, under a lock on a file. What it is about to append, and how long
    each metric file is before, is written down first: whoever comes after a fold that was
    interrupted sees how much of it was done, and does the rest.

    Args:
        tree: where the runs are.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def fold(self, place: str) -> None:
        """Fold what is not folded yet of the run in a folder; where it may not be, report that."""
        folder = f"{place}/{WRITERS}"
        if not is_folder(folder):
            return
        try:
            if _sizes(folder) != self._state(folder)["at"]:
                descriptor = os.open(f"{folder}/{_LOCK}", _FLAGS, 0o666)
                try:
                    _lock(descriptor)
                    self._fold(place, folder)
                finally:
                    os.close(descriptor)
        except OSError as error:
            self._tree.problems.report(folder, f"its points are not folded in: {error.strerror}")
        except (Unreadable, BackendError, MlflowException) as error:
            self._tree.problems.report(folder, f"its points are not folded in: {error}")

    def _fold(self, place: str, folder: str) -> None:
        state = self._state(folder)
        if state["to"]:
            # Interrupted: these bytes may be in the metric files, in part or whole.
            self._append(place, folder, state, is_resumed=True)
        at = state["at"]
        state["to"] = {
            name: end
            for name, size in _sizes(folder).items()
            if (end := _end(folder, name, at.get(name, 0), size)) > at.get(name, 0)
        }
        if state["to"]:
            lengths = {
                key: self._length(place, key) for key in _gather(folder, state["at"], state["to"])
            }
            state["lengths"] = {key: end for key, end in lengths.items() if end is not None}
            self._write(folder, state)
            self._append(place, folder, state, is_resumed=False)
        self._forget(folder, state)

    def _append(self, place: str, folder: str, state: dict[str, Any], *, is_resumed: bool) -> None:
        metrics = f"{place}/metrics"
        for key, lines in _gather(folder, state["at"], state["to"]).items():
            start = state["lengths"].get(key)
            if start is None:
                path, left = f"{folder}/{_REFUSED}", key.encode() + b"\n" + lines
            else:
                path, left = key_path(metrics, key), lines
            if is_resumed and start is not None:
                left, is_torn = _missing(path, start, lines)
            else:
                is_torn = False
            # The end of what was cut off in the middle of a line is not to begin another.
            descriptor = os.open(path, APPEND, 0o666) if is_torn else open_for_append(path, key)
            try:
                write_all(descriptor, left)
                if self._tree.writer.durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._tree.writer.settle(os.path.dirname(path))
        state["at"].update(state["to"])
        state["to"], state["lengths"] = {}, {}
        self._write(folder, state)

    def _length(self, place: str, key: str) -> int | None:
        """Return how long a metric file is; None for a key that no file can have."""
        metrics = f"{place}/metrics"
        try:
            path = key_path(metrics, key)
            make_parent(metrics, path, self._tree.writer)
            # An empty one is not made: MLflow reads no run that has one.
            if not os.path.lexists(path):
                return 0
            descriptor = open_for_append(path, key)
        except (MlflowException, BackendError, IsADirectoryError, NotADirectoryError) as error:
            self._tree.problems.report(
                f"{metrics}/{key}", f"its points are in {WRITERS}/{_REFUSED}: {error}"
            )
            return None
        try:
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def _forget(self, folder: str, state: dict[str, Any]) -> None:
        """Remove the files of writers that add no more."""
        at = state["at"]
        gone = []
        for name in at:
            path = f"{folder}/{_file_of(folder, name)}"
            try:
                found = os.lstat(path)
            except FileNotFoundError:
                gone.append(name)
                continue
            is_old = found.st_mtime < time.time() - _FORGOTTEN
            if found.st_size == at[name] and (path.endswith(DONE) or is_old):
                os.unlink(path)
                gone.append(name)
        if gone:
            state["at"] = {name: end for name, end in at.items() if name not in gone}
            self._write(folder, state)

    # --- how far it is -----------------------------------------------------------------------

    def _state(self, folder: str) -> dict[str, Any]:
        """Return what was folded of each file, and what is being folded.

        Raises:
            Unreadable: what is there was not written here; nothing may be folded then.
        """
        import json

        path = f"{folder}/{_STATE}"
        try:
            state = json.loads(read_file(path, _MAX_STATE))
        except FileNotFoundError:
            return {"at": {}, "to": {}, "lengths": {}}
        except ValueError:
            raise Unreadable(f"{path}: it is no JSON") from None
        if (
            type(state) is not dict
            or set(state) != {"at", "to", "lengths"}
            or not all(
                type(some) is dict and all(type(one) is int and one >= 0 for one in some.values())
                for some in state.values()
            )
        ):
            raise Unreadable(f"{path}: it is none of Millstream's")
        return state

    def _write(self, folder: str, state: dict[str, Any]) -> None:
        import json

        self._tree.writer.replace(f"{folder}/{_STATE}", json.dumps(state).encode(), folder)


def _lock(descriptor: int) -> None:
    """Wait until no other process folds; it ends with the descriptor."""
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:  # a network file system without locks
        pass


def _sizes(folder: str) -> dict[str, int]:
    """Return how long the file of each writer is, by its name without `DONE`."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if name in (_LOCK, _STATE, _REFUSED) or name.startswith("."):
                continue
            if entry.is_file(follow_symlinks=False):
                found[name.removesuffix(DONE)] = entry.stat(follow_symlinks=False).st_size
    return dict(sorted(found.items()))


def _file_of(folder: str, name: str) -> str:
    return name + DONE if os.path.lexists(f"{folder}/{name}{DONE}") else name


def _end(folder: str, name: str, start: int, size: int) -> int:
    """Return where the last whole line of a file ends: its writer may be in the next one."""
    return start + _part(folder, name, start, size).rfind(b"\n") + 1 if size > start else start


def _part(folder: str, name: str, start: int, end: int) -> bytes:
    descriptor, _ = open_series(f"{folder}/{_file_of(folder, name)}")
    try:
        return _read(descriptor, start, end - start)
    finally:
        os.close(descriptor)


def _read(descriptor: int, start: int, size: int) -> bytes:
    """Return so many bytes from a place; fewer when the file ends before."""
    os.lseek(descriptor, start, os.SEEK_SET)
    pieces = []
    while size > 0 and (piece := os.read(descriptor, size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _gather(folder: str, at: dict[str, int], to: dict[str, int]) -> dict[str, bytes]:
    """Return the lines of each key between two places of each file."""
    found: dict[str, list[bytes]] = {}
    for name, end in to.items():
        for row in _part(folder, name, at.get(name, 0), end).splitlines(keepends=True):
            key, tab, text = row.partition(b"\t")
            if tab:
                found.setdefault(key.decode("utf-8", "replace"), []).append(text)
    return {key: b"".join(lines) for key, lines in found.items()}


def _missing(path: str, start: int, lines: bytes) -> tuple[bytes, bool]:
    """Return what a metric file lacks of lines that were to be appended at a place.

    Returns:
        (the rest, whether it goes on in the middle of a line).
    """
    try:
        descriptor, _ = open_series(path)
    except FileNotFoundError:
        return lines, False
    try:
        there = _read(descriptor, start, len(lines))
    finally:
        os.close(descriptor)
    if lines.startswith(there):
        return lines[len(there) :], bool(there) and not there.endswith(b"\n")
    # Somebody else's line is between: which of ours are behind it cannot be told. None is lost.
    return lines, False
