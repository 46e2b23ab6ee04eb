"""What is written about scikit-learn's work: points that name a model and a dataset, and datasets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import mlflow.data as datasets
from mlflow.entities.run import Metric
from mlflow.tracking.values import as_dataset_input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlflow.tracking.client import MlflowClient


def points(
    values: Mapping[str, float], model_id: str | None = None, dataset: Any = None
) -> list[Metric]:
    """Return one point of step 0 and this moment for each value.

    Args:
        values: name → value.
        model_id: the logged model that they describe.
        dataset: what they were measured on.
    """
    now = int(time.time() * 1000)
    measured = (dataset.name, dataset.digest) if dataset is not None else (None, None)
    return [Metric(key, value, now, 0, model_id, *measured) for key, value in values.items()]


def log_dataset(client: MlflowClient, run_id: str, X: Any, y: Any, context: str) -> Any:
    """Note that a run used a frame or an array; return the dataset, or None for other things.

    Args:
        client: where the run is.
        run_id: the run.
        X: the features.
        y: the targets, or None.
        context: what they were used for.
    """
    dataset: Any = None
    if hasattr(X, "columns") and hasattr(X, "iloc"):
        dataset = datasets.from_pandas(X)
    elif hasattr(X, "dtype") and hasattr(X, "shape") and not hasattr(X, "tocsr"):
        dataset = datasets.from_numpy(features=X, targets=y if hasattr(y, "dtype") else None)
    if dataset is not None:
        client.log_inputs(run_id, [as_dataset_input(dataset, context)])
    return dataset
