"""Datasets of which only the source is known."""

from __future__ import annotations

import json

import mlflow
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.types import ColSpec, Schema, TensorSpec

HERE = HTTPDatasetSource("http://x/y")


def test_the_digest_is_of_the_facts():
    """As MLflow computes it."""
    assert MetaDataset(HERE).digest == "2389c1c1"
    assert MetaDataset(HERE, "n").digest == "aff2c80c"
    assert MetaDataset(HERE, "n", schema=Schema([ColSpec("long", "a")])).digest == "2ad2e687"
    assert MetaDataset(HERE, digest="d").digest == "d"


def test_a_schema_is_recorded():
    import numpy as np

    columns, tensors = Schema([ColSpec("long", "a")]), Schema([TensorSpec(np.dtype("f4"), (1,))])

    assert MetaDataset(HERE).schema is None
    assert "schema" not in MetaDataset(HERE).to_dict()
    for schema, key in ((columns, "mlflow_colspec"), (tensors, "mlflow_tensorspec")):
        recorded = json.loads(MetaDataset(HERE, schema=schema).to_dict()["schema"])
        assert recorded == {key: json.loads(schema.to_json())}


def test_a_run_uses_it():
    with mlflow.start_run() as run:
        mlflow.log_input(MetaDataset(HERE, "n"), context="training")

    (used,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.source_type) == ("n", "http")
