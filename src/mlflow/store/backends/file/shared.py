"""Logging into folders that several machines write: each process appends to a file of its own."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock

from mlflow.store.backends.file.appender import APPENDERS, open_for_append
from mlflow.store.backends.file.folding import DONE, WRITERS
from mlflow.store.backends.file.reading import key_path, make_parent
from mlflow.store.backends.file.tree import refused
from mlflow.store.backends.file.writing import APPEND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlflow.store.backends.file.active import ActiveRun, ActiveRuns
    from mlflow.store.backends.file.tree import Tree
    from mlflow.store.backends.file.writing import Writer

# A writer that was idle for so long begins a new file: the old one may be taken for a dead one's.
_IDLE = 3600.0


class _Own:
    """The file of this process in a run, and where its last whole line ends."""

    __slots__ = ("descriptor", "end", "keys", "path", "run", "used")

    def __init__(self, run: ActiveRun, path: str, descriptor: int) -> None:
        self.run, self.path, self.descriptor = run, path, descriptor
        self.end, self.used = 0, time.monotonic()
        # Those that a metric file may have.
        self.keys: set[str] = set()


class SharedAppender:
    """Appends the points of a run to a file that nobody else writes.

    A network file system does not keep the appends of two machines to one file apart: one writes
    over the other's. Whoever reads the run folds these files into those of its metrics, see
    `Folding`. A line is the key, a tab, and the line of the metric file.

    Args:
        tree: where the runs are.
        active: which of them are active.
    """

    def __init__(self, tree: Tree, active: ActiveRuns) -> None:
        self._tree = tree
        self._active = active
        self._lock = allocate_lock()
        self._own: dict[str, _Own] = {}
        APPENDERS.add(self)

    def after_fork(self) -> None:
        """Begin anew in a child: the files are the parent's."""
        self._lock = allocate_lock()
        for own in self._own.values():
            os.close(own.descriptor)
        self._own.clear()

    def append(self, run_id: str, key: str, value: float, timestamp: int, step: int) -> None:
        """See `Backend.append_metric`."""
        self._write(run_id, (key,), f"{key}\t{timestamp} {value} {step}\n".encode())

    def append_all(self, run_id: str, points: dict[str, str]) -> None:
        """Append lines of several metrics of an active run.

        Args:
            run_id: the run.
            points: the lines of each series, in order, by key.
        """
        text = "".join(
            f"{key}\t{row}\n" for key, lines in points.items() for row in lines.split("\n")[:-1]
        )
        self._write(run_id, points, text.encode())

    def _write(self, run_id: str, keys: Iterable[str], data: bytes) -> None:
        with self._lock:
            run = self._active.find(run_id)
            own = self._own.get(run_id)
            now = time.monotonic()
            if own is None or own.run.place != run.place or now - own.used > _IDLE:
                own = self._open(run_id, run)
            own.used = now
            for key in keys:
                if key not in own.keys:
                    _check(f"{run.place}/metrics", key, self._tree.writer)
                    own.keys.add(key)
            self._put(own, data)
            if not os.fstat(own.descriptor).st_nlink:
                # Somebody whose clock is days ahead took this process for dead.
                own = self._open(run_id, run)
                own.used = now
                self._put(own, data)

    def _put(self, own: _Own, data: bytes) -> None:
        try:
            written = os.write(own.descriptor, data)
            while written < len(data):
                written += os.write(own.descriptor, data[written:])
            if self._tree.writer.durable:
                os.fsync(own.descriptor)
        except OSError as error:
            # Nobody else writes here, so what is torn can be taken back.
            os.ftruncate(own.descriptor, own.end)
            raise refused(error) from error
        own.end += len(data)

    def _open(self, run_id: str, run: ActiveRun) -> _Own:
        self._close(run_id)
        folder = f"{run.place}/{WRITERS}"
        node = "".join(one if one.isalnum() or one == "-" else "-" for one in _node())
        path = f"{folder}/{node}-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            self._tree.writer.make_folders(folder)
            descriptor = os.open(path, APPEND | os.O_EXCL, 0o666)
            self._tree.writer.settle(folder)
        except OSError as error:
            raise refused(error) from error
        own = self._own[run_id] = _Own(run, path, descriptor)
        return own

    def finish(self, run_id: str) -> None:
        """Close the file of a run that ends; it is folded and removed by whoever reads next."""
        with self._lock:
            self._close(run_id)

    def _close(self, run_id: str) -> None:
        own = self._own.pop(run_id, None)
        if own is None:
            return
        os.close(own.descriptor)
        try:
            os.rename(own.path, own.path + DONE)
        except OSError:
            pass  # the run is gone, or the file was taken for a dead writer's

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            for run_id in list(self._own):
                self._close(run_id)

    def __del__(self) -> None:
        for run_id in list(self._own):
            self._close(run_id)


def _check(folder: str, key: str, writer: Writer) -> None:
    """Make the folders that the metric file of a key needs.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: a file of that name cannot be.
        BackendError: what is there is no plain file.
    """
    path = key_path(folder, key)
    try:
        make_parent(folder, path, writer)
        # An empty one is not made: MLflow reads no run that has one.
        if os.path.lexists(path):
            os.close(open_for_append(path, key))
    except OSError as error:
        raise refused(error) from error


def _node() -> str:
    import socket

    return socket.gethostname() or "host"
