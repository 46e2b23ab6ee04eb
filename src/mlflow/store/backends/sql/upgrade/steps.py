"""The steps of an upgrade: in which order tables are changed, and how each dialect says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Column, MetaData
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable
from sqlalchemy.types import UserDefinedType

from mlflow.store.backends.sql.tables import metadata
from mlflow.store.backends.sql.upgrade.shape import plain_type
from mlflow.store.backends.sql.urls import MYSQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from sqlalchemy import Connection, Table
    from sqlalchemy.engine import Dialect
    from sqlalchemy.schema import ExecutableDDLElement

    from mlflow.store.backends.sql.upgrade.difference import Difference

# What a table is called while it is being rebuilt.
_NEW = "millstream_new_"


class Step(NamedTuple):
    """One step.

    Args:
        text: what it does, for people.
        statements: what is sent, in order.
        work: what else is done, with what the statements cannot say.
    """

    text: str
    statements: tuple[str, ...] = ()
    work: Callable[[Connection], None] | None = None


class _Raw(UserDefinedType[str]):
    """A type by its name in the database."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


def on_server(
    missing: list[Table], different: list[Difference], data: list[Step], dialect: Dialect
) -> list[Step]:
    """Return the steps on PostgreSQL and MySQL.

    Keys between tables go first and come last, so that what they refer to can change. Each step
    leaves what the next look at the database finds done.

    Args:
        missing: tables to make, in the order of their keys.
        different: what is to be changed in the tables that are there.
        data: what is done with the rows, when all columns, old and new, are there.
        dialect: the database's.
    """
    say = _Sayings(dialect)
    alter = say.alter
    steps = _creates(
        missing, [say(CreateTable(one, include_foreign_key_constraints=[])) for one in missing], say
    )
    for one in different:
        steps += _renames(one, say)
    for one in different:
        if one.gone_keys:
            word = "DROP FOREIGN KEY" if dialect.name == MYSQL else "DROP CONSTRAINT"
            clauses = [f"{word} {say.quote(str(name))}" for name in one.gone_keys]
            steps.append(Step(f"{one.table.name}: drop keys", (alter(one.table, clauses),)))
    for one in different:
        clauses = say.gone(one) + say.columns(one) + (say.primary(one) if one.new_key else [])
        drops = [say.drop_index(one.table, name) for name in one.gone_indexes]
        if clauses or drops:
            statements = (*drops, alter(one.table, clauses)) if clauses else tuple(drops)
            steps.append(Step(f"{one.table.name}: {_words(one)}", statements))
    steps += data
    for one in different:
        if one.gone_columns:
            clauses = [f"DROP COLUMN {say.quote(name)}" for name in one.gone_columns]
            names = ", ".join(one.gone_columns)
            steps.append(Step(f"{one.table.name}: drop {names}", (alter(one.table, clauses),)))
    for one in different:
        added = [say.add(constraint) for constraint in (*one.new_unique, *one.new_checks)]
        added += [say(CreateIndex(index)) for index in one.new_indexes]
        if added:
            steps.append(Step(f"{one.table.name}: add checks and indexes", tuple(added)))
    keys = [
        (table.name, sorted(table.foreign_key_constraints, key=lambda key: str(key.name)))
        for table in missing
    ]
    keys += [(one.table.name, one.new_keys) for one in different]
    steps += [
        Step(f"{name}: add keys", tuple(map(say.add, constraints)))
        for name, constraints in keys
        if constraints
    ]
    return steps


def on_sqlite(
    missing: list[Table],
    different: list[Difference],
    data: list[Step],
    connection: Connection,
) -> list[Step]:
    """Return the steps on SQLite, which alters little: other tables are made anew and filled.

    Args:
        missing: as in `on_server`.
        different: the same.
        data: the same.
        connection: of the database.
    """
    say = _Sayings(connection.dialect)
    steps = _creates(missing, [say(CreateTable(one)) for one in missing], say)
    for one in different:
        steps += _renames(one, say)
        added = [say.alter(one.table, [clause]) for clause in say.new_columns(one)]
        if added:
            names = ", ".join(column.name for column in one.new_columns)
            steps.append(Step(f"{one.table.name}: add {names}", tuple(added)))
    steps += data
    for one in different:
        if one.is_deep:
            statements = tuple(_rebuild(one, say, connection))
            words = _words(one._replace(new_columns=[]))
            steps.append(Step(f"{one.table.name}: rebuild ({words})", statements))
        elif one.gone_indexes or one.new_indexes:
            drops = [say.drop_index(one.table, name) for name in one.gone_indexes]
            adds = [say(CreateIndex(index)) for index in one.new_indexes]
            steps.append(Step(f"{one.table.name}: change indexes", (*drops, *adds)))
    return steps


def _creates(missing: list[Table], statements: list[str], say: _Sayings) -> list[Step]:
    if not missing:
        return []
    names = ", ".join(table.name for table in missing)
    indexes = [statement for table in missing for statement in say.indexes(table)]
    return [Step(f"create the tables {names}", (*statements, *indexes))]


def _renames(one: Difference, say: _Sayings) -> list[Step]:
    return [
        Step(
            f"{one.table.name}: rename {old} to {new}",
            (say.alter(one.table, [f"RENAME COLUMN {say.quote(old)} TO {say.quote(new)}"]),),
        )
        for old, new in one.renamed
    ]


def _words(one: Difference) -> str:
    """Return what is between a table and its declaration, in short."""
    words = []
    if one.new_columns:
        words.append("add " + ", ".join(column.name for column in one.new_columns))
    if one.changed_columns:
        words.append("widen " + ", ".join(column.name for column in one.changed_columns))
    if one.gone_columns:
        words.append("drop " + ", ".join(one.gone_columns))
    if one.new_key:
        words.append("change the primary key")
    if one.gone_unique or one.gone_checks or one.gone_indexes or one.gone_keys:
        words.append("drop old checks, keys and indexes")
    if one.new_unique or one.new_checks or one.new_keys:
        words.append("add checks and keys")
    return "; ".join(words)


def _rebuild(one: Difference, say: _Sayings, connection: Connection) -> Iterable[str]:
    """Yield what makes a table of SQLite anew, with what others added to it.

    Columns of others are kept, as are their indexes and the triggers.
    """
    table = one.table
    declared = set(table.columns.keys())
    leaving = {*one.gone_columns, *(old for old, _ in one.renamed)}
    extra = [name for name in one.found.columns if name not in declared | leaving]
    copy = MetaData()
    for other in metadata.tables.values():
        other.to_metadata(copy)
    new = table.to_metadata(copy, name=_NEW + table.name)
    for name in extra:
        shape = one.found.columns[name]
        default = shape.default
        kind = _Raw(shape.type)
        new.append_column(Column(name, kind, nullable=shape.nullable, server_default=default))
    names = [column.name for column in new.columns if column.computed is None]
    columns = ", ".join(map(say.quote, names))
    old_name, new_name = say.quote(table.name), say.quote(new.name)
    yield say(CreateTable(new))
    yield f"INSERT INTO {new_name} ({columns}) SELECT {columns} FROM {old_name}"  # noqa: S608 - quoted
    yield f"DROP TABLE {old_name}"
    yield f"ALTER TABLE {new_name} RENAME TO {old_name}"
    yield from say.indexes(table)
    ours = {str(index.name) for index in table.indexes} | set(one.gone_indexes)
    rows = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger') "
        "AND sql IS NOT NULL ORDER BY name",
        (table.name,),
    )
    yield from [sql for name, sql in rows if name not in ours]


class _Sayings:
    """How a dialect says things.

    Args:
        dialect: which.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        nothing: Any = None
        self._compiler: Any = dialect.ddl_compiler(dialect, nothing)
        self.quote = dialect.identifier_preparer.quote

    def __call__(self, element: ExecutableDDLElement) -> str:
        return str(element.compile(dialect=self._dialect)).strip()

    def indexes(self, table: Table) -> list[str]:
        found = sorted(table.indexes, key=lambda index: str(index.name))
        return [self(CreateIndex(index)) for index in found]

    def add(self, constraint: Any) -> str:
        return self(AddConstraint(constraint, isolate_from_table=False))

    def alter(self, table: Table, clauses: list[str]) -> str:
        return f"ALTER TABLE {self.quote(table.name)} {', '.join(clauses)}"

    def drop_index(self, table: Table, name: str) -> str:
        where = f" ON {self.quote(table.name)}" if self._dialect.name == MYSQL else ""
        return f"DROP INDEX {self.quote(name)}{where}"

    def gone(self, one: Difference) -> list[str]:
        """Return the clauses that drop unique constraints and checks."""
        word = "INDEX" if self._dialect.name == MYSQL else "CONSTRAINT"
        clauses = [f"DROP {word} {self.quote(str(name))}" for name in one.gone_unique]
        return clauses + [f"DROP CONSTRAINT {self.quote(str(name))}" for name in one.gone_checks]

    def _specification(self, column: Column[Any]) -> str:
        return str(self._compiler.get_column_specification(column))

    def new_columns(self, one: Difference) -> list[str]:
        return [f"ADD COLUMN {self._specification(column)}" for column in one.new_columns]

    def columns(self, one: Difference) -> list[str]:
        """Return the clauses that add and change columns."""
        clauses = self.new_columns(one)
        for column in one.changed_columns:
            if self._dialect.name == MYSQL:
                clauses.append(f"MODIFY COLUMN {self._specification(column)}")
            else:
                clauses += self._changes(one, column)
        return clauses

    def _changes(self, one: Difference, column: Column[Any]) -> list[str]:
        found = one.found.columns[column.name]
        alter = f"ALTER COLUMN {self.quote(column.name)}"
        kind = column.type.compile(self._dialect)
        clauses = []
        if plain_type(kind, self._dialect) != found.type:
            clauses.append(f"{alter} TYPE {kind}")
        if column.nullable != found.nullable:
            clauses.append(f"{alter} {'DROP' if column.nullable else 'SET'} NOT NULL")
        default = self._compiler.get_column_default_string(column)
        if default is not None:
            clauses.append(f"{alter} SET DEFAULT {default}")
        return clauses

    def primary(self, one: Difference) -> list[str]:
        """Return the clauses that change the primary key."""
        key = one.table.primary_key
        columns = ", ".join(map(self.quote, key.columns.keys()))
        if self._dialect.name == MYSQL:
            return ["DROP PRIMARY KEY", f"ADD PRIMARY KEY ({columns})"]
        return [
            f"DROP CONSTRAINT {self.quote(str(one.found.primary_name))}",
            f"ADD CONSTRAINT {self.quote(str(key.name))} PRIMARY KEY ({columns})",
        ]
