"""What a training program uses: the fluent functions, the client, and which run is active."""

from __future__ import annotations

from mlflow._doorway import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "MlflowClient": "mlflow.tracking.client",
        "get_registry_uri": "mlflow.tracking.active",
        "get_tracking_uri": "mlflow.tracking.active",
        "is_tracking_uri_set": "mlflow.tracking.active",
        "set_registry_uri": "mlflow.tracking.active",
        "set_tracking_uri": "mlflow.tracking.active",
        "_get_store": "mlflow.tracking.active",
    },
)

__all__ = [
    "MlflowClient",
    "get_registry_uri",
    "get_tracking_uri",
    "is_tracking_uri_set",
    "set_registry_uri",
    "set_tracking_uri",
]
