"""Calls that wait to be written to a store, in files that outlive the process that made them."""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import zlib
from _thread import allocate_lock
from typing import Any, NamedTuple

import msgspec

from mlflow.entities.run import Metric, Param, RunTag
from mlflow.exceptions import invalid
from mlflow.store.durability import settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_logger = logging.getLogger(__name__)

# A file is begun when the one before has this many bytes, and goes when all of it is written.
SEGMENT = 16 << 20
_AT_ONCE = 256 << 10
_NAME, _MARK = "calls-", "calls.done"
# Length and checksum of what follows.
_HEAD = struct.Struct("<II")
_POSITION = struct.Struct("<QI")


class Call(NamedTuple):
    """What was logged to one run by one call, as much as a batch may hold."""

    run_id: str
    metrics: Sequence[Metric] = ()
    params: Sequence[Param] = ()
    tags: Sequence[RunTag] = ()

    @property
    def size(self) -> int:
        """Points, params and tags."""
        return len(self.metrics) + len(self.params) + len(self.tags)


class _Frame(msgspec.Struct, array_like=True):
    """A call as it stands in a file."""

    run_id: str
    metrics: list[tuple[Any, Any, Any, Any, Any, Any, Any]]
    params: list[tuple[str, str]]
    tags: list[tuple[str, str]]


# What is no number is refused by the store, with its own words: it has to come that far.
_encode = msgspec.msgpack.Encoder(enc_hook=repr).encode
_decode = msgspec.msgpack.Decoder(_Frame).decode


class CallLog:
    """Calls in their order: appended by any thread, read by one, gone when they are written.

    A position is the number of bytes that were appended up to the end of a call, so it grows, and
    names the call. A mark in a file of its own says how far the store has them; it is written
    after the store's answer, so it may lag and never leads.

    Args:
        folder: where the files are; it exists. None for files without a name, which go with the
            process.
        is_synced: whether a call is on the disk when `append` returns, or only in the hands of
            the operating system.
    """

    def __init__(self, folder: str | None, *, is_synced: bool = False) -> None:
        self._folder = folder
        self._is_synced = is_synced
        self._lock = allocate_lock()
        #: Where the next call begins, the next to be read does, and the first that waits does.
        self.end = self.at = self.done = 0
        self._segments: list[_Segment] = []
        self._mark: BinaryIO | None = None
        if folder is not None:
            self._mark = open(os.path.join(folder, _MARK), "wb", buffering=0)  # noqa: SIM115 - until close

    def append(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
    ) -> int:
        """Keep a call; return its position.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: a number is larger than any store takes.
            OSError: the disk is full, or gone.
        """
        frame = _framed(run_id, metrics, params, tags)
        with self._lock:
            if not self._segments or self._segments[-1].size >= SEGMENT:
                self._segments.append(_Segment(self._folder, self.end))
                if self._is_synced and self._folder is not None:
                    settle(self._folder)
            self._segments[-1].write(frame, is_synced=self._is_synced)
            self.end += len(frame)
            return self.end

    def read(self, count: int) -> list[tuple[int, Call]]:
        """Return up to `count` calls that were not read yet, each with its position."""
        found: list[tuple[int, Call]] = []
        while len(found) < count and self.at < self.end:
            with self._lock:
                segment = next(one for one in reversed(self._segments) if one.base <= self.at)
                data = segment.read(self.at)
            start = self.at
            for end, call in _calls(data):
                self.at = start + end
                found.append((self.at, call))
                if len(found) == count:
                    break
        return found

    def finish(self, position: int) -> None:
        """Note that the store has everything up to a position; what is behind is removed."""
        with self._lock:
            self.done = position
            while self._segments and self._segments[0].end <= position:
                if self._segments[0].size < SEGMENT and len(self._segments) == 1:
                    break  # there is room in it
                self._segments.pop(0).remove()
            if self._mark is not None:
                number = position.to_bytes(8, "little")
                # A mark that lags costs a comparison; a full disk must not end who writes it.
                with contextlib.suppress(OSError):
                    self._mark.seek(0)
                    self._mark.write(_POSITION.pack(position, zlib.crc32(number)))

    def close(self) -> None:
        """Give back the files; those with a name stay."""
        with self._lock:
            for one in self._segments:
                one.close()
            if self._mark is not None:
                self._mark.close()


class _Segment:
    """One file of calls."""

    def __init__(self, folder: str | None, base: int) -> None:
        self.base, self.size = base, 0
        self.path = None if folder is None else os.path.join(folder, f"{_NAME}{base:020d}")
        if self.path is None:
            import tempfile

            self._file: Any = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - until close
        else:
            self._file = open(self.path, "x+b", buffering=0)  # noqa: SIM115 - until close

    @property
    def end(self) -> int:
        return self.base + self.size

    def write(self, frame: bytes, *, is_synced: bool) -> None:
        # What a write that failed half way left is written over by the next.
        at = self.size
        while at < self.size + len(frame):
            at += self._put(frame[at - self.size :], at)
        if is_synced:
            os.fsync(self._file.fileno())
        self.size += len(frame)

    def _put(self, data: bytes, at: int) -> int:
        if hasattr(os, "pwrite"):
            return os.pwrite(self._file.fileno(), data, at)
        self._file.seek(at)
        return int(self._file.write(data))

    def read(self, position: int) -> bytes:
        self._file.seek(position - self.base)
        data: bytes = self._file.read(min(_AT_ONCE, self.end - position))
        (length, _) = _HEAD.unpack_from(data)
        if len(data) < _HEAD.size + length:
            data += self._file.read(_HEAD.size + length - len(data))
        return data

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self.close()
        if self.path is not None:
            with contextlib.suppress(OSError):
                os.remove(self.path)


def is_log(folder: str) -> bool:
    """Tell whether calls were left in a folder."""
    return any(name.startswith(_NAME) for name in os.listdir(folder))


def left_in(folder: str) -> Iterator[Call]:
    """Yield the calls that a process left in a folder and that the store may not have.

    A call that was cut off was not acknowledged, and is left out; so is one whose bytes have
    changed since, which is told.
    """
    done = _marked(os.path.join(folder, _MARK))
    for name in sorted(os.listdir(folder)):
        base = name.removeprefix(_NAME)
        if base == name or not base.isdecimal():
            continue
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        for end, call in _calls(data):
            if int(base) + end > done:
                yield call


def _marked(path: str) -> int:
    try:
        with open(path, "rb") as file:
            position, checksum = _POSITION.unpack(file.read())
    except (OSError, struct.error):
        return 0
    number = int(position)
    return number if zlib.crc32(number.to_bytes(8, "little")) == checksum else 0


def _framed(
    run_id: str, metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
) -> bytes:
    frame = _Frame(
        run_id,
        [
            (m.key, m.value, m.timestamp, m.step, m.model_id, m.dataset_name, m.dataset_digest)
            for m in metrics
        ],
        [(one.key, one.value) for one in params],
        [(one.key, one.value) for one in tags],
    )
    try:
        data = _encode(frame)
    except (OverflowError, UnicodeEncodeError) as error:
        raise invalid(f"What was logged to run {run_id} cannot be kept: {error}.") from error
    return _HEAD.pack(len(data), zlib.crc32(data)) + data


def _calls(data: bytes) -> Iterator[tuple[int, Call]]:
    """Yield the whole calls in some bytes, each with the place of its end."""
    at = damaged = 0
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        # Zeros: after a power cut a file may be as long as it was going to be, without the bytes.
        if end > len(data) or not length:
            break
        call = _call(data[at + _HEAD.size : end], checksum)
        if call is not None:
            yield end, call
        damaged += call is None
        at = end
    if damaged:
        _logger.error("%d calls that were logged are damaged on this disk, and left out.", damaged)


def _call(body: bytes, checksum: int) -> Call | None:
    if zlib.crc32(body) != checksum:
        return None
    try:
        frame = _decode(body)
    except msgspec.DecodeError:
        return None
    return Call(
        frame.run_id,
        [Metric(*one) for one in frame.metrics],
        [Param(*one) for one in frame.params],
        [RunTag(*one) for one in frame.tags],
    )
