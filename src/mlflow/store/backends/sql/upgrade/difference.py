"""What a table lacks, and has too much, to be as it is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import CheckConstraint, UniqueConstraint

from mlflow.store.backends.sql.revisions import (
    GONE_COLUMNS,
    GONE_INDEXES,
    GONE_UNIQUE,
    NARROWED_COLUMNS,
    RENAMED_COLUMNS,
)
from mlflow.store.backends.sql.upgrade.shape import (
    TableShape,
    is_for,
    is_wide_enough,
    key_of,
    meaning,
    of_declaration,
)

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Column, ForeignKeyConstraint, Index, Table
    from sqlalchemy.engine import Dialect


class Difference(NamedTuple):
    """What is between a table as it is and as it is declared.

    What others added to a table is in none of these: it stays.

    Args:
        table: as it is declared.
        found: as it is.
        renamed: (old, new) names of columns.
        new_columns: columns that are missing.
        changed_columns: columns that have another type or default, or may not be empty.
        gone_columns: names of columns that are no more.
        new_key: whether the primary key has other columns.
        gone_keys: names of foreign keys that are no more, or are otherwise now.
        new_keys: foreign keys that are missing.
        gone_unique: names of constraints.
        new_unique: constraints that are missing.
        gone_checks: names of checks that allow something else now.
        new_checks: checks that are missing.
        gone_indexes: names of indexes that are no more, or are otherwise now.
        new_indexes: indexes that are missing.
    """

    table: Table
    found: TableShape
    renamed: list[tuple[str, str]]
    new_columns: list[Column[Any]]
    changed_columns: list[Column[Any]]
    gone_columns: list[str]
    new_key: bool
    gone_keys: list[str | None]
    new_keys: list[ForeignKeyConstraint]
    gone_unique: list[str | None]
    new_unique: list[UniqueConstraint]
    gone_checks: list[str | None]
    new_checks: list[CheckConstraint]
    gone_indexes: list[str]
    new_indexes: list[Index]

    @property
    def is_empty(self) -> bool:
        """Whether the table is as it is declared."""
        return not any(self[2:])

    @property
    def is_deep(self) -> bool:
        """Whether more than new columns, new names and indexes is between them."""
        columns = (self.changed_columns, self.gone_columns)
        keys = (self.new_key, self.gone_keys, self.new_keys, self.gone_unique, self.new_unique)
        return any((*columns, *keys, self.gone_checks, self.new_checks))


def difference(table: Table, found: TableShape, tables: set[str], dialect: Dialect) -> Difference:
    """Return what is between a declared table and the one that a database has.

    Args:
        table: the declared one.
        found: the database's.
        tables: the names of all declared tables: foreign keys among them are ours to change.
        dialect: the database's.
    """
    name = table.name
    wanted = of_declaration(table, dialect)
    renamed = [
        (old, new)
        for (where, old), new in RENAMED_COLUMNS.items()
        if where == name and old in found.columns and new not in found.columns
    ]
    here = found.columns | {new: found.columns[old] for old, new in renamed}
    gone_indexes = [
        index
        for index, shape in found.indexes.items()
        if (name, index) in GONE_INDEXES or wanted.indexes.get(index, shape) != shape
    ]
    return Difference(
        table,
        found,
        renamed,
        [one for one in table.columns if one.name not in here],
        [
            one
            for one in table.columns
            if one.name in here
            and one.computed is None
            and not _is_as_wanted(name, one.name, here, wanted)
        ],
        [one for one in found.columns if (name, one) in GONE_COLUMNS],
        found.primary != wanted.primary,
        [
            label
            for key, label in found.foreign.items()
            if key.table in tables and key not in wanted.foreign
        ],
        [
            one
            for one in sorted(table.foreign_key_constraints, key=key_of)
            if key_of(one) not in found.foreign
        ],
        [found.unique[one] for one in found.unique if (name, one) in GONE_UNIQUE],
        [
            one
            for one in table.constraints
            if isinstance(one, UniqueConstraint)
            and tuple(one.columns.keys()) not in found.unique
        ],
        _gone_checks(found, wanted),
        [
            one
            for one in table.constraints
            if isinstance(one, CheckConstraint)
            and is_for(one, dialect)
            and meaning(str(one.sqltext), wanted.columns) not in found.checks
        ],
        gone_indexes,
        [
            one
            for one in sorted(table.indexes, key=lambda one: str(one.name))
            if str(one.name) not in found.indexes or str(one.name) in gone_indexes
        ],
    )  # fmt: skip


def _is_as_wanted(table: str, column: str, here: dict[str, Any], wanted: TableShape) -> bool:
    found, there = here[column], wanted.columns[column]
    if found.nullable != there.nullable or (
        there.default is not None and found.default != there.default
    ):
        return False
    if (table, column) in NARROWED_COLUMNS:
        return bool(found.type == there.type)
    return is_wide_enough(found.type, there.type)


def _gone_checks(found: TableShape, wanted: TableShape) -> list[str | None]:
    """Return the checks on columns that have another check now."""
    checked = {allowed.partition(":")[0] for allowed in wanted.checks}
    return [
        name
        for allowed, names in found.checks.items()
        if allowed not in wanted.checks and allowed.partition(":")[0] in checked
        for name in names
    ]
