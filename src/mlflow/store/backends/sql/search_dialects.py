"""How each database compares and orders as Python does: by code points, nothing folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import LargeBinary, String, and_, cast, func, literal, or_, true

from mlflow.store.backends.sql.urls import MYSQL, POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import ColumnElement

    Condition = ColumnElement[bool]

# A pattern beyond these is matched by Python: databases match by trying again, and the work of
# that must stay bounded.
MAX_PATTERN, MAX_WILDCARDS = 4096, 64
# So many characters of a value are in the index of a server; see `indexes`.
INDEXED = 250


class Dialect:
    """What one kind of database has of its own; texts are bound, never written into statements.

    A condition that a method returns may be NULL where the column is.

    Attributes:
        name: what SQLAlchemy calls it.
        has_nan: whether a column of numbers can hold NaN.
    """

    name: str
    has_nan = False

    def can_hold(self, text: str) -> bool:
        """Tell whether the database can store a text; one that it cannot equals nothing there."""
        return text.isascii() or _is_unicode(text)

    def bound(self, text: str) -> ColumnElement[Any]:
        """Return the parameter that `sort_key` is compared with."""
        return literal(self.storable(text), String())

    def storable(self, text: str) -> str:
        """Return a text that the database can store, the same one where it can."""
        return text.encode("utf-8", "replace").decode("utf-8")

    def equals(self, column: ColumnElement[Any], text: str, *, indexed: bool) -> Condition:
        """Return the condition that the column is this text.

        Args:
            column: the column.
            text: one that the database can hold.
            indexed: whether the column has an index of its first characters.
        """
        return column == literal(text, String())

    def among(
        self, column: ColumnElement[Any], texts: Sequence[str], *, indexed: bool
    ) -> Condition:
        """Return the condition that the column is one of these texts."""
        return column.in_(texts)

    def sort_key(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the expression that orders as Python orders the column's texts."""
        return column

    def matches(self, column: ColumnElement[Any], pattern: str) -> Condition:
        """Return the condition that a LIKE pattern matches, where `unclear` does not hold."""
        return self._exactly(column).like(pattern, escape="")

    def matches_lower(self, column: ColumnElement[Any], pattern: str) -> Condition:
        """Return the same for an ILIKE pattern, which is in lower case."""
        return func.lower(self._exactly(column)).like(pattern, escape="")

    def unclear(self, column: ColumnElement[Any], *, ignore_case: bool) -> Condition | None:
        """Return the condition that only Python can tell whether a pattern matches; None if never.

        Without case, that is so outside of ASCII: databases know other pairs of letters.
        """
        return func.octet_length(column) != func.char_length(column) if ignore_case else None

    def in_order(self, key: ColumnElement[Any], *, ascending: bool) -> list[ColumnElement[Any]]:
        """Return the terms of ORDER BY for a key that may be NULL, which comes last."""
        return [key.asc().nulls_last() if ascending else key.desc().nulls_last()]

    def apart(self, found: Condition) -> Condition:
        """Return a condition on a subquery in a form in which it stays one."""
        return found

    def _exactly(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the column compared by code points, whatever its collation."""
        return column


class PostgresDialect(Dialect):
    """PostgreSQL: equality is by bytes, order and case by the collation; there is no NUL."""

    name = POSTGRESQL
    has_nan = True

    def can_hold(self, text: str) -> bool:
        return "\0" not in text and super().can_hold(text)

    def storable(self, text: str) -> str:
        return super().storable(text).replace("\0", "?")

    def equals(self, column: ColumnElement[Any], text: str, *, indexed: bool) -> Condition:
        whole = super().equals(column, text, indexed=False)
        if not indexed:
            return whole
        return and_(func.left(column, INDEXED) == literal(text[:INDEXED], String()), whole)

    def among(
        self, column: ColumnElement[Any], texts: Sequence[str], *, indexed: bool
    ) -> Condition:
        whole = super().among(column, texts, indexed=False)
        if not indexed:
            return whole
        starts = list(dict.fromkeys(text[:INDEXED] for text in texts))
        return and_(func.left(column, INDEXED).in_(starts), whole)

    def sort_key(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return self._exactly(column)

    def _exactly(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return column.collate("C")

    def apart(self, found: Condition) -> Condition:
        # A bare IN becomes a join; a hundred take seconds to put in order.
        return found.is_(true())


class SqliteDialect(Dialect):
    """SQLite: comparisons are by code points; its patterns end at a NUL."""

    name = SQLITE

    def matches(self, column: ColumnElement[Any], pattern: str) -> Condition:
        # GLOB minds case.
        return column.op("GLOB", is_comparison=True)(literal(_glob(pattern), String()))

    def matches_lower(self, column: ColumnElement[Any], pattern: str) -> Condition:
        # LIKE folds ASCII as it goes, and so in a quarter of the time that lower() takes.
        return column.op("LIKE", is_comparison=True)(literal(pattern, String()))

    def unclear(self, column: ColumnElement[Any], *, ignore_case: bool) -> Condition | None:
        if ignore_case:
            # The number of characters ends at a NUL, that of bytes does not.
            return func.length(column) != func.length(cast(column, LargeBinary()))
        return func.instr(column, func.char(0)) > 0


class MysqlDialect(Dialect):
    """MySQL and MariaDB: collations fold case and trailing spaces, and indexes follow them.

    So an equality is asked twice: as the index answers it, which finds too much, and by bytes.
    """

    name = MYSQL

    @property
    def _characters(self) -> Any:
        # Loaded where it is used: half of SQLAlchemy's dialects come with it.
        from sqlalchemy.dialects.mysql import CHAR

        return CHAR(charset="utf8mb4")

    def bound(self, text: str) -> ColumnElement[Any]:
        return literal(self.storable(text).encode(), LargeBinary())

    def equals(self, column: ColumnElement[Any], text: str, *, indexed: bool) -> Condition:
        return and_(
            super().equals(column, text, indexed=False), self.sort_key(column) == self.bound(text)
        )

    def among(
        self, column: ColumnElement[Any], texts: Sequence[str], *, indexed: bool
    ) -> Condition:
        exact = self.sort_key(column).in_([text.encode() for text in texts])
        return and_(super().among(column, texts, indexed=False), exact)

    def sort_key(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(cast(column, self._characters), LargeBinary())

    def in_order(self, key: ColumnElement[Any], *, ascending: bool) -> list[ColumnElement[Any]]:
        # NULL is the smallest.
        return [key.is_(None), key.asc()] if ascending else [key.desc()]

    def apart(self, found: Condition) -> Condition:
        # A bare one becomes joins, and the time to choose an order of joins doubles with each: a
        # dozen take hours, before a row is read.
        return found.is_(true())

    def unclear(self, column: ColumnElement[Any], *, ignore_case: bool) -> Condition | None:
        return super().unclear(cast(column, self._characters), ignore_case=ignore_case)

    def _exactly(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(column, self._characters).collate("utf8mb4_bin")


DIALECTS: dict[str, Dialect] = {
    one.name: one for one in (SqliteDialect(), PostgresDialect(), MysqlDialect())
}


def is_simple(pattern: str) -> bool:
    """Tell whether a pattern may be left to the database."""
    return len(pattern) <= MAX_PATTERN and pattern.count("%") <= MAX_WILDCARDS


def either(condition: Condition, other: Condition | None) -> Condition:
    """Return the condition that one of two holds, or the first when there is no other."""
    return condition if other is None else or_(condition, other)


def _is_unicode(text: str) -> bool:
    """Tell whether a text has no lone surrogates, which UTF-8 cannot say."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _glob(pattern: str) -> str:
    """Return a LIKE pattern in the signs of GLOB."""
    return "".join(_GLOB.get(character, character) for character in pattern)


_GLOB = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
