"""What logging and searching cost, in whatever store: the same calls of the public API."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from measure import found, pick, timed

LISTED = pick(300, 100)
POINTS = pick(50_000, 10_000)
START = 1_700_000_000_000


def measured(uri: str, where: str = "", size: Callable[[], int] | None = None) -> None:
    """Measure logging and searching in a store of its own.

    Args:
        uri: the address of an empty store.
        where: what kind of store it is, for the names of the rows; nothing for plain files.
        size: how many bytes the store takes, where that can be told.
    """
    import mlflow
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    end = f", {where}" if where else ""
    _logged(mlflow, client, end)
    _history(mlflow, client, end, size)
    _search(client, end, size)


def _logged(mlflow, client, end: str) -> None:
    from mlflow.entities import Metric

    with mlflow.start_run() as run:
        mlflow.log_metric("warm", 1.0, step=0)
        steps = itertools.count()
        timed(f"log_metric{end}", "µs", lambda: mlflow.log_metric("loss", 0.5, step=next(steps)),
              pick(500, 200), scale=1e6)  # fmt: skip
        now, count = int(time.time() * 1000), pick(20, 8)
        # Made before, and with steps of their own: a point that is there already may cost less.
        batches = iter([
            [Metric(f"m{i % 10}", i * 0.5, now, first + i // 10) for i in range(1000)]
            for first in range(0, count * 100, 100)
        ])  # fmt: skip
        timed(f"log_batch of 1,000{end}", "points/s",
              lambda: client.log_batch(run.info.run_id, metrics=next(batches)), count,
              each=1000)  # fmt: skip
    _small_runs(mlflow, f"whole small run{end}")


def _small_runs(mlflow, name: str) -> None:
    """Measure a run with two params and three metrics, from start to end."""

    def whole() -> None:
        with mlflow.start_run():
            mlflow.log_param("a", 1)
            mlflow.log_param("b", 2)
            for key in ("x", "y", "z"):
                mlflow.log_metric(key, 0.5)

    whole()
    timed(name, "ms", whole, pick(30, 10), scale=1000)


def _history(mlflow, client, end: str, size: Callable[[], int] | None) -> None:
    from mlflow.entities import Metric

    with mlflow.start_run() as run:
        before = size() if size else 0
        for start in range(0, POINTS, 1000):
            points = [Metric("loss", i * 0.5, START + i, i) for i in range(start, start + 1000)]
            client.log_batch(run.info.run_id, metrics=points)
        if size:
            found(f"disk, a point{end}", "bytes", [(size() - before) / POINTS])
    run_id = run.info.run_id
    client.get_run(run_id)
    timed(f"get_run with {POINTS:,} points{end}", "ms", lambda: client.get_run(run_id),
          pick(20, 10), scale=1000)  # fmt: skip


def _loss(number: int) -> float:
    return (number * 7919) % 1000 / 1000


def _search(client, end: str, size: Callable[[], int] | None) -> None:
    from mlflow.entities import Metric, Param

    experiment = client.create_experiment("search")
    before = size() if size else 0
    for number in range(LISTED):
        run = client.create_run(experiment)
        client.log_batch(
            run.info.run_id,
            metrics=[Metric("loss", _loss(number), START, 0)],
            params=[Param("depth", str(number % 10))],
        )
        client.set_terminated(run.info.run_id)
    if size:
        found(f"disk, a run with a metric and a param{end}", "bytes", [(size() - before) / LISTED])

    def listed() -> None:
        _check(LISTED, client.search_runs([experiment], max_results=LISTED))

    listed()
    timed(f"search_runs of {LISTED} runs{end}", "ms", listed, 10, scale=1000)
    matching = sum(_loss(number) < 0.5 and number % 10 == 3 for number in range(LISTED))

    def filtered() -> None:
        text = "metrics.loss < 0.5 and params.depth = '3'"
        order = ["metrics.loss ASC"]
        runs = client.search_runs([experiment], text, max_results=50, order_by=order)
        _check(min(50, matching), runs)

    filtered()
    timed(f"filter, order, first 50 of {LISTED} runs{end}", "ms", filtered, 10, scale=1000)


def _check(expected: int, runs: list) -> None:
    if len(runs) != expected:
        msg = f"{len(runs)} runs were found, not {expected}"
        raise RuntimeError(msg)


def durable(uri: str, where: str = "", *, always: bool = False) -> None:
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
        return
    mlflow.set_tracking_uri(uri)
    end = f", {where}, through a power cut" if where else ", through a power cut"
    with mlflow.start_run():
        mlflow.log_metric("warm", 1.0, step=0)
        # A point that is there already would cost nothing.
        steps = itertools.count()
        timed(f"log_metric{end}", "µs", lambda: mlflow.log_metric("loss", 0.5, step=next(steps)),
              pick(200, 50), scale=1e6)  # fmt: skip
    _small_runs(mlflow, f"whole small run{end}")
