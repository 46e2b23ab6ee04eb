"""How the kind of a source is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import mlflow
from mlflow.data import dataset_source_registry
from mlflow.data.dataset_source import DatasetSource
from mlflow.data.dataset_source_registry import (
    get_dataset_source_from_json,
    get_registered_sources,
    get_source,
    register_dataset_source,
    resolve_dataset_source,
)
from mlflow.data.sources import CodeDatasetSource, FileDatasetSource, HTTPDatasetSource
from mlflow.entities import DatasetInput
from mlflow.exceptions import MlflowException


class Warehouse(DatasetSource):
    """Another library's kind of source."""

    def __init__(self, table: str) -> None:
        self.table = table

    @staticmethod
    def _get_source_type() -> str:
        return "warehouse"

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        return isinstance(raw_source, str) and raw_source.startswith("table:")

    @classmethod
    def _resolve(cls, raw_source: Any) -> Warehouse:
        return cls(raw_source.removeprefix("table:"))

    def to_dict(self) -> dict[str, Any]:
        return {"table": self.table}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Warehouse:
        return cls(source_dict["table"])


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Register the kind for one test."""
    monkeypatch.setattr(
        dataset_source_registry, "_KINDS", list(dataset_source_registry._KINDS), raising=True
    )
    register_dataset_source(Warehouse)
    return


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("wine.csv", FileDatasetSource),
        (Path("wine.csv"), FileDatasetSource),
        ("s3://b/k", FileDatasetSource),
        ("https://x/wine.csv", HTTPDatasetSource),
        (None, CodeDatasetSource),
    ],
)
def test_what_a_user_gives_has_a_kind(raw: Any, kind: type[DatasetSource]) -> None:
    """Paths, URIs, addresses, and nothing at all."""
    assert type(resolve_dataset_source(raw)) is kind


def test_a_source_is_itself() -> None:
    """It is not made anew."""
    source = FileDatasetSource("wine.csv")

    assert resolve_dataset_source(source) is source


@pytest.mark.parametrize("raw", ["zzz://a", 5, b"x", ["a"], {"a": 1}])
def test_what_no_kind_takes_is_refused(raw: Any) -> None:
    """Message and code are MLflow's."""
    with pytest.raises(MlflowException) as caught:
        resolve_dataset_source(raw)
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert caught.value.message == (
        f"Could not find a source information resolver for the specified dataset source: {raw}."
    )


def test_the_kinds_to_choose_from_may_be_given() -> None:
    """Others are not asked."""
    with pytest.raises(MlflowException, match="Could not find a source"):
        resolve_dataset_source("wine.csv", [HTTPDatasetSource])


@pytest.mark.usefixtures("warehouse")
def test_a_registered_kind_is_asked_first_and_read_back() -> None:
    """`log_input` and `get_source` both know it."""
    assert get_registered_sources()[0] is Warehouse

    with mlflow.start_run() as run:
        mlflow.log_input(mlflow.data.from_pandas(pd.DataFrame({"a": [1]}), source="table:wine"))
    (found,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs

    assert found.dataset.source_type == "warehouse"
    source = get_source(found)
    assert isinstance(source, Warehouse)
    assert source.table == "wine"


def test_the_list_of_kinds_is_a_copy() -> None:
    """Emptying it unregisters nothing."""
    get_registered_sources().clear()

    assert FileDatasetSource in get_registered_sources()


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ('{"uri": "x"}', "local", FileDatasetSource),
        ('{"uri": "x"}', "s3", FileDatasetSource),
        ('{"tags": {"a": "b"}}', "code", CodeDatasetSource),
        ('{"url": "http://a"}', "http", HTTPDatasetSource),
    ],
)
def test_a_record_is_read_by_the_name_of_its_kind(
    text: str, name: str, kind: type[DatasetSource]
) -> None:
    """What was written is what is read."""
    found = get_dataset_source_from_json(text, name)

    assert type(found) is kind
    assert found._get_source_type() == name
    assert found.to_json() == text


def test_a_kind_of_a_plug_in_that_is_not_here_is_read_by_its_uri() -> None:
    """The place can be shown; the name of the kind stays."""
    found = get_dataset_source_from_json('{"uri": "lake://x"}', "lake")

    assert isinstance(found, FileDatasetSource)
    assert (found.uri, found._get_source_type()) == ("lake://x", "lake")


@pytest.mark.parametrize(
    ("text", "name", "code", "message"),
    [
        ("nojson", "local", "INVALID_PARAMETER_VALUE", "no JSON object"),
        ("[]", "local", "INVALID_PARAMETER_VALUE", "no JSON object"),
        ("{}", "local", "INVALID_PARAMETER_VALUE", 'Missing expected key: "uri"'),
        ("{}", "http", "INVALID_PARAMETER_VALUE", 'Missing expected key: "url"'),
        ('{"uri": 5}', "s3", "INVALID_PARAMETER_VALUE", '"uri" must be text'),
        ('{"path": "p"}', "hf", "RESOURCE_DOES_NOT_EXIST", "unrecognized source type: hf"),
    ],
)
def test_a_record_that_cannot_be_read_is_refused(
    text: str, name: str, code: str, message: str
) -> None:
    """Never with an error of the parser."""
    with pytest.raises(MlflowException, match=message) as caught:
        get_dataset_source_from_json(text, name)
    assert caught.value.error_code == code


def test_the_source_of_a_dataset_of_its_record_and_of_its_use() -> None:
    """All three know where the data came from."""
    dataset = mlflow.data.from_pandas(pd.DataFrame({"a": [1]}), source="wine.csv")
    entity = dataset._to_mlflow_entity()

    assert get_source(dataset) is dataset.source
    for recorded in (entity, DatasetInput(entity)):
        found = get_source(recorded)
        assert isinstance(found, FileDatasetSource)
        assert found.uri == "wine.csv"


@pytest.mark.parametrize("wrong", [3, "wine.csv", None, {"source": "x"}])
def test_what_is_no_dataset_has_no_source(wrong: object) -> None:
    """The message is MLflow's."""
    with pytest.raises(MlflowException, match="Unrecognized dataset type .* Expected one of: `mlf"):
        get_source(wrong)
