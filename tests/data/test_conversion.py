"""Datasets of what a user gives to be evaluated on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.data.conversion import convert_data_to_mlflow_dataset
from mlflow.exceptions import MlflowException

FRAME = pd.DataFrame({"a": [1, 2], "y": [5, 6]})


def test_frames():
    found = convert_data_to_mlflow_dataset(FRAME, "y", "a", "n")

    assert (found.name, found.targets, found.predictions) == ("n", "y", "a")
    assert found.digest == mlflow.data.from_pandas(FRAME).digest


@pytest.mark.parametrize("data", [np.array([1, 2]), [1, 2], [[1], [2]]])
def test_arrays_and_lists(data):
    """Values alone are rows of one feature."""
    found = convert_data_to_mlflow_dataset(data, [5, 6])

    assert found.features.tolist() == [[1], [2]]
    assert found.targets.tolist() == [5, 6]


@pytest.mark.parametrize(
    ("data", "targets", "told"),
    [
        ({"a": [1]}, None, "not dict"),
        (FRAME, [5, 6], "the name of one of its columns"),
        ([1, 2], "y", "one value a row"),
        ([1, 2], [1], "2 rows and 1 targets"),
    ],
)
def test_what_is_refused(data, targets, told):
    with pytest.raises(MlflowException, match=told):
        convert_data_to_mlflow_dataset(data, targets)
