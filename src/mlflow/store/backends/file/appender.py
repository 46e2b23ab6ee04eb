"""The hot path: one line appended to a metric file, through a descriptor that stays open."""

from __future__ import annotations

import os
from _thread import allocate_lock
from _weakrefset import WeakSet

from mlflow.store.backends.base import METRIC, BackendError
from mlflow.store.backends.file.reading import key_path, make_parent
from mlflow.store.backends.file.series import line
from mlflow.store.backends.file.tree import refused
from mlflow.store.backends.file.writing import APPEND, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.store.backends.file.active import ActiveRun, ActiveRuns
    from mlflow.store.backends.file.tree import Tree

_MODE = 0o666
_SPARE_SHARE = 4
_MOST = 256


#: Those of this process, of any kind: a forked child has each begin anew.
APPENDERS: WeakSet[Any] = WeakSet()


def _after_fork() -> None:
    for appender in APPENDERS:
        appender.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Series:
    """An open metric file and where its end was after our last line."""

    __slots__ = ("descriptor", "end", "run")

    def __init__(self, run: ActiveRun, descriptor: int, end: int) -> None:
        self.run = run
        self.descriptor = descriptor
        self.end = end


class Appender:
    """Appends to the metric files of a store, from any thread, beside any other process.

    Each line is one `write` to a descriptor opened for appending, which the system keeps apart
    from the writes of others. The run is known to be active as long as its metadata file looks
    as it did when it was read.

    Args:
        tree: where the runs are.
        active: which of them are active.
    """

    def __init__(self, tree: Tree, active: ActiveRuns) -> None:
        self._tree = tree
        self._active = active
        self._limit = _limit()
        self._lock = allocate_lock()
        self._series: dict[tuple[str, str], _Series] = {}
        APPENDERS.add(self)

    def after_fork(self) -> None:
        """Begin anew in a child: nobody there would give back a lock that was held."""
        self._lock = allocate_lock()
        self.close()

    def append(self, run_id: str, key: str, value: float, timestamp: int, step: int) -> None:
        """See `Backend.append_metric`."""
        data = f"{timestamp} {value} {step}\n".encode()
        with self._lock:
            series = self._series.get((run_id, key))
            if series is not None:
                try:
                    found = os.stat(series.run.meta)
                except OSError:
                    series = None
                else:
                    # Written out, as a call costs as much as the comparison.
                    if (found.st_ino, found.st_mtime_ns, found.st_size) != series.run.stamp:
                        series = None
            if series is None:
                series = self._open(run_id, key)
            self._write(series, data)

    def append_all(self, run_id: str, points: dict[str, str]) -> None:
        """Append lines to several metric files of an active run.

        Args:
            run_id: the run.
            points: the lines of each series, in order, by key.
        """
        with self._lock:
            run = self._active.find(run_id)
            for key, lines in points.items():
                series = self._series.get((run_id, key))
                if series is None or series.run is not run:
                    series = self._open(run_id, key)
                self._write(series, lines.encode())

    def _write(self, series: _Series, data: bytes) -> None:
        descriptor = series.descriptor
        try:
            if os.write(descriptor, data) != len(data):
                self._mend(series, data)
        except OSError as error:
            raise refused(error) from error
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        if end != series.end + len(data) and not self._is_apart(descriptor, end - len(data)):
            # Another process died inside its line, and ours was glued to it: say it again.
            self._repeat(series, data)
            end = os.lseek(descriptor, 0, os.SEEK_CUR)
        series.end = end
        if self._tree.writer.durable:
            os.fsync(descriptor)

    def _is_apart(self, descriptor: int, start: int) -> bool:
        """Tell whether what was written at a place begins a line."""
        return start <= 0 or os.pread(descriptor, 1, start - 1) == b"\n"

    def _repeat(self, series: _Series, data: bytes) -> None:
        try:
            write_all(series.descriptor, data)
        except OSError as error:
            raise refused(error) from error

    def _mend(self, series: _Series, data: bytes) -> None:
        """After a write that was cut short: end the torn line, and write the data whole."""
        write_all(series.descriptor, b"\n" + data)

    def _open(self, run_id: str, key: str) -> _Series:
        """Open the file of a series of an active run, again when the run changed."""
        run = self._active.find(run_id)
        series = self._series.pop((run_id, key), None)
        if series is not None:
            os.close(series.descriptor)
        while len(self._series) >= self._limit:
            os.close(self._series.pop(next(iter(self._series))).descriptor)
        folder = f"{run.place}/metrics"
        path = key_path(folder, key)
        try:
            make_parent(folder, path, self._tree.writer)
            descriptor = open_for_append(path, key)
            if self._tree.writer.durable:
                self._tree.writer.settle(os.path.dirname(path))
            end = os.lseek(descriptor, 0, os.SEEK_END)
        except OSError as error:
            raise refused(error) from error
        series = self._series[run_id, key] = _Series(run, descriptor, end)
        return series

    def finish(self, run_id: str) -> None:
        """Leave the files of a run that ends open: it may go on."""

    def __del__(self) -> None:
        for series in self._series.values():
            os.close(series.descriptor)

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            for series in self._series.values():
                os.close(series.descriptor)
            self._series.clear()


def open_for_append(path: str, key: str) -> int:
    """Open a metric file for appending, ending a line that was torn when its writer died.

    Raises:
        BackendError: what is there is no plain file.
    """
    descriptor = os.open(path, APPEND, _MODE)
    try:
        size = os.fstat(descriptor)
        if size.st_mode & 0o170000 != 0o100000:
            raise BackendError(METRIC, key, f"{path} is no plain file")
        if size.st_size and os.pread(descriptor, 1, size.st_size - 1) != b"\n":
            write_all(descriptor, b"\n")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def append_lines(path: str, key: str, lines: str, *, durable: bool) -> None:
    """Append lines to a metric file that is not kept open.

    Raises:
        BackendError: what is there is no plain file.
    """
    descriptor = open_for_append(path, key)
    try:
        write_all(descriptor, lines.encode("utf-8"))
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines_of(points: list[tuple[float, int, int, tuple[str, ...]]]) -> str:
    """Return the lines of (value, timestamp, step, extra) points."""
    return "".join([line(*point) for point in points])


def _limit() -> int:
    """Return how many descriptors may stay open."""
    try:
        import resource
    except ImportError:
        return _MOST // 2
    return max(8, min(_MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // _SPARE_SHARE))
