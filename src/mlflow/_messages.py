"""How a caller silences what the loggers named `mlflow…` say, everywhere or in one thread."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_silent: ContextVar[bool] = ContextVar("millstream_silent", default=False)


class LoggingStream:
    """Standard error, and a switch for the loggers named `mlflow…`."""

    def __init__(self) -> None:
        self._enabled = True

    @property
    def enabled(self) -> bool:
        """Whether messages are let through."""
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        self._enabled = value
        _watch()

    def write(self, text: str) -> int:
        """Write to standard error, unless messages are off."""
        return sys.stderr.write(text) if self._enabled else len(text)

    def flush(self) -> None:
        """Flush standard error."""
        sys.stderr.flush()


MLFLOW_LOGGING_STREAM = LoggingStream()


@contextmanager
def suppress_logs_in_thread() -> Iterator[None]:
    """Silence the loggers named `mlflow…` in this thread while the block runs."""
    _watch()
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def _pass(record: logging.LogRecord) -> bool:
    return MLFLOW_LOGGING_STREAM.enabled and not _silent.get()


def _watch() -> None:
    # A filter of a logger is not asked about the records of those below it: each has its own.
    for name in list(logging.root.manager.loggerDict):
        if name == "mlflow" or name.startswith("mlflow."):
            logging.getLogger(name).addFilter(_pass)
