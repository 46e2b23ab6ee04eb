"""What has happened since somebody last looked."""

from __future__ import annotations

from mlflow.entities.run import Metric
from mlflow.server.ui.frame import Frame
from mlflow.server.ui.news import STALE_AFTER, news

from .conftest import filled

HOUR = 3_600_000


def test_runs_by_how_they_ended(sweep):
    """Only those that ended since; those that run are told apart by when they last did something."""
    store, now = sweep.store, 10 * HOUR
    for number, status in enumerate((4, 4, 5)):
        store.update_run_info(sweep.ids[number], status, 5 * HOUR, None)
    fresh = store.create_run(sweep.experiment, "u", now - 1000, [], "fresh").info.run_id
    busy = store.create_run(sweep.experiment, "u", HOUR, [], "busy").info.run_id
    store.log_metric(busy, Metric("loss", 1.0, now - STALE_AFTER + 1, 0))
    quiet = store.create_run(sweep.experiment, "u", HOUR, [], "quiet").info.run_id
    store.log_metric(quiet, Metric("loss", 1.0, now - STALE_AFTER - 1, 0))
    frame = filled(Frame(store, [sweep.experiment], 1))

    found = news(store, frame, 4 * HOUR, now)

    assert {"finished": 0, "failed": 2, "killed": 1, "running": 2, "stale": 1} == found
    assert 9 == news(store, frame, 0, now)["finished"]
    assert {fresh, busy, quiet} == {run.info.run_id for run in frame.runs()} - set(sweep.ids)


def test_nothing_has_happened(sweep):
    """Nothing is said."""
    frame = filled(Frame(sweep.store, [sweep.experiment], 1))

    assert {0} == set(news(sweep.store, frame, HOUR, HOUR).values())
