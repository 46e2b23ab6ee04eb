"""Series of a store that were read before, so that only what was added is read again."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

from mlflow.store.series import kept_file
from mlflow.store.series.columns import LONG, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.store.series.columns import Growth

# Points in memory, all series together: 24 bytes each.
MAX_POINTS = 4_000_000
# A file is written again when so large a part of it is missing, so appending costs little.
_PART = 8


class Remembered:
    """Series by run and key, in memory; long ones in files, too, for the next process.

    Threads may share one. What is returned is what the store holds at that moment: the store is
    asked each time what was added since.

    Args:
        since: tells what was added to a series: (run id, key, mark of the last time) → `Growth`.
        folder: where files are; None for nowhere.
    """

    def __init__(self, since: Callable[[str, str, bytes], Growth], folder: str | None) -> None:
        self._since = since
        self._folder = folder
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[Series, bytes]] = {}
        self._points = 0
        self._in_files: dict[tuple[str, str], int] = {}

    def get(self, run_id: str, key: str) -> Series:
        """Return a series as it is now.

        Raises:
            BackendError: what the store reports.
        """
        name = (run_id, key)
        with self._lock:
            known = self._kept.get(name)
        if known is None:
            known = self._from_file(name)
        growth = self._since(run_id, key, known[1] if known else b"")
        if known is None or growth.is_whole:
            series = Series.of_rows(growth.rows)
            self._in_files.pop(name, None)
        else:
            series = known[0].grown(growth.rows)
        self._keep(name, series, growth.mark)
        return series

    def _from_file(self, name: tuple[str, str]) -> tuple[Series, bytes] | None:
        path = self._path(*name)
        found = kept_file.read(path) if path else None
        if found is not None:
            self._in_files[name] = len(found[0])
        return found

    def _keep(self, name: tuple[str, str], series: Series, mark: bytes) -> None:
        with self._lock:
            before = self._kept.pop(name, None)
            self._points += len(series) - (len(before[0]) if before else 0)
            self._kept[name] = (series, mark)
            while self._points > MAX_POINTS and len(self._kept) > 1:
                gone, _ = self._kept.pop(next(iter(self._kept)))
                self._points -= len(gone)
        size = self._in_files.get(name, 0)
        if not mark or len(series) - size < max(LONG, size // _PART):
            return
        path = self._path(*name)
        if path:
            kept_file.write(path, series, mark)
            self._in_files[name] = len(series)

    def _path(self, run_id: str, key: str) -> str | None:
        if self._folder is None:
            return None
        name = hashlib.sha256(f"{run_id}/{key}".encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return os.path.join(self._folder, f"{name}.series")
