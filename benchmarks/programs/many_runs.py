"""What more and more runs cost: searching and logging, in a SQLite file and in a folder.

`many_runs.py prepare FOLDER` makes the stores, `many_runs.py measure FOLDER` measures them. The
database is made by the MLflow that is measured and filled row by row, in its own schema, beside the
API, and the folder is written in MLflow's layout: by calls, a hundred thousand runs take a stock
MLflow hours.
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

from measure import found, most_memory, on_disk, over, pick, skipped, timed
from pages import table
from servers import free_port, running, tracking

COUNTS = pick((1_000, 10_000, 100_000), (1_000,))
KEYS = 10
PAGE = 50
# Seconds that the first search may take.
FIRST = pick(60.0, 8.0)
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
_EXPERIMENT = "700000000000000001"
_META = """artifact_uri: {root}/artifacts
end_time: {end}
entry_point_name: ''
experiment_id: '{experiment}'
lifecycle_stage: active
run_id: {id}
run_name: {name}
run_uuid: {id}
source_name: ''
source_type: 4
source_version: ''
start_time: {start}
status: 3
tags: []
user_id: ada
"""


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
    for place in ("metrics", "latest_metrics"):
        yield f"INSERT INTO {place} {_POINT}", points
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


def fill_database(path: str, experiment: int, count: int) -> None:
    """Write runs of ten metrics and ten params, the same ones every time."""
    chance = random.Random(3)
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous = OFF")
    for first in range(0, count, BATCH):
        ids = [f"{chance.getrandbits(128):032x}" for _ in range(min(BATCH, count - first))]
        database.execute("BEGIN")
        for statement, rows in _rows(ids, first, experiment, chance):
            database.executemany(statement, rows)
        database.execute("COMMIT")
    database.close()


def fill_folder(root: str, count: int) -> None:
    """Write runs of one metric and one param in MLflow's layout, the same ones every time."""
    chance = random.Random(3)
    above = os.path.join(root, _EXPERIMENT)
    os.makedirs(above)
    meta = (
        f"artifact_location: file://{above}\ncreation_time: {START}\n"
        f"experiment_id: '{_EXPERIMENT}'\nlast_update_time: {START}\nlifecycle_stage: active\n"
        "name: many\n"
    )
    Path(above, "meta.yaml").write_text(meta, encoding="utf-8")
    for at in range(count):
        one = f"{chance.getrandbits(128):032x}"
        run = os.path.join(above, one)
        os.mkdir(run)
        files = {
            "meta.yaml": _META.format(
                root=f"file://{run}", id=one, name=f"run-{at}", start=START + at * 1000,
                end=START + at * 1000 + 500, experiment=_EXPERIMENT,
            ),
            "metrics/m0": f"{START + at * 1000} {chance.random()} 0\n",
            "params/p0": str(chance.randrange(10)),
            "tags/mlflow.user": "ada",
        }  # fmt: skip
        for folder in ("metrics", "params", "tags", "artifacts"):
            os.mkdir(os.path.join(run, folder))
        for name, text in files.items():
            with open(os.path.join(run, name), "w", encoding="utf-8") as file:
                file.write(text)


def prepare(folder: str) -> None:
    """Make the stores of each size."""
    from mlflow.tracking import MlflowClient

    for count in COUNTS:
        path = f"{folder}/runs-{count}.db"
        experiment = MlflowClient(f"sqlite:///{path}").create_experiment("many")
        before = on_disk(path)
        fill_database(path, int(experiment), count)
        places = {"SQLite": [f"sqlite:///{path}", experiment, (on_disk(path) - before) / count]}
        root = f"{folder}/runs-{count}"
        fill_folder(root, count)
        places["files"] = [f"file://{root}", _EXPERIMENT, 0]
        Path(folder, f"runs-{count}.json").write_text(json.dumps(places), encoding="utf-8")


def _searched(client, experiment: str, name: str, title: str) -> None:
    text, order_by = SEARCHES[name]

    def search() -> None:
        if not client.search_runs([experiment], text, order_by=order_by, max_results=PAGE):
            msg = f"nothing was found by {text!r}"
            raise RuntimeError(msg)

    # The first search of the process, and the others, which need no try if that one took too long.
    if timed(f"{title}, cold", "ms", search, 1, scale=1000, within=FIRST):
        timed(title, "ms", search, 5, scale=1000)
    elif not skipped(title):
        over(title, "ms", FIRST)


def one_store(kind: str, count: int, uri: str, experiment: str) -> None:
    """Measure one store in this process, which has done nothing else."""
    import mlflow
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    for name in SEARCHES if kind == "SQLite" else list(SEARCHES)[:1]:
        _searched(client, experiment, name, f"{PAGE} of {count:,} runs, {kind}: {name}")
    memory = f"{PAGE} of {count:,} runs, {kind}: memory of the process"
    found(memory, "MB", [most_memory()])
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment_id=experiment)
    steps = iter(range(10**9))
    with mlflow.start_run():
        mlflow.log_metric("m0", 1.0, step=-1)
        timed(f"log_metric beside {count:,} runs, {kind}", "µs",
              lambda: mlflow.log_metric("m0", 0.5, step=next(steps)), pick(300, 100),
              scale=1e6)  # fmt: skip


def _tables(folder: str, count: int, uri: str, experiment: str) -> None:
    """Measure what the pages of a server ask for a table: the first look, and later ones."""
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as place,
        running(tracking(folder, port, uri), place, f"http://127.0.0.1:{port}/health"),
    ):
        title = f"table of {count:,} runs, SQLite, the server's answer to the page"
        timed(f"{title}, first look", "ms", lambda: table(port, experiment), 1, scale=1000)
        timed(title, "ms", lambda: table(port, experiment), 5, scale=1000)


def measure(folder: str) -> None:
    """Measure each store in a process of its own, and the pages over the largest database."""
    for count in COUNTS:
        places = json.loads(Path(folder, f"runs-{count}.json").read_text(encoding="utf-8"))
        for kind, (uri, experiment, size) in places.items():
            if size:
                found(f"disk, a run of 10 metrics and 10 params, {count:,} runs, {kind}",
                      "bytes", [size])  # fmt: skip
            command = [sys.executable, __file__, kind, str(count), uri, experiment]
            subprocess.run(command, check=True, cwd=folder)
        if count == COUNTS[-1]:
            uri, experiment, _ = places["SQLite"]
            _tables(folder, count, uri, experiment)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        os.chdir(sys.argv[2])
        prepare(sys.argv[2])
    elif sys.argv[1] == "measure":
        measure(sys.argv[2])
    else:
        one_store(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
