"""Metrics of numbers and labels, as scikit-learn computes them."""

from __future__ import annotations

from mlflow.metrics.base import EvaluationMetric, MetricValue, make_metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def mae() -> EvaluationMetric:
    """Return the metric "mean absolute error"."""
    return _of_numbers("mean_absolute_error")


def mse() -> EvaluationMetric:
    """Return the metric "mean squared error"."""
    return _of_numbers("mean_squared_error")


def rmse() -> EvaluationMetric:
    """Return the metric "square root of the mean squared error"."""
    return _of_numbers("root_mean_squared_error")


def r2_score() -> EvaluationMetric:
    """Return the metric "coefficient of determination"."""
    return _of_numbers("r2_score", greater_is_better=True)


def mape() -> EvaluationMetric:
    """Return the metric "mean absolute percentage error"."""
    return _of_numbers("mean_absolute_percentage_error")


def max_error() -> EvaluationMetric:
    """Return the metric "largest error"."""

    def evaluate(predictions: Any, targets: Any = None, metrics: Any = None) -> Any:
        return _value("max_error", predictions, targets)

    return make_metric(eval_fn=evaluate, greater_is_better=False, name="max_error")


def recall_score() -> EvaluationMetric:
    """Return the metric "share of a class that was found"."""
    return _of_labels("recall_score")


def precision_score() -> EvaluationMetric:
    """Return the metric "share of what was taken for a class that is of it"."""
    return _of_labels("precision_score")


def f1_score() -> EvaluationMetric:
    """Return the metric "harmonic mean of precision and recall"."""
    return _of_labels("f1_score")


def exact_match() -> EvaluationMetric:
    """Return the metric "share of rows that are the target to the letter"."""

    def evaluate(
        predictions: Any, targets: Any = None, metrics: Any = None, sample_weight: Any = None
    ) -> Any:
        return _value("accuracy_score", predictions, targets, "exact_match",
                      sample_weight=sample_weight)  # fmt: skip

    return make_metric(eval_fn=evaluate, greater_is_better=True, name="exact_match", version="v1")


def _of_numbers(name: str, greater_is_better: bool = False) -> EvaluationMetric:
    def evaluate(
        predictions: Any, targets: Any = None, metrics: Any = None, sample_weight: Any = None
    ) -> Any:
        return _value(name, predictions, targets, sample_weight=sample_weight)

    return make_metric(eval_fn=evaluate, greater_is_better=greater_is_better, name=name)


def _of_labels(name: str) -> EvaluationMetric:
    def evaluate(
        predictions: Any,
        targets: Any = None,
        metrics: Any = None,
        pos_label: Any = 1,
        average: str = "binary",
        sample_weight: Any = None,
    ) -> Any:
        return _value(name, predictions, targets, pos_label=pos_label, average=average,
                      sample_weight=sample_weight)  # fmt: skip

    return make_metric(eval_fn=evaluate, greater_is_better=True, name=name)


def _value(
    function: str, predictions: Any, targets: Any, name: str | None = None, **options: Any
) -> MetricValue | None:
    """Return what a function of scikit-learn finds; None where there is nothing to hold against."""
    if targets is None or not len(targets):
        return None
    import sklearn.metrics

    compute: Callable[..., Any] = getattr(sklearn.metrics, function)
    found = compute(y_true=targets, y_pred=predictions, **options)
    return MetricValue(aggregate_results={name or function: float(found)})
