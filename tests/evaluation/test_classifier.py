"""Figures and curves of models that predict classes."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import mlflow
from mlflow.exceptions import MlflowException

FRAME = pd.DataFrame(np.random.default_rng(0).random((60, 2)), columns=list("ab"))
TWO, THREE = (FRAME.a > 0.5).astype(int), (FRAME.a * 3).astype(int)
CURVES = {"roc_curve_plot", "precision_recall_curve_plot", "calibration_curve_plot"}


def evaluate(model, target, data=FRAME, config=None, **more):
    return mlflow.models.evaluate(
        model, data.assign(y=target), targets="y", model_type="classifier",
        evaluator_config={"log_model_explainability": False, **(config or {})}, **more,
    )  # fmt: skip


def logged(target):
    with mlflow.start_run():
        model = LogisticRegression().fit(FRAME, target)
        return mlflow.sklearn.log_model(model, name="m", pip_requirements=[]).model_uri


def test_two_classes():
    """Counts and rates of the positive class, curves, and the model's own score."""
    result = evaluate(logged(TWO), TWO)
    found = result.metrics

    assert found["true_positives"] + found["false_negatives"] == TWO.sum()
    assert found["true_negatives"] + found["false_positives"] == (1 - TWO).sum()
    assert found["score"] == found["accuracy_score"]
    assert found["roc_auc"] > 0.9
    assert result.artifacts.keys() == {*CURVES, "lift_curve_plot", "confusion_matrix"}
    assert result.artifacts["confusion_matrix"].content.size == (1050, 700)


def test_the_other_class_is_positive():
    """Counts change places."""
    uri = logged(TWO)

    one, other = evaluate(uri, TWO).metrics, evaluate(uri, TWO, config={"pos_label": 0}).metrics

    assert one["true_positives"] == other["true_negatives"]
    assert one["log_loss"] == pytest.approx(other["log_loss"])
    assert one["roc_auc"] == pytest.approx(other["roc_auc"])


def test_more_classes():
    result = evaluate(logged(THREE), THREE)

    table = result.artifacts["per_class_metrics"].content
    assert table.positive_class.tolist() == [0, 1, 2]
    assert table.example_count.tolist() == [60] * 3
    assert "true_positives" not in result.metrics
    assert result.artifacts.keys() == {*CURVES, "per_class_metrics", "confusion_matrix"}


def test_many_classes_have_no_curves(caplog):
    config = {"max_classes_for_multiclass_roc_pr": 2}

    result = evaluate(logged(THREE), THREE, config=config)

    assert result.artifacts.keys() & CURVES == {"calibration_curve_plot"}
    assert "max_classes_for_multiclass_roc_pr" in caplog.text


def test_a_function_has_no_probabilities():
    result = evaluate(lambda frame: frame.a > 0.5, TWO.astype(bool))

    assert result.metrics["f1_score"] == 1
    assert "log_loss" not in result.metrics
    assert result.artifacts.keys() == {"confusion_matrix"}


def test_a_class_that_the_model_does_not_know(caplog):
    """There is no probability of it, so what is made of probabilities is left out."""
    with caplog.at_level(logging.WARNING, "mlflow"):
        result = evaluate(logged(TWO), THREE)

    assert "roc_auc" not in result.metrics
    assert "The model knows the classes [0, 1] and the data has [0, 1, 2]" in caplog.text


def test_a_figure_that_cannot_be_drawn(caplog):
    """There is no lift in data of one class; the evaluation goes on."""
    with pytest.warns(UserWarning, match="negative samples|one class"):
        result = evaluate(logged(TWO), 1, data=FRAME[FRAME.a.between(0.4, 0.8)])

    assert "Failed to log image artifact 'lift_curve_plot'" in caplog.text
    assert "lift_curve_plot" not in result.artifacts


@pytest.mark.parametrize(
    ("target", "config", "told"),
    [(1, {}, "at least two unique labels"), (TWO, {"pos_label": 7}, "`pos_label` is 7")],
)
def test_what_is_refused(target, config, told):
    with pytest.raises(MlflowException, match=told):
        evaluate(lambda frame: [1] * len(frame), target, config=config)
