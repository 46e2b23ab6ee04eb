"""Turns what callers log (library scalars, mappings) into what stores take, in allowed portions."""

from __future__ import annotations

import math

from mlflow.api import rules
from mlflow.entities.run import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import invalid
from mlflow.tags import MLFLOW_DATASET_CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any


def as_number(value: Any) -> Any:
    """Return a value as a float: numbers, number-like text, one-element arrays and tensors.

    What is no number is returned as it is; the store refuses it with its own message.

    Raises:
        MlflowException: an array or tensor of several elements.
    """
    if type(value) is float:
        return value
    # Arrays, tensors and library scalars of any kind: a device and a gradient are no concern.
    item = getattr(value, "item", None)
    try:
        return float(item() if callable(item) else value)
    except (TypeError, ValueError, RuntimeError) as error:
        if callable(item):
            raise invalid(f"Failed to convert metric value to float: {error}") from error
        return _of_tensor(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _of_tensor(value: Any) -> Any:
    """Return the number in a TensorFlow-like tensor; other things as they are."""
    convert = getattr(value, "numpy", None)
    return as_number(convert()) if callable(convert) else value


def metrics_of(
    values: Mapping[str, Any],
    timestamp: int,
    step: int,
    model_id: str | None = None,
    dataset: tuple[str | None, str | None] = (None, None),
) -> list[Metric]:
    """Return one point for each entry."""
    name, digest = dataset
    return [
        Metric(key, as_number(value), timestamp, step, model_id, name, digest)
        for key, value in values.items()
    ]


def params_of(values: Mapping[str, Any]) -> list[Param]:
    """Return one param for each entry."""
    return [Param(key, str(value)) for key, value in values.items()]


def tags_of(values: Mapping[str, Any]) -> list[RunTag]:
    """Return one tag for each entry."""
    return [RunTag(key, str(value)) for key, value in values.items()]


def portions(
    metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]
) -> Iterator[tuple[Sequence[Metric], Sequence[Param], Sequence[RunTag]]]:
    """Split what is logged together into batches that stores accept, keeping the order.

    Everything goes in one batch where it fits.
    """
    few, many = rules.MAX_PARAMS_TAGS_PER_BATCH, rules.MAX_METRICS_PER_BATCH
    whole = len(metrics) + len(params) + len(tags)
    if len(params) <= few and len(tags) <= few and whole <= rules.MAX_ENTITIES_PER_BATCH:
        yield metrics, params, tags
        return
    for start in range(0, len(params), few):
        yield (), params[start : start + few], ()
    for start in range(0, len(tags), few):
        yield (), (), tags[start : start + few]
    for start in range(0, len(metrics), many):
        yield metrics[start : start + many], (), ()


def as_dataset_input(
    dataset: Any, context: str | None = None, tags: dict[str, str] | None = None
) -> DatasetInput:
    """Return the use of a dataset as stores keep it.

    Args:
        dataset: an `mlflow.data` dataset, or the entity.
        context: what it is used for, such as `training`; a tag of the use.
        tags: more tags of the use.

    Raises:
        MlflowException: it is neither.
    """
    convert = getattr(dataset, "_to_mlflow_entity", None)
    entity = convert() if callable(convert) else dataset
    if not isinstance(entity, Dataset):
        raise invalid(
            f"A dataset made by mlflow.data (such as mlflow.data.from_pandas) is expected, got "
            f"{type(dataset).__name__}."
        )
    found = [InputTag(key, str(value)) for key, value in (tags or {}).items()]
    if context:
        found.append(InputTag(MLFLOW_DATASET_CONTEXT, context))
    return DatasetInput(entity, found)
