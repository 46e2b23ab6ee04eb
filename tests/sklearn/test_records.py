"""Points and datasets that automatic logging writes."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

import mlflow
from mlflow import MlflowClient
from mlflow.sklearn import records

FRAME = pd.DataFrame({"a": [1.0, 2.0]})


@pytest.mark.parametrize("data", [FRAME, FRAME.to_numpy()], ids=["frame", "array"])
def test_a_dataset_is_an_input_and_named_by_points(data):
    with mlflow.start_run() as run:
        client = MlflowClient()
        dataset = records.log_dataset(client, run.info.run_id, data, np.array([0, 1]), "eval")
        client.log_batch(run.info.run_id, metrics=records.points({"m": 0.5}, None, dataset))
    found = mlflow.get_run(run.info.run_id)
    ((used,),) = [found.inputs.dataset_inputs]
    (point,) = client.get_metric_history(run.info.run_id, "m")

    assert [tag.value for tag in used.tags] == ["eval"]
    assert (point.dataset_name, point.dataset_digest) == (used.dataset.name, used.dataset.digest)
    assert (point.value, point.step) == (0.5, 0)


@pytest.mark.parametrize("data", [[[1.0]], csr_matrix([[1.0]]), None])
def test_other_things_are_no_datasets(data):
    with mlflow.start_run() as run:
        assert records.log_dataset(MlflowClient(), run.info.run_id, data, None, "eval") is None

    assert mlflow.get_run(run.info.run_id).inputs.dataset_inputs == []
