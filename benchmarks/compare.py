"""Run every measurement on this interpreter and, beside it, on one with stock MLflow."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SCRIPTS = (
    "bench_import",
    "bench_client",
    "bench_sql",
    "bench_search",
    "bench_server",
    "bench_scoring",
    "bench_flavors",
    "bench_install",
)
Rows = dict[str, dict[str, Any]]

_HEAD = """# Benchmarks

Measured by `scripts/bench --write`, Millstream and stock MLflow in one go, one script after the
other on the same machine, each interpreter with its bytecode compiled. Values are medians.

- On files durability is equal on both sides: what was logged is handed to the operating system before the
  call returns; it survives the death of any process, not a power cut. Rows that say so survive
  that too (`MILLSTREAM_DURABILITY=disk`); stock MLflow's files have no such level.
- SQLite: Millstream keeps its default level, WAL with `synchronous=NORMAL`: it survives the death of any
  process, not a power cut. Stock MLflow's default survives both; the rows say which is faster at what each
  promises by default, and those "SQLite, through a power cut" at what stock promises. PostgreSQL and MySQL keep their own setting, the same for both sides.
- The tracking server is one worker over SQLite on both sides; stock MLflow's default of four is slower here.
- A scoring server is one worker process. The load client is `benchmarks/load.py`; it shares the
  cores with the server.
- Stock MLflow's file store is switched on by `MLFLOW_ALLOW_FILE_STORE=true`.
- A row below its bar says so; the bars are in `benchmarks/budgets.toml`.
"""


def measure(python: str, script: str, cache: str) -> Rows:
    """Return the results of one script on one interpreter."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE" and not name.startswith("MLFLOW_")
    }
    # Both sides run compiled, as installed packages do.
    environment["PYTHONPYCACHEPREFIX"] = cache
    environment["MLFLOW_ALLOW_FILE_STORE"] = "true"
    environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
    # Stock starts its scoring server by the name of a program.
    environment["PATH"] = os.path.dirname(python) + os.pathsep + environment.get("PATH", "")
    done = subprocess.run(
        [python, str(HERE / f"{script}.py")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tempfile.gettempdir(),
        env=environment,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stderr[-2000:])
        sys.stderr.write(f"\n{script} failed on {python}\n")
        return {}
    return {row["name"]: row for row in json.loads(done.stdout.splitlines()[-1])}


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        model = next(
            line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line
        )
    except (OSError, StopIteration):
        pass
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(ours: Rows, stock: Rows, budgets: dict[str, Any]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| what | stock MLflow | Millstream | times better | bar | kept |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, row in ours.items():
        budget = budgets.get(name, {})
        higher = budget.get("higher", row["unit"].endswith("/s"))
        other = stock.get(name)
        ratio = ""
        if other and row["value"] and other["value"]:
            better = row["value"] / other["value"] if higher else other["value"] / row["value"]
            ratio = f"{better:,.1f}"
        bar, kept = "", ""
        if "bar" in budget:
            bar = f"{_number(budget['bar'])}"
            good = row["value"] >= budget["bar"] if higher else row["value"] <= budget["bar"]
            kept = "yes" if good else "**no**"
        before = _number(other["value"]) if other else ""
        lines.append(
            f"| {name} ({row['unit']}) | {before} | {_number(row['value'])} | {ratio} | {bar} "
            f"| {kept} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, measure, print, and write the page when asked to."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--stock-python", default=os.environ.get("MILLSTREAM_STOCK_PYTHON"))
    parser.add_argument("--only", action="append", choices=SCRIPTS)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    given = parser.parse_args()
    budgets = tomllib.loads((HERE / "budgets.toml").read_text(encoding="utf-8"))
    ours: Rows = {}
    stock: Rows = {}
    with tempfile.TemporaryDirectory() as cache:
        for script in given.only or SCRIPTS:
            ours |= measure(sys.executable, script, f"{cache}/ours")
            if given.stock_python:
                stock |= measure(given.stock_python, script, f"{cache}/stock")
    if given.json:
        sys.stdout.write(json.dumps({"millstream": ours, "stock": stock}, indent=1) + "\n")
    text = table(ours, stock, budgets)
    sys.stdout.write(text + "\n")
    if given.write:
        today = dt.datetime.now(tz=dt.UTC).date().isoformat()
        page = f"{_HEAD}\n{today}, {_machine()}, load {os.getloadavg()[0]:.1f}.\n\n{text}\n"
        notes = HERE / "notes.md"
        if notes.exists():
            page += "\n" + notes.read_text(encoding="utf-8")
        (HERE.parent / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
