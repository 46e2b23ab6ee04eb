"""The care of databases that stores are kept in: bringing them up to date, taking ours out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import inspect

from mlflow.exceptions import invalid, not_found, without_password
from mlflow.store import locate
from mlflow.store.backends.sql.backend import DEFAULT_ARTIFACT_ROOT
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.indexes import drop_indexes
from mlflow.store.backends.sql.tables_own import own
from mlflow.store.backends.sql.upgrade import upgrading
from mlflow.store.backends.sql.urls import SQLITE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

DATABASES = "mlflow.store.backends.sql:SqlBackend"


def upgrade(uri: str, tell: Callable[[str], None], *, dry_run: bool = False) -> None:
    """Bring a database to the schema of this version.

    Args:
        uri: its address, as in a tracking URI.
        tell: told what is done, a line at a time.
        dry_run: tell what would be done, and change nothing.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what is no database; otherwise as
            `upgrading.upgrade`.
    """
    _check(uri)
    upgrading.upgrade(uri, os.path.abspath(DEFAULT_ARTIFACT_ROOT), tell, dry_run=dry_run)


def strip(uri: str, *, everything: bool = False) -> tuple[list[str], list[str]]:
    """Drop what this program adds to MLflow's schema.

    That is indexes, which are derived, and tables of what MLflow's have no place for: the datasets
    of metrics and numbers that its columns cannot hold. Indexes and tables are made again when the
    database is next opened for writing, unless `MILLSTREAM_SQL_INDEXES=never` says otherwise of
    indexes; what the tables held is gone.

    Args:
        uri: the address of the database, as in a tracking URI.
        everything: drop the tables too. Programs that have the database open would miss them.

    Returns:
        The names of the indexes and tables that were dropped, and of the tables that stay.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what is no database; RESOURCE_DOES_NOT_EXIST
            for a file that is not there; what the database refuses.
    """
    _check(uri)
    database = Database(uri)
    path = database.url.database
    if database.dialect == SQLITE and not (path and os.path.isfile(path)):
        raise not_found(f"There is no database at {path!r}.")

    def work(connection: Connection) -> tuple[list[str], list[str]]:
        dropped = drop_indexes(connection)
        tables = sorted(set(own.tables) & set(inspect(connection).get_table_names()))
        if not everything:
            return dropped, tables
        own.drop_all(connection)
        return dropped + tables, []

    try:
        return database.write(work)
    finally:
        database.close()


def _check(uri: str) -> None:
    if locate.BACKENDS.get(locate.scheme_of(uri)) != DATABASES:
        raise invalid(
            f"{without_password(uri)!r} is no database. Write its address as in a tracking URI, such as "
            "sqlite:///mlflow.db."
        )
