"""The callback that tells a run of a training of Keras, made when it is first asked for."""

from __future__ import annotations

from typing import Any

from mlflow.models.keras_training import metrics_callback


def __getattr__(name: str) -> Any:
    if name in ("MlflowCallback", "MLflowCallback"):
        return metrics_callback("keras", "optimizer_")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
