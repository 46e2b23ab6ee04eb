"""Metrics of numbers and labels."""

from __future__ import annotations

import pandas as pd
import pytest

from mlflow import metrics

NUMBERS = pd.Series([1.0, 2, 3]), pd.Series([1.5, 2, 2])
LABELS = pd.Series([1, 0, 1]), pd.Series([1, 1, 0])
CASES = {
    "mae": (NUMBERS, "mean_absolute_error", 0.5),
    "mse": (NUMBERS, "mean_squared_error", 1.25 / 3),
    "rmse": (NUMBERS, "root_mean_squared_error", (1.25 / 3) ** 0.5),
    "r2_score": (NUMBERS, "r2_score", -6.5),
    "max_error": (NUMBERS, "max_error", 1.0),
    "mape": (NUMBERS, "mean_absolute_percentage_error", (1 / 3 + 0.5) / 3),
    "recall_score": (LABELS, "recall_score", 0.5),
    "precision_score": (LABELS, "precision_score", 0.5),
    "f1_score": (LABELS, "f1_score", 0.5),
    "exact_match": (LABELS, "exact_match", 1 / 3),
}


@pytest.mark.parametrize("name", CASES)
def test_values(name):
    """Each finds what it is named after, and nothing where there is nothing to hold against."""
    (predictions, targets), key, expected = CASES[name]
    metric = getattr(metrics, name)()

    value = metric.eval_fn(predictions, targets)

    assert metric.name == key
    assert value.aggregate_results == {key: pytest.approx(expected)}
    assert value.scores is None
    assert metric.eval_fn(predictions, None) is metric.eval_fn(predictions, []) is None


def test_weights_count():
    value = metrics.mae().eval_fn(*NUMBERS, sample_weight=[1, 2, 3])

    assert value.aggregate_results == {"mean_absolute_error": pytest.approx(3.5 / 6)}
