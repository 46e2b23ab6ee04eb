"""Moves the bytes of files: shared by the file system, by the kernel, in parts; and compares them."""

from __future__ import annotations

import os
import sys
from time import monotonic

from mlflow.environment_variables import MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO, Protocol, TextIO

    class Sink(Protocol):
        """What takes bytes."""

        def write(self, data: memoryview, /) -> int:
            """Take some of the bytes; return how many."""


_PORTION = 64 << 20
_BUFFER = 1 << 20
# What S3 asks of the parts of an upload.
_SMALLEST_PART, _MOST_PARTS = 5 << 20, 10_000


def copy_bytes(source: BinaryIO, target: Sink, progress: Progress | None = None) -> None:
    """Copy what is left of one file to another.

    Where both are real files, the kernel copies: on file systems that can (btrfs, XFS, ZFS, APFS
    through Linux guests, NFS 4.2) the two then share their blocks until one of them is changed.

    Args:
        source: open for reading.
        target: open for writing, unbuffered, empty.
        progress: is told what was copied.
    """
    if not _copied_by_kernel(source, target, progress):
        buffer = memoryview(bytearray(_BUFFER))
        while count := _read_into(source, buffer):
            write_all(target, buffer[:count])
            if progress is not None:
                progress.add(count)


def _read_into(source: BinaryIO, buffer: memoryview) -> int:
    read_into = getattr(source, "readinto", None)
    if read_into is not None:
        return read_into(buffer) or 0
    data = source.read(len(buffer))
    buffer[: len(data)] = data
    return len(data)


def write_all(target: Sink, data: memoryview) -> None:
    """Write data to an unbuffered file, which may take less at a time."""
    while data:
        data = data[target.write(data) :]


def _copied_by_kernel(source: BinaryIO, target: Any, progress: Progress | None) -> bool:
    copy = getattr(os, "copy_file_range", None)
    if copy is None:
        return False
    try:
        # A buffered reader may have read ahead; the descriptor then stands further on.
        start = source.tell()
        one, other = source.fileno(), target.fileno()
        os.lseek(one, start, os.SEEK_SET)
        count = copy(one, other, _PORTION)
    except (OSError, AttributeError, ValueError):
        return False  # no real files, or two file systems that cannot: nothing was copied yet
    if count == 0:
        # The end; but files of /proc and some network mounts say so and have content.
        return False
    while count:
        if progress is not None:
            progress.add(count)
        count = copy(one, other, _PORTION)
    return True


class Progress:
    """A bar on a terminal for copies that take longer than a moment.

    Args:
        what: what is done, such as `Downloading artifacts`.
        total: bytes.
        stream: where to draw; standard error when absent. Nothing is drawn on what is no terminal.
    """

    DELAY = 1.0
    WIDTH = 30

    def __init__(self, what: str, total: int, stream: TextIO | None = None) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._stream = stream or sys.stderr
        self._next = monotonic() + self.DELAY
        self._is_drawn = False
        is_wanted = MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.get()
        self._is_shown = bool(is_wanted and self._stream and self._stream.isatty())

    def add(self, count: int) -> None:
        """Say that so many bytes more were copied."""
        self._done += count
        if self._is_shown and monotonic() >= self._next:
            self._next = monotonic() + 0.1
            self._draw()

    def close(self) -> None:
        """End the line of the bar, if one was drawn."""
        if self._is_drawn:
            self._draw()
            self._stream.write("\n")
            self._stream.flush()

    def _draw(self) -> None:
        self._is_drawn = True
        part = min(1.0, self._done / self._total) if self._total else 1.0
        bar = "#" * int(part * self.WIDTH)
        size = f"{self._done >> 20}/{self._total >> 20} MiB"
        self._stream.write(f"\r{self._what}: [{bar:<{self.WIDTH}}] {part:4.0%} {size}")
        self._stream.flush()


def read_chunk(path: str, size: int, start_byte: int = 0) -> bytes:
    """Return a part of a file.

    Args:
        path: the file.
        size: at most so many bytes.
        start_byte: where the part begins.
    """
    with open(path, "rb") as file:
        file.seek(start_byte)
        return file.read(size)


def part_size(size: int, wanted: int) -> int:
    """Return how large the parts of an upload are, in bytes.

    Args:
        size: of the whole, in bytes.
        wanted: what was asked for; S3 takes none that are smaller than 5 MiB,
            and 10,000 at most.
    """
    return max(wanted, _SMALLEST_PART, -(-size // _MOST_PARTS))


def digest_of(file: BinaryIO) -> bytes:
    """Return the SHA-256 of an open file, from its start."""
    import hashlib

    with open(os.dup(file.fileno()), "rb", buffering=0) as again:
        again.seek(0)
        return hashlib.file_digest(again, "sha256").digest()
