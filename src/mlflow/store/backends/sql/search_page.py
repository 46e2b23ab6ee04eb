"""One page of one search: statements for ids in order, then the things themselves in bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from mlflow.entities.paged_list import PagedList
from mlflow.entities.run import Metric
from mlflow.search.match import kinds_of, predicate, search_mark
from mlflow.search.page import read_token, write_token
from mlflow.store.backends.sql.indexes import has_indexes
from mlflow.store.backends.sql.search_dialects import DIALECTS
from mlflow.store.backends.sql.search_plan import Plan
from mlflow.store.backends.sql.search_statement import Listing, Page
from mlflow.store.backends.sql.search_subjects import HISTORY, SUBJECTS
from mlflow.store.backends.sql.urls import SQLITE
from mlflow.store.backends.sql.values import loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ColumnElement, Connection

    from mlflow.search.page import Cell
    from mlflow.search.values import History
    from mlflow.store.backends.base import Query
    from mlflow.store.backends.sql.search_dialects import Dialect

    Identity = tuple[Any, ...]
    Cells = tuple[Cell, ...]
    # From a connection and identities to the things that are there, by identity.
    Hydrate = Callable[[Connection, Sequence[Identity]], dict[Identity, Any]]

# So many candidates are read at once, at least, when Python has the last word on each.
_CHUNK = 200


class Search:
    """One search of one noun.

    Args:
        noun: as in `mlflow.search`.
        query: filter, order, size and start of the page.
        narrowed: what else chose the rows, as the memory backend binds it to page tokens.
        scope: the same as conditions on the noun's table.
        dialect: of the database.
        walked: the attribute by which an index of ours orders the scope.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a page token that is damaged or foreign.
    """

    def __init__(
        self,
        noun: str,
        query: Query,
        narrowed: tuple[object, ...],
        scope: Sequence[ColumnElement[bool]],
        dialect: str,
        walked: str | None = None,
    ) -> None:
        self._noun = noun
        self._query = query
        self._mark = search_mark(noun, query.where, query.order_by, narrowed)
        self._start = read_token(query.page_token, self._mark, kinds_of(noun, query.order_by))
        self._dialect = DIALECTS[dialect]
        self._may_plan = noun == "runs" and dialect == SQLITE
        self._listing = Listing(
            SUBJECTS[noun], self._dialect, query.where, query.order_by, scope, walked
        )

    def page(self, connection: Connection, hydrate: Hydrate) -> PagedList[Any]:
        """Return the page.

        Args:
            connection: in a transaction that sees one moment.
            hydrate: reads the things.
        """
        wanted, start = self._query.max_results, self._start
        rows, exact = self._rows(connection, wanted + 1, start.cells, start.offset)
        if exact:
            things = _in_order(hydrate(connection, [one for one, _ in rows[:wanted]]), rows)
            last = rows[wanted - 1][1] if len(rows) > wanted else None
        else:
            if start.offset:
                rows, _ = self._rows(connection, wanted + 1, None, 0)
            things, last = self._checked(connection, hydrate, rows)
        return PagedList(things, None if last is None else write_token(self._mark, last))

    def _checked(
        self, connection: Connection, hydrate: Hydrate, rows: list[tuple[Identity, Cells]]
    ) -> tuple[list[Any], Cells | None]:
        """Return the things of a page of which SQL finds too many, and where it ends if it does."""
        passes = predicate(self._noun, self._query.where, _history(connection, self._dialect))
        wanted, skipped = self._query.max_results, self._start.offset
        things: list[Any] = []
        size, last = wanted + 1, None
        while True:
            found = hydrate(connection, [identity for identity, _ in rows])
            for identity, cells in rows:
                if identity not in found or not passes(found[identity]):
                    continue
                if skipped:
                    skipped -= 1
                elif len(things) == wanted:
                    return things, last
                else:
                    things.append(found[identity])
                    last = cells
            if len(rows) < size:
                return things, None
            size = max(size, _CHUNK)
            rows, _ = self._rows(connection, size, rows[-1][1], 0)

    def _rows(
        self, connection: Connection, limit: int, after: Cells | None, offset: int
    ) -> tuple[list[tuple[Identity, Cells]], bool]:
        """Return the next rows with their places, and whether all of them belong to the search."""
        listing = self._listing
        if offset or not listing.ranks:
            page = Page(listing, limit, after=after, offset=offset)
            return [page.read(row) for row in connection.execute(page.statement)], page.exact
        plan = None
        if self._may_plan and has_indexes(connection):
            plan = Plan(connection, listing)
        rows: list[tuple[Identity, Cells]] = []
        exact = True
        for rank in listing.ranks:
            if len(rows) == limit or (after is not None and after[0][0] > rank):
                continue
            behind = after if after is not None and after[0][0] == rank else None
            if plan is not None:
                page, found = plan.read(limit - len(rows), rank, behind)
            else:
                page = Page(listing, limit - len(rows), rank=rank, after=behind)
                found = connection.execute(page.statement).all()
            rows += [page.read(row) for row in found]
            exact = exact and page.exact
        return rows, exact


def _in_order(found: dict[Identity, Any], rows: list[tuple[Identity, Cells]]) -> list[Any]:
    return [found[identity] for identity, _ in rows if identity in found]


def _history(connection: Connection, dialect: Dialect) -> History:
    """Return the function from a run and a key to the points of the metric."""

    def history(run: Any, key: str) -> list[Metric]:
        points = HISTORY.rows("point")
        of_run = points.c.run_uuid == run.info.run_id
        found = select(points.c.value, points.c.timestamp, points.c.step, points.c.is_nan)
        return [
            Metric(key, loaded(value, nan), timestamp, step)
            for value, timestamp, step, nan in connection.execute(
                found.where(of_run, HISTORY.of_key(points, dialect, key))
            )
        ]

    return history
