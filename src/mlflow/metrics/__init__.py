"""Metrics of predictions: those that MLflow names, and what users make their own with."""

from __future__ import annotations

from mlflow._doorway import attach

_SCORES = "mae mse rmse r2_score max_error mape recall_score precision_score f1_score exact_match"
_TEXT = (
    "ari_grade_level bleu flesch_kincaid_grade_level latency rouge1 rouge2 rougeL rougeLsum "
    "token_count toxicity"
)
_HOMES = {
    "EvaluationMetric": "mlflow.metrics.base",
    "MetricValue": "mlflow.metrics.base",
    "make_metric": "mlflow.metrics.base",
    **dict.fromkeys(_SCORES.split(), "mlflow.metrics.scores"),
    **dict.fromkeys(_TEXT.split(), "mlflow.metrics.text"),
    **dict.fromkeys(("ndcg_at_k", "precision_at_k", "recall_at_k"), "mlflow.metrics.retrieval"),
}

__getattr__, __dir__ = attach(__name__, _HOMES)
__all__ = sorted(_HOMES)  # noqa: PLE0605 - looked up on first use
