"""The kinds of sources, and how one is found for what a user gave or a record holds."""

from __future__ import annotations

import json

from mlflow import _plugins
from mlflow.data.artifact_dataset_sources import FileDatasetSource
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.dataset_source import DatasetSource, recorded
from mlflow.data.delta_dataset_source import DeltaDatasetSource
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.huggingface_dataset_source import HuggingFaceDatasetSource
from mlflow.data.spark_dataset_source import SparkDatasetSource
from mlflow.exceptions import RESOURCE_DOES_NOT_EXIST, MlflowException, invalid
from mlflow.tracking.context.registry import resolve_tags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GROUP = "mlflow.dataset_source"
_KINDS: list[type[DatasetSource]] = [
    CodeDatasetSource, HTTPDatasetSource, HuggingFaceDatasetSource, SparkDatasetSource,
    DeltaDatasetSource, FileDatasetSource,
]  # fmt: skip
_has_plugins = False


def register_dataset_source(source: type[DatasetSource]) -> None:
    """Add a kind of source; it is asked before those that are there."""
    _KINDS.insert(0, source)


def get_registered_sources() -> list[type[DatasetSource]]:
    """Return the kinds of sources, in the order in which they are asked."""
    return list(_kinds())


def _kinds() -> list[type[DatasetSource]]:
    """Return the kinds; those of installed plug-ins too, which are looked for when first needed."""
    global _has_plugins
    if not _has_plugins:
        _has_plugins = True
        for name, _ in _plugins.entry_points(GROUP):
            kind = _plugins.offered(GROUP, name.lower())
            if kind is not None:
                register_dataset_source(kind)
    return _KINDS


def resolve_dataset_source(
    raw_source: Any, candidate_sources: list[type[DatasetSource]] | None = None
) -> DatasetSource:
    """Return the source that a user means.

    Args:
        raw_source: a source, a path, or a URI; None for the program that asks.
        candidate_sources: the kinds to choose from; all when absent.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST: no kind can be made from it.
    """
    if raw_source is None:
        return CodeDatasetSource(resolve_tags())
    if isinstance(raw_source, DatasetSource):
        return raw_source
    for kind in candidate_sources or _kinds():
        if kind._can_resolve(raw_source):
            return kind._resolve(raw_source)
    raise MlflowException(
        "Could not find a source information resolver for the specified dataset source: "
        f"{raw_source}.",
        RESOURCE_DOES_NOT_EXIST,
    )


def get_dataset_source_from_json(source_json: str, source_type: str) -> DatasetSource:
    """Return a source from what was recorded.

    Args:
        source_json: what was recorded.
        source_type: the name of the kind.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: the record is no JSON object, or lacks something;
            RESOURCE_DOES_NOT_EXIST: there is no such kind.
    """
    try:
        found = json.loads(source_json)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise invalid(f"The source of the dataset is no JSON object: {source_json!r}")
    for kind in _kinds():
        if kind is not FileDatasetSource and kind._get_source_type() == source_type:
            return kind.from_dict(found)
    if "uri" in found or source_type == "local":
        return FileDatasetSource(recorded(FileDatasetSource, found, "uri"), source_type)
    raise MlflowException(
        f"Could not parse dataset source from JSON due to unrecognized source type: {source_type}.",
        RESOURCE_DOES_NOT_EXIST,
    )


def get_source(dataset: Any) -> DatasetSource:
    """Return the source of a dataset.

    Args:
        dataset: a dataset, or what a run records of it: a `Dataset` entity or `DatasetInput`.

    Raises:
        MlflowException: it is none of these.
    """
    found = getattr(dataset, "dataset", dataset)
    source, kind = getattr(found, "source", None), getattr(found, "source_type", None)
    if isinstance(source, DatasetSource):
        return source
    if not isinstance(source, str) or not isinstance(kind, str):
        raise invalid(
            f"Unrecognized dataset type {type(dataset)}. Expected one of: "
            "`mlflow.data.dataset.Dataset`, `mlflow.entities.Dataset`, "
            "`mlflow.entities.DatasetInput`."
        )
    return get_dataset_source_from_json(source, kind)
