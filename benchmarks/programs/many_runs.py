"""What more and more runs cost, searching and logging: in a SQLite file, or in a folder.

`many_runs.py KIND COUNT,... prepare FOLDER` makes stores of so many runs, `measure FOLDER` measures
them; a quick round has the first only. The kinds are `SQLite` and `files`. The database is made by the MLflow that is measured and filled row by row, in its own schema, beside the
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

from measure import first_and_later, found, most_memory, on_disk, pick, timed
from pages import table
from servers import free_port, running, tracking

KEYS = 10
PAGE = 50
# Seconds that a search may take.
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


def _store(folder: str, kind: str, count: int) -> str:
    return f"sqlite:///{folder}/runs-{count}.db" if kind == "SQLite" else f"file://{folder}/{count}"


def prepare(folder: str, kind: str, counts: list[int]) -> None:
    """Make the stores of each size."""
    from mlflow.tracking import MlflowClient

    for count in counts:
        told = {"experiment": _EXPERIMENT, "bytes": 0.0}
        if kind == "SQLite":
            path = f"{folder}/runs-{count}.db"
            client = MlflowClient(_store(folder, kind, count))
            told["experiment"] = client.create_experiment("many")
            before = on_disk(path)
            fill_database(path, int(told["experiment"]), count)
            told["bytes"] = (on_disk(path) - before) / count
        else:
            fill_folder(f"{folder}/{count}", count)
        Path(folder, f"{count}.json").write_text(json.dumps(told), encoding="utf-8")


def _searched(client, experiment: str, name: str, title: str) -> None:
    text, order_by = SEARCHES[name]

    def search() -> None:
        if not client.search_runs([experiment], text, order_by=order_by, max_results=PAGE):
            msg = f"nothing was found by {text!r}"
            raise RuntimeError(msg)

    first_and_later(title, "cold", search, 5, within=FIRST)


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
        first_and_later(title, "first look", lambda: table(port, experiment), 5)


def measure(folder: str, kind: str, counts: list[int]) -> None:
    """Measure each store in a process of its own, and the pages over the largest database."""
    for count in counts:
        told = json.loads(Path(folder, f"{count}.json").read_text(encoding="utf-8"))
        uri = _store(folder, kind, count)
        if told["bytes"]:
            found(f"disk, a run of 10 metrics and 10 params, {count:,} runs, {kind}", "bytes",
                  [told["bytes"]])  # fmt: skip
        command = [sys.executable, __file__, "one", kind, str(count), uri, told["experiment"]]
        subprocess.run(command, check=True, cwd=folder)
        if kind == "SQLite" and count == counts[-1]:
            _tables(folder, count, uri, told["experiment"])


if __name__ == "__main__":
    if sys.argv[1] == "one":
        one_store(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
    else:
        _, name, sizes, mode, place = sys.argv
        every = [int(size) for size in sizes.split(",")]
        os.chdir(place)
        (prepare if mode == "prepare" else measure)(place, name, pick(every, every[:1]))
