"""Turns a filter into a condition on the rows of a noun's table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Boolean, and_, false, func, literal, not_, or_, select, true
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from mlflow.search.nodes import NULL_OPS, And, Compare, Not
from mlflow.store.backends.sql.search_fields import RealField
from mlflow.store.backends.sql.search_subjects import aggregate_of, datasets_of, model_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, FromClause

    from mlflow.search.nodes import Filter
    from mlflow.store.backends.sql.search_fields import Rules
    from mlflow.store.backends.sql.search_subjects import Anchor, Subject

    Condition = ColumnElement[bool]

# SQLite takes a long chain for a deep one, and can neither read nor keep what is very deep.
_CHAIN = 16
_DEEPEST = 16
# How many conditions on keys a database may turn into joins. Choosing an order of joins takes
# PostgreSQL three seconds for eighty, and more than a minute for twice as many.
_JOINS = 8
_PLUS: custom_op[Any] = custom_op("+")


class Group:
    """Conditions on one key, all of which must hold; a thing has one value of it at most.

    Args:
        kind: as in `Compare`.
        key: as in `Compare`.
        parts: the conditions; none of them IS NULL.
    """

    __slots__ = ("key", "kind", "parts")

    def __init__(self, kind: str, key: str, parts: Sequence[Compare]) -> None:
        self.kind = kind
        self.key = key
        self.parts = tuple(parts)

    @property
    def target(self) -> tuple[str, str]:
        """What it is about."""
        return (self.kind, self.key)


def split(where: Filter | None, subject: Subject) -> tuple[list[Group], list[Filter]]:
    """Return what all rows of a search must satisfy: the groups, and whatever else there is."""
    terms = [] if where is None else _all_of(where)
    groups: dict[tuple[str, str], list[Compare]] = {}
    others: list[Filter] = []
    for term in terms:
        if (
            isinstance(term, Compare)
            and term.kind in subject.sides
            and term.op != "IS NULL"
            and term.aggregate is None
        ):
            groups.setdefault((term.kind, term.key), []).append(term)
        else:
            others.append(term)
    return [Group(kind, key, parts) for (kind, key), parts in groups.items()], others


def _all_of(where: Filter) -> list[Filter]:
    return (
        [part for term in where.terms for part in _all_of(term)]
        if isinstance(where, And)
        else [where]
    )


class Conditions:
    """The conditions of one statement.

    Args:
        subject: the noun.
        rules: of the statement.
        anchor: the thing that the conditions are about.
    """

    def __init__(self, subject: Subject, rules: Rules, anchor: Anchor) -> None:
        self._subject = subject
        self._rules = rules
        self._anchor = anchor

    def of(self, where: Filter, *, over: bool = True, depth: int = 0) -> Condition:
        """Return a filter as a condition that is true or false, never NULL.

        Args:
            where: the filter.
            over: where the database cannot tell: True finds too much, False too little.
            depth: in how many others it lies.
        """
        if isinstance(where, Compare):
            return self._comparison(where, over=over)
        if depth == _DEEPEST:
            return self._rules.unknown(over=over)
        depth += 1
        if isinstance(where, Not):
            return not_(self.of(where.term, over=not over, depth=depth))
        if not isinstance(where, And):
            parts = [self.of(term, over=over, depth=depth) for term in where.terms]
            return _chain(parts, "OR")
        groups, others = split(where, self._subject)
        parts = [self.apart(self.group(one, over=over), at) for at, one in enumerate(groups)]
        parts += [self.of(term, over=over, depth=depth) for term in others]
        return _chain(parts, "AND")

    def group(self, group: Group, *, over: bool = True) -> Condition:
        """Return the condition that a thing has a key whose value satisfies a group."""
        side = self._subject.sides[group.kind]
        rows = side.rows("filtered")
        found = select(literal(1)).where(
            self.rows_of(group, rows, over=over), side.linked(rows, self._anchor)
        )
        return found.correlate_except(rows).exists()

    def listed(self, group: Group) -> Condition:
        """Return the same as `group`, asked by a list of all things for which it is so.

        Args:
            group: of a noun whose identity is one column.
        """
        ((name, column),) = self._anchor.items()
        rows = self._subject.sides[group.kind].rows("listed")
        found = select(rows.c[name]).where(self.rows_of(group, rows)).correlate_except(rows)
        # With the sign, SQLite does not take the list for a way into the table, which costs more.
        return UnaryExpression(column, operator=_PLUS).in_(found)

    def apart(self, condition: Condition, place: int) -> Condition:
        """Return a condition on a key so that a database works it out by itself, from the ninth on.

        Args:
            condition: one of several that must hold.
            place: which of them.
        """
        return condition.is_(true()) if place >= _JOINS else condition

    def rows_of(self, group: Group, rows: FromClause, *, over: bool = True) -> Condition:
        """Return the condition that rows of a side table satisfy a group."""
        side = self._subject.sides[group.kind]
        field = side.field(rows)
        holds = [
            field.holds(self._rules, part.op, part.value, over=over)
            for part in group.parts
            if part.op not in NULL_OPS
        ]
        return and_(side.of_key(rows, self._rules.dialect, group.key), *holds)

    def _comparison(self, where: Compare, *, over: bool) -> Condition:
        if where.kind == "attribute":
            return self._attribute(where, over=over)
        if where.op == "IS NULL":
            present = Compare(
                where.kind, where.key, "IS NOT NULL", None,
                aggregate=where.aggregate, scope=where.scope,
            )  # fmt: skip
            return not_(self._comparison(present, over=not over))
        if where.aggregate:
            return self._aggregate(where, over=over)
        if where.kind in self._subject.sides:
            return self.group(Group(where.kind, where.key, [where]), over=over)
        if where.kind == "dataset":
            found, field = datasets_of(self._anchor, where.key, self._rules.dialect)
            if where.op not in NULL_OPS:
                found = found.where(field.holds(self._rules, where.op, where.value, over=over))
            return self._rules.dialect.apart(found.exists())
        rows = model_metrics(where.key, where.scope, self._rules.dialect, one=False)
        latest = select(rows.c.model_id).where(rows.c.place == 1)
        if where.op not in NULL_OPS:
            field = RealField(rows.c.value)
            latest = latest.where(field.holds(self._rules, where.op, where.value, over=over))
        return self._rules.dialect.apart(self._anchor["model_id"].in_(latest))

    def _attribute(self, where: Compare, *, over: bool) -> Condition:
        field = self._subject.attributes[where.key]
        if where.op in NULL_OPS:
            if not field.nullable:
                return true() if where.op == "IS NOT NULL" else false()
            return field.column.is_(None) if where.op == "IS NULL" else field.column.is_not(None)
        holds = field.holds(self._rules, where.op, where.value, over=over)
        return and_(field.column.is_not(None), holds) if field.nullable else holds

    def _aggregate(self, where: Compare, *, over: bool) -> Condition:
        aggregate = str(where.aggregate)
        field, there = aggregate_of(self._anchor, where.key, aggregate, self._rules.dialect)
        if where.op in NULL_OPS:
            return there
        holds = field.holds(self._rules, where.op, where.value, over=over)
        return and_(there, func.coalesce(holds, false(), type_=Boolean()))


def _chain(parts: list[Condition], joint: str) -> Condition:
    """Return parts joined by AND or OR, as a tree that is nowhere deep."""
    while len(parts) > _CHAIN:
        parts = [_pair(parts[at : at + 2], joint) for at in range(0, len(parts), 2)]
    return and_(*parts) if joint == "AND" else or_(*parts)


def _pair(parts: list[Condition], joint: str) -> Condition:
    first, *rest = parts
    # As an operator of its own, for which parentheses are written.
    return first.op(joint, return_type=Boolean())(rest[0]) if rest else first
