"""Which table SQLite reads first: chosen by counting, as it has no statistics to choose by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, literal, select

from mlflow.search.page import NAN, VALUE
from mlflow.store.backends.sql.search_fields import Rules
from mlflow.store.backends.sql.search_filter import Conditions, Group
from mlflow.store.backends.sql.search_statement import OWN, Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection, Row, ScalarSelect

    from mlflow.search.page import Cell
    from mlflow.store.backends.sql.search_statement import Listing

    Rows = Sequence[Row[*tuple[Any, ...]]]

# So few rows are looked up and sorted in a few milliseconds.
FEW = 2000
# Counting ends here: more is many.
MANY = 20_000
# So many entries of the order's index are tried before another way is taken; some more when the
# first try found a good part of the page.
STRIDE = 2000
LONGER = 8
# Only so many conditions are counted.
MAX_COUNTED = 6


class Plan:
    """How the statements of one search are run on SQLite, so that they touch few rows.

    Either the table with the fewest rows for one of the conditions leads, and what is left is
    sorted. Or the index of the order leads, and reading ends when the page is full. How soon that
    is nobody knows, so a stretch of it is tried: whatever lies before its end is then known.

    Args:
        connection: of a database that has our indexes.
        listing: the search.
    """

    def __init__(self, connection: Connection, listing: Listing) -> None:
        self._connection = connection
        self._listing = listing
        self._counted: dict[int, tuple[Group | str | None, int]] = {}

    def read(self, limit: int, rank: int, after: Sequence[Cell] | None) -> tuple[Page, Rows]:
        """Return rows of one rank, and the statement that they are of.

        Args:
            limit: how many rows.
            rank: of the first term, one of the listing's.
            after: the cells of the row before.
        """
        listing = self._listing
        page = Page(listing, limit, rank=rank, after=after)
        filtered = listing.groups or listing.others or listing.target
        if rank == NAN or (rank == VALUE and listing.has_index and not filtered):
            return page, self._rows(page)  # not many things have a NaN
        lead, count = self._fewest(FEW)
        if count > FEW:
            if rank == VALUE and listing.has_index:
                found = self._try_index(page, limit)
                if found is not None:
                    return page, found
            lead, count = self._fewest(MANY)
        if count > MANY:
            # Few pass, else the page were full. The noun's own conditions cost least there.
            lead = OWN if listing.others or rank != VALUE or not listing.has_index else None
        if lead is not None:
            page = Page(listing, limit, rank=rank, after=after, lead=lead)
        return page, self._rows(page)

    def _rows(self, page: Page) -> Rows:
        return self._connection.execute(page.statement).all()

    def _try_index(self, page: Page, limit: int) -> Rows | None:
        """Return the rows if they are among the first entries of the order's index."""
        stride = max(STRIDE, limit)
        for distance in (stride, stride * LONGER):
            edge = self._connection.execute(page.edge(distance)).first()
            if edge is None:
                return self._rows(page)
            found = self._connection.execute(page.before(edge[0])).all()
            if len(found) == limit:
                return found
            if len(found) < limit // LONGER:
                break
        return None

    def _fewest(self, most: int) -> tuple[Group | str | None, int]:
        """Return what should lead, and how many rows of it there are, counted a little past most."""
        listing = self._listing
        if most == MANY and not listing.groups:
            return OWN, MANY + 1  # there is no other choice
        if most not in self._counted:
            leads: list[Group | str] = [OWN, *listing.groups[:MAX_COUNTED]]
            counts = self._connection.execute(
                select(*(_count(listing, lead, most + 1) for lead in leads))
            ).one()
            count, at = min((count, at) for at, count in enumerate(counts))
            lead = leads[at]
            # The table that is ordered by leads by itself.
            tied = isinstance(lead, Group) and lead.target == listing.target
            self._counted[most] = (None if tied else lead, count)
        return self._counted[most]


def _count(listing: Listing, lead: Group | str, limit: int) -> ScalarSelect[int]:
    if isinstance(lead, Group):
        rows = listing.subject.sides[lead.kind].rows("counted")
        conditions = Conditions(listing.subject, Rules(listing.dialect), {})
        found = select(literal(1)).select_from(rows).where(conditions.rows_of(lead, rows))
    else:
        found = select(literal(1)).select_from(listing.subject.table).where(*listing.scope)
    return select(func.count()).select_from(found.limit(limit).subquery()).scalar_subquery()
