"""Conditions on one searched value, and its place in an order, for each type of column."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Float,
    String,
    and_,
    bindparam,
    case,
    cast,
    false,
    literal,
    not_,
    or_,
    true,
)

from mlflow.search.match import condition
from mlflow.store.backends.sql.experiments import number_of
from mlflow.store.backends.sql.search_dialects import either, is_simple
from mlflow.store.backends.sql.values import LARGEST, loaded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement

    from mlflow.store.backends.sql.search_dialects import Dialect

    Condition = ColumnElement[bool]

# SQLite binds 32 766 values in a statement, PostgreSQL 65 535.
MAX_BOUND = 30_000
_WHOLE = (-(2**63), 2**63 - 1)


class Rules:
    """What the conditions of one statement share.

    Args:
        dialect: of the database.

    Attributes:
        exact: whether the statement finds just the rows of the search. If not, it finds more,
            and Python has the last word on each.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.exact = True
        self._bound = 0

    def may_bind(self, count: int) -> bool:
        """Tell whether the statement has room for so many values, and take it."""
        if self._bound + count > MAX_BOUND:
            return False
        self._bound += count
        return True

    def unknown(self, *, over: bool) -> Condition:
        """Return what stands for a condition that only Python can tell."""
        self.exact = False
        return true() if over else false()


class Field:
    """A value that conditions and orders are about.

    Args:
        column: the expression of the value.
        nullable: whether it may be NULL; the thing is then missing.
    """

    def __init__(self, column: ColumnElement[Any], *, nullable: bool = False) -> None:
        self.column = column
        self.nullable = nullable

    def holds(self, rules: Rules, op: str, wanted: Any, *, over: bool = True) -> Condition:
        """Return the condition that an operator holds; NULL or false where the value is NULL.

        Args:
            rules: of the statement.
            op: an operator other than IS [NOT] NULL.
            wanted: the right side.
            over: what to do where the database cannot tell: True finds too much, False too little.
        """
        raise NotImplementedError

    def sort_key(self, rules: Rules) -> ColumnElement[Any]:
        """Return the expression whose order is the value's."""
        return self.column

    def bound(self, rules: Rules, cell: Any) -> ColumnElement[Any]:
        """Return the parameter for the value of a page token, comparable with `sort_key`."""
        raise NotImplementedError

    def cell(self, found: Any) -> Any:
        """Return the value that a page token has, from the value of the column."""
        return found


class TextField(Field):
    """A column of text.

    Args:
        column: the column.
        nullable: as in `Field`.
        indexed: whether an index of ours has its first characters.
    """

    def __init__(
        self, column: ColumnElement[Any], *, nullable: bool = False, indexed: bool = False
    ) -> None:
        super().__init__(column, nullable=nullable)
        self._indexed = indexed

    def holds(self, rules: Rules, op: str, wanted: Any, *, over: bool = True) -> Condition:
        if op.endswith("LIKE"):
            return self._like(rules, op, wanted, over=over)
        texts = [wanted] if isinstance(wanted, str) else list(dict.fromkeys(wanted))
        texts = [text for text in texts if rules.dialect.can_hold(text)]
        negative = op in ("!=", "NOT IN")
        if not texts:
            return true() if negative else false()
        if len(texts) == 1:
            found = rules.dialect.equals(self.column, texts[0], indexed=self._indexed)
        elif rules.may_bind(2 * len(texts)):
            found = rules.dialect.among(self.column, texts, indexed=self._indexed)
        else:
            return rules.unknown(over=over)
        return not_(found) if negative else found

    def _like(self, rules: Rules, op: str, pattern: str, *, over: bool) -> Condition:
        dialect, negative, fold = rules.dialect, op.startswith("NOT"), op.endswith("ILIKE")
        pattern = re.sub("%+", "%", pattern.lower() if fold else pattern)
        if not dialect.can_hold(pattern):
            # It asks for a character that no value there has.
            return true() if negative else false()
        if "\0" in pattern or not is_simple(pattern):
            return rules.unknown(over=over)
        matches = dialect.matches_lower if fold else dialect.matches
        found = matches(self.column, pattern)
        found = not_(found) if negative else found
        unclear = dialect.unclear(self.column, ignore_case=fold)
        if unclear is None:
            return found
        rules.exact = False
        return either(found, unclear) if over else and_(found, not_(unclear))

    def sort_key(self, rules: Rules) -> ColumnElement[Any]:
        return rules.dialect.sort_key(self.column)

    def bound(self, rules: Rules, cell: Any) -> ColumnElement[Any]:
        return rules.dialect.bound(cell)


class WholeField(Field):
    """A column of whole numbers."""

    def holds(self, rules: Rules, op: str, wanted: Any, *, over: bool = True) -> Condition:
        negative = op in ("!=", "NOT IN", "NOT BETWEEN")
        if op.endswith("IN"):
            found = self._among(rules, wanted)
        else:
            low, high = _interval(op, wanted)
            found = self._between(low, high)
        if found is None:
            return rules.unknown(over=over)
        return not_(found) if negative else found

    def _among(self, rules: Rules, wanted: Sequence[float]) -> Condition | None:
        numbers = {int(one) for one in wanted if one == one // 1 and _WHOLE[0] <= one <= _WHOLE[1]}
        if not numbers:
            return false()
        if not rules.may_bind(len(numbers)):
            return None
        return self.column.in_(_list(sorted(numbers), BigInteger()))

    def _between(self, low: int, high: int) -> Condition:
        if low > high or low > _WHOLE[1] or high < _WHOLE[0]:
            return false()
        if low == high:
            return self.column == _whole(low)
        parts = []
        if low > _WHOLE[0]:
            parts.append(self.column >= _whole(low))
        if high < _WHOLE[1]:
            parts.append(self.column <= _whole(high))
        return and_(true(), *parts)

    def bound(self, rules: Rules, cell: Any) -> ColumnElement[Any]:
        return _whole(int(min(max(cell, _WHOLE[0]), _WHOLE[1])))


class RealField(Field):
    """A column of floating-point numbers.

    Args:
        column: the column.
        nan: the condition that the value is NaN, whatever the column says then; None when the
            column is then NULL.
    """

    def __init__(self, column: ColumnElement[Any], nan: Condition | None = None) -> None:
        super().__init__(column)
        self._flag = nan
        self.nan: Condition = column.is_(None) if nan is None else nan

    def holds(self, rules: Rules, op: str, wanted: Any, *, over: bool = True) -> Condition:
        numbers = wanted if isinstance(wanted, tuple) else (wanted,)
        if not rules.may_bind(len(numbers)):
            return rules.unknown(over=over)
        negative = op in ("!=", "NOT IN")
        plain = all(abs(one) < LARGEST for one in numbers)
        found: Condition
        if op.endswith("IN"):
            finite = sorted({one for one in numbers if abs(one) < LARGEST})
            found = self.column.in_(_list(finite, Float(53))) if finite else false()
        elif op == "BETWEEN":
            found = and_(self._one(">=", numbers[0]), self._one("<=", numbers[1]))
        elif op == "NOT BETWEEN":
            found = or_(self._one("<", numbers[0]), self._one(">", numbers[1]))
        else:
            found = self._one("=" if negative else op, numbers[0])
        # Of all operators only these two hold for NaN.
        if negative:
            found = or_(self.nan, not_(found))
        elif self._flag is not None or not plain:
            found = and_(not_(self.nan), found)
        if plain:
            return found
        # The column does not tell an infinity from the largest number; the thing itself does.
        rules.exact = False
        unclear = or_(self.column >= _real(LARGEST), self.column <= _real(-LARGEST))
        return or_(found, unclear) if over else and_(found, not_(unclear))

    def _one(self, op: str, wanted: float) -> Condition:
        """Return one comparison of numbers that are not the largest."""
        if abs(wanted) < LARGEST:
            return self.column.op(op, is_comparison=True)(_real(wanted))
        return true() if condition(op, wanted)(0.0) else false()

    def bound(self, rules: Rules, cell: Any) -> ColumnElement[Any]:
        return _real(float(min(max(cell, -LARGEST), LARGEST)))

    def cell(self, found: Any) -> Any:
        return loaded(float(found), is_nan=False)


class NumberedField(Field):
    """Text that the database keeps as a number.

    Args:
        column: the column of numbers.
        names: each number that means something, and its text.
    """

    def __init__(self, column: ColumnElement[Any], names: Mapping[int, str]) -> None:
        super().__init__(column)
        self._names = names

    def holds(self, rules: Rules, op: str, wanted: Any, *, over: bool = True) -> Condition:
        test = condition(op, wanted)
        numbers = [number for number, name in self._names.items() if test(name)]
        return self.column.in_(_list(numbers, BigInteger()))

    def sort_key(self, rules: Rules) -> ColumnElement[Any]:
        ordered = sorted(self._names, key=lambda number: self._names[number])
        return case(
            {number: place for place, number in enumerate(ordered)},
            value=self.column,
            else_=len(ordered),
        )

    def bound(self, rules: Rules, cell: Any) -> ColumnElement[Any]:
        return _whole(sum(name < cell for name in self._names.values()))

    def cell(self, found: Any) -> Any:
        return self._names[found]


class IdField(Field):
    """A number that counts as text, as ids of experiments do; they order as numbers."""

    def holds(self, rules: Rules, op: str, wanted: Any, *, over: bool = True) -> Condition:
        if op.endswith("LIKE"):
            return TextField(cast(self.column, String())).holds(rules, op, wanted, over=over)
        texts = [wanted] if isinstance(wanted, str) else wanted
        known = [number_of(text, rules.dialect.name) for text in texts]
        numbers = tuple(number for number in known if number >= 0)
        return WholeField(self.column).holds(
            rules, "NOT IN" if op in ("!=", "NOT IN") else "IN", numbers, over=over
        )

    def bound(self, rules: Rules, cell: Any) -> ColumnElement[Any]:
        number = int(cell) if cell.isdecimal() and cell.isascii() and len(cell) <= 20 else 0
        return WholeField(self.column).bound(rules, number)

    def cell(self, found: Any) -> Any:
        # As `order_text` of the matcher.
        return str(found).zfill(20)


def _interval(op: str, wanted: Any) -> tuple[int, int]:
    """Return the smallest and the largest whole number for which an operator holds.

    Of the negative operators it is those for which they do not hold.
    """
    least, most = _WHOLE
    if op.endswith("BETWEEN"):
        return _up(wanted[0]), _down(wanted[1])
    if op == "<":
        return least, _up(wanted) - 1
    if op == "<=":
        return least, _down(wanted)
    if op == ">":
        return _down(wanted) + 1, most
    if op == ">=":
        return _up(wanted), most
    return _up(wanted), _down(wanted)


def _up(number: float) -> int:
    # Far outside of what columns hold, numbers need not be told apart; an infinity has no ceiling.
    return math.ceil(min(max(number, -(2.0**70)), 2.0**70))


def _down(number: float) -> int:
    return math.floor(min(max(number, -(2.0**70)), 2.0**70))


def _whole(number: int) -> ColumnElement[Any]:
    return literal(number, BigInteger())


def _real(number: float) -> ColumnElement[Any]:
    return literal(number, Float(53))


def _list(numbers: Sequence[float], type_: Any) -> Any:
    return bindparam(None, numbers, type_, expanding=True, unique=True)
