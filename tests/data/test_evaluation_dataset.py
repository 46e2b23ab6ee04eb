"""Data as evaluators see it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.data.evaluation_dataset import EvaluationDataset
from mlflow.exceptions import MlflowException

FRAME = pd.DataFrame({"a": [1, 2], "b": [3, 4], "y": [5, 6], "p": [7, 8]})


def test_a_frame():
    """What is neither target nor prediction is a feature."""
    seen = EvaluationDataset(FRAME, targets="y", predictions="p", name="n", path="/x", digest="d")

    assert seen.feature_names == list(seen.features_data.columns) == ["a", "b"]
    assert seen.labels_data.tolist() == [5, 6]
    assert seen.predictions_data.tolist() == [7, 8]
    assert (seen.targets_name, seen.predictions_name) == ("y", "p")
    assert (seen.name, seen.path, seen.digest) == ("n", "/x", "d")
    assert seen.has_targets
    assert seen.has_predictions


def test_an_array():
    seen = EvaluationDataset(np.ones((2, 2)), targets=[1, 2], feature_names=["p", "q"])

    assert seen.feature_names == ["p", "q"]
    assert seen.labels_data.tolist() == [1, 2]
    assert not seen.has_predictions


@pytest.mark.parametrize(
    ("data", "more", "told"),
    [
        (FRAME, {"targets": "z"}, "`targets` is the name of one of its columns"),
        (FRAME, {"predictions": 3}, "`predictions` is the name"),
        (np.ones((2, 2)), {"feature_names": ["p"]}, "1 names for 2 columns"),
        ({"a": 1}, {}, "not dict"),
        (FRAME, {"name": 'a"'}, "Dataset name cannot include"),
    ],
)
def test_what_is_refused(data, more, told):
    with pytest.raises(MlflowException, match=told):
        EvaluationDataset(data, **more)


def test_equal_by_content():
    """The first and last rows, the targets and the names of features tell."""
    one = EvaluationDataset(FRAME, targets="y")

    assert one == EvaluationDataset(FRAME.copy(), targets="y", name="other")
    assert one != EvaluationDataset(FRAME, targets="a")
    assert one != EvaluationDataset(FRAME.assign(b=0), targets="y")
    assert len({one.hash, EvaluationDataset(pd.DataFrame({"a": [[1], {}]})).hash}) == 2


def test_the_run_notes_it_once():
    seen = EvaluationDataset(FRAME, name="n", path="/x")
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        for model in ("m1", "m1", "m2"):
            seen._log_dataset_tag(client, run.info.run_id, model)

    tag = client.get_run(run.info.run_id).data.tags["mlflow.datasets"]
    assert [one["model"] for one in json.loads(tag)] == ["m1", "m2"]
    assert json.loads(tag)[0] == {"name": "n", "hash": seen.hash, "path": "/x", "model": "m1"}


def test_datasets_become_such():
    seen = mlflow.data.from_pandas(FRAME, targets="y", name="n").to_evaluation_dataset(
        path="/x", feature_names=["a"]
    )
    rows = mlflow.data.from_numpy(np.ones((2, 1)), targets=np.ones(2)).to_evaluation_dataset()

    assert (seen.name, seen.path, seen.feature_names) == ("n", "/x", ["a"])
    assert rows.has_targets
