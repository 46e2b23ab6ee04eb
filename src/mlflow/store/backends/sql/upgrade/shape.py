"""The shape of tables in words that compare: as a database has them, and as they are declared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKeyConstraint,
    Table,
    UniqueConstraint,
    inspect,
)

from mlflow.store.backends.sql.urls import MYSQL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from sqlalchemy.engine import Dialect

_SAME_TYPE = {
    "FLOAT(53)": "DOUBLE",
    "DOUBLE PRECISION": "DOUBLE",
    "BOOL": "BOOLEAN",
    "TINYINT": "BOOLEAN",
}
# MySQL shows a width that means nothing; MariaDB keeps JSON as long text.
_SAME_ON_MYSQL = {"JSON": "LONGTEXT"}
_SAME_ON_POSTGRESQL = {"FLOAT": "DOUBLE"}
_TEXTS = ("VARCHAR", "TEXT", "MEDIUMTEXT", "LONGTEXT")


class ColumnShape(NamedTuple):
    """A column: its type, whether it may be empty, and what it is when nothing is said."""

    type: str
    nullable: bool
    default: str | None


class KeyShape(NamedTuple):
    """A foreign key: its columns, what they refer to, and what follows from changes there."""

    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]
    on_delete: str
    on_update: str


class TableShape(NamedTuple):
    """A table.

    Args:
        columns: by name.
        primary: the columns of the primary key.
        primary_name: its name, where the database keeps one.
        foreign: names of foreign keys (or None), by what they are.
        unique: names of unique constraints (or None), by columns.
        checks: names of checks (or None), by what they allow.
        indexes: (columns, whether unique) by name.
    """

    columns: dict[str, ColumnShape]
    primary: tuple[str, ...]
    primary_name: str | None
    foreign: dict[KeyShape, str | None]
    unique: dict[tuple[str, ...], str | None]
    checks: dict[str, list[str | None]]
    indexes: dict[str, tuple[tuple[str, ...], bool]]


def of_database(connection: Connection, names: Iterable[str]) -> dict[str, TableShape]:
    """Return the shapes of those of the named tables that a database has."""
    inspector = inspect(connection)
    wanted = sorted(set(names) & set(inspector.get_table_names()))
    columns = inspector.get_multi_columns(filter_names=wanted)
    primary = inspector.get_multi_pk_constraint(filter_names=wanted)
    foreign = inspector.get_multi_foreign_keys(filter_names=wanted)
    unique = inspector.get_multi_unique_constraints(filter_names=wanted)
    checks = inspector.get_multi_check_constraints(filter_names=wanted)
    indexes = inspector.get_multi_indexes(filter_names=wanted)
    dialect = connection.dialect
    shapes = {}
    for name in wanted:
        key = (None, name)
        kept = {one["name"]: _column(one, dialect) for one in columns[key]}
        unique_names = {one["name"] for one in unique.get(key, ())}
        shapes[name] = TableShape(
            kept,
            tuple(primary[key]["constrained_columns"]),
            primary[key]["name"],
            {_key(one): one["name"] for one in foreign.get(key, ())},
            {tuple(one["column_names"]): one["name"] for one in unique.get(key, ())},
            _checks(checks.get(key, ()), kept),
            {
                str(one["name"]): (tuple(map(str, one["column_names"])), bool(one["unique"]))
                for one in indexes.get(key, ())
                if one["name"] not in unique_names or not one.get("duplicates_constraint")
            },
        )
    return shapes


def of_declaration(table: Table, dialect: Dialect) -> TableShape:
    """Return the shape that a declared table has in a database of a dialect."""
    columns = {
        one.name: ColumnShape(
            plain_type(one.type.compile(dialect), dialect), bool(one.nullable), _declared(one)
        )
        for one in table.columns
    }
    foreign = {key_of(one): _name(one) for one in table.foreign_key_constraints}
    unique: dict[tuple[str, ...], str | None] = {}
    checks: dict[str, list[str | None]] = {}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            unique[tuple(constraint.columns.keys())] = _name(constraint)
        elif isinstance(constraint, CheckConstraint) and is_for(constraint, dialect):
            allowed = meaning(str(constraint.sqltext), columns)
            checks.setdefault(allowed, []).append(_name(constraint))
    indexes = {
        str(one.name): (tuple(map(_indexed, one.expressions)), bool(one.unique))
        for one in table.indexes
    }
    primary = tuple(table.primary_key.columns.keys())
    return TableShape(columns, primary, _name(table.primary_key), foreign, unique, checks, indexes)


def key_of(constraint: ForeignKeyConstraint) -> KeyShape:
    """Return what a declared foreign key is."""
    return KeyShape(
        tuple(constraint.column_keys),
        constraint.referred_table.name,
        tuple(element.column.name for element in constraint.elements),
        (constraint.ondelete or "").upper(),
        (constraint.onupdate or "").upper(),
    )


def is_for(constraint: CheckConstraint, dialect: Dialect) -> bool:
    """Tell whether a constraint belongs to the tables of a dialect, as `create_all` does."""
    nothing: Any = None
    return bool(constraint._should_create_for_compiler(dialect.ddl_compiler(dialect, nothing)))


def _indexed(expression: Any) -> str:
    # A column that is sorted downwards is declared by words.
    return str(getattr(expression, "name", expression)).removesuffix(" DESC")


def _name(constraint: Any) -> str | None:
    return None if constraint.name is None else str(constraint.name)


def _column(found: Mapping[str, Any], dialect: Dialect) -> ColumnShape:
    kind = plain_type(found["type"].compile(dialect), dialect)
    return ColumnShape(kind, bool(found["nullable"]), _plain_default(found["default"]))


def _declared(column: Column[Any]) -> str | None:
    default = getattr(column.server_default, "arg", None)
    if default is None:
        return None
    return _plain_default(default if isinstance(default, str) else str(default.compile()))


def plain_type(text: str, dialect: Dialect) -> str:
    """Return the name of a type without what databases add to it."""
    plain = re.sub(r" (CHARACTER SET|COLLATE) \S+", "", text.upper())
    if dialect.name == MYSQL:
        plain = re.sub(r"^(TINYINT|INTEGER|BIGINT|INT)\(\d+\)", r"\1", plain)
    plain = _SAME_TYPE.get(plain, plain)
    same = {MYSQL: _SAME_ON_MYSQL, "postgresql": _SAME_ON_POSTGRESQL}.get(dialect.name, {})
    return same.get(plain, plain)


def _plain_default(text: str | None) -> str | None:
    """Return a default without quotes, casts and the sequence behind an id."""
    if text is None or text.startswith("nextval("):
        return None
    plain = re.sub(r"::[\w ]+$", "", text.strip("()")).strip("'")
    return {"false": "0", "true": "1"}.get(plain.lower(), plain)


def _key(found: Mapping[str, Any]) -> KeyShape:
    options = found["options"]
    return KeyShape(
        tuple(found["constrained_columns"]),
        found["referred_table"],
        tuple(found["referred_columns"]),
        _action(options.get("ondelete")),
        _action(options.get("onupdate")),
    )


def _action(text: str | None) -> str:
    plain = (text or "").upper()
    return "" if plain in ("NO ACTION", "RESTRICT") else plain


def _checks(found: Iterable[Any], columns: Mapping[str, object]) -> dict[str, list[str | None]]:
    checks: dict[str, list[str | None]] = {}
    for one in found:
        checks.setdefault(meaning(one["sqltext"], columns), []).append(one["name"])
    return checks


def meaning(text: str, columns: Mapping[str, object]) -> str:
    """Return what a check allows, however a database writes it: columns and values, sorted.

    Args:
        text: the condition, such as `status IN ('FAILED', 'FINISHED')`.
        columns: the columns of the table, by name.
    """
    values = re.findall(r"'([^']*)'", text)
    rest = re.sub(r"'[^']*'|::[\w ]+(\[\])?", " ", text)
    words = re.findall(r"\w+", rest)
    named = sorted({word for word in words if word in columns})
    values += [word for word in words if word.isdigit()]
    if not named or not values:
        return text
    return f"{', '.join(named)}: {', '.join(sorted(set(values)))}"


def is_wide_enough(found: str, wanted: str) -> bool:
    """Tell whether a column of one type holds everything that one of another type does."""
    if found == wanted:
        return True
    here, there = _width(found), _width(wanted)
    return here is not None and there is not None and here >= there


def _width(kind: str) -> tuple[int, int] | None:
    name, _, size = kind.partition("(")
    if name not in _TEXTS:
        return None
    return _TEXTS.index(name), int(size.rstrip(")") or 0) if size else 0
