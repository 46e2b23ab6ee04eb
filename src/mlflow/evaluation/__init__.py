"""Evaluation: what models are worth on data, recorded in runs."""

from __future__ import annotations

from mlflow._doorway import attach

_HOMES = {
    "EvaluationArtifact": "mlflow.evaluation.artifacts",
    "EvaluationDataset": "mlflow.data.evaluation_dataset",
    "EvaluationMetric": "mlflow.metrics.base",
    "EvaluationResult": "mlflow.evaluation.result",
    "MetricThreshold": "mlflow.evaluation.validation",
    "ModelEvaluator": "mlflow.evaluation.evaluators",
    "evaluate": "mlflow.evaluation.fluent",
    "list_evaluators": "mlflow.evaluation.evaluators",
    "make_metric": "mlflow.metrics.base",
    "validate_evaluation_results": "mlflow.evaluation.validation",
}

__getattr__, __dir__ = attach(__name__, _HOMES)
__all__ = sorted(_HOMES)  # noqa: PLE0605 - looked up on first use
