"""How runs end: well, by an exception, by `sys.exit`, by a signal, or with the process."""

from __future__ import annotations

import atexit
import os
import sys
from time import time

from mlflow.entities.run import RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store import heartbeat
from mlflow.tags import MILLSTREAM_ERROR_MESSAGE, MILLSTREAM_ERROR_TRACE, MILLSTREAM_ERROR_TYPE
from mlflow.tracking import queue
from mlflow.tracking.context.default_context import is_interactive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn

    from mlflow.entities.run import RunInfo
    from mlflow.store.base import AbstractStore

# Of a long error message and its last frames, this many characters are kept.
_KEPT = 4_000
_SIGTERM = 15

# (process, store) of each run that was started here and has not ended, oldest first. A forked
# child inherits the table, and ends only what it started itself.
_open: dict[str, tuple[int, AbstractStore]] = {}
_is_installed = False
_handles_signal = False
_killed_by: int | None = None
_exit_code: Any = None
_error_before: object = None


# Called with the id of a run that is about to end, before what waits for it is written.
before_end: list[Callable[[str], object]] = []


class Terminated(SystemExit):
    """The process was asked to end by a signal; it unwinds, so that runs and files are closed."""


def began(info: RunInfo, store: AbstractStore) -> None:
    """Note a run that is to end with this process at the latest."""
    global _exit_code
    _exit_code = None
    _open[info.run_id] = (os.getpid(), store)
    heartbeat.begin(info)
    if not _is_installed or not _handles_signal:
        _install()


def finish(
    run_id: str, store: AbstractStore, status: str, error: BaseException | None = None
) -> None:
    """End a run, with what went wrong in its tags.

    Raises:
        MlflowException: the store refuses it, as for a run that was deleted meanwhile.
    """
    settle(run_id, store)
    _open.pop(run_id, None)
    if error is not None:
        try:
            store.log_batch(run_id, (), (), _described(error))
        except MlflowException:
            pass  # the state says at least that it failed
    number = RunStatus.from_string(status)
    try:
        store.update_run_info(run_id, number, int(time() * 1000), None)
    finally:
        heartbeat.end(run_id)


def settle(run_id: str, store: AbstractStore) -> None:
    """Write everything that waits for a run, and stop what would still log to it."""
    for stop in before_end:
        stop(run_id)
    queue.flush(store)


def is_open(run_id: str) -> bool:
    """Tell whether the run was started by this process and has not been ended."""
    return run_id in _open


def status_of(error: BaseException | None) -> str:
    """Return the state of a run whose code was left by an exception (or by none)."""
    if error is None or isinstance(error, GeneratorExit):
        return "FINISHED"
    if isinstance(error, (KeyboardInterrupt, Terminated)) or _is_cancelled(error):
        return "KILLED"
    if isinstance(error, SystemExit) and error.code in (None, 0):
        return "FINISHED"
    return "FAILED"


def _is_cancelled(error: BaseException) -> bool:
    """Tell whether a task was stopped from outside, as `asyncio.run` stops its own on SIGINT."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


def _described(error: BaseException) -> list[RunTag]:
    kind = type(error)
    module = "" if kind.__module__ in ("builtins", __name__) else f"{kind.__module__}."
    tags = [
        RunTag(MILLSTREAM_ERROR_TYPE, f"{module}{kind.__qualname__}"),
        RunTag(MILLSTREAM_ERROR_MESSAGE, _text_of(error)[:_KEPT]),
    ]
    if error.__traceback__ is not None:
        import traceback

        frames = "".join(traceback.format_tb(error.__traceback__)[-10:])
        tags.append(RunTag(MILLSTREAM_ERROR_TRACE, frames[-_KEPT:]))
    return tags


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ must not hide the state
        return "(no message)"


# ------------------------------------------------------------------- the end of the process


def _install() -> None:
    """See to it that open runs end with the process; the signal is for the main thread only."""
    global _is_installed, _handles_signal, _error_before
    if not _is_installed:
        _is_installed = True
        _error_before = getattr(sys, "last_value", None)
        atexit.register(_at_exit)
        _watch_exit()
    if not _handles_signal:
        # `signal` would import `enum`; this is the part of it that is needed.
        import _signal  # type: ignore[import-not-found]

        try:
            if _signal.getsignal(_SIGTERM) is _signal.SIG_DFL:
                _signal.signal(_SIGTERM, _on_signal)
            _handles_signal = True
        except ValueError:
            pass  # another thread: the next run that starts in the main thread tries again


def _on_signal(number: int, frame: FrameType | None) -> NoReturn:
    """Unwind the program; a second signal ends it at once."""
    global _killed_by
    import _signal

    _signal.signal(_SIGTERM, _signal.SIG_DFL)
    if not any(pid == os.getpid() for pid, _ in _open.values()):
        os.kill(os.getpid(), number)  # nothing of ours to end: as if we were not here
    _killed_by = number
    raise Terminated(128 + number)


def _watch_exit() -> None:
    """Learn the status that the program exits with: nothing else tells it to `atexit`.

    A bare `raise SystemExit(3)` outside of a run's block goes unseen: Python forgets it first.
    """
    import builtins

    original = sys.exit
    sys.exit = watched = _watched(original)
    main = vars(sys.modules["__main__"])
    for name, value in [*main.items()]:
        if value is original:  # `from sys import exit`
            main[name] = watched
    if not is_interactive():
        for name in ("exit", "quit"):
            if hasattr(builtins, name):
                setattr(builtins, name, _watched(getattr(builtins, name)))


def _watched(leave: Callable[[Any], NoReturn]) -> Callable[..., NoReturn]:
    def exit(status: Any = None, /) -> NoReturn:
        global _exit_code
        _exit_code = status
        leave(status)

    exit.__doc__ = leave.__doc__
    return exit


def _at_exit() -> None:
    """End what this process started and left open."""
    mine = [(run_id, store) for run_id, (pid, store) in _open.items() if pid == os.getpid()]
    if not mine:
        return
    status, error = _outcome()
    for run_id, store in reversed(mine):
        try:
            finish(run_id, store, status, error)
        except Exception as refused:  # noqa: BLE001 - the others are to be ended too
            sys.stderr.write(f"Run {run_id} could not be ended: {refused}\n")


def _outcome() -> tuple[str, BaseException | None]:
    """Return how the process ends, and by which error."""
    if _killed_by is not None:
        return "KILLED", None
    last = getattr(sys, "last_value", None)
    if last is not None and last is not _error_before and not is_interactive():
        return status_of(last), last
    if _exit_code not in (None, 0):
        return "FAILED", SystemExit(_exit_code)
    return "FINISHED", None
