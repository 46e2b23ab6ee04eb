"""The plain path of every search: filters, orders and cuts pages of entities."""

from __future__ import annotations

import heapq
import math

from mlflow.exceptions import NOT_IMPLEMENTED, MlflowException
from mlflow.search.like import like
from mlflow.search.nodes import (
    NULL_OPS,
    And,
    Compare,
    Filter,
    Not,
    OrderBy,
    OrderTerm,
    Scope,
)
from mlflow.search.page import MISSING, NAN, VALUE, fingerprint, read_token, write_token
from mlflow.search.values import aggregate_of, getter, order_text, single_getter
from mlflow.search.vocabulary import NOUNS, NUMBER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from mlflow.search.page import Cell
    from mlflow.search.values import History

    T = TypeVar("T")
    Predicate = Callable[[Any], bool]


def page(
    noun: str,
    rows: Iterable[T],
    where: Filter | None,
    order_by: OrderBy,
    max_results: int | None,
    page_token: str | None = None,
    *,
    history: History | None = None,
    query: tuple[object, ...] = (),
) -> tuple[list[T], str | None]:
    """Return one page of a search.

    Args:
        noun: `runs`, `experiments`, `registered_models`, `model_versions` or `logged_models`.
        rows: the entities to choose from, in any order, each id once.
        where: what `parse_filter` returned.
        order_by: what `parse_order_by` returned.
        max_results: the size of the page; None for all that is left.
        page_token: where it starts; the token of the page before.
        history: for runs: the function (run, key) to the points of a metric (`Metric` entities);
            needed only for filters and orders on aggregates.
        query: what else narrowed `rows` (experiment ids, view): a token is refused when it
            changes between pages.

    Returns:
        The entities, and the token of the next page; None when this is the last.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a token that is damaged or foreign.
    """
    mark = search_mark(noun, where, order_by, query)
    start = read_token(page_token, mark, kinds_of(noun, order_by))
    passes = predicate(noun, where, history)
    cells_of = cell_reader(noun, order_by, history)
    key_of = key_maker(order_by)
    found = [
        (key_of(cells), cells, row) for row in rows if passes(row) for cells in (cells_of(row),)
    ]
    if start.cells is not None:
        after = key_of(start.cells)
        found = [entry for entry in found if entry[0] > after]
    stop = len(found) if max_results is None else start.offset + max_results
    if stop < len(found) // 4:
        found = heapq.nsmallest(stop + 1, found, key=_first)
    else:
        found.sort(key=_first)
    chosen = found[start.offset : stop]
    token = write_token(mark, chosen[-1][1]) if chosen and len(found) > stop else None
    return [row for _, _, row in chosen], token


def search_mark(
    noun: str, where: Filter | None, order_by: OrderBy, query: tuple[object, ...]
) -> int:
    """Return the number that binds page tokens to a search; see `page` for the arguments."""
    return fingerprint(noun, where, order_by, query)


def _first(entry: tuple[Any, ...]) -> Any:
    return entry[0]


# ── filters ──


def predicate(noun: str, where: Filter | None, history: History | None = None) -> Predicate:
    """Compile a filter to a function from an entity to whether it passes.

    Args:
        noun: as in `page`.
        where: what `parse_filter` returned.
        history: as in `page`.

    Returns:
        The function.
    """
    if where is None:
        return lambda _row: True
    if isinstance(where, Not):
        inner = predicate(noun, where.term, history)
        return lambda row: not inner(row)
    if isinstance(where, Compare):
        return _comparison(noun, where, history)
    parts = [predicate(noun, term, history) for term in where.terms]
    if isinstance(where, And):
        return lambda row: all(part(row) for part in parts)
    return lambda row: any(part(row) for part in parts)


def _comparison(noun: str, where: Compare, history: History | None) -> Predicate:
    values = _values(noun, where.kind, where.key, where.aggregate, where.scope, history)
    single = None if where.aggregate else single_getter(noun, where.kind, where.key)
    if single is not None and where.op not in NULL_OPS:
        return _of_single(single, condition(where.op, where.value))
    if where.op == "IS NULL":
        return lambda row: not values(row)
    if where.op == "IS NOT NULL":
        return lambda row: bool(values(row))
    holds = condition(where.op, where.value)
    return lambda row: any(holds(value) for value in values(row))


def _of_single(get: Callable[[Any], Any], holds: Callable[[Any], bool]) -> Predicate:
    def passes(row: Any) -> bool:
        value = get(row)
        return value is not None and holds(value)

    return passes


def condition(op: str, wanted: Any) -> Callable[[Any], bool]:
    """Return the function from a value that is there to whether an operator holds.

    Args:
        op: an operator other than IS [NOT] NULL.
        wanted: the right side.

    Returns:
        The function. Comparisons with NaN are those of IEEE 754: only `!=` and NOT IN hold.
    """
    if op.endswith("LIKE"):
        matches = like(wanted, ignore_case=op.endswith("ILIKE"))
        return (lambda value: not matches(value)) if op.startswith("NOT") else matches
    if op.endswith("IN"):
        among = frozenset(wanted)
        return among.__contains__ if op == "IN" else lambda value: value not in among
    if op.endswith("BETWEEN"):
        low, high = wanted
        if op == "BETWEEN":
            return lambda value: low <= value <= high
        return lambda value: value < low or value > high
    return _SIMPLE[op](wanted)


_SIMPLE: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "=": lambda wanted: lambda value: value == wanted,
    "!=": lambda wanted: lambda value: value != wanted,
    ">": lambda wanted: lambda value: value > wanted,
    ">=": lambda wanted: lambda value: value >= wanted,
    "<": lambda wanted: lambda value: value < wanted,
    "<=": lambda wanted: lambda value: value <= wanted,
}


def _values(
    noun: str,
    kind: str,
    key: str,
    aggregate: str | None,
    scope: tuple[Scope, ...] | None,
    history: History | None,
) -> Callable[[Any], list[Any]]:
    """Return the function from an entity to the values that a condition may hold for."""
    if aggregate:
        return _aggregated(key, aggregate, history)
    return getter(noun, kind, key, scope)


def _aggregated(key: str, aggregate: str, history: History | None) -> Callable[[Any], list[float]]:
    if history is None:
        msg = f"This store cannot search by metrics.`{key}`.{aggregate}."
        raise MlflowException(msg, error_code=NOT_IMPLEMENTED)

    def values(row: Any) -> list[float]:
        found = aggregate_of(history(row, key), aggregate)
        return [] if found is None else [found]

    return values


# ── orders ──


def cell_reader(
    noun: str, order_by: OrderBy, history: History | None = None
) -> Callable[[Any], tuple[Cell, ...]]:
    """Return the function from an entity to its cells, one for each term of an order.

    Args:
        noun: as in `page`.
        order_by: what `parse_order_by` returned.
        history: as in `page`.

    Returns:
        The function.
    """
    readers = [_cell_reader(noun, term, history) for term in order_by]
    return lambda row: tuple(reader(row) for reader in readers)


def _cell_reader(noun: str, term: OrderTerm, history: History | None) -> Callable[[Any], Cell]:
    values = _values(noun, term.kind, term.key, term.aggregate, term.scope, history)
    as_text = order_text(noun, term)
    single = None if term.aggregate else single_getter(noun, term.kind, term.key)
    if single is not None:
        return _single_cell(single, as_text)

    def cell(row: Any) -> Cell:
        found = values(row)
        if not found:
            return (MISSING, None)
        value = found[-1]
        if as_text is not None:
            return (VALUE, as_text(value))
        return (NAN, None) if math.isnan(value) else (VALUE, value)

    return cell


def _single_cell(
    get: Callable[[Any], Any], as_text: Callable[[str], str] | None
) -> Callable[[Any], Cell]:
    def cell(row: Any) -> Cell:
        value = get(row)
        if value is None:
            return (MISSING, None)
        if as_text is not None:
            return (VALUE, as_text(value))
        return (NAN, None) if math.isnan(value) else (VALUE, value)

    return cell


def kinds_of(noun: str, order_by: OrderBy) -> tuple[type, ...]:
    """Return for each term of an order the type of its values: `str` or `float`."""
    vocabulary = NOUNS[noun]
    return tuple(
        float if vocabulary.type_of(term.kind, term.key) == NUMBER else str for term in order_by
    )


def key_maker(order_by: OrderBy) -> Callable[[tuple[Cell, ...]], tuple[Any, ...]]:
    """Return the function from cells to a key by which Python sorts rows in this order.

    Args:
        order_by: what `parse_order_by` returned.

    Returns:
        The function.
    """
    ascending = tuple(term.ascending for term in order_by)

    def key(cells: tuple[Cell, ...]) -> tuple[Any, ...]:
        flat: list[Any] = []
        for (rank, value), up in zip(cells, ascending, strict=True):
            flat.append(rank)
            if rank == VALUE:
                flat.append(value if up else _Down(value) if type(value) is str else -value)
        return tuple(flat)

    return key


class _Down:
    """Text that sorts the other way round."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: _Down) -> bool:
        return other.text < self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and self.text == other.text

    __hash__ = None  # type: ignore[assignment]
