"""What one kind of database has of its own: the forms that its optimizer deals with."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import Query
from mlflow.store.backends.sql import SqlBackend


@pytest.mark.parametrize("sql_uri", ["mysql"], indirect=True)
def test_conditions_on_metrics_of_models_are_no_joins(sql_uri):
    """MySQL and MariaDB would choose among the orders of a dozen joins for hours."""
    backend = SqlBackend(sql_uri)
    text = " and ".join(f"metrics.m{number} > 0" for number in range(4))
    where, order = parse_filter("logged_models", text), parse_order_by("logged_models", None)
    plans = []

    @event.listens_for(backend._database.engine, "before_cursor_execute")
    def explain(_connection, cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT logged_models.model_id"):
            cursor.execute(f"EXPLAIN {statement}", parameters)
            plans.append([number for number, *_ in cursor.fetchall()])

    assert [] == backend.search_logged_models(["0"], Query(where, order, 5))
    backend.close()
    assert 1 == len(plans)
    # Of the query itself, not of those in it, one table is read.
    assert 1 == plans[0].count(1)
