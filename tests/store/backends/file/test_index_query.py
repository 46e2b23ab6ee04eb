"""The SQL of a search: values are bound, and too large a search is left to the scan."""

from __future__ import annotations

import sqlite3

from mlflow.search.page import Start
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.file.index_query import (
    MAX_TARGETS,
    SCHEMA,
    Statement,
    targets_of,
)


def _targets(text, order_by=None):
    return targets_of(parse_filter("runs", text), parse_order_by("runs", order_by))


def test_targets_are_listed_once():
    """Filter first, then the order."""
    assert [
        ("metric", "a"), ("param", "p"), ("attribute", "start_time"), ("attribute", "run_id"),
    ] == _targets("metrics.a > 1 and (metrics.a < 2 or params.p = 'x')", ["metrics.a"])  # fmt: skip


def test_what_the_index_does_not_hold_is_left_to_the_scan():
    """Aggregates, and more than one statement can join."""
    many = " or ".join(f"metrics.k{i} > 1" for i in range(MAX_TARGETS + 1))

    assert _targets("min(metrics.a) > 1") is None
    assert _targets(None, ["last(metrics.a)"]) is None
    assert _targets(many) is None


def test_no_value_of_the_user_is_in_the_text():
    """Keys and values go in as bound values only."""
    text = (
        "params.`x' OR 1=1 --` = 'y\"; DROP TABLE runs' and tags.`k;` like 'z%' and run_id in ('w')"
    )
    where, order = parse_filter("runs", text), parse_order_by("runs", ["metrics.`q'`"])
    statement = Statement(where, order, targets_of(where, order))
    sql = statement.page(["exp'"], ["active"], Start(), 5)[0] + statement.stamps(["exp'"])[0]

    assert not set("'\";") & set(sql)
    assert "DROP" not in sql


def test_statements_run_and_search_by_key():
    """On the schema, each target is one search of a primary key."""
    database = sqlite3.connect(":memory:")
    for one in SCHEMA:
        database.execute(one)
    where = parse_filter("runs", "metrics.a > 1 and params.p = 'x' and datasets.name = 'd'")
    order = parse_order_by("runs", ["tags.t"])
    statement = Statement(where, order, targets_of(where, order))
    sql, values = statement.page(["0"], ["active"], Start(), 5)
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert [] == database.execute(sql, values).fetchall()
    assert not [line for line in plan if line.startswith("SCAN") and not line.startswith("SCAN r")]
    assert 5 == len([line for line in plan if line.startswith("SEARCH")]), plan
