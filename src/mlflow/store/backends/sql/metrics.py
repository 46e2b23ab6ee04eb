"""What is logged to runs: points, batches, and the reading of series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, null, or_, select

from mlflow.entities.paged_list import PagedList
from mlflow.entities.run import Metric
from mlflow.exceptions import ABORTED, MlflowException
from mlflow.search.page import fingerprint, read_token, write_token
from mlflow.store.backends.base import RUN, Backend, Missing
from mlflow.store.backends.sql import mysql, postgresql, sqlite
from mlflow.store.backends.sql.batch import Batch, explain
from mlflow.store.backends.sql.reading import details_of
from mlflow.store.backends.sql.tables import metrics, runs
from mlflow.store.backends.sql.tables_own import metric_details
from mlflow.store.backends.sql.urls import MYSQL, POSTGRESQL, SQLITE
from mlflow.store.backends.sql.values import is_plain, loaded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Connection

    from mlflow.entities.run import Param, RunTag
    from mlflow.store.backends.sql.engine import Database

_WRITERS: dict[str, Any] = {SQLITE: sqlite, POSTGRESQL: postgresql, MYSQL: mysql}
_TRIES = 3
_NOUN = "metric_history"


class SqlMetrics(Backend):
    """The part that keeps what runs log."""

    _database: Database

    def append_metric(self, run_id: str, key: str, value: float, timestamp: int, step: int) -> None:
        if not is_plain(value):
            self.write_batch(run_id, [Metric(key, value, timestamp, step)], (), ())
            return
        append = _WRITERS[self._database.dialect].append
        if not self._database.raw(lambda raw: append(raw, run_id, key, value, timestamp, step)):
            self._explain(Batch(run_id, [Metric(key, value, timestamp, step)], (), ()))

    def write_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        batch = Batch(run_id, metrics, params, tags)
        if not self._database.has_details:
            batch.details = []
        write = _WRITERS[self._database.dialect].write
        for _ in range(_TRIES):
            if batch.conflict is None and self._database.raw(lambda raw: bool(write(raw, batch))):
                return
            self._explain(batch)
        # It was refused each time, and each time nothing was wrong by the time of looking.
        raise MlflowException(f"The run {run_id} was changed meanwhile; try again.", ABORTED)

    def _explain(self, batch: Batch) -> None:
        self._database.snapshot(lambda connection: explain(connection, batch))

    # --- reading -----------------------------------------------------------------------------

    def metric_history(
        self,
        run_id: str,
        key: str,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> PagedList[Metric]:
        mark = fingerprint(_NOUN, run_id, key)
        start = read_token(page_token, mark, (float, float, float, float))

        def work(connection: Connection) -> list[Any]:
            statement = _history(run_id, key, has_details=self._database.has_details)
            if start.cells:
                statement = statement.where(after([cell[1] for cell in start.cells]))
            if max_results is not None:
                statement = statement.limit(max_results + 1)
            rows = connection.execute(statement.offset(start.offset or None)).all()
            if (
                not rows
                and not connection.execute(
                    select(runs.c.run_uuid).where(runs.c.run_uuid == run_id)
                ).first()
            ):
                raise Missing(RUN, run_id)
            return list(rows)

        rows = self._database.run(work)
        token = None
        if max_results is not None and len(rows) > max_results:
            rows = rows[:max_results]
            last = rows[-1]
            place = (last.timestamp, last.step, last.value, int(last.is_nan))
            token = write_token(mark, tuple((0, cell) for cell in place))
        points = [
            Metric(
                key,
                loaded(row.value, row.is_nan, row.number),
                row.timestamp,
                row.step,
                None,
                row.dataset_name,
                row.dataset_digest,
                run_id,
            )
            for row in rows
        ]
        return PagedList(points, token)


def _history(run_id: str, key: str, *, has_details: bool) -> Any:
    point, more = metrics, metric_details
    columns = [point.c.value, point.c.timestamp, point.c.step, point.c.is_nan]
    statement: Any
    if has_details:
        statement = select(
            *columns, more.c.number, more.c.dataset_name, more.c.dataset_digest
        ).outerjoin_from(point, more, details_of(point))
    else:
        missing = ("number", "dataset_name", "dataset_digest")
        statement = select(*columns, *(null().label(name) for name in missing))
    return statement.where(point.c.run_uuid == run_id, point.c.key == key).order_by(
        point.c.timestamp, point.c.step, point.c.value, point.c.is_nan
    )


def after(place: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a point comes after a place, in the order of `_history`."""
    timestamp, step, value, is_nan = place
    point = metrics.c
    same = and_(point.timestamp == timestamp, point.step == step, point.value == value)
    return or_(
        point.timestamp > timestamp,
        and_(point.timestamp == timestamp, point.step > step),
        and_(point.timestamp == timestamp, point.step == step, point.value > value),
        and_(same, point.is_nan.is_(True)) if not is_nan else same & point.is_nan.is_(None),
    )
