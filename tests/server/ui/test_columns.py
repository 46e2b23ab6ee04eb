"""Names and cells of columns."""

from __future__ import annotations

import math

import pytest

from mlflow.entities.run import Metric
from mlflow.exceptions import MlflowException
from mlflow.server.ui.columns import (
    MAX_COLUMNS,
    MAX_TEXT,
    Reads,
    cells,
    number,
    plain,
    reader,
    split,
)


def reads(sweep):
    return Reads(lambda run, key: sweep.store.metric_series(run.info.run_id, key), lambda run: 7)


def test_names():
    """A kind and a key, which may hold dots and slashes."""
    assert ("metrics", "a.b/c") == split("metrics.a.b/c")
    for bad in ("metrics", "metrics.", "other.x", "", "attributes.__class__", "attributes.nothing"):
        with pytest.raises(MlflowException, match="Invalid column"):
            split(bad)


def test_cells_follow_the_runs(sweep):
    """One list a column, in the order of the runs; what a run has not is None."""
    runs = [sweep.store.get_run(run_id) for run_id in sweep.ids[:2]]

    found = cells(runs, ["params.lr", "metrics.score", "metrics.none", "attributes.duration"])

    assert {
        "params.lr": ["0.5", "0.5"],
        "metrics.score": [0.0, 1.0],
        "metrics.none": [None, None],
        "attributes.duration": [1000, 1000],
    } == found


def test_the_least_and_the_greatest_of_all(sweep):
    """Of what a run ever had of a metric; where runs are not looked at singly there are none."""
    runs = [sweep.store.get_run(run_id) for run_id in sweep.ids[:2]]

    found = cells(runs, ["lowest.loss", "highest.loss", "lowest.none"], reads(sweep))

    assert {
        "lowest.loss": [pytest.approx(1 / 3), pytest.approx(1 / 3 + 1)],
        "highest.loss": [1.0, 2.0],
        "lowest.none": [None, None],
    } == found
    with pytest.raises(MlflowException, match="single runs"):
        reader("lowest.loss")


def test_the_value_at_a_step(sweep):
    """Between two steps the earlier value holds; before the first and beyond the last, none does."""
    run_id = sweep.add(20)
    for step, value in ((10, 5.0), (20, math.nan), (30, 7.0)):
        sweep.store.log_metric(run_id, Metric("far", value, 1, step))
    runs = [sweep.store.get_run(run_id)]
    steps = (-1, 0, 2, 9, 10, 25, 30, 31)

    found = cells(runs, [f"at.{step}.far" for step in steps], reads(sweep))

    assert [None, None, None, None, 5.0, 5.0, 7.0, None] == [cell for (cell,) in found.values()]
    assert {"at.0.none": [None]} == cells(runs, ["at.0.none"], reads(sweep))
    for bad in ("at.loss", "at.1", "at.x.loss", "at.1.", f"at.{'9' * 30}.loss"):
        with pytest.raises(MlflowException, match=r"write at\.STEP\.KEY"):
            split(bad)


def test_the_size_of_artifacts(sweep):
    """Is looked up for single runs."""
    runs = [sweep.store.get_run(run_id) for run_id in sweep.ids[:2]]

    assert {"attributes.artifact_size": [7, 7]} == cells(
        runs, ["attributes.artifact_size"], reads(sweep)
    )
    with pytest.raises(MlflowException, match="single runs"):
        reader("attributes.artifact_size")


def test_too_many_columns(sweep):
    """A request cannot ask for everything at once."""
    with pytest.raises(MlflowException, match="Too many columns"):
        cells([], [f"metrics.{at}" for at in range(MAX_COLUMNS + 1)])


def test_cells_are_json():
    """No NaN, no infinity, no endless text."""
    assert ["NaN", "Infinity", "-Infinity", 1.5, "x", None] == [
        plain(value) for value in (math.nan, math.inf, -math.inf, 1.5, "x", None)
    ]
    assert MAX_TEXT + 1 == len(plain("x" * 10_000))


def test_numbers_that_texts_spell():
    """Finite ones only."""
    assert [0.001, 5.0, None, None, None, None] == [
        number(text) for text in ("1e-3", 5, "abc", "nan", None, "1" * 400)
    ]


def test_a_reader_reads_one_thing(sweep):
    """The same as `cells`, for one run."""
    run = sweep.store.get_run(sweep.ids[0])

    assert "run-0" == reader("attributes.run_name")(run)
    assert "ada" == reader("attributes.user_id")(run)
