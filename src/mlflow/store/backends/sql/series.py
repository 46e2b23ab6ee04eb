"""What was added to a series since it was last read, whoever wrote it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from mlflow.store.backends.base import RUN, Backend, Missing
from mlflow.store.backends.sql.metrics import after
from mlflow.store.backends.sql.tables import metrics, runs
from mlflow.store.backends.sql.tables_own import metric_details
from mlflow.store.backends.sql.urls import MEMORY, SQLITE
from mlflow.store.backends.sql.values import LARGEST, loaded
from mlflow.store.series.columns import Growth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from mlflow.store.backends.sql.engine import Database
    from mlflow.store.series.columns import Row

# Rows are only ever added, with numbers that rise, and go with their run. So a row that still has
# its number says that what came before it is as it was; `VACUUM` may give rows other numbers, and
# then this one has lost its own.
_LAST = (
    "SELECT rowid, key, timestamp, step, value, is_nan FROM metrics "
    "WHERE run_uuid = ? ORDER BY rowid DESC LIMIT 1"
)
_SAME = (
    "SELECT rowid, key, timestamp, step, value, is_nan FROM metrics "
    "WHERE run_uuid = ? AND rowid = ?"
)
_PLAIN = f"NOT is_nan AND value > {-LARGEST!r} AND value < {LARGEST!r}"
_ROWS = (
    "SELECT step, timestamp, value{more} FROM metrics "
    "WHERE run_uuid = ? AND rowid > ? AND key = ? AND {condition}"
)
_ADDED = _ROWS.format(more="", condition=_PLAIN)
_ADDED_ODD = _ROWS.format(more=", is_nan", condition=f"NOT ({_PLAIN})")


class SqlSeries(Backend):
    """The part that reads series for charts."""

    _database: Database

    @property
    def place(self) -> str | None:
        url = self._database.url
        if self._database.dialect != SQLITE:
            return self._database.place
        return None if url.database in MEMORY else os.path.realpath(str(url.database))

    def series_since(self, run_id: str, key: str, mark: bytes) -> Growth:
        seen = json.loads(mark) if mark else None
        look = _by_number if self._database.dialect == SQLITE else _by_count
        has_details = self._database.has_details

        def work(connection: Connection) -> Growth:
            found, rows, is_whole = look(connection, run_id, key, seen)
            if (
                found is None
                and not connection.execute(
                    select(runs.c.run_uuid).where(runs.c.run_uuid == run_id)
                ).first()
            ):
                raise Missing(RUN, run_id)
            if rows and has_details:
                rows = _with_numbers(connection, run_id, key, rows)
            return Growth(rows, b"" if found is None else json.dumps(found).encode(), is_whole)

        return self._database.snapshot(work)


def _by_number(
    connection: Connection, run_id: str, key: str, seen: list[Any] | None
) -> tuple[list[Any] | None, Sequence[Row], bool]:
    """Return (mark, rows, whether all) on SQLite, where rows are numbered as they come."""
    # The driver's tuples are used as they are: a long series has a million.
    execute = connection.connection.driver_connection.execute  # type: ignore[union-attr]
    last = execute(_LAST, (run_id,)).fetchone()
    if last is None:
        return None, [], True
    is_whole = seen is None or list(execute(_SAME, (run_id, seen[0])).fetchone() or ()) != seen
    given = (run_id, -1 if seen is None or is_whole else seen[0], key)
    rows = execute(_ADDED, given).fetchall()
    rows += [(row[0], row[1], loaded(row[2], row[3])) for row in execute(_ADDED_ODD, given)]
    return list(last), rows, is_whole


def _by_count(
    connection: Connection, run_id: str, key: str, seen: list[Any] | None
) -> tuple[list[Any] | None, Sequence[Row], bool]:
    """Return (mark, rows, whether all) where rows have no numbers: counting tells of late ones."""
    point = metrics.c
    of_series = (point.run_uuid == run_id, point.key == key)
    count = connection.execute(select(func.count()).where(*of_series)).scalar_one()
    if not count:
        return None, [], True
    columns = (point.timestamp, point.step, point.value, point.is_nan)
    order = select(*columns).where(*of_series).order_by(*columns)
    if seen is not None:
        rows = connection.execute(order.where(after(seen[1]))).all()
        if seen[0] + len(rows) == count:
            place = list(rows[-1]) if rows else seen[1]
            return [count, place], _loaded(rows), False
    rows = connection.execute(order).all()
    return [count, list(rows[-1])], _loaded(rows), True


def _loaded(rows: Sequence[Any]) -> Sequence[Row]:
    return [(step, time, loaded(value, is_nan)) for time, step, value, is_nan in rows]


def _with_numbers(
    connection: Connection, run_id: str, key: str, rows: Sequence[Row]
) -> Sequence[Row]:
    """Return rows with the numbers that MLflow's columns cannot hold."""
    more = metric_details.c
    found = connection.execute(
        select(more.step, more.timestamp, more.value, more.is_nan, more.number).where(
            more.run_uuid == run_id, more.key == key, more.number.is_not(None)
        )
    ).all()
    exact = {
        (step, time, loaded(value, nan)): float(text) for step, time, value, nan, text in found
    }
    if not exact:
        return rows
    return [(row[0], row[1], exact.get(row, row[2])) for row in rows]
