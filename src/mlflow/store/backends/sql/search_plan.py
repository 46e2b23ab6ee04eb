"""Which table SQLite reads first: chosen by counting, as it has no statistics to choose by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, literal, select

from mlflow.search.page import MISSING, NAN, VALUE
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
# Counting ends here: more is many. Counted are entries of an index that lie side by side.
MANY = 20_000
# Looking up whether a row is there costs as much as listing so many that are.
LISTED = 8
# Such conditions are a stretch of an index; others look at every value of their key.
_STRETCHES = frozenset({"=", "IN", "<", "<=", ">", ">=", "BETWEEN"})
# So many entries of the order's index are tried before another way is taken; so many times more
# while each try found enough of the page for the last to fill it, more or less.
STRIDE = 500
LONGER = (1, 4, 32)
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
        self._counted: dict[int, list[tuple[Group | str, int]]] = {}

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
        # Not many things have a NaN, nor lack what the index of the noun's own table begins with.
        few = rank == NAN or (rank == MISSING and listing.has_index and listing.target is None)
        if few or (rank == VALUE and listing.has_index and not filtered):
            return page, self._rows(page)
        most = FEW
        lead, count = self._fewest(most)
        if count > FEW:
            if rank == VALUE and listing.has_index:
                found = self._try_index(page, limit)
                if found is not None:
                    return page, found
            most = MANY
            lead, count = self._fewest(most)
        if count > MANY:
            # Few pass, else the page were full. The noun's own conditions cost least there.
            lead = OWN if listing.others or rank != VALUE or not listing.has_index else None
        listed = self._listed(lead, count, most)
        if lead is not None or listed:
            page = Page(listing, limit, rank=rank, after=after, lead=lead, listed=listed)
        return page, self._rows(page)

    def _rows(self, page: Page) -> Rows:
        return self._connection.execute(page.statement).all()

    def _try_index(self, page: Page, limit: int) -> Rows | None:
        """Return the rows if they are among the first entries of the order's index."""
        stride = max(STRIDE, limit)
        for longer in LONGER:
            edge = self._connection.execute(page.edge(stride * longer)).first()
            if edge is None:
                return self._rows(page)
            found = self._connection.execute(page.before(edge[0])).all()
            if len(found) == limit:
                return found
            if len(found) * LONGER[-1] < limit * longer:
                break
        return None

    def _fewest(self, most: int) -> tuple[Group | str | None, int]:
        """Return what should lead, and how many rows of it there are, counted a little past most."""
        if most == MANY and not self._listing.groups:
            return OWN, MANY + 1  # there is no other choice
        counts = self._counts(most)
        count, at = min((count, at) for at, (_, count) in enumerate(counts))
        lead = counts[at][0]
        # The table that is ordered by leads by itself.
        tied = isinstance(lead, Group) and lead.target == self._listing.target
        return None if tied else lead, count

    def _counts(self, most: int) -> list[tuple[Group | str, int]]:
        """Return what could lead, with the numbers of rows."""
        if most not in self._counted:
            groups = self._listing.groups[:MAX_COUNTED]
            if most == MANY and len(self._listing.groups) == 1 and not _is_stretch(groups[0]):
                # To count takes as long as to read it, and there is no other choice.
                self._counted[most] = [(groups[0], MANY)]
                return self._counted[most]
            quick = [one for one in groups if most == MANY or _is_stretch(one)]
            leads: list[Group | str] = [OWN, *quick]
            counts = self._connection.execute(
                select(*(_count(self._listing, lead, most + 1) for lead in leads))
            ).one()
            self._counted[most] = list(zip(leads, counts, strict=True))
        return self._counted[most]

    def _listed(self, lead: Group | str | None, count: int, most: int) -> list[Group]:
        """Return the conditions whose rows are listed once, rather than looked up again and again."""
        return [
            one
            for one, of_one in self._counted.get(most, ())
            if isinstance(one, Group) and one is not lead and of_one <= min(most, LISTED * count)
        ]


def _is_stretch(group: Group) -> bool:
    return any(part.op in _STRETCHES for part in group.parts)


def _count(listing: Listing, lead: Group | str, limit: int) -> ScalarSelect[int]:
    if isinstance(lead, Group):
        rows = listing.subject.sides[lead.kind].rows("counted")
        conditions = Conditions(listing.subject, Rules(listing.dialect), {})
        found = select(literal(1)).select_from(rows).where(conditions.rows_of(lead, rows))
    else:
        found = select(literal(1)).select_from(listing.subject.table).where(*listing.scope)
    return select(func.count()).select_from(found.limit(limit).subquery()).scalar_subquery()
