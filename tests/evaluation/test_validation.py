"""Thresholds, and models that do not reach them."""

from __future__ import annotations

import pytest

import mlflow
from mlflow.evaluation.validation import (
    MetricThresholdClassException,
    ModelValidationFailedException,
)
from mlflow.models import EvaluationResult, MetricThreshold

UP, DOWN = {"greater_is_better": True}, {"greater_is_better": False}


def validate(asked, value, before=None):
    mlflow.validate_evaluation_results(
        {"a": MetricThreshold(**asked)},
        EvaluationResult({"a": value}, {}),
        None if before is None else EvaluationResult({"a": before}, {}),
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"threshold": "x", **UP},
        {"threshold": True, **UP},
        {"threshold": 1},
        {"threshold": 1, "greater_is_better": 1},
        {"min_absolute_change": 0, **UP},
        {"min_relative_change": 1, **UP},
        {"min_relative_change": 1.5, **UP},
        UP,
    ],
)
def test_thresholds_that_say_nothing_are_refused(asked):
    with pytest.raises(MetricThresholdClassException, match="Could not instantiate"):
        MetricThreshold(**asked)


def test_a_threshold_says_what_it_asks():
    asked = MetricThreshold(0.5, 0.1, 0.05, greater_is_better=False)

    assert str(asked) == (
        "Threshold: 0.5. Minimum Absolute Change: 0.1. Minimum Relative Change: 0.05. "
        "Lower value is better."
    )
    assert (asked.threshold, asked.min_absolute_change) == (0.5, 0.1)
    assert (asked.min_relative_change, asked.greater_is_better) == (0.05, False)


@pytest.mark.parametrize(
    ("asked", "value", "before"),
    [
        ({"threshold": 0.5, **UP}, 0.5, None),
        ({"threshold": 0.5, **DOWN}, 0.4, None),
        ({"min_absolute_change": 0.1, **UP}, 0.4, 0.3),
        ({"min_absolute_change": 0.1, **DOWN}, 0.2, 0.3),
        ({"min_relative_change": 0.5, **UP}, -0.1, -0.2),
        ({"min_relative_change": 0.5, **DOWN}, 1, 2),
        ({"min_relative_change": 0.5, **UP}, 0.1, 0),
    ],
)
def test_good_enough(asked, value, before):
    validate(asked, value, before)


@pytest.mark.parametrize(
    ("asked", "value", "before", "told"),
    [
        ({"threshold": 0.5, **UP}, 0.4, None, "a value threshold check failed"),
        ({"threshold": 0.5, **UP}, float("nan"), None, "candidate model a = nan"),
        ({"threshold": 0.5, **DOWN}, 0.6, None, "a threshold = 0.5"),
        ({"min_absolute_change": 0.5, **UP}, 0.4, 0.3, "minimum absolute change check failed"),
        ({"min_relative_change": 0.5, **UP}, 0.4, 0.3, "minimum relative change check failed"),
        ({"min_relative_change": 0.5, **UP}, 0, 0, "minimum relative change check failed"),
        ({"min_relative_change": 0.5, **DOWN}, 0.1, 0, "minimum relative change check failed"),
        ({"min_absolute_change": 0.5, **UP}, 0.4, None, "result of the baseline model"),
    ],
)
def test_not_good_enough(asked, value, before, told):
    with pytest.raises(ModelValidationFailedException, match=told) as caught:
        validate(asked, value, before)

    assert caught.value.error_code == "BAD_REQUEST"


def test_a_metric_that_is_missing():
    thresholds = {"b": MetricThreshold(1, **UP), "c": MetricThreshold(1, **UP)}

    with pytest.raises(ModelValidationFailedException) as caught:
        mlflow.validate_evaluation_results(thresholds, EvaluationResult({"a": 1}, {}))

    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("thresholds", [[1], {"a": 3}, {1: MetricThreshold(1, **UP)}])
def test_other_things_than_thresholds(thresholds):
    with pytest.raises(mlflow.MlflowException, match="must be a dictionary"):
        mlflow.validate_evaluation_results(thresholds, EvaluationResult({}, {}))
