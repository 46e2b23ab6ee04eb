"""What searches of many runs cost in a SQLite file: time, and the memory of the process that asks.

The file is made by the MLflow that is measured and filled row by row, in its own schema, beside the
API: by calls, a hundred thousand runs take a stock MLflow hours. `BENCH_SEARCH_RUNS=2000` is enough
for a try.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Result, report, row, seconds

RUNS = int(os.environ.get("BENCH_SEARCH_RUNS", "100000"))
KEYS = 10
PAGE = 50
START = 1_700_000_000_000
BATCH = 2000
# Name of the row: filter and order. A param `pN` has the values 0 to 10 ** (1 + N // 3).
SEARCHES = {
    "one metric, one param, by a metric": (
        "metrics.m0 < 0.5 and params.p0 = '3'", ["metrics.m0 ASC"],
    ),
    "three conditions": (
        "metrics.m0 > 0.7 and metrics.m1 > 0.7 and params.p0 = '3'", ["metrics.m2 DESC"],
    ),
    "by the name of the run": ("", ["attributes.run_name ASC"]),
    "a param ILIKE": ("params.p8 ILIKE '%77%'", None),
}  # fmt: skip
_RUNS = (
    "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
    " start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
    " VALUES (?, ?, 'UNKNOWN', '', '', 'ada', 'FINISHED', ?, ?, '', 'active', ?, ?)"
)
_POINT = "(key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, 0, 0)"


def _rows(ids: list[str], first: int, experiment: int, chance: random.Random):
    """Give a statement and its rows, for each table that the runs are in."""
    numbered = list(enumerate(ids, first))
    yield (
        _RUNS,
        [
            (one, f"{chance.choice('abcdefgh')}-run-{chance.randrange(1000)}", START + at * 1000,
             START + at * 1000 + 500, f"/artifacts/{one}", experiment)
            for at, one in numbered
        ],
    )  # fmt: skip
    points = [
        (f"m{key}", chance.random(), START + at * 1000, one)
        for at, one in numbered
        for key in range(KEYS)
    ]
    for table in ("metrics", "latest_metrics"):
        yield f"INSERT INTO {table} {_POINT}", points
    yield (
        "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
        [
            (f"p{key}", str(chance.randrange(10 ** (1 + key // 3))), one)
            for _, one in numbered
            for key in range(KEYS)
        ],
    )
    yield (
        "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
        [(key, value, one) for _, one in numbered
         for key, value in (("mlflow.user", "ada"), ("mlflow.source.name", "train.py"))],
    )  # fmt: skip


def fill(path: str, experiment: int) -> None:
    """Write the runs, the same ones every time."""
    chance = random.Random(3)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    for first in range(0, RUNS, BATCH):
        ids = [f"{chance.getrandbits(128):032x}" for _ in range(min(BATCH, RUNS - first))]
        database.execute("BEGIN")
        for statement, rows in _rows(ids, first, experiment, chance):
            database.executemany(statement, rows)
        database.execute("COMMIT")
    database.close()


def _peak() -> float:
    """Return the most megabytes that this process had resident at any time."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    msg = "the memory of a process is read from /proc, which this system does not have"
    raise RuntimeError(msg)


def searched(uri: str, experiment: str) -> list[Result]:
    """Measure the searches in this process, which has done nothing else."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    rows = []
    for name, (text, order_by) in SEARCHES.items():

        def search(text=text, order_by=order_by) -> None:
            found = client.search_runs([experiment], text, order_by=order_by, max_results=PAGE)
            if not found:
                msg = f"nothing was found by {text!r}"
                raise RuntimeError(msg)

        search()
        title = f"{PAGE} of {RUNS:,} runs, SQLite: {name}"
        rows.append(row(title, "ms", seconds(search, 7), scale=1000))
    memory = row(f"{PAGE} of {RUNS:,} runs, SQLite: memory of the process", "MB", [_peak()])
    return [*rows, memory]


def main() -> None:
    """Fill a file, and search it from a process of its own."""
    if len(sys.argv) > 1:
        report(searched(*sys.argv[1:]))
        return
    from mlflow.tracking import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        uri = f"sqlite:///{folder}/many.db"
        experiment = MlflowClient(uri).create_experiment("many")
        fill(f"{folder}/many.db", int(experiment))
        done = subprocess.run(
            [sys.executable, __file__, uri, experiment], check=True, stdout=subprocess.PIPE
        )
        os.chdir("/")
    report(json.loads(done.stdout.splitlines()[-1]))


main()
