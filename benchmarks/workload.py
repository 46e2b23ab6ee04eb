"""What logging and searching cost, in whatever store: the same calls of the public API."""

from __future__ import annotations

import itertools
import os
import time

from measure import Result, row, seconds

RUNS = int(os.environ.get("BENCH_RUNS", "1000"))
LISTED = 300


def _metrics(count: int, keys: int = 10) -> list:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(f"m{i % keys}", i * 0.5, now, i // keys) for i in range(count)]


def logged(mlflow, client) -> list[Result]:
    """Measure single points, batches and whole runs."""
    rows = []
    with mlflow.start_run() as run:
        mlflow.log_metric("warm", 1.0, step=0)
        steps = iter(range(10**9))
        singles = seconds(lambda: mlflow.log_metric("loss", 0.5, step=next(steps)), 2000)
        rows.append(row("log_metric", "µs", singles, scale=1e6))
        batch = _metrics(1000)
        took = seconds(lambda: client.log_batch(run.info.run_id, metrics=batch), 20)
        rows.append(row("log_batch of 1,000", "points/s", sorted(1000 / t for t in took)))

    rows.append(small_runs(mlflow, "whole small run"))
    return rows


def small_runs(mlflow, name: str) -> Result:
    """Measure a run with two params and three metrics, from start to end."""

    def whole() -> None:
        with mlflow.start_run():
            mlflow.log_param("a", 1)
            mlflow.log_param("b", 2)
            for key in ("x", "y", "z"):
                mlflow.log_metric(key, 0.5)

    whole()
    return row(name, "ms", seconds(whole, 30), scale=1000)


def _history(mlflow, client) -> Result:
    from mlflow.entities import Metric

    with mlflow.start_run() as run:
        for start in range(0, 50_000, 1000):
            points = [Metric("loss", i * 0.5, i, i) for i in range(start, start + 1000)]
            client.log_batch(run.info.run_id, metrics=points)
    run_id = run.info.run_id
    client.get_run(run_id)
    return row("get_run with 50,000 points", "ms", seconds(lambda: client.get_run(run_id), 20),
               scale=1000)  # fmt: skip


def _loss(number: int) -> float:
    return (number * 7919) % 1000 / 1000


def _search(client) -> list[Result]:
    from mlflow.entities import Metric, Param

    experiment = client.create_experiment("search")

    def add(first: int, last: int) -> None:
        for number in range(first, last):
            run = client.create_run(experiment)
            client.log_batch(
                run.info.run_id,
                metrics=[Metric("loss", _loss(number), 1, 0)],
                params=[Param("depth", str(number % 10))],
            )
            client.set_terminated(run.info.run_id)

    add(0, LISTED)
    search = client.search_runs
    search([experiment], max_results=LISTED)
    rows = [
        row("search_runs of 300 runs", "ms",
            seconds(lambda: search([experiment], max_results=LISTED), 10), scale=1000)
    ]  # fmt: skip
    add(LISTED, RUNS)
    there = range(max(LISTED, RUNS))
    matching = sum(_loss(number) < 0.5 and number % 10 == 3 for number in there)

    def filtered() -> None:
        found = search([experiment], "metrics.loss < 0.5 and params.depth = '3'", max_results=50,
                       order_by=["metrics.loss ASC"])  # fmt: skip
        if len(found) != min(50, matching):
            msg = f"{len(found)} runs were found"
            raise RuntimeError(msg)

    filtered()
    rows.append(row(f"filter, order, first 50 of {RUNS:,} runs", "ms", seconds(filtered, 10),
                    scale=1000))  # fmt: skip
    return rows


def measured(uri: str, where: str = "") -> list[Result]:
    """Measure logging and searching in a store of its own.

    Args:
        uri: the address of an empty store.
        where: what kind of store it is, for the names of the rows; nothing for plain files.
    """
    import mlflow
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    rows = [*logged(mlflow, client), _history(mlflow, client), *_search(client)]
    for one in rows:
        one["name"] += f", {where}" if where else ""
    return rows


def durable(uri: str, where: str = "", *, always: bool = False) -> list[Result]:
    """Measure the level that survives a power cut.

    Args:
        uri: of a new store.
        where: what kind of store it is, for the names of the rows; nothing for plain files.
        always: whether MLflow itself keeps this level there; without it, it is measured where it
            can be chosen.
    """
    import mlflow

    if hasattr(mlflow.environment_variables, "MILLSTREAM_DURABILITY"):
        mlflow.environment_variables.MILLSTREAM_DURABILITY.set("disk")
    elif not always:
        return []
    mlflow.set_tracking_uri(uri)
    end = f", {where}, through a power cut" if where else ", through a power cut"
    with mlflow.start_run():
        mlflow.log_metric("warm", 1.0, step=0)
        # A point that is there already would cost nothing.
        steps = itertools.count()
        singles = seconds(lambda: mlflow.log_metric("loss", 0.5, step=next(steps)), 200)
    return [
        row(f"log_metric{end}", "µs", singles, scale=1e6),
        small_runs(mlflow, f"whole small run{end}"),
    ]
