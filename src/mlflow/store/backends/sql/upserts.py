"""Insert or replace, in each dialect's words."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from mlflow.store.backends.sql.urls import MYSQL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection, Table


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    replaced: tuple[str, ...] = (),
) -> None:
    """Insert rows; of one whose primary key is there, replace some columns.

    Args:
        connection: of the database.
        table: where.
        rows: by column, all with the same columns; their order is the order of locks.
        replaced: the columns that take the new row's values; none leaves the old row alone.
    """
    if rows:
        connection.execute(_statement(connection.dialect.name, table, replaced), list(rows))


@cache
def _statement(dialect: str, table: Table, replaced: tuple[str, ...]) -> Any:
    # Only the dialect that is used is loaded.
    statement = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    if dialect == MYSQL:
        # Without columns to replace, one is set to what it is: `IGNORE` would hide other errors.
        kept = next(iter(table.primary_key.columns))
        return statement.on_duplicate_key_update(
            {name: statement.inserted[name] for name in replaced} or {kept.name: kept}
        )
    keys = [column.name for column in table.primary_key.columns]
    if not replaced:
        return statement.on_conflict_do_nothing(index_elements=keys)
    values = {name: statement.excluded[name] for name in replaced}
    return statement.on_conflict_do_update(index_elements=keys, set_=values)
