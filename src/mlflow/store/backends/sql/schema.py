"""A database's schema: made in an empty database, recognised in another, else refused."""

from __future__ import annotations

import contextlib
import time
import warnings
from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import Table, inspect, select
from sqlalchemy.exc import DBAPIError

from mlflow.exceptions import INVALID_STATE, MlflowException
from mlflow.store.backends.base import ReadOnly
from mlflow.store.backends.sql import tables
from mlflow.store.backends.sql.connections import is_remote
from mlflow.store.backends.sql.revisions import REVISIONS
from mlflow.store.backends.sql.tables import HEAD, alembic_version, experiments, metadata
from mlflow.store.backends.sql.tables_own import own
from mlflow.store.backends.sql.triggers import create_trigger
from mlflow.store.backends.sql.urls import MYSQL, POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

    from mlflow.store.backends.sql.engine import Database

# What is in a database.
READY, EMPTY, NEWER = "ready", "empty", "newer"
# What the revision is while tables are being made, where that is no transaction.
MAKING = "millstream: being created"
# A number that processes making the tables of one PostgreSQL database agree on.
LOCK = 0x6D6C666C6F77
_LOCK_NAME = "millstream schema"

# Modules that declare tables, beside the one that every store uses. Importing them takes as long as
# a whole run, so it is done for making a database only.
_OTHER_TABLES = (
    "mlflow.store.backends.sql.tables_traces",
    "mlflow.store.backends.sql.tables_gateway",
)


def check_schema(connection: Connection, place: str) -> str:
    """Tell what is in a database.

    Args:
        connection: of the database.
        place: its address without password, for messages.

    Returns:
        `READY`: the schema is there. `EMPTY`: nothing is, and it can be made. `NEWER`: the schema
        of an MLflow that came later, in which everything that is read here is where it is today.

    Raises:
        MlflowException: INVALID_STATE when what is there is older, or not MLflow's.
    """
    revision = revision_of(connection)
    if revision == HEAD:
        return READY
    if revision == MAKING:
        return EMPTY
    if revision in REVISIONS:
        raise MlflowException(
            f"The database {place} has the schema of an older MLflow (revision '{revision}'; this "
            f"version works with '{HEAD}'). Bring it up to date with `mlflow db upgrade {place}`; "
            "`--dry-run` shows what that does.",
            INVALID_STATE,
        )
    if revision is not None:
        if _can_be_read(connection):
            return NEWER
        raise MlflowException(
            f"The database {place} has the schema revision '{revision}', which is no MLflow's up "
            "to the one that this version knows: it belongs to another program, or to an MLflow "
            "that came much later. It was not touched. Name another database, or use that MLflow.",
            INVALID_STATE,
        )
    present = set(inspect(connection).get_table_names()) - {alembic_version.name}
    strange = present if connection.dialect.name == SQLITE else present & set(all_tables().tables)
    if strange:
        names = ", ".join(sorted(strange)[:5])
        raise MlflowException(
            f"The database {place} has tables ({names}) but no revision of MLflow's schema: it "
            "belongs to another program, or to an MLflow before 1.0. It was not touched. Name "
            f"another database, or try `mlflow db upgrade {place}`.",
            INVALID_STATE,
        )
    return EMPTY


def revision_of(connection: Connection) -> str | None:
    """Return the revision that a database says its schema has; None when it says nothing."""
    if not inspect(connection).has_table(alembic_version.name):
        return None
    found = connection.execute(select(alembic_version.c.version_num)).scalars().all()
    return ", ".join(sorted(found)) or None


def _can_be_read(connection: Connection) -> bool:
    """Tell whether all columns are there that stores read."""
    kept = [one for one in vars(tables).values() if isinstance(one, Table)]
    found = inspect(connection).get_multi_columns(filter_names=[table.name for table in kept])
    present = {(table, column["name"]) for (_, table), some in found.items() for column in some}
    return all((column.table.name, column.name) in present for t in kept for column in t.columns)


def prepare(database: Database, artifact_root: str) -> None:
    """Make the schema in an empty database; do nothing where it is there.

    Args:
        database: where.
        artifact_root: the URI below which the default experiment keeps its artifacts.

    Raises:
        MlflowException: as `check_schema`.
    """
    place = database.place
    there = database.run(lambda connection: check_schema(connection, place))
    if there == NEWER:
        _open_newer(database)
        return
    if database.dialect == SQLITE and not is_remote(database.url):
        database.run(_use_wal)
    if there == READY:
        _add_own(database)
        return

    if database.dialect == MYSQL:
        database.run(lambda connection: _make_without_transaction(connection, place, artifact_root))
        return

    def make(connection: Connection) -> None:
        if database.dialect == POSTGRESQL:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        if check_schema(connection, place) == EMPTY:
            _make(connection, artifact_root)

    database.write(make)


def _open_newer(database: Database) -> None:
    database.has_details = database.run(_has_own)
    database.only_read()
    warnings.warn(
        f"The database {database.place} was made by an MLflow that is newer than the schema this "
        "version knows. It can be read, and not written.",
        stacklevel=2,
    )


def _use_wal(connection: Connection) -> None:
    # In this mode readers and a writer do not wait for each other, and a commit is one write. A
    # file that is read-only or in use stays as it is, which is slower and no less safe.
    with contextlib.suppress(DBAPIError):
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def _has_own(connection: Connection) -> bool:
    return set(own.tables) <= set(inspect(connection).get_table_names())


def _add_own(database: Database) -> None:
    """Add the tables that are not MLflow's to a database that MLflow made."""

    def add(connection: Connection) -> None:
        if database.dialect == POSTGRESQL:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        own.create_all(connection)

    if database.run(_has_own):
        return
    try:
        database.write(add)
    except (MlflowException, ReadOnly):
        # Whoever may only read gets what MLflow's tables hold.
        database.has_details = database.run(_has_own)


def all_tables() -> MetaData:
    """Return the declarations of all of MLflow's tables."""
    for name in _OTHER_TABLES:
        import_module(name)
    return metadata


def _make(connection: Connection, artifact_root: str) -> None:
    all_tables().create_all(connection)
    create_trigger(connection)
    own.create_all(connection)
    _fill(connection, artifact_root)
    connection.execute(alembic_version.delete())
    connection.execute(alembic_version.insert().values(version_num=HEAD))


def _fill(connection: Connection, artifact_root: str) -> None:
    now = time.time_ns() // 1_000_000
    workspaces = metadata.tables["workspaces"]
    if not connection.execute(select(workspaces.c.name)).first():
        words = "The workspace of everything that names none"
        connection.execute(workspaces.insert().values(name="default", description=words))
    if not connection.execute(select(experiments.c.experiment_id)).first():
        connection.execute(
            experiments.insert().values(
                experiment_id=0,
                name="Default",
                artifact_location=f"{artifact_root}/0",
                lifecycle_stage="active",
                creation_time=now,
                last_update_time=now,
            )
        )


def lock_name(connection: Connection) -> str:
    """Return the name of the lock that makers and changers of one MySQL schema agree on."""
    return f"{_LOCK_NAME} {connection.engine.url.database}"[:64]


def _make_without_transaction(connection: Connection, place: str, artifact_root: str) -> None:
    # MySQL commits each table by itself. A mark that no MLflow takes for a revision is there
    # until all are made, so that whoever finds the database half made goes on making it.
    name = lock_name(connection)
    connection.exec_driver_sql("SELECT GET_LOCK(%s, 120)", (name,)).all()
    try:
        if check_schema(connection, place) == READY:
            return
        alembic_version.create(connection, checkfirst=True)
        if revision_of(connection) is None:
            connection.execute(alembic_version.insert().values(version_num=MAKING))
        _make(connection, artifact_root)
    finally:
        connection.exec_driver_sql("SELECT RELEASE_LOCK(%s)", (name,)).all()
