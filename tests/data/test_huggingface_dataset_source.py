"""The source of data of Hugging Face."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

import mlflow
from mlflow.data.huggingface_dataset_source import HuggingFaceDatasetSource as Source
from mlflow.exceptions import MlflowException


def test_recorded_and_read():
    """A record without a split has the text `None`, as MLflow's has."""
    source = Source("p", "c", "d", ["f"], "train", "r", trust_remote_code=True)

    assert source.to_dict() == {
        "path": "p", "config_name": "c", "data_dir": "d", "data_files": ["f"], "split": "train",
        "revision": "r",
    }  # fmt: skip
    again = mlflow.data.get_dataset_source_from_json(source.to_json(), "hugging_face")
    assert type(again) is Source
    assert again.to_dict() == source.to_dict()
    assert again.trust_remote_code is None
    assert Source("p").to_dict()["split"] == "None"
    assert Source.from_json(Source("p").to_json()).split is None


def test_loaded_as_it_was(monkeypatch):
    asked = []
    library = ModuleType("datasets")
    library.load_dataset = lambda **given: asked.append(given)
    monkeypatch.setitem(sys.modules, "datasets", library)

    Source("p", split="train").load(streaming=True)
    Source("p", trust_remote_code=False).load()

    assert asked[0]["path"] == "p"
    assert (asked[0]["split"], asked[0]["streaming"]) == ("train", True)
    assert "trust_remote_code" not in asked[0]
    assert asked[1]["trust_remote_code"] is False
    with pytest.raises(MlflowException, match=r"\['split'\]"):
        Source("p").load(split="test")


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)

    with pytest.raises(MlflowException, match="pip install datasets"):
        Source("p").load()


@pytest.mark.parametrize("record", ["{}", '{"path": 3}'])
def test_damaged_records(record):
    with pytest.raises(MlflowException, match="path"):
        Source.from_json(record)


def test_no_path_means_it():
    assert not Source._can_resolve("p")
    with pytest.raises(MlflowException, match="from_huggingface"):
        Source._resolve("p")
