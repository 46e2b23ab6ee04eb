"""Record what a database made by a stock MLflow looks like, as data for the schema tests.

Usage: make the database with the stock MLflow, then, with the project's own Python,
    tools/record_sql_schema.py URL > tests/store/backends/sql/recorded/schema_DIALECT.json
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import sqlalchemy

if TYPE_CHECKING:
    from sqlalchemy import Connection

OURS = "millstream_"  # tables and indexes of Millstream's own, which a comparison leaves out


def describe(connection: Connection) -> dict[str, Any]:
    """Return every table with its columns, keys, checks, indexes and triggers, to compare."""
    inspector = sqlalchemy.inspect(connection)
    tables = {
        name: _table(inspector, name)
        for name in sorted(inspector.get_table_names())
        if not name.startswith(OURS)
    }
    for (table, column), expression in _generated(connection).items():
        tables[table]["generated"] = {column: expression}
    for table, triggers in _triggers(connection).items():
        tables[table]["triggers"] = triggers
    (revision,) = connection.exec_driver_sql("SELECT version_num FROM alembic_version").one()
    return {"revision": revision, "tables": tables}


def _table(inspector: Any, name: str) -> dict[str, Any]:
    primary = inspector.get_pk_constraint(name)
    return {
        "columns": [_column(one) for one in inspector.get_columns(name)],
        "primary key": [primary["name"], primary["constrained_columns"]],
        "foreign keys": sorted(
            (_foreign_key(one) for one in inspector.get_foreign_keys(name)), key=json.dumps
        ),
        "unique": sorted(
            [one["name"], one["column_names"]] for one in inspector.get_unique_constraints(name)
        ),
        "checks": sorted(
            [one["name"] or "", one["sqltext"]] for one in inspector.get_check_constraints(name)
        ),
        "indexes": sorted(
            _index(one) for one in inspector.get_indexes(name) if not one["name"].startswith(OURS)
        ),
    }


def _column(column: dict[str, Any]) -> list[Any]:
    # The character set is the database's choice, not the schema's.
    kind = re.sub(r"(charset|collation)='\w+'(, )?", "", repr(column["type"])).replace(", )", ")")
    default = column["default"]
    return [
        column["name"],
        kind,
        bool(column["nullable"]),
        None if default is None else str(default),
    ]


def _foreign_key(key: dict[str, Any]) -> list[Any]:
    return [
        key["name"],
        key["constrained_columns"],
        key["referred_table"],
        key["referred_columns"],
        dict(sorted(key["options"].items())),
    ]


def _index(index: dict[str, Any]) -> list[Any]:
    options = {
        name: str(value)
        for name, value in sorted((index.get("dialect_options") or {}).items())
        if value
    }
    sorting = {name: list(how) for name, how in (index.get("column_sorting") or {}).items()}
    return [index["name"], index["column_names"], bool(index["unique"]), sorting, options]


def _generated(connection: Connection) -> dict[tuple[str, str], str]:
    """Return the expressions of computed columns, which columns themselves do not show."""
    inspector = sqlalchemy.inspect(connection)
    return {
        (table, column["name"]): column["computed"]["sqltext"]
        for table in inspector.get_table_names()
        for column in inspector.get_columns(table)
        if "computed" in column
    }


def _triggers(connection: Connection) -> dict[str, list[list[str]]]:
    """Return the name, time and event of the triggers, by table."""
    if connection.dialect.name == "sqlite":
        texts = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        ).scalars()
        found = [re.findall(r"\w+", text)[2:7] for text in texts]
        rows = [(table, name, time, event) for name, time, event, _, table in found]
    else:
        here = "(database())" if connection.dialect.name == "mysql" else "(current_schema())"
        found = connection.exec_driver_sql(
            "SELECT event_object_table, trigger_name, action_timing, event_manipulation "
            "FROM information_schema.triggers WHERE trigger_schema IN " + here
        )
        rows = [tuple(row) for row in found]
    return {table: sorted([*row] for of, *row in rows if of == table) for table, *_ in sorted(rows)}


def main() -> None:
    """Print the description of the database at the URL."""
    engine = sqlalchemy.create_engine(sys.argv[1])
    with engine.connect() as connection:
        found = describe(connection)
    # A line a column, key or index, so that what differs between two of MLflow's versions shows.
    print('{"revision":', json.dumps(found["revision"]) + ', "tables": {')
    tables = [
        f"{json.dumps(name)}: {{\n"
        + ",\n".join(f" {json.dumps(part)}: {_lines(what)}" for part, what in parts.items())
        + "}"
        for name, parts in found["tables"].items()
    ]
    print(",\n".join(tables) + "}}")


def _lines(part: Any) -> str:
    if not isinstance(part, list) or not part or not isinstance(part[0], list):
        return json.dumps(part)
    return "[\n  " + ",\n  ".join(json.dumps(one) for one in part) + "]"


if __name__ == "__main__":
    main()
