"""Searches of a SQLite file touch few rows: the work is counted, in steps of its machine."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import event

from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import Query
from mlflow.store.backends.sql import SqlBackend, indexes, search_plan, tables

MANY, FEWER = 12_000, 4_000


def fill(backend, count):
    """Runs of experiment 0 with a metric, a param of ten values, and one of a thousand."""
    chance = random.Random(count)
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(count)]

    def work(connection):
        connection.execute(
            tables.runs.insert(),
            [
                {"run_uuid": one, "experiment_id": 0, "lifecycle_stage": "active",
                 "status": "FINISHED", "start_time": number, "name": f"run {number}"}
                for number, one in enumerate(ids)
            ],
        )  # fmt: skip
        metric = {"step": 0, "timestamp": 1, "is_nan": False}
        connection.execute(
            tables.latest_metrics.insert(),
            [
                {"run_uuid": one, "key": "loss", "value": (number * 7919 % count) / count, **metric}
                for number, one in enumerate(ids)
            ],
        )
        for key, values in (("ten", 10), ("thousand", 1000)):
            rows = [
                {"run_uuid": one, "key": key, "value": str(number * 31 % values)}
                for number, one in enumerate(ids)
            ]
            connection.execute(tables.params.insert(), rows)

    backend._database.write(work)


class Steps:
    """Counts the steps of SQLite's machine, by hundreds, in the connections of a backend."""

    def __init__(self, backend):
        self.count = 0
        event.listen(backend._database.engine, "connect", self._listen)
        backend._database.close()

    def _listen(self, connection, _record):
        def step():
            self.count += 1

        connection.set_progress_handler(step, 100)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Two stores of different sizes, by their sizes."""
    found = {}
    for count in (FEWER, MANY):
        backend = SqlBackend(f"sqlite:///{tmp_path_factory.mktemp('plan')}/{count}.db")
        fill(backend, count)
        found[count] = (backend, Steps(backend))
    yield found
    for backend, _ in found.values():
        backend.close()


def work_of(store, text, order_by, token=None):
    """Return the steps of one search of 50, and its page."""
    backend, steps = store
    query = Query(parse_filter("runs", text), parse_order_by("runs", order_by), 50, token)
    before = steps.count
    page = backend.search_runs(["0"], 1, query)
    assert len(page) > 0
    return steps.count - before, page


QUICK = [
    (None, None),
    (None, ["metrics.loss"]),
    (None, ["metrics.loss DESC"]),
    (None, ["params.thousand"]),
    (None, ["metrics.nope"]),
    (None, ["start_time ASC"]),
    ("params.ten = '3'", None),
    ("params.ten = '3'", ["metrics.loss"]),
    ("metrics.loss < 0.5 and params.ten = '3'", ["metrics.loss DESC"]),
    ("metrics.loss > 0.999", None),
    ("metrics.loss BETWEEN 0.5 AND 0.5002", ["params.ten"]),
    ("params.thousand = '77' and metrics.loss < 0.9", ["metrics.loss"]),
    ("status = 'FINISHED'", ["metrics.loss"]),
    ("params.ten ILIKE '%3%'", None),
    ("params.ten LIKE '3%' and metrics.loss < 0.9", ["metrics.loss DESC"]),
]


@pytest.mark.parametrize(("text", "order_by"), QUICK)
def test_the_work_does_not_grow_with_the_store(stores, text, order_by):
    """Three times the runs, and nearly the same work for a page."""
    work_of(stores[FEWER], text, order_by)
    fewer, _ = work_of(stores[FEWER], text, order_by)
    many, _ = work_of(stores[MANY], text, order_by)
    assert many < 1.7 * fewer + 200


def test_deep_pages_are_as_cheap_as_the_first(stores):
    """A token begins where the page before ended."""
    first, page = work_of(stores[MANY], None, ["metrics.loss"])
    for _ in range(60):
        work, page = work_of(stores[MANY], None, ["metrics.loss"], page.token)
    assert work < 1.5 * first + 200


def plans_of(store, text, order_by):
    """How SQLite goes about the statements of a search that list runs, line by line; and its page."""
    backend, _ = store
    plans = []

    def explain(_connection, cursor, statement, parameters, _context, _many):
        if ".run_uuid, runs." in statement or ".run_uuid AS run_uuid" in statement:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[-1] for row in cursor.fetchall())

    event.listen(backend._database.engine, "before_cursor_execute", explain)
    _, page = work_of(store, text, order_by)
    event.remove(backend._database.engine, "before_cursor_execute", explain)
    assert plans
    return plans, [run.info.run_id for run in page]


def test_many_of_each_and_few_of_all(stores, monkeypatch):
    """What lies side by side in an index is listed at once, not looked up for each row."""
    text = "metrics.loss < 0.3 and params.ten in ('3', '4')"
    listed, page = plans_of(stores[MANY], text, ["run_name"])
    monkeypatch.setattr(search_plan, "LISTED", 0)
    looked_up, same = plans_of(stores[MANY], text, ["run_name"])
    assert ["LIST SUBQUERY"] == [one[:13] for one in listed if "SUBQUERY" in one]
    assert ["CORRELATED SC"] == [one[:13] for one in looked_up if "SUBQUERY" in one]
    assert page == same


@pytest.mark.parametrize(
    ("text", "order_by"),
    [(None, ["run_name"]), ("run_name ILIKE '%n 77'", None), ("run_name = 'run 77'", None)],
)
def test_names_are_read_from_the_index_of_runs(stores, text, order_by):
    """Neither an order by names nor a condition on them reads the table, but for the page."""
    plans, _ = plans_of(stores[FEWER], text, order_by)
    read = [one for one in plans if " runs " in one]
    assert read
    assert all("COVERING INDEX millstream_search_runs" in one for one in read)


def test_without_indexes_the_rows_are_the_same(stores):
    """Dropping them changes the work, not what is found; made again, the work is as before."""
    backend, steps = stores[FEWER]
    before = {}
    for text, order_by in QUICK:
        before[text, str(order_by)] = work_of((backend, steps), text, order_by)
    backend._database.write(indexes.drop_indexes)
    more = 0
    for text, order_by in QUICK:
        work, page = work_of((backend, steps), text, order_by)
        quick, same = before[text, str(order_by)]
        assert [run.info.run_id for run in same] == [run.info.run_id for run in page]
        assert same.token == page.token
        more += work > quick
    backend._database.write(indexes.create_indexes)
    assert more > len(QUICK) // 2
