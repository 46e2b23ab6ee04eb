"""What one kind of database has of its own: the forms that its optimizer deals with."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import Query
from mlflow.store.backends.sql import SqlBackend


@pytest.mark.parametrize("sql_uri", ["mysql"], indirect=True)
def test_conditions_on_subqueries_are_no_joins(sql_uri):
    """MySQL and MariaDB would choose among the orders of a dozen joins for hours."""
    backend = SqlBackend(sql_uri)
    plans = []

    @event.listens_for(backend._database.engine, "before_cursor_execute")
    def explain(_connection, cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN {statement}", parameters)
            plans.append([number for number, *_ in cursor.fetchall()])

    for noun, search, condition in (
        (
            "logged_models",
            lambda query: backend.search_logged_models(["0"], query),
            "metrics.m{}>0",
        ),
        ("runs", lambda query: backend.search_runs(["0"], 1, query), "datasets.context!='{}'"),
    ):
        where = parse_filter(noun, " and ".join(condition.format(number) for number in range(4)))
        plans.clear()
        assert [] == search(Query(where, parse_order_by(noun, None), 5))
        assert plans
        # Of the query itself, not of those in it, one table is read.
        assert {1} == {plan.count(1) for plan in plans}
    backend.close()
