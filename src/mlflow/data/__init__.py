"""Datasets as runs record them: a name, a digest, where the data came from, schema and size."""

from __future__ import annotations

from mlflow._doorway import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Dataset": "mlflow.data.dataset",
        "DatasetSource": "mlflow.data.dataset_source",
        "from_huggingface": "mlflow.data.huggingface_dataset",
        "from_numpy": "mlflow.data.numpy_dataset",
        "from_pandas": "mlflow.data.pandas_dataset",
        "from_polars": "mlflow.data.polars_dataset",
        "get_dataset_source_from_json": "mlflow.data.dataset_source_registry",
        "get_registered_sources": "mlflow.data.dataset_source_registry",
        "get_source": "mlflow.data.dataset_source_registry",
        "from_spark": "mlflow.data.spark_dataset",
        "from_tensorflow": "mlflow.data.tensorflow_dataset",
        "load_delta": "mlflow.data.spark_dataset",
    },
)
