"""The derived file of a long series: its columns as they are in memory, mapped when read."""

from __future__ import annotations

import json
import mmap
import os
import stat
import sys
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlflow.store.series.columns import AXES, Series
from mlflow.store.series.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = b"millstream series 1\n"
# The magic, the checksum and the length of the head, the head: JSON, padded to a multiple of 8.
_START = len(_MAGIC) + 20
MAX_FOLDER = 1 << 30  # bytes that all files of a store may have together


def read(path: str) -> tuple[Series, bytes] | None:
    """Return (series, mark) of a file; None when there is none, or it is not whole.

    Args:
        path: the file; one that is a link or another user's is none.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        found = os.fstat(handle)
        if hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            return None
        if not stat.S_ISREG(found.st_mode) or found.st_size < _START:
            return None
        body = memoryview(mmap.mmap(handle, 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None
    finally:
        os.close(handle)
    head = _head(body)
    if head is None:
        return None
    sizes = [head["points"]] * 3
    for summary in head["summaries"].values():
        sizes += [summary["stretches"]] * len(Summary.COLUMNS)
    if len(body) != head["start"] + 8 * sum(sizes):
        return None
    return _series(body, head), bytes.fromhex(head["mark"])


def _head(body: memoryview) -> dict[str, Any] | None:
    if bytes(body[: len(_MAGIC)]) != _MAGIC:
        return None
    try:
        check, length = (int(one, 16) for one in bytes(body[len(_MAGIC) : _START]).split())
        text = bytes(body[_START : _START + length])
        if zlib.crc32(text) != check:
            return None
        head: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    head["start"] = _START + length
    return head if head["order"] == sys.byteorder else None


def _series(body: memoryview, head: dict[str, Any]) -> Series:
    at = head["start"]

    def take(kind: str, count: int) -> Any:
        nonlocal at
        column: Any = body[at : at + 8 * count].cast(kind)  # type: ignore[call-overload]
        at += 8 * count
        return column

    steps, times, values = (take(kind, head["points"]) for kind in "qqd")
    summaries = {
        axis: Summary(one["width"], [take(kind, one["stretches"]) for _, kind in Summary.COLUMNS])
        for axis, one in head["summaries"].items()
    }
    odd = [(step, time, kind) for step, time, kind in head["odd"]]
    ordered = head["times_ordered"]
    return Series(steps, times, values, odd, times_ordered=ordered, summaries=summaries)


def write(path: str, series: Series, mark: bytes) -> None:
    """Replace a file in one act; trouble is not reported, as nothing is lost.

    Args:
        path: the file; its folder is made, for this user alone.
        series: what is kept.
        mark: what shows the store up to where that is.
    """
    head = {
        "order": sys.byteorder,
        "mark": mark.hex(),
        "points": len(series.steps),
        "odd": series.odd,
        "times_ordered": series.times_ordered,
        "summaries": {
            axis: {"width": one.width, "stretches": len(one.starts)}
            for axis, one in sorted(series.summaries.items(), key=lambda item: AXES.index(item[0]))
        },
    }
    text = json.dumps(head).encode()
    text += b" " * (-(_START + len(text)) % 8)
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(_MAGIC + b"%08x %010x\n" % (zlib.crc32(text), len(text)) + text)
            file.writelines(_columns(series))
            file.flush()
            # The name must not reach the disk before what it names.
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _make_room(os.path.dirname(path), path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)


def _columns(series: Series) -> Iterator[Any]:
    yield from (series.steps, series.times, series.values)
    for axis in AXES:
        if axis in series.summaries:
            for name, _ in Summary.COLUMNS:
                yield getattr(series.summaries[axis], name)


def _make_room(folder: str, path: str) -> None:
    """Delete the files that were written longest ago until the folder has its size."""
    with os.scandir(folder) as entries:
        found = [(one.stat().st_mtime_ns, one.stat().st_size, one.path) for one in entries]
    total = sum(size for _, size, _ in found)
    for _, size, old in sorted(found):
        if total <= MAX_FOLDER:
            return
        if old != path:
            os.unlink(old)
            total -= size
