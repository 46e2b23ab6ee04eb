"""Figures of models that predict numbers."""

from __future__ import annotations

import numpy as np
import pytest

from mlflow.evaluation.regressor import RegressorEvaluator, regression_figures


def test_figures():
    found = regression_figures([1.0, 2, 4], np.array([1.0, 3, 3]), None)

    assert found["example_count"] == 3
    assert found["sum_on_target"] == 7
    assert found["mean_on_target"] == pytest.approx(7 / 3)
    assert found["mean_absolute_error"] == pytest.approx(2 / 3)
    assert found["root_mean_squared_error"] == pytest.approx((2 / 3) ** 0.5)
    assert found["max_error"] == 1
    assert {type(value) for value in found.values()} == {int, float}


def test_weights():
    found = regression_figures([1.0, 2], np.array([1.0, 3]), [3, 1])

    assert found["sum_on_target"] == 5
    assert found["mean_absolute_error"] == 0.25


@pytest.mark.parametrize(("kind", "can"), [("regressor", True), ("classifier", False)])
def test_its_type(kind, can):
    assert RegressorEvaluator.can_evaluate(model_type=kind, evaluator_config={}) is can
