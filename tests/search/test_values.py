"""Where values are found, and what aggregates mean."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.entities.logged_models import LoggedModel
from mlflow.entities.registry import ModelVersion
from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunTag,
)
from mlflow.search.nodes import AGGREGATES, OrderTerm
from mlflow.search.values import aggregate_of, getter, order_text, single_getter

RUN = Run(
    RunInfo("r", "0", "u", "RUNNING", 5, None, "active", "uri", "name"),
    RunData([Metric("m", 2.0, 1, 1)], [Param("p", "x")], [RunTag("t", "y")]),
    RunInputs(
        [
            DatasetInput(Dataset("d", "1", "s", "{}"), [InputTag("mlflow.data.context", "train")]),
            DatasetInput(Dataset("e", "2", "s", "{}"), []),
        ]
    ),
)
BARE = Run(RunInfo("r", "0", "u", "RUNNING", 5, None, "active", "uri", "name"), RunData())


@pytest.mark.parametrize(
    ("kind", "key", "expected"),
    [
        ("metric", "m", [2.0]),
        ("metric", "p", []),
        ("param", "p", ["x"]),
        ("tag", "t", ["y"]),
        ("attribute", "start_time", [5]),
        ("attribute", "end_time", []),
        ("attribute", "run_name", ["name"]),
        ("dataset", "name", ["d", "e"]),
        ("dataset", "digest", ["1", "2"]),
        ("dataset", "context", ["train"]),
    ],
)
def test_values_of_a_run(kind, key, expected):
    """Missing things have no value; datasets have several; both getters agree."""
    single = single_getter("runs", kind, key)

    assert expected == getter("runs", kind, key)(RUN)
    assert single is None or (expected or [None]) == [single(RUN)]
    if kind == "dataset":
        assert [] == getter("runs", kind, key)(BARE)


def test_values_of_a_version():
    """Version numbers are numbers, the source is a path, and an empty run id is none."""
    version = ModelVersion("m", "10", 1, source="src", run_id="")

    assert [10] == getter("model_versions", "attribute", "version_number")(version)
    assert ["src"] == getter("model_versions", "attribute", "source_path")(version)
    assert [] == getter("model_versions", "attribute", "run_id")(version)
    assert [] == getter("model_versions", "tag", "t")(version)


def test_values_of_a_logged_model():
    """A model has a metric for each dataset; the latest comes last; a scope chooses."""
    metrics = [
        Metric("a", 9.0, 1, 1, dataset_name="d", dataset_digest="1"),
        Metric("a", 2.0, 1, 0),
        Metric("a", math.nan, 1, 0),
    ]
    model = LoggedModel("0", "m-1", "n", "uri", 1, 2, metrics=metrics, tags={"t": "y"})
    values = getter("logged_models", "metric", "a")(model)

    assert [2.0, 9.0] == values[1:]
    assert math.isnan(values[0])
    assert [9.0] == getter("logged_models", "metric", "a", (("d", None),))(model)
    assert [9.0] == getter("logged_models", "metric", "", (("d", "1"),))(model)
    assert [] == getter("logged_models", "metric", "a", (("d", "2"),))(model)
    assert ["READY"] == getter("logged_models", "attribute", "status")(model)
    assert ["y"] == getter("logged_models", "tag", "t")(model)
    assert [] == getter("logged_models", "param", "p")(model)


def test_experiment_ids_order_as_numbers():
    """`10` comes behind `9`, as in stores whose ids are numbers."""
    text = order_text("experiments", OrderTerm("attribute", "experiment_id"))

    assert ["9", "10", "x"] == sorted(["x", "10", "9"], key=text)
    assert order_text("runs", OrderTerm("metric", "a")) is None


def _points(*rows):
    return [Metric("a", value, timestamp, step) for step, timestamp, value in rows]


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [("min", 1.0), ("max", 7.0), ("first", 7.0), ("last", 4.0), ("count", 3.0), ("mean", 4.0)],
)
def test_aggregates(aggregate, expected):
    """First and last are by step, then time; the same point twice is one point."""
    points = _points((1, 5, 1.0), (2, 1, 4.0), (0, 9, 7.0), (2, 1, 4.0))

    assert expected == aggregate_of(points, aggregate)


def test_aggregates_of_special_values():
    """NaN is left out unless there is nothing else; infinities are numbers."""
    nan = _points((0, 0, math.nan), (0, 0, math.nan))
    mixed = _points((0, 0, math.nan), (1, 0, 2.0), (2, 0, math.inf))

    assert 1.0 == aggregate_of(nan, "count")
    assert all(math.isnan(aggregate_of(nan, name)) for name in ("min", "max", "mean", "last"))
    assert (2.0, math.inf, math.inf) == tuple(
        aggregate_of(mixed, name) for name in ("min", "max", "mean")
    )
    assert math.isnan(aggregate_of(mixed, "first"))
    assert math.isnan(aggregate_of(_points((0, 0, math.inf), (1, 0, -math.inf)), "mean"))
    assert 1.5e308 == aggregate_of(_points((0, 0, 1.5e308), (1, 0, 1.5e308)), "mean")
    assert aggregate_of([], "min") is None


@given(st.permutations(list(enumerate([0.1, -2.5, math.inf, math.nan, 1e300, 3e-300, 0.2]))))
def test_aggregates_do_not_depend_on_the_order(rows):
    """However the points come, each aggregate is the same number."""
    points = _points(*((step % 3, step, value) for step, value in rows))
    ordered = sorted(points, key=lambda point: point.timestamp)

    for name in AGGREGATES:
        assert repr(aggregate_of(ordered, name)) == repr(aggregate_of(points, name))
