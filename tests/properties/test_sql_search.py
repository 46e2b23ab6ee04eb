"""Searches of databases find what the matcher finds, in its order, whatever is stored and asked."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlflow.entities.run import Metric
from mlflow.search.match import page
from mlflow.store.backends.base import Query
from mlflow.store.backends.sql import SqlBackend, indexes, search_plan, tables
from tests import sql_things as things
from tests.databases import on_every_database

SIZE = 1000
# Each example asks several questions of one store, and a server answers slower than a file.
EXAMPLES = settings.default.max_examples // 3


@pytest.fixture
def backend(sql_uri):
    backend = SqlBackend(sql_uri)
    assert backend._database.run(indexes.has_indexes)
    yield backend
    backend.close()


def emptied(connection):
    for table in reversed(tables.metadata.sorted_tables):
        if table.name in NAMES:
            connection.execute(table.delete())


NAMES = {
    table.name
    for table in (
        tables.experiments, tables.experiment_tags, tables.runs, tables.metrics,
        tables.latest_metrics, tables.params, tables.tags, tables.datasets, tables.inputs,
        tables.input_tags, tables.logged_models, tables.logged_model_metrics,
        tables.logged_model_params, tables.logged_model_tags, tables.registered_models,
        tables.registered_model_tags, tables.model_versions, tables.model_version_tags,
    )
}  # fmt: skip


def filled(database, fill, found):
    def work(connection):
        emptied(connection)
        fill(connection, found)

    database.write(work)


def compared(noun, rows, identify, search, narrowed, query, history=None):
    """Ask both for every page of a search; the things and their order are the same."""
    expected, _ = page(
        noun, rows, query.where, query.order_by, SIZE, history=history, query=narrowed
    )
    found, token = [], None
    for _ in range(len(expected) + 1):
        some = search(Query(query.where, query.order_by, query.max_results, token))
        found += some
        token = some.token
        if token is None:
            break
        assert len(some) == query.max_results

    assert [identify(row) for row in expected] == [identify(row) for row in found]


def asked(noun, data, scope=None):
    return Query(
        data.draw(things.filters(noun, scope), label="where"),
        data.draw(things.orders(noun), label="order"),
        data.draw(st.integers(1, 4), label="size"),
    )


# What the limits of plans are lowered to, so that plans for many rows are made for few.
LOWERED = {"FEW": 0, "MANY": 1, "STRIDE": 1, "LISTED": 0}
USUAL = {name: getattr(search_plan, name) for name in LOWERED}


def planned(monkeypatch, lowered):
    """Have some limits lowered, the others as usual."""
    for name, usual in USUAL.items():
        monkeypatch.setattr(search_plan, name, LOWERED[name] if name in lowered else usual)


def property_test(function):
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return on_every_database(
        settings(suppress_health_check=checks, max_examples=EXAMPLES)(
            given(data=st.data())(function)
        )
    )


@property_test
def test_runs(backend, monkeypatch, data):
    """Runs: attributes, metrics, params, tags, datasets, aggregates."""
    found = data.draw(things.runs(backend._database.dialect))
    filled(backend._database, things.fill_runs, found)
    planned(monkeypatch, data.draw(st.sets(st.sampled_from(sorted(LOWERED))), label="lowered"))
    histories = {one["id"]: one["metrics"] for one in found}
    history = lambda run, key: [
        Metric(key, *point) for point in histories[run.info.run_id].get(key, ())
    ]
    for _ in range(6):
        ids = data.draw(st.lists(st.sampled_from(["1", "2", "12", "012", "x", "99"]), max_size=4))
        view = data.draw(st.integers(1, 3))
        rows = [
            things.run_entity(one)
            for one in found
            if str(one["experiment"]) in ids
            and view != (2 if one["stage"] == "active" else 1)
        ]  # fmt: skip
        compared(
            "runs", rows, lambda run: run.info.run_id,
            lambda query: backend.search_runs(ids, view, query),
            (sorted(set(ids)), view), asked("runs", data), history,
        )  # fmt: skip


@property_test
def test_experiments(backend, data):
    """Experiments: ids are numbers there and text here."""
    found = data.draw(things.experiments(backend._database.dialect))
    filled(backend._database, things.fill_experiments, found)
    for _ in range(4):
        rows = [things.experiment_entity(one) for one in found]
        compared(
            "experiments", rows, lambda one: one.experiment_id,
            lambda query: backend.search_experiments(3, query),
            (3,), asked("experiments", data),
        )  # fmt: skip


@property_test
def test_registered_models(backend, data):
    """Registered models and their versions; deleted versions are never found."""
    found = data.draw(things.registered_models(backend._database.dialect))
    filled(backend._database, things.fill_registered_models, found)
    versions = [version for one in found for version in things.version_entities(one)]
    for _ in range(3):
        compared(
            "registered_models", [things.registered_entity(one) for one in found],
            lambda one: one.name, backend.search_registered_models, (),
            asked("registered_models", data),
        )  # fmt: skip
        compared(
            "model_versions", versions, lambda one: (one.name, one.version),
            backend.search_model_versions, (), asked("model_versions", data),
        )  # fmt: skip


@property_test
def test_logged_models(backend, data):
    """Logged models: metrics of datasets, the latest of each."""
    found = data.draw(things.logged_models(backend._database.dialect))
    filled(backend._database, things.fill_logged_models, found)
    for _ in range(4):
        ids = data.draw(st.lists(st.sampled_from(["1", "2"]), max_size=2))
        scope = data.draw(st.none() | st.sampled_from([(("d", None),), (("d", "2"), ("D", "1"))]))
        rows = [
            things.logged_entity(one)
            for one in found
            if str(one["experiment"]) in ids and one["stage"] == "active"
        ]  # fmt: skip
        compared(
            "logged_models", rows, lambda one: one.model_id,
            lambda query: backend.search_logged_models(ids, query),
            (sorted(set(ids)),), asked("logged_models", data, scope),
        )  # fmt: skip
