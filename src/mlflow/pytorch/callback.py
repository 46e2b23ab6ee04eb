"""The callback that keeps checkpoints of a training with Lightning, made when it is first asked for."""

from __future__ import annotations

from typing import Any

from mlflow.pytorch.autologging import checkpoint_callback


def __getattr__(name: str) -> Any:
    if name == "MlflowModelCheckpointCallback":
        return checkpoint_callback()
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
