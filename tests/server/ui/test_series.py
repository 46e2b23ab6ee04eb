"""Many series in one answer, remembered while nothing was added."""

from __future__ import annotations

import math

import pytest

from mlflow.entities.run import Metric
from mlflow.exceptions import MlflowException
from mlflow.server.ui import series as module
from mlflow.server.ui.series import Histories, series
from mlflow.store.base import AbstractStore
from mlflow.store.local import LocalStore


@pytest.fixture
def reads(sweep, monkeypatch):
    """Counts how often a history is read, of a store that remembers none, as a remote one."""
    counted = []
    monkeypatch.setattr(LocalStore, "remembers_series", False)
    monkeypatch.setattr(LocalStore, "metric_series", AbstractStore.metric_series)
    real = sweep.store.get_metric_history
    monkeypatch.setattr(
        sweep.store, "get_metric_history", lambda *given: counted.append(given) or real(*given)
    )
    return counted


def test_series_of_several_runs(sweep):
    """Those that a run lacks are left out, runs that are gone are named."""
    histories = Histories(sweep.store)

    found = series(histories, sweep.store, [*sweep.ids[:2], "f" * 32], ["loss", "none"])

    assert [(sweep.ids[0], "loss"), (sweep.ids[1], "loss")] == [
        (one["run"], one["key"]) for one in found["series"]
    ]
    first = found["series"][0]
    assert ([0, 1, 2], 3, True) == (first["x"], first["n"], first["exact"])
    assert ["f" * 32] == found["missing"]
    assert {"start": 1000, "status": "FINISHED"} == found["runs"][sweep.ids[0]]


def test_what_has_ended_is_read_once(sweep, reads):
    """Until a point is added."""
    histories = Histories(sweep.store)
    for _ in range(3):
        series(histories, sweep.store, sweep.ids[:1], ["loss"])
    assert 1 == len(reads)

    sweep.store.log_metric(sweep.ids[0], Metric("loss", 9.0, 2, 3))
    found = series(histories, sweep.store, sweep.ids[:1], ["loss"])
    assert [9.0, 2] == [found["series"][0]["y"][-1], len(reads)]


def test_what_runs_is_read_again(sweep, reads):
    """A point with a small step would not be seen otherwise."""
    run_id = sweep.store.create_run(sweep.experiment, "u", 1, [], None).info.run_id
    sweep.store.log_metric(run_id, Metric("loss", 1.0, 1, 5))
    histories = Histories(sweep.store)
    series(histories, sweep.store, [run_id], ["loss"])
    sweep.store.log_metric(run_id, Metric("loss", 2.0, 1, 1))

    found = series(histories, sweep.store, [run_id], ["loss"])

    assert ([1, 5], 2) == (found["series"][0]["x"], len(reads))


def test_a_store_that_remembers_is_asked_each_time(sweep, monkeypatch):
    """It knows better whether something was added, and keeps nothing twice."""
    asked = []
    real = sweep.store.metric_series
    monkeypatch.setattr(
        sweep.store, "metric_series", lambda *given: asked.append(given) or real(*given)
    )
    histories = Histories(sweep.store)
    for _ in range(2):
        series(histories, sweep.store, sweep.ids[:1], ["loss"])

    assert (2, {}) == (len(asked), histories._kept)


def test_memory_has_an_end(sweep, reads, monkeypatch):
    """The series that was not asked for longest goes."""
    monkeypatch.setattr(module, "_MAX_POINTS", 7)
    histories = Histories(sweep.store)
    for run_id in (*sweep.ids[:3], sweep.ids[0]):
        series(histories, sweep.store, [run_id], ["loss"])

    assert 4 == len(reads)


def test_rough_and_odd_series_say_so(sweep):
    """Means for smoothing where points are left out, marks where values are not finite."""
    points = [Metric("long", float(at), 1, at) for at in range(900)]
    sweep.store.log_batch(sweep.ids[0], points, [], [])
    sweep.store.log_metric(sweep.ids[0], Metric("long", math.nan, 1, 950))

    found = series(Histories(sweep.store), sweep.store, sweep.ids[:1], ["long"], buckets=20)

    line = found["series"][0]
    assert (901, False, [(950, "NaN")]) == (line["n"], line["exact"], line["marks"])
    assert 900 == sum(line["means"][2])


def test_too_many_series(sweep):
    """One request has a bound."""
    with pytest.raises(MlflowException, match="Too many series"):
        series(Histories(sweep.store), sweep.store, ["r"] * 101, ["k"] * 10)
