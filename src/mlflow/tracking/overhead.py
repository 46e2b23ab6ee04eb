"""What logging costs a program: its time, calls, steps and bytes, counted where they are spent."""

from __future__ import annotations

import sys
from _thread import _local
from functools import wraps
from time import perf_counter
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

# From this share of a program's time on it is told, once, what to do; not before it has logged for
# as many seconds, so that a start that is slow by itself says nothing.
WARN_SHARE, WARN_SECONDS = 0.1, 30.0
# A call that is quicker than this does not make a program slow, and is not worth a look.
_SLOW = 50e-6


class LoggingOverhead(NamedTuple):
    """What logging has cost this process since its first call.

    Attributes:
        seconds: the time in which the program waited for logging functions, s.
        elapsed: the time since the first of these calls, s.
        calls: how many there were.
        steps: how often the step of `log_metric` and `log_metrics` changed.
        bytes_sent: what went to servers, in the background too, B; 0 for local stores.
    """

    seconds: float
    elapsed: float
    calls: int
    steps: int
    bytes_sent: int

    @property
    def share(self) -> float:
        """The part of the program's time that it waited for logging, 0 to 1."""
        return self.seconds / self.elapsed if self.elapsed else 0.0

    @property
    def seconds_per_step(self) -> float:
        """The time that a step of training waited for logging, s; of all if there are no steps."""
        return self.seconds / max(self.steps, 1)

    @property
    def bytes_per_step(self) -> float:
        """The bytes that a step of training sent, B."""
        return self.bytes_sent / max(self.steps, 1)


# Of all threads; two that count at once may lose one, which nobody notices.
_since: float | None = None
_seconds = 0.0
_calls = 0
_steps = 0
_step: int | None = None
_is_told = False
# Whether a thread is in a call already: what that calls is counted with it.
_within = _local()


def get_logging_overhead() -> LoggingOverhead:
    """Return what logging has cost this process so far.

    Of two of these the difference is what was between them.
    """
    elapsed = 0.0 if _since is None else perf_counter() - _since
    transport = sys.modules.get("mlflow.transport.client")
    sent = 0 if transport is None else transport.sent_bytes
    return LoggingOverhead(_seconds, elapsed, _calls, _steps, sent)


def note(started: float, step: int | None = None) -> None:
    """Count a call that has ended.

    Args:
        started: when it began, by `perf_counter`.
        step: the step that it logged.
    """
    global _since, _seconds, _calls, _steps, _step
    took = perf_counter() - started
    _seconds += took
    _calls += 1
    if step is not None and step != _step:
        _step = step
        _steps += 1
    if took > _SLOW or _since is None:
        if _since is None:
            _since = started
        _consider(started + took - _since)


def counted(function: Callable[P, T]) -> Callable[P, T]:
    """Count the calls of a function; those that it makes itself are a part of it."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if getattr(_within, "a_call", False):
            return function(*args, **kwargs)
        _within.a_call = True
        started = perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            _within.a_call = False
            note(started, kwargs.get("step"))  # type: ignore[arg-type]

    return call


def _consider(elapsed: float) -> None:
    """Tell once when logging takes a good part of the time, and what helps."""
    global _is_told
    if _is_told or elapsed < WARN_SECONDS or _seconds < WARN_SHARE * elapsed:
        return
    _is_told = True
    import logging

    logging.getLogger(__name__).warning(
        "Logging took %.0f %% of the last %.0f s: %d calls, %.1f ms each. Log the metrics of a step "
        "with one mlflow.log_metrics call, or do not wait for the store: "
        "mlflow.config.enable_async_logging(). See mlflow.get_logging_overhead().",
        100 * _seconds / elapsed, elapsed, _calls, 1000 * _seconds / _calls,
    )  # fmt: skip
