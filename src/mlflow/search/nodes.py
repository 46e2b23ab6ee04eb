"""The parsed form of a search: conditions joined by And, Or and Not, and the terms of an order."""

from __future__ import annotations

# A condition never holds where its left side is missing, except IS NULL: `params.a != 'x'` and
# `params.a NOT LIKE 'x'` ask for a param `a`. `Not` is the complement of a set of rows, so
# `NOT params.a = 'x'` holds for rows without the param too.
EQUAL, UNEQUAL = "=", "!="
ORDER_OPS = (">", ">=", "<", "<=")
LIKE_OPS = ("LIKE", "ILIKE", "NOT LIKE", "NOT ILIKE")
LIST_OPS = ("IN", "NOT IN")
RANGE_OPS = ("BETWEEN", "NOT BETWEEN")
NULL_OPS = ("IS NULL", "IS NOT NULL")

# What an aggregate is taken over: the distinct (timestamp, step, value) points of one series.
AGGREGATES = ("min", "max", "first", "last", "count", "mean")

Number = int | float
Value = str | int | float | tuple[str, ...] | tuple[Number, ...] | None
# (name, digest) of a dataset; the digest may be left open.
Scope = tuple[str, str | None]


class Compare:
    """One condition: the thing named by `kind` and `key`, an operator, a value.

    Args:
        kind: `attribute`, `metric`, `param`, `tag` or `dataset`.
        key: the canonical attribute name, or the key as the user gave it.
        op: one of the operators above, in capitals.
        value: text, a number, a tuple of them for IN and (low, high) for BETWEEN, or None.
        aggregate: of a metric: which aggregate of its history; None is the latest value.
        scope: of a metric of a logged model: the datasets one of which it must belong to.
    """

    __slots__ = ("aggregate", "key", "kind", "op", "scope", "value")

    def __init__(
        self,
        kind: str,
        key: str,
        op: str,
        value: Value,
        *,
        aggregate: str | None = None,
        scope: tuple[Scope, ...] | None = None,
    ) -> None:
        self.kind = kind
        self.key = key
        self.op = op
        self.value = value
        self.aggregate = aggregate
        self.scope = scope

    def _fields(self) -> tuple[object, ...]:
        return (self.kind, self.key, self.op, self.value, self.aggregate, self.scope)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Compare) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        # Also what page tokens are bound to, so every field is in it; repr tells 1 from 1.0.
        return f"Compare{self._fields()!r}"


class _Join:
    __slots__ = ("terms",)

    def __init__(self, terms: tuple[Filter, ...]) -> None:
        self.terms = terms

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.terms == getattr(other, "terms", None)

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.terms))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.terms!r})"


class And(_Join):
    """All of `terms` hold."""

    __slots__ = ()


class Or(_Join):
    """At least one of `terms` holds."""

    __slots__ = ()


class Not:
    """`term` does not hold."""

    __slots__ = ("term",)

    def __init__(self, term: Filter) -> None:
        self.term = term

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Not) and self.term == other.term

    def __hash__(self) -> int:
        return hash(("Not", self.term))

    def __repr__(self) -> str:
        return f"Not({self.term!r})"


Filter = Compare | And | Or | Not


class OrderTerm:
    """One key of an order; missing values come last, NaN just before them, in both directions.

    Args:
        kind: `attribute`, `metric`, `param` or `tag`.
        key: the canonical attribute name, or the key as the user gave it.
        ascending: the direction.
        aggregate: of a metric: which aggregate of its history; None is the latest value.
        scope: of a metric of a logged model: the dataset it must belong to.
    """

    __slots__ = ("aggregate", "ascending", "key", "kind", "scope")

    def __init__(
        self,
        kind: str,
        key: str,
        ascending: bool = True,
        *,
        aggregate: str | None = None,
        scope: tuple[Scope, ...] | None = None,
    ) -> None:
        self.kind = kind
        self.key = key
        self.ascending = ascending
        self.aggregate = aggregate
        self.scope = scope

    @property
    def target(self) -> tuple[object, ...]:
        """What is ordered by, without the direction."""
        return (self.kind, self.key, self.aggregate, self.scope)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OrderTerm) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash((self.target, self.ascending))

    def __repr__(self) -> str:
        return f"OrderTerm({self.target!r}, {self.ascending!r})"


# A whole order; the last terms make it total, so that two rows never tie.
OrderBy = tuple[OrderTerm, ...]


def comparisons(node: Filter | None) -> list[Compare]:
    """Return the conditions of a filter from left to right.

    Args:
        node: the filter; None is the one that every row passes.

    Returns:
        Its conditions; none for None.
    """
    if node is None:
        return []
    if isinstance(node, Compare):
        return [node]
    if isinstance(node, Not):
        return comparisons(node.term)
    return [found for term in node.terms for found in comparisons(term)]
