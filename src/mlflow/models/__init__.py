"""Packaging models: MLmodel folders, signatures, input examples and requirements."""

from __future__ import annotations

from mlflow._doorway import attach

_HOMES = {
    "EvaluationArtifact": "mlflow.evaluation.artifacts",
    "EvaluationMetric": "mlflow.metrics.base",
    "EvaluationResult": "mlflow.evaluation.result",
    "MetricThreshold": "mlflow.evaluation.validation",
    "Model": "mlflow.models.model",
    "ModelConfig": "mlflow.models.code_model",
    "ModelInputExample": "mlflow.models.example",
    "ModelSignature": "mlflow.models.signature",
    "convert_input_example_to_serving_input": "mlflow.models.example",
    "evaluate": "mlflow.evaluation.fluent",
    "get_model_info": "mlflow.models.model",
    "infer_pip_requirements": "mlflow.models.requirements",
    "infer_signature": "mlflow.models.signature",
    "list_evaluators": "mlflow.evaluation.evaluators",
    "make_metric": "mlflow.metrics.base",
    "predict": "mlflow.scoring.predict",
    "set_model": "mlflow.models.code_model",
    "set_signature": "mlflow.models.amend",
    "update_model_requirements": "mlflow.models.amend",
    "validate_schema": "mlflow.pyfunc.enforce",
    "validate_serving_input": "mlflow.scoring.validate",
}

__getattr__, __dir__ = attach(__name__, _HOMES)
__all__ = sorted(_HOMES)  # noqa: PLE0605 - looked up on first use
