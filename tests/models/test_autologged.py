"""Points and datasets that automatic logging writes."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

import mlflow
from mlflow import MlflowClient
from mlflow.models import autologged

FRAME = pd.DataFrame({"a": [1.0, 2.0]})


@pytest.mark.parametrize("data", [FRAME, FRAME.to_numpy()], ids=["frame", "array"])
def test_a_dataset_is_an_input_and_named_by_points(data):
    with mlflow.start_run() as run:
        client = MlflowClient()
        dataset = autologged.log_dataset(client, run.info.run_id, data, np.array([0, 1]), "eval")
        client.log_batch(run.info.run_id, metrics=autologged.points({"m": 0.5}, None, dataset))
    found = mlflow.get_run(run.info.run_id)
    ((used,),) = [found.inputs.dataset_inputs]
    (point,) = client.get_metric_history(run.info.run_id, "m")

    assert [tag.value for tag in used.tags] == ["eval"]
    assert (point.dataset_name, point.dataset_digest) == (used.dataset.name, used.dataset.digest)
    assert (point.value, point.step) == (0.5, 0)


@pytest.mark.parametrize("data", [[[1.0]], csr_matrix([[1.0]]), None])
def test_other_things_are_no_datasets(data):
    with mlflow.start_run() as run:
        assert autologged.log_dataset(MlflowClient(), run.info.run_id, data, None, "eval") is None

    assert mlflow.get_run(run.info.run_id).inputs.dataset_inputs == []


def test_a_dataset_may_have_a_name():
    with mlflow.start_run() as run:
        autologged.log_dataset(MlflowClient(), run.info.run_id, FRAME, None, "eval", "held out")

    assert [one.dataset.name for one in mlflow.get_run(run.info.run_id).inputs.dataset_inputs] == [
        "held out"
    ]


def test_params_that_a_run_has_are_left():
    with mlflow.start_run() as run:
        autologged.log_new_params(MlflowClient(), run.info.run_id, {"a": 1})
        autologged.log_new_params(MlflowClient(), run.info.run_id, {"a": 2, "b": "x" * 9000})

    params = mlflow.get_run(run.info.run_id).data.params
    assert (params["a"], len(params["b"])) == ("1", 6000)


@pytest.mark.parametrize(
    ("data", "kept"),
    [(FRAME, 2), (np.zeros((9, 2)), 5), (csr_matrix(np.eye(9)), 5), ([[1.0]] * 9, 5)],
    ids=["frame", "array", "sparse", "list"],
)
def test_first_rows_are_a_copy(data, kept):
    found = autologged.first_rows(data)

    assert (found.shape[0] if hasattr(found, "shape") else len(found)) == kept
    assert found is not data


@pytest.mark.parametrize("data", ["a path", None, np.float64(3.0)])
def test_what_has_no_rows_has_no_first(data):
    assert autologged.first_rows(data) is None


def test_a_part_that_fails_says_which_and_leaves_the_rest(caplog):
    with autologged.part("xgboost", "the signature"):
        raise ValueError("first line\nsecond")
    with pytest.raises(KeyboardInterrupt), autologged.part("xgboost", "all"):
        raise KeyboardInterrupt

    assert [one.getMessage() for one in caplog.records if one.levelname == "WARNING"] == [
        "Autologging of xgboost left out the signature: ValueError: first line"
    ]
