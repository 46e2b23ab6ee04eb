"""The access log: a line of JSON for each request, written by a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

import msgspec

from mlflow.exceptions import invalid

_logger = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode
# Lines that may wait for a disk or a reader; a server does not stop because nobody reads its log.
_WAITING = 10_000
STDOUT = "-"


class AccessLog:
    """Lines of JSON at the end of a file, or on standard output.

    A file that was moved away is opened anew, so that logs can be rotated.

    Args:
        path: the file; `-` for standard output.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: the file cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None
        self._lines: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_broken = False
        self.dropped = 0
        try:
            self._open()
        except OSError as error:
            raise invalid(f"--access-log: {path!r} cannot be written: {error.strerror}.") from error

    def write(self, line: dict[str, Any]) -> None:
        """Have a line written, with the time in front; dropped where too many wait."""
        if self._lines.qsize() >= _WAITING:
            self.dropped += 1
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._lines.put(_encode({"time": now, **line}) + b"\n")
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="access-log", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write the lines that wait."""
        if self._thread is not None:
            self._lines.put(None)
            self._thread.join(10)
        if self._file is not None and self._path != STDOUT:
            os.close(self._file)
            self._file = None

    # --- in the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        has_ended = False
        while not has_ended:
            lines = [self._lines.get()]
            while lines[-1] is not None and not self._lines.empty():
                lines.append(self._lines.get())
            has_ended = lines[-1] is None
            self._append(b"".join(line for line in lines if line is not None))

    def _append(self, data: bytes) -> None:
        try:
            self._open()
            assert self._file is not None  # noqa: S101 - `_open` has set it
            while data:
                data = data[os.write(self._file, data) :]
            self._is_broken = False
        except OSError as error:
            if not self._is_broken:  # said once, not for each request
                _logger.warning("the access log %s cannot be written: %s", self._path, error)
            self._is_broken = True

    def _open(self) -> None:
        if self._path == STDOUT:
            self._file = sys.stdout.fileno()
            return
        if self._file is not None:
            with contextlib.suppress(OSError):
                if os.path.samestat(os.stat(self._path), os.fstat(self._file)):
                    return
            os.close(self._file)
            self._file = None
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
