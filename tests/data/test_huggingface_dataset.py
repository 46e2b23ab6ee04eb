"""Datasets made of datasets of Hugging Face."""

from __future__ import annotations

import json

import pytest

import mlflow
from mlflow.exceptions import MlflowException


@pytest.mark.parametrize("data", [[1], {"a": [1]}, None])
def test_other_things(data):
    with pytest.raises(MlflowException, match=r"must be an instance of `datasets\.Dataset`"):
        mlflow.data.from_huggingface(data, "p")


@pytest.fixture
def data():
    datasets = pytest.importorskip(
        "datasets", reason="datasets is not installed: pip install datasets"
    )
    return datasets.Dataset.from_dict({"a": [1, 2, 3], "b": ["x", "y", "z"]})


def test_what_is_recorded(data):
    """The digest is that of the first rows as a data frame."""
    found = mlflow.data.from_huggingface(data, "p", "a", name="n")

    assert found.digest == mlflow.data.from_pandas(data.to_pandas()).digest
    record = found.to_dict()
    assert record["source_type"] == "hugging_face"
    assert json.loads(record["source"])["path"] == "p"
    assert json.loads(record["profile"])["num_rows"] == 3
    assert [one["type"] for one in json.loads(record["schema"])["mlflow_colspec"]] == [
        "long", "string",
    ]  # fmt: skip
    assert (found.ds is data, found.targets) == (True, "a")
    assert found.to_evaluation_dataset().feature_names == ["b"]


def test_sources(data):
    assert mlflow.data.from_huggingface(data, source="/x/y").to_dict()["source_type"] == "local"
    assert mlflow.data.from_huggingface(data).to_dict()["source_type"] == "code"


def test_a_column_that_is_not_there(data):
    with pytest.raises(MlflowException, match="targets column 'z'"):
        mlflow.data.from_huggingface(data, "p", "z")
