"""The statement that lists the ids of a page, and the place of each in the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, case, false, not_, or_, select, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.selectable import Join

from mlflow.search.nodes import NULL_OPS, Compare
from mlflow.search.page import MISSING, NAN, VALUE
from mlflow.store.backends.sql.search_fields import RealField, Rules
from mlflow.store.backends.sql.search_filter import Conditions, Group, split
from mlflow.store.backends.sql.search_subjects import aggregate_of, model_metrics
from mlflow.store.backends.sql.urls import SQLITE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, FromClause, Label, Select

    from mlflow.search.nodes import Filter, OrderBy, OrderTerm
    from mlflow.search.page import Cell
    from mlflow.store.backends.sql.search_dialects import Dialect
    from mlflow.store.backends.sql.search_fields import Field
    from mlflow.store.backends.sql.search_subjects import Anchor, Subject

    Condition = ColumnElement[bool]

# The noun's own table, as what a statement reads first.
OWN = "own"


class Nested(Join):
    """A join whose left side SQLite reads in the outer loop, whatever it thinks of that."""

    inherit_cache = True


@compiles(Nested, SQLITE)
def _cross_join(join: Nested, compiler: Any, **options: Any) -> str:
    text: str = compiler.visit_join(join, **options)
    size = len(compiler.process(join.left, **{**options, "asfrom": True, "from_linter": None}))
    return text[:size] + text[size:].replace(" JOIN ", " CROSS JOIN ", 1)


class Place:
    """Where a term of the order puts a thing: its rank (as in a page token), then its value.

    Args:
        field: the value.
        ascending: the direction.
        missing: whether there are things without a value, for which the column is NULL.
        rank: the expression of the rank, if the column does not tell it.
    """

    def __init__(
        self,
        field: Field,
        *,
        ascending: bool,
        missing: bool = False,
        rank: ColumnElement[int] | None = None,
    ) -> None:
        self._field = field
        self._ascending = ascending
        self._missing = missing
        self._rank = rank
        self._rank_shown = None if rank is None else rank.label(None)
        self._shown = field.column.label(None)

    def columns(self) -> list[Label[Any]]:
        """Return what a statement selects for `cell`."""
        return [self._shown] if self._rank_shown is None else [self._rank_shown, self._shown]

    def cell(self, found: list[Any]) -> Cell:
        """Take its columns from the front of a row; return the cell of the page token."""
        rank = VALUE if self._rank is None else int(found.pop(0))
        value = found.pop(0)
        if rank == VALUE and value is None:
            rank = MISSING
        return (rank, self._field.cell(value)) if rank == VALUE else (rank, None)

    def order(self, rules: Rules) -> list[ColumnElement[Any]]:
        """Return the terms of ORDER BY."""
        key = self._field.sort_key(rules)
        # By its name where it has one, so that it is not worked out twice.
        key = self._shown if key is self._field.column else key
        if self._missing:
            return rules.dialect.in_order(key, ascending=self._ascending)
        order = key.asc() if self._ascending else key.desc()
        return [order] if self._rank_shown is None else [self._rank_shown, order]

    def after(self, rules: Rules, cell: Cell, rest: Condition) -> Condition:
        """Return the condition that a thing comes after a cell.

        Args:
            rules: of the statement.
            cell: of the thing before.
            rest: the condition where this term ties.
        """
        rank, value = cell
        if rank != VALUE:
            if self._rank is not None:
                return or_(self._rank > rank, and_(self._rank == rank, rest))
            return and_(self._field.column.is_(None), rest) if self._missing else false()
        key, bound = self._field.sort_key(rules), self._field.bound(rules, value)
        beyond = key > bound if self._ascending else key < bound
        follows = or_(beyond, and_(key == bound, rest))
        if self._missing:
            return or_(follows, self._field.column.is_(None))
        if self._rank is None:
            return follows
        return or_(self._rank > VALUE, and_(self._rank == VALUE, follows))

    def reaches(self, rules: Rules, cell: Cell) -> Condition:
        """Return the condition that the value is not before that of a cell."""
        key, bound = self._field.sort_key(rules), self._field.bound(rules, cell[1])
        return key >= bound if self._ascending else key <= bound

    def before(self, rules: Rules, cell: Cell) -> Condition:
        """Return the condition that the value is before that of a cell."""
        return not_(self.reaches(rules, cell))


class Tied:
    """The place of a term by which the things of a statement do not differ.

    Args:
        rank: the rank that all have.
    """

    def __init__(self, rank: int) -> None:
        self._rank = rank

    def columns(self) -> list[Label[Any]]:
        """Return nothing to select."""
        return []

    def cell(self, found: list[Any]) -> Cell:
        """Return the cell that all have."""
        return (self._rank, None)

    def order(self, rules: Rules) -> list[ColumnElement[Any]]:
        """Return nothing to order by."""
        return []

    def after(self, rules: Rules, cell: Cell, rest: Condition) -> Condition:
        """Return the condition that a thing comes after a cell; as in `Place`."""
        if cell[0] == self._rank:
            return rest
        return true() if cell[0] < self._rank else false()

    def reaches(self, rules: Rules, cell: Cell) -> Condition:
        """Return the condition that a thing is not before a cell; as in `Place`."""
        return self.after(rules, cell, true())

    def before(self, rules: Rules, cell: Cell) -> Condition:
        """Return the condition that a thing is before a cell; as in `Place`."""
        return not_(self.reaches(rules, cell))


class Listing:
    """What the statements of one search have in common.

    Args:
        subject: the noun.
        dialect: of the database.
        where: the filter.
        order_by: the order.
        scope: conditions on the noun's own table: experiments, stages.
        walked: the attribute by which an index of ours orders the scope; None if none does.

    Attributes:
        groups: conditions on keys of side tables that all rows must satisfy.
        target: the (kind, key) of a side table that is ordered by first; None for all else.
        ranks: the ranks of the first term, if a statement can be limited to one of them; an index
            may then give the order.
        has_index: whether an index of ours begins with the first term.
    """

    def __init__(
        self,
        subject: Subject,
        dialect: Dialect,
        where: Filter | None,
        order_by: OrderBy,
        scope: Sequence[Condition],
        walked: str | None = None,
    ) -> None:
        self.subject = subject
        self.dialect = dialect
        self.scope = scope
        self.order_by = order_by
        self.groups, self.others = split(where, subject)
        first = order_by[0]
        plain = first.aggregate is None and first.scope is None
        sided = plain and first.kind in subject.sides
        self.target = (first.kind, first.key) if sided else None
        self.ranks = self._ranks()
        self.has_index = sided or (first.kind == "attribute" and first.key == walked)

    def _ranks(self) -> tuple[int, ...]:
        first = self.order_by[0]
        if self.target is None:
            if first.kind != "attribute":
                return ()
            return (VALUE, MISSING) if self.subject.attributes[first.key].nullable else (VALUE,)
        known = [
            part for group in self.groups if group.target == self.target for part in group.parts
        ]
        ranks = [VALUE]
        # Where the filter asks for a value, things without one need not be looked for.
        if first.kind == "metric" and all(part.op in (*NULL_OPS, "!=", "NOT IN") for part in known):
            ranks.append(NAN)
        return tuple(ranks) if known else (*ranks, MISSING)


class Page:
    """One statement of a search.

    Args:
        listing: the search.
        limit: how many rows.
        rank: list only things of this rank in the first term, one of the listing's; None for all.
        after: the cells of the row before.
        offset: how many rows to leave out.
        lead: what SQLite reads first: a group, `OWN`, or None for the table of the first term.
        listed: groups whose things are put in a list first, in which each row is then looked up.

    Attributes:
        statement: the statement; its rows are for `read`.
    """

    def __init__(
        self,
        listing: Listing,
        limit: int,
        *,
        rank: int | None = None,
        after: Sequence[Cell] | None = None,
        offset: int = 0,
        lead: Group | str | None = None,
        listed: Sequence[Group] = (),
    ) -> None:
        self._listing = listing
        self._listed = listed
        self._subject = listing.subject
        self._rules = Rules(listing.dialect)
        self._tables: list[FromClause] = []
        self._source: FromClause = self._subject.table
        self._anchor: Anchor = {}
        self._where: list[Condition] = []
        # What can be told from the table that is read first.
        self._alone: list[Condition] = []
        self._applied: list[Group] = []
        self._joined = 0
        self._first = self._begin(rank, lead)
        if len(self._tables) == 1:
            self._alone = list(self._where)
        if after is not None and after[0][0] == VALUE == rank:
            # Implied by what `_narrow` adds; it is where an index can begin.
            reached = self._first.reaches(self._rules, after[0])
            self._where.append(reached)
            self._alone.append(reached)
        later = [self._later(term) for term in listing.order_by[1:]]
        self._places = [self._first, *later]
        self._narrow(after)
        identity = [self._anchor[name] for name in self._subject.identity]
        columns = [one for place in self._places for one in place.columns()]
        order = [one for place in self._places for one in place.order(self._rules)]
        self.statement: Select[*tuple[Any, ...]] = (
            select(*identity, *columns)
            .select_from(self._source)
            .where(*self._where)
            .order_by(*order)
            .limit(limit)
        )
        if offset:
            self.statement = self.statement.offset(offset)

    @property
    def exact(self) -> bool:
        """Whether its rows are just those of the search; else there may be more."""
        return self._rules.exact

    def read(self, row: Sequence[Any]) -> tuple[tuple[Any, ...], tuple[Cell, ...]]:
        """Return the identity and the cells of a row."""
        size = len(self._subject.identity)
        found = list(row[size:])
        return tuple(row[:size]), tuple(place.cell(found) for place in self._places)

    # ── what is read, in which order ──

    def _begin(self, rank: int | None, lead: Group | str | None) -> Place | Tied:
        """Put the tables in order; return the place of the first term."""
        listing, first = self._listing, self._listing.order_by[0]
        if isinstance(lead, Group):
            self._read_group(lead)
        elif lead == OWN:
            self._read_own()
        place: Place | Tied
        if listing.target is not None and rank in (VALUE, NAN):
            place = self._read_ordered(rank)
            self._read_own()
            return place
        self._read_own()
        if rank is None:
            return self._later(first)
        conditions = Conditions(self._subject, self._rules, self._anchor)
        op = "IS NULL" if rank == MISSING else "IS NOT NULL"
        self._where.append(conditions.of(Compare(first.kind, first.key, op, None)))
        if rank == MISSING:
            return Tied(MISSING)
        return Place(self._subject.attributes[first.key], ascending=first.ascending)

    def _read_own(self) -> None:
        if self._subject.table not in self._tables:
            self._read(self._subject.table, self._subject.anchor())
            self._where += self._listing.scope

    def _read_group(self, group: Group) -> None:
        side = self._subject.sides[group.kind]
        rows = side.rows("lead")
        self._read(rows, side.identity(rows))
        self._apply(group, rows)

    def _read_ordered(self, rank: int) -> Place | Tied:
        first = self._listing.order_by[0]
        side = self._subject.sides[first.kind]
        rows = side.rows("ordered")
        self._read(rows, side.identity(rows))
        self._where.append(side.of_key(rows, self._rules.dialect, first.key))
        field = side.field(rows)
        if isinstance(field, RealField):
            self._where.append(field.nan if rank == NAN else not_(field.nan))
        for group in self._listing.groups:
            if group.target == self._listing.target:
                self._apply(group, rows)
        return Tied(NAN) if rank == NAN else Place(field, ascending=first.ascending)

    def _read(self, rows: FromClause, identity: Anchor) -> None:
        if not self._tables:
            self._source, self._anchor = rows, identity
        else:
            self._alone = self._alone or list(self._where)
            same = and_(*(identity[name] == column for name, column in self._anchor.items()))
            self._source = Nested(self._source, rows, same)
        self._tables.append(rows)

    def _apply(self, group: Group, rows: FromClause) -> None:
        conditions = Conditions(self._subject, self._rules, self._anchor)
        self._where.append(conditions.rows_of(group, rows))
        self._applied.append(group)

    def _later(self, term: OrderTerm) -> Place:
        """Join what a term is ordered by, unless it is the noun's own; return its place."""
        if term.kind == "attribute":
            field = self._subject.attributes[term.key]
            return Place(field, ascending=term.ascending, missing=field.nullable)
        if term.aggregate:
            dialect = self._rules.dialect
            number, there = aggregate_of(self._anchor, term.key, term.aggregate, dialect)
            return self._number(term, number, there)
        if term.kind not in self._subject.sides:
            metrics = model_metrics(term.key, term.scope, self._rules.dialect, one=True)
            rows: FromClause = select(metrics).where(metrics.c.place == 1).subquery()
            self._source = self._source.outerjoin(rows, rows.c.model_id == self._anchor["model_id"])
            return self._number(term, RealField(rows.c.value), rows.c.model_id.is_not(None))
        side = self._subject.sides[term.kind]
        rows = side.rows(f"joined_{self._joined}")
        self._joined += 1
        mine = and_(
            side.of_key(rows, self._rules.dialect, term.key), side.linked(rows, self._anchor)
        )
        self._source = self._source.outerjoin(rows, mine)
        field = side.field(rows)
        if isinstance(field, RealField):
            return self._number(term, field, field.column.is_not(None))
        return Place(field, ascending=term.ascending, missing=True)

    def _number(self, term: OrderTerm, field: RealField, there: Condition) -> Place:
        rank = case((not_(there), MISSING), (field.nan, NAN), else_=VALUE)
        return Place(field, ascending=term.ascending, rank=rank)

    # ── which rows ──

    def _narrow(self, after: Sequence[Cell] | None) -> None:
        conditions = Conditions(self._subject, self._rules, self._anchor)
        for number, group in enumerate(self._listing.groups):
            if group in self._applied:
                continue
            applied = conditions.listed if group in self._listed else conditions.group
            self._where.append(conditions.apart(applied(group), number))
        self._where += [conditions.of(other) for other in self._listing.others]
        if after is not None:
            behind: Condition = false()
            for place, cell in reversed(list(zip(self._places, after, strict=True))):
                behind = place.after(self._rules, cell, behind)
            self._where.append(behind)

    # ── how far ──

    def edge(self, distance: int) -> Select[*tuple[Any, ...]]:
        """Return the statement for the first term's value so many rows on, filters aside."""
        return (
            select(*self._first.columns())
            .select_from(self._tables[0])
            .where(*self._alone)
            .order_by(*self._first.order(self._rules))
            .limit(1)
            .offset(distance)
        )

    def before(self, value: Any) -> Select[*tuple[Any, ...]]:
        """Return the statement without the rows whose first term is not before a value."""
        return self.statement.where(self._first.before(self._rules, (VALUE, value)))
