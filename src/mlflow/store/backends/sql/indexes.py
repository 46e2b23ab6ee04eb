"""Indexes of ours on MLflow's tables: derived, ignored by MLflow, dropped whenever one likes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import text

from mlflow.environment_variables import MILLSTREAM_SQL_INDEXES
from mlflow.exceptions import MlflowException, invalid
from mlflow.store.backends.base import ReadOnly
from mlflow.store.backends.sql.search_dialects import INDEXED
from mlflow.store.backends.sql.urls import MYSQL, POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mlflow.store.backends.sql.engine import Database

_logger = logging.getLogger(__name__)

# How every one of them, and nothing else in a database, begins.
PREFIX = "millstream_search_"
# Name: the table, and what is indexed. A server gets the beginning of values, which may be longer
# than its indexes can hold; a SQLite file gets all, so that the table need not be read.
_METRICS = ("latest_metrics", "{key}, is_nan, value, run_uuid")
_RUNS = "experiment_id, start_time DESC, {run}, lifecycle_stage"
_INDEXES: dict[str, dict[str, tuple[str, str]]] = {
    SQLITE: {
        "metrics": _METRICS,
        "params": ("params", "{key}, value, run_uuid"),
        "tags": ("tags", "{key}, value, run_uuid"),
        # With the names, which seldom change, searches by them need not read the table.
        "runs": ("runs", f"{_RUNS}, name"),
    },
    POSTGRESQL: {
        "metrics": _METRICS,
        "params": ("params", f'{{key}}, "left"(value, {INDEXED}), run_uuid'),
        "tags": ("tags", f'{{key}}, "left"(value, {INDEXED}), run_uuid'),
        "runs": ("runs", _RUNS),
    },
    MYSQL: {
        "metrics": _METRICS,
        "params": ("params", "{key}, value(100), run_uuid"),
        "tags": ("tags", "{key}, value(100), run_uuid"),
        # An index that begins with a foreign key would take the place of the key's own.
        "runs": ("runs", "lifecycle_stage, experiment_id, start_time, {run}"),
    },
}
_PRESENT = {
    SQLITE: "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND name LIKE :prefix",
    POSTGRESQL: (
        "SELECT indexname, tablename FROM pg_indexes"
        " WHERE schemaname = current_schema() AND indexname LIKE :prefix"
    ),
    MYSQL: (
        "SELECT DISTINCT index_name, table_name FROM information_schema.statistics"
        " WHERE table_schema = database() AND index_name LIKE :prefix"
    ),
}
# Estimates that cost nothing.
_SIZES = {
    SQLITE: (
        "SELECT max(rowid) FROM latest_metrics UNION ALL SELECT max(rowid) FROM params"
        " UNION ALL SELECT max(rowid) FROM tags"
    ),
    POSTGRESQL: (
        "SELECT pg_relation_size(name::regclass) / 100"
        " FROM (VALUES ('latest_metrics'), ('params'), ('tags')) AS tables (name)"
    ),
    MYSQL: (
        "SELECT table_rows FROM information_schema.tables WHERE table_schema = database()"
        " AND table_name IN ('latest_metrics', 'params', 'tags')"
    ),
}
# While an index is made nobody can write. So many rows take seconds; on a server, where others
# work too, it should be fewer.
_SMALL = {SQLITE: 5_000_000, POSTGRESQL: 1_000_000, MYSQL: 1_000_000}
_AUTO, _ALWAYS, _NEVER = "auto", "always", "never"
# How long a server waits for others before the indexes are left to another time.
_PATIENCE = {
    POSTGRESQL: ("SET LOCAL lock_timeout = '2s'", ""),
    MYSQL: ("SET SESSION lock_wait_timeout = 2", "SET SESSION lock_wait_timeout = DEFAULT"),
}


def create_indexes(connection: Connection) -> None:
    """Create those that are missing.

    Args:
        connection: of a database with MLflow's tables; on SQLite and PostgreSQL in a transaction.

    Raises:
        sqlalchemy.exc.DBAPIError: the database may not be changed, or is in use.
    """
    dialect = connection.dialect.name
    there = present(connection)
    for name, (table, columns) in _INDEXES[dialect].items():
        if PREFIX + name not in there:
            key = "`key`" if dialect == MYSQL else '"key"'
            run = 'run_uuid COLLATE "C"' if dialect == POSTGRESQL else "run_uuid"
            listed = columns.format(key=key, run=run)
            connection.exec_driver_sql(f"CREATE INDEX {PREFIX}{name} ON {table} ({listed})")


def drop_indexes(connection: Connection) -> list[str]:
    """Drop all of them, and return their names.

    Args:
        connection: of a database.
    """
    found = present(connection)
    for name, table in found.items():
        place = f" ON {table}" if connection.dialect.name == MYSQL else ""
        connection.exec_driver_sql(f"DROP INDEX {name}{place}")
    return sorted(found)


def present(connection: Connection) -> dict[str, str]:
    """Return the names of those that are there, and their tables."""
    rows = connection.execute(text(_PRESENT[connection.dialect.name]), {"prefix": f"{PREFIX}%"})
    return {name: table for name, table in rows if name.startswith(PREFIX)}


def has_indexes(connection: Connection) -> bool:
    """Tell whether all are there; of a SQLite file that is one look into its first pages."""
    return len(present(connection)) >= len(_INDEXES[connection.dialect.name])


def open_indexes(database: Database) -> None:
    """Create the indexes of a database that is opened for writing, if that is soon done.

    Without them searches are slower and nothing else; so a database that refuses is left alone.

    Args:
        database: with MLflow's tables.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE when `MILLSTREAM_SQL_INDEXES` is not one of its
            three words.
    """
    wish = MILLSTREAM_SQL_INDEXES.get()
    if wish not in (_AUTO, _ALWAYS, _NEVER):
        raise invalid(f"MILLSTREAM_SQL_INDEXES is {wish!r}; it is one of auto, always, never.")
    if wish == _NEVER or database.run(has_indexes):
        return
    small = _SMALL[database.dialect]
    if wish == _AUTO and database.run(_rows) > small:
        _logger.info(
            "The database %s has more than %d rows, and no indexes for quick searches. Making them "
            "takes a while, in which nobody can write; to do it now, open it once with "
            "MILLSTREAM_SQL_INDEXES=always.",
            database.place,
            small,
        )
        return
    try:
        database.write(_create_soon)
    except (MlflowException, ReadOnly) as error:
        _logger.debug("No indexes were made in %s: %s", database.place, error)


def _create_soon(connection: Connection) -> None:
    before, after = _PATIENCE.get(connection.dialect.name, ("", ""))
    if before:
        connection.exec_driver_sql(before)
    try:
        create_indexes(connection)
    finally:
        if after:
            connection.exec_driver_sql(after)


def _rows(connection: Connection) -> int:
    sizes = connection.exec_driver_sql(_SIZES[connection.dialect.name]).scalars()
    return int(sum(size or 0 for size in sizes))


def refresh_statistics(connection: Connection) -> None:
    """Let SQLite look again at what it has grown by, if it thinks that it should; never wait.

    Args:
        connection: one that has been used for a while.
    """
    waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    connection.exec_driver_sql("PRAGMA analysis_limit = 400")
    connection.exec_driver_sql("PRAGMA optimize")
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {waits}")
