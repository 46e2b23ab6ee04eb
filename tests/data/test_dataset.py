"""The contract of a dataset, by a kind of our own."""

from __future__ import annotations

import json

import pytest

import mlflow
from mlflow.data.artifact_dataset_sources import FileDatasetSource
from mlflow.data.dataset import Dataset

SOURCE = FileDatasetSource("wine.csv")


class Rows(Dataset):
    """A dataset of another library, which has only to compute a digest."""

    def _compute_digest(self) -> str:
        return "abc"


class Profiled(Rows):
    """A dataset whose profile is for people, not for records."""

    @property
    def profile(self) -> object:
        return object()


class Described(Rows):
    """A dataset that records more."""

    def to_dict(self) -> dict[str, str | None]:
        return {**super().to_dict(), "schema": "s", "profile": "p"}


def test_a_dataset_records_name_digest_and_source() -> None:
    """The four keys, in MLflow's order; the source is JSON text."""
    assert list(Rows(SOURCE).to_dict().items()) == [
        ("name", "dataset"),
        ("digest", "abc"),
        ("source", '{"uri": "wine.csv"}'),
        ("source_type", "local"),
    ]
    assert Rows(SOURCE).source is SOURCE
    assert Rows(SOURCE).schema is None
    assert Rows(SOURCE).profile is None


def test_name_and_digest_may_be_given() -> None:
    """A given digest is not computed; an empty one is."""
    given = Rows(SOURCE, name="wine", digest="d1")

    assert (given.name, given.digest) == ("wine", "d1")
    assert Rows(SOURCE, digest="").digest == "abc"
    assert Rows(SOURCE, name="").name == ""


def test_what_a_kind_says_of_itself_is_recorded_where_it_records_it() -> None:
    """A profile that is no JSON does no harm; one in `to_dict` reaches the store."""
    assert "profile" not in json.loads(Profiled(SOURCE).to_json())

    found = Described(SOURCE)._to_mlflow_entity()
    assert (found.schema, found.profile, found.digest) == ("s", "p", "abc")


def test_a_kind_without_a_digest_says_so() -> None:
    """The message names the class and what is missing."""
    with pytest.raises(NotImplementedError, match="Dataset has no _compute_digest"):
        Dataset(SOURCE)
    assert Dataset(SOURCE, digest="d1").digest == "d1"


def test_a_dataset_of_another_library_can_be_logged() -> None:
    """The run shows it as an input with its context."""
    with mlflow.start_run() as run:
        mlflow.log_input(Described(SOURCE, name="wine"), context="train")

    (found,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert found.dataset == Described(SOURCE, name="wine")._to_mlflow_entity()
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "train")]
