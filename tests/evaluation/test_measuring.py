"""Metrics that users name: what their arguments are, their order, and what they may return."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from mlflow.evaluation.measuring import Data, check, figures, measure
from mlflow.exceptions import MlflowException
from mlflow.metrics import MetricValue, make_metric

INPUTS = pd.DataFrame({"a": [1.0, 2], "target": [1.0, 3]})
BEFORE = {"own": MetricValue(aggregate_results={"own": 5})}


def data(**config):
    outputs = pd.DataFrame({"extra": [7, 8]})
    return Data(pd.Series([1.0, 2]), INPUTS.target, INPUTS, outputs, "outputs", config)


def named(function, name="m", **more):
    return make_metric(eval_fn=function, greater_is_better=True, name=name, **more)


def found(function, **config):
    return measure([named(function)], data(**config), BEFORE)["m"].aggregate_results["m"]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda predictions, targets: (targets - predictions).sum(), 1),
        (lambda a: a.sum(), 3),
        (lambda extra: extra.sum(), 15),
        (lambda metrics: metrics["own"].aggregate_results["own"], 5),
        (lambda own: own.aggregate_results["own"], 5),
        (lambda setting: setting, 4),
        (lambda zone: zone.sum(), 3),
        (lambda constant: constant, 9),
        (lambda a, absent=2: a.sum() * absent, 6),
        (lambda a, *, setting: a.sum() * setting, 12),
        (lambda a, /, **rest: a.sum() + len(rest), 3),
        (lambda eval_df, builtin_metrics: len(eval_df) + builtin_metrics["own"], 7),
    ],
)
def test_arguments(function, expected):
    """Names mean predictions, targets, columns, other metrics, settings, and what is mapped."""
    value = found(function, setting=4, col_mapping={"zone": "a", "constant": 9})

    assert value == expected


def test_metrics_that_take_others_wait_for_them():
    metrics = [
        named(lambda second: second.aggregate_results["second"] + 1, "third"),
        named(lambda first: first.aggregate_results["first"] + 1, "second"),
        named(lambda a: 1, "first"),
    ]

    values = measure(metrics, data(), {})

    assert {name: value.aggregate_results[name] for name, value in values.items()} == {
        "first": 1, "second": 2, "third": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    "metrics",
    [
        [named(lambda absent: 1)],
        [named(lambda two: 1, "one"), named(lambda one: 1, "two")],
        [named(lambda m: 1)],
    ],
)
def test_what_a_metric_lacks_is_said(metrics):
    with pytest.raises(MlflowException) as caught:
        measure(metrics, data(), {})

    text = str(caught.value)
    assert text.count("need to be defined or mapped") == len(metrics)
    assert "Input Columns: ['a', 'target']" in text
    assert "Output Columns: ['outputs', 'extra']" in text


def test_a_metric_that_fails():
    with pytest.raises(MlflowException, match="Metric 'm': Error") as caught:
        found(lambda a: 1 / 0)

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "it returned None"),
        ("text", "it did not return a MetricValue"),
        ([1, 2], "it did not return a MetricValue"),
        (MetricValue(scores=3), "scores as a list"),
        (MetricValue(aggregate_results={"a": "x"}), "numeric values"),
        (MetricValue(aggregate_results={1: 2}), "str keys"),
    ],
)
def test_what_is_no_value_is_left_out(value, told, caplog):
    with caplog.at_level(logging.WARNING, "mlflow"):
        assert measure([named(lambda a: value)], data(), {}) == {}

    assert "Did not log metric 'm' at index 0 in the `extra_metrics` parameter" in caplog.text
    assert told in caplog.text


@pytest.mark.parametrize("value", [3, 2.5, True, np.float32(3), np.int64(4)])
def test_numbers_are_figures(value):
    assert found(lambda a: value) == value


def test_a_score_is_due_for_each_row():
    with pytest.raises(MlflowException, match="1 scores for 2 rows"):
        measure([named(lambda a: MetricValue([1.0]))], data(), {})


def test_names_of_figures():
    """The version is part of the name; the one figure of a metric is called as the metric is."""
    values = {
        "plain": MetricValue(aggregate_results={"plain": 1}),
        "whole/v1": MetricValue(aggregate_results={"whole": 2}),
        "several/v1": MetricValue(aggregate_results={"mean": 3, "most": 4}),
        "none": MetricValue(),
    }

    assert figures(values) == {
        "plain": 1, "whole/v1": 2, "several/v1/mean": 3, "several/v1/most": 4,
    }  # fmt: skip
    assert figures(values, "v_") == {
        "v_plain": 1, "v_whole/v1": 2, "v_several/v1/v_mean": 3, "v_several/v1/v_most": 4,
    }  # fmt: skip


@pytest.mark.parametrize(("given", "told"), [([max], "has type 'builtin"), (max, "is a list")])
def test_what_are_no_metrics(given, told):
    with pytest.raises(MlflowException, match=told):
        check(given)


def test_no_metrics():
    assert check(None) == []
