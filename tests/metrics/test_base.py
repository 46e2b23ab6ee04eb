"""What metrics are made of."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from mlflow.exceptions import MlflowException
from mlflow.metrics import EvaluationMetric, MetricValue, make_metric
from mlflow.metrics.base import standard_aggregations


def test_numbers_are_aggregated():
    """Mean, variance and 90th percentile come of themselves, unless other figures are given."""
    assert MetricValue([1, 2.0, np.float64(3)]).aggregate_results == standard_aggregations(
        [1, 2, 3]
    )
    assert MetricValue([1.0], aggregate_results={"own": 1}).aggregate_results == {"own": 1}


@pytest.mark.parametrize("scores", [None, [], ["a"], [1.0, None], [True, False], 3])
def test_other_scores_are_not(scores):
    assert MetricValue(scores).aggregate_results is None


def test_a_metric_is_called_by_name():
    metric = make_metric(eval_fn=lambda predictions, targets: predictions + targets,
                         greater_is_better=True, name="sum", version="v1")  # fmt: skip

    assert metric(predictions=1, targets=2) == 3
    assert str(metric) == (
        "EvaluationMetric(name=sum, greater_is_better=True, long_name=sum, version=v1)"
    )
    with pytest.raises(TypeError):
        metric(1, 2)


def test_a_function_gives_its_name():
    def closeness(predictions): ...

    assert make_metric(eval_fn=closeness, greater_is_better=True).name == "closeness"
    assert isinstance(make_metric(eval_fn=closeness, greater_is_better=True), EvaluationMetric)


@pytest.mark.parametrize("function", [lambda predictions: 1, type("F", (), {"__call__": max})()])
def test_a_name_is_needed(function):
    with pytest.raises(MlflowException, match="`name` must be specified"):
        make_metric(eval_fn=function, greater_is_better=True)


@pytest.mark.parametrize("name", ["two words", "class", "metrics"])
def test_names_that_no_argument_can_have(name, caplog):
    with caplog.at_level(logging.WARNING, "mlflow"):
        make_metric(eval_fn=max, greater_is_better=True, name=name)

    assert name in caplog.text
