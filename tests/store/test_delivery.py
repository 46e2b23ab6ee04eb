"""Calls come into a store together, once, and none is lost because another is refused."""

from __future__ import annotations

import math

import pytest

from mlflow.entities.run import Metric, Param, RunTag
from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, MlflowException
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.calls import Call
from mlflow.store.delivery import deliver, missing
from mlflow.store.local import LocalStore


@pytest.fixture(params=["files", "sqlite"])
def store(request, tmp_path):
    if request.param == "files":
        return LocalStore(FileBackend(str(tmp_path / "runs")))
    return LocalStore(SqlBackend(f"sqlite:///{tmp_path}/a.db"))


@pytest.fixture
def run_id(store):
    return store.create_run("0", "ada", 1, [], "name").info.run_id


def points(store, run_id, key="m"):
    return [(one.step, one.value) for one in store.get_metric_history(run_id, key)]


def test_one_that_is_refused(store, run_id):
    """Its reason stands at its place; the others are written."""
    calls = [
        Call(run_id, [Metric("m", 1.0, 1, 1)]),
        Call(run_id, [Metric("../m", 1.0, 1, 1)]),
        Call("0" * 32, [Metric("m", 1.0, 1, 1)]),
        Call(run_id, [Metric("m", 2.0, 1, 2)], [Param("p", "1")]),
        Call(run_id, [], [Param("p", "2")]),
    ]
    results = deliver(store, calls)

    assert [None, "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", None,
            "INVALID_PARAMETER_VALUE"] == [
        None if one is None else one.error_code for one in results
    ]  # fmt: skip
    assert [(1, 1.0), (2, 2.0)] == points(store, run_id)
    assert {"p": "1"} == store.get_run(run_id).data.params


def test_few_batches(store, run_id, monkeypatch):
    """Neighbours of one run go together, as many as a batch may hold, in their order."""
    sizes = []
    write = store.log_batch
    monkeypatch.setattr(
        store,
        "log_batch",
        lambda run, *some: (sizes.append(sum(map(len, some))), write(run, *some)),
    )
    deliver(store, [Call(run_id, [Metric("m", 1.0, 1, step)]) for step in range(2500)])
    deliver(store, [Call(run_id, [], [Param(f"p{number}", "")]) for number in range(250)])
    assert [1000, 1000, 500, 100, 100, 50] == sizes


@pytest.mark.parametrize("count", range(5))
def test_what_was_written_before_the_answer_was_lost(store, run_id, count):
    """However many calls that was: what is missing then makes it whole, and nothing twice."""
    calls = [
        Call(run_id, [Metric("m", 1.0, 1, 1)], [Param("p", "1")], [RunTag("t", "1")]),
        Call(run_id, [Metric("m", math.nan, 2, 2)], [], [RunTag("t", "2")]),
        Call(run_id, [Metric("n", math.inf, 1, 1)]),
        Call(run_id, [], [Param("q", "1")], [RunTag("u", "1")]),
    ]
    deliver(store, calls[:count])
    assert [None] * 4 == deliver(store, missing(store, calls))

    data = store.get_run(run_id).data
    assert ({"p": "1", "q": "1"}, "2", "1") == (data.params, data.tags["t"], data.tags["u"])
    assert ["(1, 1.0)", "(2, nan)"] == [str(one) for one in points(store, run_id)]
    assert 1 == len(points(store, run_id, "n"))
    assert 0 == sum(one.size for one in missing(store, calls))


def test_points_that_are_alike(store, run_id):
    """A point is compared as often as it occurs: two that are alike, one of them there."""
    call = Call(run_id, [Metric("m", 1.0, 1, 1), Metric("m", 1.0, 1, 1)])
    store.log_metric(run_id, call.metrics[0])
    assert 1 == missing(store, [call])[0].size


def test_tags_of_a_run_that_ended(store, run_id):
    """It keeps those it has; one it lacks it gets."""
    store.set_tag(run_id, RunTag("t", "new"))
    store.update_run_info(run_id, 3, 9, None)
    (lacking,) = missing(store, [Call(run_id, [], [], [RunTag("t", "old"), RunTag("u", "1")])])
    assert [("u", "1")] == [(tag.key, tag.value) for tag in lacking.tags]


def test_a_store_that_is_away(store, run_id, monkeypatch):
    """That is no refusal: nothing is known of the call, and nothing else is tried."""

    def away(*_):
        raise MlflowException("away", TEMPORARILY_UNAVAILABLE)

    monkeypatch.setattr(store, "log_batch", away)
    with pytest.raises(MlflowException, match="away"):
        deliver(store, [Call(run_id, [Metric("m", 1.0, 1, 1)])])
    monkeypatch.setattr(store, "get_run", away)
    with pytest.raises(MlflowException, match="away"):
        missing(store, [Call(run_id, [Metric("m", 1.0, 1, 1)])])
