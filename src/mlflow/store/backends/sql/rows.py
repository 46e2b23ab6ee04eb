"""Rows copied from database to database as they are, table by table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import JSON, Integer, MetaData, Table, func, inspect, select, tuple_

from mlflow.store.backends.sql import tables_gateway, tables_traces
from mlflow.store.backends.sql.tables import alembic_version, metadata
from mlflow.store.backends.sql.tables_own import own
from mlflow.store.backends.sql.upserts import upsert
from mlflow.store.backends.sql.urls import POSTGRESQL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection

    from mlflow.store.backends.sql.engine import Database

    Row = dict[str, Any]

_BATCH = 500
# What is derived from other rows, and what only servers that are running know.
_TRANSIENT = frozenset({
    "job_locks", "scheduler_leases", "sql_assessment_daily_rollups", "sql_span_cost_daily_rollups",
    "sql_trace_metric_daily_rollups", "sql_trace_rollup_rebuild_queue",
})  # fmt: skip


def copy_rest(source: Database, target: Database) -> None:
    """Copy traces and what belongs to them, the gateway's things, jobs and webhooks.

    Rows whose key is there already stay as they are, so this can be repeated.

    Args:
        source: where they are.
        target: where the experiments and runs that they name are already.

    Raises:
        MlflowException: what a database refused, such as a row of an experiment that is not there.
    """
    declared = [*vars(tables_traces).values(), *vars(tables_gateway).values()]
    wanted = {one.name for one in declared if isinstance(one, Table)} - _TRANSIENT
    for table in _tables(wanted):
        last: Row | None = None
        while rows := source.run(partial(_batch, table, last)):
            target.write(partial(_add, table, rows))
            last = rows[-1]


def copy_all(source: Database, target: Database) -> int:
    """Copy all rows of all tables to a database that has just been made.

    What is read is what the source held at one moment, whatever is written to it meanwhile.

    Args:
        source: where they are.
        target: a database with the schema and nothing but what it was born with.

    Returns:
        How many rows.

    Raises:
        MlflowException: what a database refused; then nothing was copied.
    """
    names = set(metadata.tables) - {alembic_version.name}
    # Tables that are not MLflow's may be missing.
    names |= set(own.tables) & source.run(_table_names) & target.run(_table_names)

    def work(written: Connection) -> int:
        tables = _tables(names)
        for table in reversed(tables):
            written.execute(table.delete())
        count = source.snapshot(partial(_copy, tables, written))
        if written.dialect.name == POSTGRESQL:
            _count_on(written, tables)
        return count

    return target.write(work)


def _table_names(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


def _copy(tables: list[Table], written: Connection, read: Connection) -> int:
    count = 0
    for table in tables:
        last: Row | None = None
        while rows := _batch(table, last, read):
            written.execute(table.insert(), rows)
            count += len(rows)
            last = rows[-1]
    return count


def _count_on(written: Connection, tables: list[Table]) -> None:
    """Have PostgreSQL give out numbers that come after those that were copied."""
    for table in tables:
        key = list(table.primary_key.columns)
        if len(key) == 1 and isinstance(key[0].type, Integer):
            counter = func.pg_get_serial_sequence(table.name, key[0].name)
            largest = written.execute(select(func.max(key[0]))).scalar()
            if largest:
                written.execute(select(func.setval(counter, largest)))


def _add(table: Table, rows: Sequence[Row], connection: Connection) -> None:
    upsert(connection, table, rows)


def _tables(wanted: set[str]) -> list[Table]:
    """Return tables by name, those that others refer to first."""
    copy = MetaData()
    for table in (*metadata.tables.values(), *own.tables.values()):
        table.to_metadata(copy)
    chosen = [table for table in copy.sorted_tables if table.name in wanted]
    for table in chosen:
        for column in table.columns:
            if isinstance(column.type, JSON):
                # Nothing stays nothing, which is not the `null` of JSON.
                column.type = JSON(none_as_null=True)
    return chosen


def _batch(table: Table, last: Row | None, connection: Connection) -> list[Row]:
    """Return the rows of a table that follow one, in order of their keys."""
    key = list(table.primary_key.columns)
    columns = [column for column in table.columns if column.computed is None]
    wanted = select(*columns).order_by(*key).limit(_BATCH)
    if last is not None:
        wanted = wanted.where(tuple_(*key) > tuple(last[column.name] for column in key))
    return [dict(row) for row in connection.execute(wanted).mappings()]
