"""Stamps: what a file looks like from outside, so that a change is seen without reading it."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Clocks of local file systems tick every few milliseconds; those that keep whole seconds are
# given two.
_TICK_NS = 60_000_000
_SECOND_NS = 1_000_000_000
_NOT_RUNS = frozenset({"datasets", "traces", "models", "tags"})


class Look:
    """What the files of a run look like, taken before they are read.

    Attributes:
        stamps: of meta.yaml, and of the folders metrics, params, tags and inputs.
        files: of metrics and tags: the stamp of each file by its key.
        nested: the folders below those folders, where there are any.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._now = time.time_ns()
        self._newest = 0
        self.files: dict[str, dict[str, int]] = {"metrics": {}, "params": {}, "tags": {}}
        self.nested: dict[str, list[str]] = {}
        self._seen: list[tuple[str, int]] = []
        self.stamps: list[int] = [self._note(f"{base}/meta.yaml", stat_of(f"{base}/meta.yaml"))]
        for folder in ("metrics", "params", "tags", "inputs"):
            self.stamps.append(self._walk(folder))

    def everything(self) -> tuple[tuple[str, int], ...]:
        """Return (path, stamp) of all that decides what the run is when it is read again.

        The files of params are left out: a param is written once.
        """
        base = self._base
        self._note(base, stat_of(base))
        self._walk("outputs")
        for top in ("inputs", "outputs"):
            for inside in self.nested.get(top, ()):
                path = f"{base}/{top}/{inside}/meta.yaml"
                self._note(path, stat_of(path))
        aside = f"{base}/params/"
        return tuple(
            (path, stamp)
            for path, stamp in self._seen
            if stamp and not (path.startswith(aside) and path[len(aside) :] in self.files["params"])
        )

    def _note(self, path: str, found: os.stat_result | None) -> int:
        stamp = 0
        if found is not None:
            self._newest = max(self._newest, found.st_mtime_ns)
            stamp = stamp_of(found)
        self._seen.append((path, stamp))
        return stamp

    def _walk(self, top: str) -> int:
        nested, stamps = [""], []
        files = self.files.get(top)
        for inside in nested:  # grows while it is walked
            path = f"{self._base}/{top}/{inside}" if inside else f"{self._base}/{top}"
            stamps.append(self._note(path, stat_of(path)))
            for name, is_folder, found in _entries(path, with_stat=files is not None):
                key = f"{inside}/{name}" if inside else name
                if is_folder:
                    nested.append(key)
                elif files is not None:
                    files[key] = self._note(f"{self._base}/{top}/{key}", found)
        if len(nested) > 1:
            self.nested[top] = nested[1:]
        return hash(tuple(stamps))

    def is_racy(
        self, metrics: dict[str, float], params: dict[str, str], tags: dict[str, str]
    ) -> bool:
        """Tell whether what was read may be older, or less, than what the stamps stand for."""
        if is_recent(self._newest, self._now):
            return True
        return any(
            files.keys() - read.keys()
            for files, read in (
                (self.files["metrics"], metrics),
                (self.files["params"], params),
                (self.files["tags"], tags),
            )
        )


class Check:
    """Whether the stamps on which a search depends still hold for a run."""

    def __init__(self, folders: dict[str, str], targets: list[tuple[str, str]]) -> None:
        self._folders = folders
        # (column of the stamp, folder, key) of the files that the search looks at.
        self._files: list[tuple[int, str, str]] = []
        column = _FIRST_FILE
        whole = set()
        for kind, key in targets:
            if kind in ("metric", "tag"):
                self._files.append((column, f"{kind}s", key))
                column += 1
            elif kind == "param":
                whole.add("params")
            elif kind == "dataset":
                whole.add("inputs")
        self._whole = tuple(whole)

    def holds(self, row: tuple[Any, ...]) -> bool:
        _, exp, run_id, racy, nested, meta = row[:6]
        base = f"{self._folders[exp]}/{run_id}"
        if racy or _stamp(f"{base}/meta.yaml") != meta:
            return False
        wanted = set(self._whole)
        for column, folder, key in self._files:
            if row[column] is None:
                # The run had no such file: it must not have appeared.
                wanted.add(folder)
            elif _stamp(f"{base}/{folder}/{key}") != row[column]:
                return False
        if not wanted:
            return True
        below = _parsed(nested) if nested else {}
        return all(
            _folder_stamp(f"{base}/{folder}", below.get(folder, ())) == row[_COLUMN_OF[folder]]
            for folder in wanted
        )


def _parsed(nested: str) -> dict[str, list[str]]:
    import json

    found: dict[str, list[str]] = json.loads(nested)
    return found


# The columns of `Statement.stamps`.
_COLUMN_OF = {"metrics": 6, "params": 7, "tags": 8, "inputs": 9}
_FIRST_FILE = 10


def stat_of(path: str) -> os.stat_result | None:
    """Return what the system says about a path, links not followed; None when it says nothing."""
    try:
        return os.lstat(path)
    except (OSError, ValueError):
        return None


def stamp_of(found: os.stat_result) -> int:
    """Return the stamp: it changes with times, size and inode."""
    # The hash of a tuple of integers is the same in every process of one Python.
    return hash((found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino))


def are_unchanged(stamps: tuple[tuple[str, int], ...]) -> bool:
    """Tell whether every path still has its stamp."""
    lstat = os.lstat
    try:
        for path, stamp in stamps:
            found = lstat(path)
            if stamp != hash((found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)):
                return False
    except (OSError, ValueError):
        return False
    return True


def _stamp(path: str) -> int:
    try:
        return stamp_of(os.lstat(path))
    except (OSError, ValueError):
        return 0


def _folder_stamp(path: str, nested: Iterable[str]) -> int:
    return hash((_stamp(path), *(_stamp(f"{path}/{inside}") for inside in nested)))


def is_recent(mtime: int, now: int) -> bool:
    """Tell whether a change right after `now` could leave the time as it is."""
    tick = 2 * _SECOND_NS if mtime % _SECOND_NS == 0 else 0
    return now - mtime < tick + _TICK_NS


def _entries(path: str, *, with_stat: bool) -> list[tuple[str, bool, os.stat_result | None]]:
    try:
        with os.scandir(path) as listing:
            return [
                (
                    entry.name,
                    entry.is_dir(follow_symlinks=False),
                    entry.stat(follow_symlinks=False) if with_stat else None,
                )
                for entry in listing
            ]
    except OSError:
        return []


def folders_in(path: str) -> set[str]:
    """Return the names of the folders in the folder of an experiment that may be runs."""
    try:
        with os.scandir(path) as listing:
            return {
                entry.name
                for entry in listing
                if entry.name not in _NOT_RUNS and entry.is_dir(follow_symlinks=False)
            }
    except OSError:
        return set()
