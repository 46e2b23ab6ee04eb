"""Timing and reporting that all programs share: each row is said as soon as it is known.

Programs run on interpreters with and without Millstream, so they use the standard library and what
they measure. Their settings are variables: `BENCH_QUICK`, `BENCH_ROWS` (the file that rows go to;
standard output without it) and `BENCH_SKIPPED` (rows that are not measured again, as JSON).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

QUICK = bool(os.environ.get("BENCH_QUICK"))
# Seconds that one call may take before it is given up.
LIMIT = 8.0 if QUICK else 20.0
# Seconds after which few samples of a row are enough.
ENOUGH = 1.0 if QUICK else 4.0
_SKIPPED = frozenset(json.loads(os.environ.get("BENCH_SKIPPED", "[]")))
T = TypeVar("T")


class TooLong(BaseException):
    """A call took longer than its limit; no `except Exception` on the way holds it up."""


def pick(full: T, quick: T) -> T:
    """Return the first, or the second in a quick round."""
    return quick if QUICK else full


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in the block after so many seconds, where the system has such alarms."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def late(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def timed(
    name: str,
    unit: str,
    call: Callable[[], object],
    count: int,
    *,
    scale: float = 1.0,
    each: int = 1,
    within: float = LIMIT,
) -> bool:
    """Measure a call and say the row; return whether there is a figure.

    Args:
        name: of the row.
        unit: of its values; one that ends with `/s` is a rate.
        call: what is measured.
        count: how often, at most: after `ENOUGH` seconds three times will do, or one that was long.
        scale: from seconds to the unit, when it is no rate.
        each: how many things one call does; the rate is of these.
        within: seconds that one call may take. The row says that it took longer.
    """
    if name in _SKIPPED:
        return False
    begin(name, unit)
    took: list[float] = []
    first = time.perf_counter()
    with contextlib.suppress(TooLong):
        while len(took) < count:
            with limited(within):
                start = time.perf_counter()
                call()
                took.append(time.perf_counter() - start)
            if time.perf_counter() - first > ENOUGH and (len(took) >= 3 or took[0] > ENOUGH / 2):
                break
    if not took:
        over(name, unit, within)
    elif unit.endswith("/s"):
        found(name, unit, [each / one for one in took], each=each)
    else:
        found(name, unit, [one * scale for one in took])
    return bool(took)


def first_and_later(
    title: str, first: str, call: Callable[[], object], count: int, *, within: float = LIMIT
) -> None:
    """Measure the first call of its kind, and later ones, in milliseconds.

    Where the first takes too long, so would later ones, which are not tried.

    Args:
        title: of the row of the later calls.
        first: what is added to it for the row of the first.
        call: what is measured.
        count: how many later calls, at most.
        within: seconds that one call may take.
    """
    cold = f"{title}, {first}"
    if skipped(cold):
        if skipped(title):
            return
        call()
    elif not timed(cold, "ms", call, 1, scale=1000, within=within):
        if not skipped(title):
            over(title, "ms", within)
        return
    timed(title, "ms", call, count, scale=1000, within=within)


def over(name: str, unit: str, seconds: float) -> None:
    """Say that a row takes longer than so many seconds."""
    _say({"row": name, "unit": unit, "over": seconds})


def begin(name: str, unit: str) -> None:
    """Say which row is being measured, so that one who ends the program can name it."""
    _say({"begin": name, "unit": unit})


def skipped(name: str) -> bool:
    """Whether a row took too long in an earlier round, or very long, and is not measured again."""
    return name in _SKIPPED


def found(
    name: str,
    unit: str,
    samples: Sequence[float],
    *,
    each: int = 1,
    waits_ms: Sequence[float] = (),
) -> None:
    """Say a row whose samples are known.

    Args:
        name: of the row.
        unit: of its values.
        samples: its values.
        each: how many things of a rate are one wait.
        waits_ms: quantiles of the waits behind a rate, where they are known.
    """
    row: dict[str, Any] = {"row": name, "unit": unit, "samples": list(samples)}
    if each != 1:
        row["each"] = each
    if waits_ms:
        row["waits_ms"] = list(waits_ms)
    _say(row)


def _say(row: dict[str, Any]) -> None:
    text = json.dumps(row) + "\n"
    path = os.environ.get("BENCH_ROWS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
    else:
        sys.stdout.write(text)


def most_memory() -> float:
    """Return the most megabytes that this process had resident at any time."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    msg = "the memory of a process is read from /proc, which this system does not have"
    raise RuntimeError(msg)


def on_disk(path: str) -> int:
    """Return the bytes that a file, or a folder with all that is below it, takes on the disk."""
    total = 0
    waiting = [path]
    while waiting:
        one = waiting.pop()
        state = os.lstat(one)
        total += getattr(state, "st_blocks", state.st_size // 512) * 512
        if os.path.isdir(one):
            waiting += [entry.path for entry in os.scandir(one)]
    return total
