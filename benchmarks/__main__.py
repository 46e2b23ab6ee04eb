"""`python -m benchmarks` measures the groups one after the other, shows and keeps the results."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.groups import GROUPS, Group
from benchmarks.plots import plots
from benchmarks.report import orphans, page, readme, replaced, warnings
from benchmarks.runner import GRACE, measure
from benchmarks.sides import find, machine, versions

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DOCS = ROOT / "docs"
KEPT = DOCS / "benchmarks.json"
# Seconds that a quick run and a whole one may take; what is not reached then says so.
QUICK, WHOLE = 180.0, 1500.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    names = [group.name for group in GROUPS]
    parser.add_argument("--only", action="append", choices=names, help="a group; may be repeated")
    parser.add_argument("--quick", action="store_true", help="few rounds, small rows: 3 minutes")
    parser.add_argument("--json", metavar="FILE", help="where the results go, with every sample")
    parser.add_argument(
        "--write", action="store_true",
        help="write docs/benchmarks.json, the tables of docs/benchmarks.md and README.md, and the "
        "plots; groups that were not measured keep what is there",
    )  # fmt: skip
    parser.add_argument("--from", dest="source", metavar="FILE", help="measure nothing; show these")
    given = parser.parse_args(arguments)
    if given.write and given.quick:
        parser.error("--quick is for looking; its figures are not published")
    budgets = tomllib.loads((HERE / "budgets.toml").read_text(encoding="utf-8"))
    if given.source:
        results = json.loads(Path(given.source).read_text(encoding="utf-8"))
    else:
        usual = [group.name for group in GROUPS if not group.extra]
        chosen = [group for group in GROUPS if group.name in (given.only or usual)]
        results = run(chosen, quick=given.quick, kept=Path(given.json) if given.json else None)
    if given.write:
        before = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
        results = merged(before, results)
        write(results, budgets)
    for orphan in orphans(results, budgets):
        sys.stderr.write(f"{orphan}\n")
    sys.stdout.write(page(results, budgets) + "\n")


def run(chosen: Sequence[Group], *, quick: bool, kept: Path | None) -> dict[str, Any]:
    """Measure groups, and keep the results as they come: `build/benchmarks.json`, or where told."""
    sides = find(os.environ)
    needed = {name: sides[name] for group in chosen for name in group.sides}
    said = versions(needed)
    path = kept or ROOT / "build" / "benchmarks.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    first = time.monotonic()
    # The last program gets some seconds to end what it started.
    until = first + (QUICK if quick else WHOLE) - GRACE

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - first:5.0f} s  {text}\n")
        sys.stderr.flush()

    for group in chosen:
        if quick and not group.quick:
            say(f"{group.name}: not in a quick run")
            continue
        if time.monotonic() >= until:
            say(f"{group.name}: no time is left; --only {group.name} measures it by itself")
            continue
        start, load = time.monotonic(), os.getloadavg()[0]
        worked = sum(os.times()[2:4])
        measured = measure(group, sides, quick=quick, say=say, until=until)
        results[group.name] = {
            "at": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
            "took_s": round(time.monotonic() - start, 1),
            "processor_s": round(sum(os.times()[2:4]) - worked, 1),
            "load": round(load, 2),
            "quick": quick,
            "machine": machine(),
            "versions": said,
            "sides": {
                name: {"title": sides[name].title, **_short(one)} for name, one in measured.items()
            },
        }
        path.write_text(_text(results), encoding="utf-8")
    say(f"every sample is in {path}")
    for warning in warnings(results):
        say(warning)
    return results


def _short(side: dict[str, Any]) -> dict[str, Any]:
    """Return a side's results with samples of five digits: more is noise."""
    rows = {
        name: {**row, "samples": [float(f"{one:.5g}") for one in row["samples"]]}
        if "samples" in row
        else row
        for name, row in side["rows"].items()
    }
    return {**side, "rows": rows}


def merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the results, with those of groups that were not measured now as they were."""
    names = [group.name for group in GROUPS]
    return {name: after.get(name, before.get(name)) for name in names if name in before | after}


def _text(results: dict[str, Any]) -> str:
    """Return results as JSON with a row a line."""
    lines = []
    for name, group in results.items():
        sides = []
        for side, one in group["sides"].items():
            rows = ",\n".join(
                f"     {json.dumps(row, ensure_ascii=False)}: "
                f"{json.dumps(said, ensure_ascii=False, separators=(',', ':'))}"
                for row, said in one["rows"].items()
            )
            head = json.dumps({k: v for k, v in one.items() if k != "rows"}, ensure_ascii=False)
            sides.append(f'   "{side}": {head[:-1]}, "rows": {{\n{rows}\n   }}}}')
        head = json.dumps({k: v for k, v in group.items() if k != "sides"}, ensure_ascii=False)
        lines.append(f' "{name}": {head[:-1]}, "sides": {{\n' + ",\n".join(sides) + "\n }}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write(results: dict[str, Any], budgets: dict[str, Any]) -> None:
    """Write the results into the documents."""
    KEPT.write_text(_text(results), encoding="utf-8")
    pictures = plots(results)
    for name, picture in pictures.items():
        (DOCS / "images" / name).write_text(picture.svg, encoding="utf-8")
    shown = "\n\n".join(f"![{one.title}](images/{name})" for name, one in pictures.items())
    for path, text in (
        (DOCS / "benchmarks.md", f"{shown}\n\n{page(results, budgets)}"),
        (ROOT / "README.md", readme(results)),
    ):
        path.write_text(replaced(path.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
