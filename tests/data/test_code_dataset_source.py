"""The source of data that came from a program."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

import mlflow
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.exceptions import MlflowException


def test_data_without_a_source_came_from_the_program_that_runs() -> None:
    """Its tags say who ran what."""
    source = mlflow.data.from_pandas(pd.DataFrame({"a": [1]})).source

    assert isinstance(source, CodeDatasetSource)
    tags = source.to_dict()["tags"]
    assert tags["mlflow.source.name"].endswith(Path(sys.argv[0]).name)
    assert tags["mlflow.source.type"] == "LOCAL"
    assert tags["mlflow.user"]


def test_tags_are_recorded_and_read_back() -> None:
    """The record is a dict of tags; one without tags has none."""
    source = CodeDatasetSource({"mlflow.user": "ann"})

    assert source._get_source_type() == "code"
    assert source.to_json() == '{"tags": {"mlflow.user": "ann"}}'
    assert CodeDatasetSource.from_json(source.to_json()).to_dict() == source.to_dict()
    assert CodeDatasetSource.from_dict({}).to_dict() == {"tags": {}}
    assert CodeDatasetSource.from_dict({"tags": None}).to_dict() == {"tags": {}}


def test_data_of_a_program_cannot_be_loaded() -> None:
    """The exception is the one MLflow raises; the message says what to do."""
    with pytest.raises(NotImplementedError, match="run the program .*'mlflow.user': 'ann'"):
        CodeDatasetSource({"mlflow.user": "ann"}).load()


def test_nothing_a_user_gives_is_code() -> None:
    """A path to a program is a file."""
    assert not CodeDatasetSource._can_resolve("train.py")
    with pytest.raises(MlflowException, match="not made from 'train.py'") as caught:
        CodeDatasetSource._resolve("train.py")
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
