"""What was added to a metric file since it was last read, whoever appended it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlflow.store.backends.file.reading import Unreadable
from mlflow.store.backends.file.series import blocks, open_series, read_columns
from mlflow.store.series.columns import Growth

if TYPE_CHECKING:
    from mlflow.store.series.columns import Row

NOTHING = Growth([], b"", is_whole=True)
# How much before the end of what was read tells an appended file from another one.
_TAIL = 256


def growth_of(path: str, mark: bytes) -> tuple[Growth, int]:
    """Return (what was added, lines that cannot be read) of a run's metric file.

    Args:
        path: the file.
        mark: what the last answer said; empty at first.

    Raises:
        FileNotFoundError: there is none.
        Unreadable: it cannot be read.
    """
    descriptor, found = open_series(path)
    try:
        inode, offset, tail = _read_mark(mark)
        is_whole = inode != found.st_ino or tail != _before(descriptor, offset, len(tail))
        if is_whole:
            offset = 0
        rows: list[Row] = []
        bad = 0
        os.lseek(descriptor, offset, os.SEEK_SET)
        for data, start, passed in blocks(descriptor, offset):
            (times, values, steps), wrong = read_columns(data)
            rows.extend(zip(steps, times, values, strict=True))
            bad += wrong + passed
            offset = start + len(data)
        tail = _before(descriptor, offset, _TAIL)
        return Growth(rows, b"%d %d " % (found.st_ino, offset) + tail, is_whole), bad
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _read_mark(mark: bytes) -> tuple[int, int, bytes]:
    if not mark:
        return -1, 0, b""
    inode, offset, tail = mark.split(b" ", 2)
    return int(inode), int(offset), tail


def _before(descriptor: int, offset: int, size: int) -> bytes:
    """Return what stands before a place of a file; nothing when the file ends sooner."""
    size = min(size, offset)
    os.lseek(descriptor, offset - size, os.SEEK_SET)
    found = b""
    while len(found) < size:
        piece = os.read(descriptor, size - len(found))
        if not piece:
            return b""
        found += piece
    return found
