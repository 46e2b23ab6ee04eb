"""Figures of Shapley values, and evaluations without shap."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.evaluation.explanation import ShapEvaluator
from mlflow.exceptions import MlflowException

FRAME = pd.DataFrame(np.random.default_rng(0).random((20, 2)), columns=list("ab"))


def evaluate(data=FRAME, model=lambda frame: frame.a, **config):
    return mlflow.models.evaluate(
        model, data.assign(y=FRAME.a), targets="y", model_type="regressor", evaluator_config=config
    )


@pytest.mark.parametrize(
    ("kind", "config", "can"),
    [
        ("regressor", {}, True),
        ("classifier", {}, True),
        ("text", {}, False),
        ("regressor", {"log_model_explainability": False}, False),
    ],
)
def test_whom_it_explains(kind, config, can):
    assert ShapEvaluator.can_evaluate(model_type=kind, evaluator_config=config) is can


def test_without_shap(monkeypatch, caplog):
    """It says what to install, and the metrics are there."""
    monkeypatch.setitem(sys.modules, "shap", None)

    result = evaluate()

    assert result.metrics["max_error"] == 0
    assert result.artifacts == {}
    assert "pip install shap" in caplog.text


def test_an_unknown_algorithm():
    with pytest.raises(MlflowException, match="explainer algorithm x is unsupported"):
        evaluate(explainability_algorithm="x")


def test_predictions_that_are_there_are_not_explained(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "shap", None)
    mlflow.models.evaluate(data=FRAME, targets="a", predictions="b", model_type="regressor")

    assert "shap" not in caplog.text
