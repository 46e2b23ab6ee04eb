"""The upgrade of a database: recognised, locked, copied where it is a file, and changed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from mlflow.exceptions import INVALID_STATE, MlflowException
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.revisions import OLDEST_TABLES, REVISIONS
from mlflow.store.backends.sql.schema import (
    LOCK,
    MAKING,
    all_tables,
    lock_name,
    prepare,
    revision_of,
)
from mlflow.store.backends.sql.snapshots import copy_file
from mlflow.store.backends.sql.tables import HEAD, alembic_version, metadata
from mlflow.store.backends.sql.triggers import TRIGGER, create_trigger, has_trigger
from mlflow.store.backends.sql.upgrade import shape
from mlflow.store.backends.sql.upgrade.data import moves_since
from mlflow.store.backends.sql.upgrade.difference import difference
from mlflow.store.backends.sql.upgrade.steps import Step, on_server, on_sqlite
from mlflow.store.backends.sql.urls import MEMORY, MYSQL, POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    Tell = Callable[[str], None]

# Seconds that an upgrade waits for another one, or for programs that use the tables.
_PATIENCE = 60


def upgrade(uri: str, artifact_root: str, tell: Tell, *, dry_run: bool = False) -> None:
    """Bring a database to the schema of this version; do nothing where it is there.

    On SQLite and PostgreSQL all of it is one transaction. MySQL has none for tables: there an
    upgrade that was interrupted goes on where it was when it is started again. A SQLite file is
    copied first, beside itself. Two upgrades of one database come one after the other.

    Args:
        uri: the database.
        artifact_root: where the artifacts of an empty database's default experiment go.
        tell: told what is done, a line at a time.
        dry_run: tell what would be done, with the statements, and change nothing.

    Raises:
        MlflowException: INVALID_STATE when it is no database of MLflow's, or of an MLflow that is
            newer; it is as it was. Also what the database refused; then it is as it was, too, or
            (on MySQL) the upgrade can be started again.
    """
    database = Database(uri)
    try:
        path = _path_of(database)
        missing = path is not None and not os.path.exists(path)
        if missing or database.run(_is_empty):
            tell(f"The database {database.place} is empty: the schema of this version is made.")
            if not dry_run:
                prepare(database, artifact_root)
            return
        work = {SQLITE: _on_sqlite, POSTGRESQL: _on_postgresql, MYSQL: _on_mysql}[database.dialect]
        database.run(lambda connection: work(connection, database, tell, dry_run))
    finally:
        database.close()


def _path_of(database: Database) -> str | None:
    """Return the path of a SQLite file; None for other databases."""
    if database.dialect != SQLITE or database.url.database in MEMORY:
        return None
    return str(database.url.database)


def _is_empty(connection: Connection) -> bool:
    present = set(inspect(connection).get_table_names())
    return revision_of(connection) == MAKING or not present - {alembic_version.name}


def recognised(connection: Connection, place: str) -> str | None:
    """Return the revision of a database; None for the tables of MLflow 0.9.

    Raises:
        MlflowException: INVALID_STATE when it is none that can be brought up to date.
    """
    revision = revision_of(connection)
    if revision in REVISIONS:
        return revision
    if revision is not None:
        raise MlflowException(
            f"The database {place} has the schema revision '{revision}', which is none of "
            "MLflow's up to the one that this version knows: it belongs to another program, or to "
            "a newer MLflow. It was not touched.",
            INVALID_STATE,
        )
    present = set(inspect(connection).get_table_names())
    if not present >= OLDEST_TABLES or not _is_oldest(connection):
        names = ", ".join(sorted(present)[:5])
        raise MlflowException(
            f"The database {place} has tables ({names}) but no revision of MLflow's schema: it "
            "belongs to another program. It was not touched.",
            INVALID_STATE,
        )
    return None


def _is_oldest(connection: Connection) -> bool:
    found = inspect(connection).get_multi_columns(filter_names=sorted(OLDEST_TABLES))
    columns = {(table, one["name"]) for (_, table), some in found.items() for one in some}
    tables = [metadata.tables[name] for name in OLDEST_TABLES]
    later = {"step", "is_nan", "deleted_time", "creation_time", "last_update_time", "workspace"}
    return all(
        (table.name, column) in columns
        for table in tables
        for column in set(table.c.keys()) - later
    )


def plan(connection: Connection, revision: str | None) -> list[Step]:
    """Return the steps from a database as it is to the schema of this version.

    Args:
        connection: of the database.
        revision: which one it has.
    """
    dialect = connection.dialect
    wanted = all_tables()
    found = shape.of_database(connection, wanted.tables)
    names = set(wanted.tables)
    missing = [table for table in wanted.sorted_tables if table.name not in found]
    different = [
        difference(table, found[table.name], names, dialect)
        for table in wanted.sorted_tables
        if table.name in found
    ]
    changes = [one for one in different if not one.is_empty]
    moves = moves_since(revision)
    if dialect.name == SQLITE:
        steps = on_sqlite(missing, changes, moves, connection)
    else:
        steps = on_server(missing, changes, moves, dialect)
    if not has_trigger(connection):
        steps.append(Step(f"create the trigger {TRIGGER}", work=create_trigger))
    verb = (
        "INSERT INTO alembic_version (version_num) VALUES"
        if revision is None
        else ("UPDATE alembic_version SET version_num =")
    )
    value = f"('{HEAD}')" if revision is None else f"'{HEAD}'"
    return [*steps, Step(f"note the revision {HEAD}", (f"{verb} {value}",))]


# --- each database -------------------------------------------------------------------------------


def _on_sqlite(connection: Connection, database: Database, tell: Tell, dry_run: bool) -> None:
    # Tables are made anew: their keys must not be looked at meanwhile, nor follow new names.
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {_PATIENCE * 1000}")
    # One writer at a time: nobody else writes, nor upgrades, from here to the end.
    connection.exec_driver_sql("BEGIN" if dry_run else "BEGIN IMMEDIATE")

    def before(revision: str | None) -> None:
        path = _path_of(database)
        if path is not None:
            tell(f"The database was copied to {_back_up(path, revision)}")

    _in_transaction(connection, database, tell, dry_run, before)


def _back_up(path: str, revision: str | None) -> str:
    """Copy a SQLite file beside itself; return the path of the copy."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    base = f"{path}.{revision or 'without-revision'}.{stamp}"
    for number in range(100):
        copy = f"{base}.{number}.bak" if number else f"{base}.bak"
        try:
            copy_file(path, copy)
        except FileExistsError:
            continue
        return copy
    raise MlflowException(f"There are too many copies named {base}.*", INVALID_STATE)


def _on_postgresql(connection: Connection, database: Database, tell: Tell, dry_run: bool) -> None:
    connection.exec_driver_sql("BEGIN")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}s'")
    _in_transaction(
        connection,
        database,
        tell,
        dry_run,
        lambda _: None,
        lambda: connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})"),
    )


def _in_transaction(
    connection: Connection,
    database: Database,
    tell: Tell,
    dry_run: bool,
    before: Callable[[str | None], None],
    lock: Callable[[], object] = lambda: None,
) -> None:
    """Do all of it in the transaction that was begun, or nothing."""
    try:
        lock()
        _go(connection, database, tell, dry_run, before)
    except BaseException:
        if database.dialect != SQLITE or connection.connection.in_transaction:
            connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("ROLLBACK" if dry_run else "COMMIT")


def _on_mysql(connection: Connection, database: Database, tell: Tell, dry_run: bool) -> None:
    name = lock_name(connection)
    connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {_PATIENCE}")
    taken = connection.exec_driver_sql("SELECT GET_LOCK(%s, %s)", (name, _PATIENCE)).scalar()
    if not taken:
        raise MlflowException(
            f"Another upgrade of the database {database.place} is running. Try again when it ended.",
            INVALID_STATE,
        )
    try:
        _go(connection, database, tell, dry_run, lambda _: None)
    finally:
        connection.exec_driver_sql("SELECT RELEASE_LOCK(%s)", (name,)).all()


def _go(
    connection: Connection,
    database: Database,
    tell: Tell,
    dry_run: bool,
    before: Callable[[str | None], None],
) -> None:
    """Bring the database up to date; the caller holds its lock."""
    revision = recognised(connection, database.place)
    if revision == HEAD:
        tell(f"The database {database.place} is up to date (revision {HEAD}).")
        return
    steps = plan(connection, revision)
    tell(f"From revision {revision or 'none (MLflow 0.9)'} to {HEAD}: {len(steps)} steps.")
    if dry_run:
        for step in steps:
            tell(f"would {step.text}" if step.work else step.text)
            for statement in step.statements:
                tell("    " + " ".join(statement.split()))
        tell("Nothing was changed.")
        return
    before(revision)
    for number, step in enumerate(steps, 1):
        tell(f"[{number}/{len(steps)}] {step.text}")
        for statement in step.statements:
            connection.exec_driver_sql(statement)
        if step.work is not None:
            step.work(connection)
    tell(f"The database {database.place} has the schema of this version.")
