"""Turns a parsed search into SQL over the tables of the run index."""

from __future__ import annotations

from mlflow.search.match import condition
from mlflow.search.nodes import And, Compare, Filter, Not, OrderBy, OrderTerm, comparisons
from mlflow.search.page import VALUE, Start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mlflow.search.page import Cell

# One row a run; `s_…` are the stamps of what the row was read from (see index.py). Metrics hold
# the latest point; a NaN is a NULL with `nan` set, as SQLite has no NaN.
SCHEMA = tuple(
    statement.strip()
    for statement in [
        "\nCREATE TABLE about (key TEXT PRIMARY KEY, value TEXT)",
        "\nCREATE TABLE experiments (exp TEXT PRIMARY KEY, stamp INTEGER)",
        (
            "\n"
            "CREATE TABLE runs (\n"
            "    rid INTEGER PRIMARY KEY, exp TEXT, run_id TEXT, lifecycle TEXT, status TEXT, "
            "run_name TEXT,\n"
            "    user_id TEXT, artifact_uri TEXT, start_time INTEGER, end_time INTEGER, "
            "racy INTEGER,\n"
            "    s_meta INTEGER, s_metrics INTEGER, s_params INTEGER, s_tags INTEGER, "
            "s_inputs INTEGER,\n"
            "    nested TEXT\n"
            ")"
        ),
        "\nCREATE UNIQUE INDEX runs_by_id ON runs (exp, run_id)",
        (
            "\n"
            "CREATE TABLE metrics (\n"
            "    rid INTEGER, key TEXT, value REAL, nan INTEGER, stamp INTEGER, "
            "PRIMARY KEY (rid, key)\n"
            ") WITHOUT ROWID"
        ),
        (
            "\n"
            "CREATE TABLE params (rid INTEGER, key TEXT, value TEXT, PRIMARY KEY (rid, "
            "key)) WITHOUT ROWID"
        ),
        (
            "\n"
            "CREATE TABLE tags (\n"
            "    rid INTEGER, key TEXT, value TEXT, stamp INTEGER, PRIMARY KEY (rid, key)\n"
            ") WITHOUT ROWID"
        ),
        "\nCREATE TABLE datasets (rid INTEGER, name TEXT, digest TEXT, context TEXT)",
        "\nCREATE INDEX datasets_by_run ON datasets (rid)\n",
    ]
)
TABLE_OF = {"metric": "metrics", "param": "params", "tag": "tags"}
# SQLite joins 64 tables.
MAX_TARGETS = 48
_LARGEST = 2**63

Target = tuple[str, str]


def targets_of(where: Filter | None, order_by: OrderBy) -> list[Target] | None:
    """Return the (kind, key) that a search looks at, each once.

    Args:
        where: the filter.
        order_by: the order.

    Returns:
        The targets; None when the search needs more than the index holds (aggregates), or more
        than one statement may join.
    """
    found: dict[Target, None] = {}
    parts: list[Compare | OrderTerm] = [*comparisons(where), *order_by]
    for part in parts:
        if part.aggregate or part.scope:
            return None
        found[part.kind, part.key] = None
    return list(found) if len(found) <= MAX_TARGETS else None


class Statement:
    """The SQL of one search.

    Args:
        where: the filter.
        order_by: the order.
        targets: what `targets_of` returned.

    Attributes:
        functions: Python functions that the SQL calls, by name; to be registered first.
    """

    def __init__(self, where: Filter | None, order_by: OrderBy, targets: list[Target]) -> None:
        self.functions: dict[str, Callable[[Any], bool]] = {}
        self._order_by = order_by
        self._aliases: dict[Target, str] = {}
        self._joins: list[str] = []
        self._join_values: list[Any] = []
        for kind, key in targets:
            if kind in TABLE_OF:
                alias = f"j{len(self._aliases)}"
                self._aliases[kind, key] = alias
                self._joins.append(
                    f" LEFT JOIN {TABLE_OF[kind]} {alias}"
                    f" ON {alias}.key = ? AND {alias}.rid = r.rid"
                )
                self._join_values.append(key)
        self._where_values: list[Any] = []
        self._where = self._filter(where) if where is not None else "1"

    def stamps(self, experiment_ids: list[str]) -> tuple[str, list[Any]]:
        """Return the statement that lists the runs with the stamps this search depends on."""
        columns = "".join(
            f", {alias}.stamp" for (kind, _), alias in self._aliases.items() if kind != "param"
        )
        marks = ",".join("?" * len(experiment_ids))
        # Only names of this module go into the text, here and below; values are bound.
        sql = (
            "SELECT r.rid, r.exp, r.run_id, r.racy, r.nested, r.s_meta, r.s_metrics, r.s_params,"  # noqa: S608
            f" r.s_tags, r.s_inputs{columns} FROM runs r{''.join(self._joins)}"
            f" WHERE r.exp IN ({marks})"
        )
        return sql, [*self._join_values, *experiment_ids]

    def page(
        self, experiment_ids: list[str], stages: list[str], start: Start, limit: int
    ) -> tuple[str, list[Any]]:
        """Return the statement that lists (exp, run_id) of a page, at most `limit` of them."""
        values = [*self._join_values, *experiment_ids, *stages, *self._where_values]
        after = ""
        if start.cells is not None:
            text, bound = self._after(start.cells)
            after = f" AND {text}"
            values += bound
        order = ", ".join(
            f"{rank}, {value} {'ASC' if term.ascending else 'DESC'}"
            for term in self._order_by
            for rank, value in (self._place(term.kind, term.key),)
        )
        experiments = ",".join("?" * len(experiment_ids))
        shown = ",".join("?" * len(stages))
        sql = (
            f"SELECT r.exp, r.run_id FROM runs r{''.join(self._joins)}"  # noqa: S608
            f" WHERE r.exp IN ({experiments}) AND r.lifecycle IN ({shown})"
            f" AND {self._where}{after} ORDER BY {order} LIMIT ? OFFSET ?"
        )
        return sql, [*values, limit, start.offset]

    # ── the filter ──

    def _filter(self, where: Filter) -> str:
        if isinstance(where, Compare):
            return self._comparison(where)
        if isinstance(where, Not):
            return f"(NOT {self._filter(where.term)})"
        joint = " AND " if isinstance(where, And) else " OR "
        return "(" + joint.join(self._filter(term) for term in where.terms) + ")"

    def _comparison(self, where: Compare) -> str:
        """Return an expression that is 0 or 1, never NULL, so that NOT is a complement."""
        if where.kind == "dataset":
            holds = self._holds(f"d.{where.key}", where)
            return f"EXISTS (SELECT 1 FROM datasets d WHERE d.rid = r.rid AND {holds})"  # noqa: S608
        if where.kind == "attribute":
            return self._holds(f"r.{where.key}", where)
        alias = self._aliases[where.kind, where.key]
        if where.op == "IS NULL":
            return f"({alias}.rid IS NULL)"
        if where.op == "IS NOT NULL":
            return f"({alias}.rid IS NOT NULL)"
        holds = self._holds(f"{alias}.value", where)
        if where.kind == "metric" and where.op in ("!=", "NOT IN"):
            return f"({holds} OR coalesce({alias}.nan, 0))"
        return holds

    def _holds(self, value: str, where: Compare) -> str:
        op, wanted = where.op, where.value
        if op.endswith("NULL"):
            return f"({value} {op})"
        if op.endswith("BETWEEN") and isinstance(wanted, tuple) and not any(map(_vast, wanted)):
            self._where_values += wanted
            inside = f"coalesce({value} BETWEEN ? AND ?, {0 if op == 'BETWEEN' else 1})"
            return inside if op == "BETWEEN" else f"(NOT {inside})"
        if op in ("=", "!=", "<", "<=", ">", ">=") and not _vast(wanted):
            self._where_values.append(wanted)
            return f"coalesce({value} {op} ?, 0)"
        name = f"holds_{len(self.functions)}"
        holds = condition(op, wanted)
        self.functions[name] = lambda found: found is not None and bool(holds(found))
        return f"{name}({value})"

    # ── the order ──

    def _place(self, kind: str, key: str) -> tuple[str, str]:
        """Return the expressions of the rank (value, NaN, missing) and of the value."""
        if kind == "attribute":
            return f"(r.{key} IS NULL) * 2", f"r.{key}"
        alias = self._aliases[kind, key]
        if kind == "metric":
            return f"CASE WHEN {alias}.rid IS NULL THEN 2 ELSE {alias}.nan END", f"{alias}.value"
        return f"({alias}.rid IS NULL) * 2", f"{alias}.value"

    def _after(self, cells: tuple[Cell, ...]) -> tuple[str, list[Any]]:
        text = "0"
        bound: list[Any] = []
        for term, (rank, value) in reversed(list(zip(self._order_by, cells, strict=True))):
            place, found = self._place(term.kind, term.key)
            if rank != VALUE:
                text = f"({place} > ? OR ({place} = ? AND {text}))"
                bound = [rank, rank, *bound]
                continue
            sign = ">" if term.ascending else "<"
            text = (
                f"({place} > 0 OR ({place} = 0 AND ({found} {sign} ? OR ({found} = ? AND {text}))))"
            )
            bound = [value, value, *bound]
        return text, bound


def _vast(value: object) -> bool:
    """Tell whether a number is too large for an INTEGER column."""
    return isinstance(value, int) and not -_LARGEST <= value < _LARGEST
