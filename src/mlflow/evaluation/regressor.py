"""Judges models that predict numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow.evaluation.builtin import BuiltInEvaluator

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.metrics.base import EvaluationMetric


class RegressorEvaluator(BuiltInEvaluator):
    """Errors, and how much of the targets' variance is explained."""

    @classmethod
    def can_evaluate(
        cls, *, model_type: str | None, evaluator_config: dict[str, Any], **kwargs: Any
    ) -> bool:
        return model_type == "regressor"

    def compute(self, extra: list[EvaluationMetric], makers: list[Callable[..., Any]]) -> None:
        predicted = self.predict()
        self.data.outputs = None
        self.add_own_score()
        self.add(regression_figures(self.targets(), predicted, self.weights))
        self.measure(extra)
        self.log_custom(makers)


def regression_figures(targets: Any, predicted: Any, weights: Any) -> dict[str, Any]:
    """Return what predictions of numbers are worth.

    Args:
        targets: what was to be predicted.
        predicted: what was.
        weights: of each row; None for all the same.
    """
    import numpy as np
    from sklearn import metrics as sk

    targets = np.asarray(targets)
    options = {"y_true": targets, "y_pred": predicted, "sample_weight": weights}
    total = targets if weights is None else targets * np.asarray(weights)
    found = {
        "example_count": len(targets),
        "mean_absolute_error": sk.mean_absolute_error(**options),
        "mean_squared_error": sk.mean_squared_error(**options),
        "root_mean_squared_error": sk.root_mean_squared_error(**options),
        "sum_on_target": total.sum(),
        "mean_on_target": total.mean(),
        "r2_score": sk.r2_score(**options),
        "max_error": sk.max_error(targets, predicted),
        "mean_absolute_percentage_error": sk.mean_absolute_percentage_error(**options),
    }
    return {name: value if name == "example_count" else float(value)
            for name, value in found.items()}  # fmt: skip
