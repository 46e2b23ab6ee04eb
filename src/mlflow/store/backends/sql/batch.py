"""What is to be written to one run, folded into rows, and why a database refused it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from mlflow.exceptions import invalid
from mlflow.store.backends.base import LOGGED_MODEL, RUN, Conflict, Missing, NotActive
from mlflow.store.backends.sql.reading import chunks
from mlflow.store.backends.sql.tables import logged_models, params, runs
from mlflow.store.backends.sql.values import is_plain, stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from mlflow.entities.run import Metric, Param, RunTag

    # Of a metric: key, value, timestamp, step, is_nan.
    Point = tuple[str, float, int, int, bool]

ACTIVE = "active"


class Batch:
    """Rows for the tables of one run.

    Rows of tables in which others may change the same row are sorted by key, so that two writers
    never wait for each other in a circle.

    Args:
        run_id: the run.
        metrics: points; of equal ones one is kept, as in MLflow's table.
        params: of equal keys the first; a later one with another value is a conflict.
        tags: of equal keys the last.

    Attributes:
        points: rows of `metrics`.
        latest: rows of `latest_metrics`, one for each key.
        details: what `metrics` cannot hold: key, timestamp, step, value, is_nan, number, dataset
            name and digest.
        of_models: rows of `logged_model_metrics`: model, key, timestamp, step, value, dataset name
            and digest.
        models: the ids of the logged models, sorted.
        params: (key, value), sorted.
        tags: (key, value), sorted.
        conflict: of two params of the batch itself.
    """

    __slots__ = (
        "conflict", "details", "latest", "models", "of_models", "params", "points", "run_id", "tags",
    )  # fmt: skip

    def __init__(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        self.run_id = run_id
        self.points: list[Point] = []
        self.details: list[tuple[str, int, int, float, bool, str | None, str | None, str | None]]
        self.details = []
        self.of_models: list[tuple[str, str, int, int, float, str | None, str | None]] = []
        self._add_metrics(metrics)
        self.models = sorted({row[0] for row in self.of_models})
        self.conflict: Conflict | None = None
        kept: dict[str, str] = {}
        for param in params:
            old = kept.setdefault(param.key, param.value)
            if old != param.value and self.conflict is None:
                self.conflict = Conflict(param.key, old, param.value)
        self.params = sorted(kept.items())
        self.tags = sorted({tag.key: tag.value for tag in tags}.items())

    def _add_metrics(self, metrics: Sequence[Metric]) -> None:
        points = self.points
        latest: dict[str, tuple[tuple[int, int, bool, float], Point]] = {}
        for metric in metrics:
            key, value = metric._key, metric._value
            timestamp, step = metric._timestamp, metric._step
            name, model = metric._dataset_name, metric._model_id
            is_nan, number = False, None
            if not is_plain(value):
                value, is_nan, number = stored(value)
            point = (key, value, timestamp, step, is_nan)
            points.append(point)
            rank = (step, timestamp, not is_nan, value)
            if key not in latest or rank > latest[key][0]:
                latest[key] = (rank, point)
            if number is not None or name is not None:
                digest = metric._dataset_digest
                self.details.append((key, timestamp, step, value, is_nan, number, name, digest))
            if model is not None:
                digest = metric._dataset_digest
                self.of_models.append((model, key, timestamp, step, value, name, digest))
        self.latest: list[Point] = [latest[key][1] for key in sorted(latest)]


def explain(connection: Connection, batch: Batch) -> None:
    """Raise what is wrong with a batch that was refused; return when nothing is (any more).

    Raises:
        Missing, NotActive: for a logged model first, then for the run.
        Conflict: for a param.
    """
    for some in chunks(batch.models):
        rows = connection.execute(
            select(logged_models.c.model_id, logged_models.c.lifecycle_stage).where(
                logged_models.c.model_id.in_(some)
            )
        )
        stages = {row.model_id: row.lifecycle_stage for row in rows}
        for model in some:
            if model not in stages:
                raise Missing(LOGGED_MODEL, model)
            if stages[model] != ACTIVE:
                raise NotActive(LOGGED_MODEL, model)
    check_active(connection, batch.run_id)
    wanted = dict(batch.params)
    for some in chunks(list(wanted)):
        rows = connection.execute(
            select(params.c.key, params.c.value).where(
                params.c.run_uuid == batch.run_id, params.c.key.in_(some)
            )
        )
        for key, value in rows:
            if key not in wanted:
                raise invalid(
                    f"The database takes the param key '{key}' of run {batch.run_id} and one of "
                    f"{sorted(wanted)} for the same: its collation ignores case or accents. Use "
                    "one spelling, or a database with a binary collation, such as utf8mb4_bin."
                )
            if value != wanted[key]:
                raise Conflict(key, value, wanted[key])
    if batch.conflict is not None:
        raise batch.conflict


def check_active(connection: Connection, run_id: str) -> int:
    """Return the experiment of an active run.

    Raises:
        Missing: there is no such run.
        NotActive: it is deleted.
    """
    row = connection.execute(
        select(runs.c.lifecycle_stage, runs.c.experiment_id).where(runs.c.run_uuid == run_id)
    ).first()
    if row is None:
        raise Missing(RUN, run_id)
    if row[0] != ACTIVE:
        raise NotActive(RUN, run_id)
    return int(row[1])
