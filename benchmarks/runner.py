"""Running a group's program on its sides in turns, within limits, and gathering what it says."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.groups import Group
from benchmarks.sides import Side
from benchmarks.statistics import median, waits

PROGRAMS = Path(__file__).resolve().parent / "programs"
# Bytecode of each side, kept between runs: installed packages are compiled, and so are these.
BYTECODE = PROGRAMS.parents[1] / ".stock" / "bytecode"
# Seconds that a program has to end its servers in when it is asked to stop.
GRACE = 15.0
# Seconds of a turn in a quick run: one slow side must not take the others' time.
SHORT = 60.0
MEMORY = "/dev/shm"
# What takes so many seconds a call is measured in one round: its spread is not worth the minutes.
SLOW = 2.0
# Row: its unit, and its samples of all rounds, or what it took longer than.
Rows = dict[str, dict[str, Any]]
Results = dict[str, dict[str, Any]]


@dataclass
class Turn:
    """What one run of a program said."""

    rows: Rows = field(default_factory=dict)
    problem: str = ""


def measure(
    group: Group,
    sides: dict[str, Side],
    *,
    quick: bool,
    say: Callable[[str], None],
    until: float = math.inf,
) -> Results:
    """Run a group: each side once, then each again, and so on.

    Args:
        group: which.
        sides: all sides, by name.
        quick: for the small numbers of rounds, rows and samples.
        say: is told what happens.
        until: when everything has to be over, by `time.monotonic`.

    Returns:
        For each side its `rows`, and the `problem` that kept it from saying more.
    """
    results: Results = {}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_place(group)) as folder:
        ready: list[str] = []
        for name in group.sides:
            results[name] = {"rows": {}, "problem": sides[name].missing}
            if sides[name].missing:
                continue
            home = Path(folder, name)
            (home / "stores").mkdir(parents=True)
            if group.prepared:
                say(f"{group.name}: {sides[name].title}, stores")
                made = turn(group, sides[name], home, "prepare", quick=quick, until=until)
                results[name]["problem"] = made.problem
                if made.problem:
                    say(f"  {made.problem}")
                    continue
            ready.append(name)
        for number in range(group.quick if quick else group.rounds):
            for name in ready:
                start = time.monotonic()
                mode = "measure" if group.prepared else ""
                did = turn(
                    group, sides[name], Path(folder, name), mode, quick=quick, until=until,
                    skipped=slow(results[name]["rows"]),
                )  # fmt: skip
                took = time.monotonic() - start
                say(f"{group.name}: {sides[name].title}, round {number + 1}, {took:.0f} s")
                gather(results[name]["rows"], did.rows)
                if did.problem:
                    results[name]["problem"] = did.problem
                    say(f"  {did.problem}")
    return results


def _place(group: Group) -> str | None:
    """Return where the stores of a group are: in memory, when they may be there and have room."""
    try:
        free = shutil.disk_usage(MEMORY).free
    except OSError:
        return None
    return MEMORY if group.in_memory and free > 2e9 * group.in_memory else None


def slow(rows: Rows) -> list[str]:
    """Return the rows that are not measured again: they took too long, or very long."""
    return [
        name for name, row in rows.items() if "over" in row or median(waits(row) or [0.0]) > SLOW
    ]


def gather(rows: Rows, more: Rows) -> None:
    """Add the samples of a round to those of the rounds before it."""
    for name, row in more.items():
        if name in rows and "samples" in rows[name] and "samples" in row:
            for one in ("samples", "waits_ms"):
                if one in row:
                    rows[name][one] += row[one]
        elif name not in rows or "samples" in row:
            rows[name] = dict(row)


def read(lines: Sequence[str]) -> tuple[Rows, str]:
    """Return the rows that a program said, and the name of the one that it was measuring last.

    A program that ended by itself was measuring nothing: the name is empty.
    """
    rows: Rows = {}
    begun = ""
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue  # cut off where the program was ended
        if "begin" in said:
            begun = said["begin"]
            continue
        begun = ""
        rows[said.pop("row")] = said
    return rows, begun


def turn(
    group: Group,
    side: Side,
    home: Path,
    mode: str,
    *,
    quick: bool,
    until: float = math.inf,
    skipped: Sequence[str] = (),
) -> Turn:
    """Run a group's program once on a side.

    Args:
        group: which.
        side: on which.
        home: a folder of this side, named like it: `stores` is the program's own.
        mode: an argument before the folder of stores; nothing for programs that make their own.
        quick: for small numbers.
        until: when it has to be over.
        skipped: rows that are not measured again.
    """
    limit = min(group.limit, SHORT if quick else math.inf, until - time.monotonic())
    if limit <= 0:
        return Turn(problem="no time was left")
    # What was derived in an earlier turn would make this one warm.
    for below in ("temporary", "cache"):
        shutil.rmtree(home / below, ignore_errors=True)
        (home / below).mkdir(parents=True)
    said = home / "rows"
    said.write_text("", encoding="utf-8")
    log = home / "log"
    program, *arguments = group.program
    command = [side.python, str(PROGRAMS / program), *arguments]
    if mode:
        command += [mode, str(home / "stores")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=home / "temporary", stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
            env=_environment(side, home, said, quick=quick, skipped=skipped),
        )  # fmt: skip
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
    rows, begun = read(said.read_text(encoding="utf-8").splitlines())
    if code is None:
        # How long one call took is not known here: the row has no figure.
        return Turn(rows, f"ended after {limit:.0f} s" + (f", in {begun!r}" if begun else ""))
    return Turn(rows, "" if code == 0 else _last_words(log, code))


def _environment(
    side: Side, home: Path, said: Path, *, quick: bool, skipped: Sequence[str]
) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE"
        and not name.startswith(("MLFLOW_", "BENCH_"))
        and (not name.startswith("MILLSTREAM_") or name.endswith("_URL"))
    }
    return {
        **kept,
        "BENCH_ROWS": str(said),
        "BENCH_QUICK": "1" if quick else "",
        "BENCH_SKIPPED": json.dumps(list(skipped)),
        "TMPDIR": str(home / "temporary"),
        # Derived files, too, are of this measurement.
        "MILLSTREAM_CACHE_DIR": str(home / "cache"),
        "PYTHONPYCACHEPREFIX": str(BYTECODE / home.name),
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # A stock MLflow starts its scoring server by the name of a program.
        "PATH": os.path.dirname(side.python) + os.pathsep + os.environ.get("PATH", ""),
        **side.settings,
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and what it started: asked first, so that it removes what it made."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    for one in _session(process.pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)
    process.wait()


def _session(leader: int) -> list[int]:
    """Return the processes of a session that are left."""
    if not sys.platform.startswith("linux"):
        return [leader]
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if entry.name.isdigit() and os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
    return found


def _last_words(log: Path, code: int) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.strip() for line in lines if line.strip()]
    return f"failed with {code}: {said[-1][:300]}" if said else f"failed with {code}"
