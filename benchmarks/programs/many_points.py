"""What longer and longer series cost: the run, its history, one more point, and a chart over HTTP.

`many_points.py prepare FOLDER` makes the stores, `many_points.py measure FOLDER` measures them. Runs
are made by the API; their points are written beside it, in the schema and the layout of MLflow.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import first_and_later, found, most_memory, pick, timed
from pages import chart
from servers import free_port, running, tracking

COUNTS = pick(
    {"SQLite": (1_000, 100_000, 1_000_000), "files": (1_000, 100_000, 1_000_000, 10_000_000)},
    {"SQLite": (1_000, 100_000)},
)
# Longer series than this are not asked for as a list of points.
LISTED = pick(1_000_000, 1_000)
KEY = "loss"
START = 1_700_000_000_000
PART = 100_000


def _value(step: int) -> float:
    return (step * 7919) % 1000 / 1000


def fill_file(path: str, count: int) -> None:
    """Write points in the layout of MLflow's files."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for first in range(0, count, PART):
            steps = range(first, min(first + PART, count))
            file.writelines(f"{START + step} {_value(step)} {step}\n" for step in steps)


def fill_database(path: str, run: str, count: int) -> None:
    """Write points in the schema of MLflow, the last one also where the latest are."""
    names = "(key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        for first in range(0, count, PART):
            steps = range(first, min(first + PART, count))
            database.execute("BEGIN")
            database.executemany(
                f"INSERT INTO metrics {names}",
                ((KEY, _value(step), START + step, run, step) for step in steps),
            )
            database.execute("COMMIT")
        last = count - 1
        database.execute(
            f"INSERT INTO latest_metrics {names}", (KEY, _value(last), START + last, run, last)
        )


def _uri(folder: str, kind: str) -> str:
    return f"sqlite:///{folder}/points.db" if kind == "SQLite" else f"file://{folder}/mlruns"


def prepare(folder: str) -> None:
    """Make a store of each kind, with a run of each length that has ended."""
    from mlflow.tracking import MlflowClient

    runs: dict[str, dict[int, str]] = {}
    for kind, counts in COUNTS.items():
        client = MlflowClient(_uri(folder, kind))
        runs[kind] = {}
        for count in counts:
            run = client.create_run("0").info.run_id
            client.set_terminated(run)
            if kind == "SQLite":
                fill_database(f"{folder}/points.db", run, count)
            else:
                fill_file(f"{folder}/mlruns/0/{run}/metrics/{KEY}", count)
            runs[kind][count] = run
    Path(folder, "runs.json").write_text(json.dumps(runs), encoding="utf-8")


def one_store(kind: str, uri: str, runs: dict[str, str]) -> None:
    """Measure the client in this process, which has done nothing else."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    for text, run in runs.items():
        count = int(text)
        points = f"{count:,} points, {kind}"
        title = f"get_run with {points}"
        first_and_later(title, "cold", lambda run=run: client.get_run(run), 5)
        steps = iter(range(10**8, 10**9))
        timed(f"log_metric after {points}", "µs",
              lambda run=run, steps=steps: client.log_metric(run, "other", 0.5, step=next(steps)),
              pick(200, 50), scale=1e6)  # fmt: skip
        if count <= LISTED:

            def history(run=run, count=count) -> None:
                if len(client.get_metric_history(run, KEY)) != count:
                    msg = "points are missing"
                    raise RuntimeError(msg)

            timed(f"get_metric_history of {points}", "ms", history, 3, scale=1000)
    found(f"memory of that program, most, {kind}", "MB", [most_memory()])


def charts(folder: str, kind: str, runs: dict[str, str]) -> None:
    """Measure a server over the store: the first look at each series, and later ones."""
    port = free_port()
    command = tracking(folder, port, _uri(folder, kind))
    with (
        tempfile.TemporaryDirectory() as place,
        running(command, place, f"http://127.0.0.1:{port}/health"),
    ):
        for count, run in runs.items():
            title = f"chart of {int(count):,} points, {kind}"
            call = lambda run=run: chart(port, run, KEY)  # noqa: E731 - of this run
            first_and_later(title, "first look", call, 5)


def measure(folder: str) -> None:
    """Measure each store."""
    every = json.loads(Path(folder, "runs.json").read_text(encoding="utf-8"))
    for kind, runs in every.items():
        command = [sys.executable, __file__, kind, _uri(folder, kind), json.dumps(runs)]
        subprocess.run(command, check=True, cwd=folder)
        charts(folder, kind, runs)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        os.chdir(sys.argv[2])
        prepare(sys.argv[2])
    elif sys.argv[1] == "measure":
        measure(sys.argv[2])
    else:
        one_store(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
