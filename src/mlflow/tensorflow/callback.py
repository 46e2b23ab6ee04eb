"""The callbacks of trainings with TensorFlow, made when they are first asked for."""

from __future__ import annotations

from typing import Any

from mlflow.models.keras_training import checkpoint_callback, metrics_callback


def __getattr__(name: str) -> Any:
    if name in ("MlflowCallback", "MLflowCallback"):
        return metrics_callback("tensorflow", "opt_")
    if name == "MlflowModelCheckpointCallback":
        return checkpoint_callback("tensorflow")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
