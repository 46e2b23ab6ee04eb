"""Where the searched values of each noun are found on its entities."""

from __future__ import annotations

import math

from mlflow.search.nodes import OrderTerm, Scope
from mlflow.search.vocabulary import NOUNS, NUMBER
from mlflow.tags import MLFLOW_DATASET_CONTEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    # From an entity and a metric key to the points of the series.
    History = Callable[[Any, str], Iterable[Any]]
    # From an entity to the values a condition may hold for: none when the thing is missing,
    # several for the datasets of a run and the metrics of a logged model. The last is ordered by.
    Getter = Callable[[Any], list[Any]]


def getter(noun: str, kind: str, key: str, scope: tuple[Scope, ...] | None = None) -> Getter:
    """Return the function from an entity to the values of a key.

    Args:
        noun: as in `parse_filter`.
        kind: as in `Compare`.
        key: as in `Compare`.
        scope: of metrics of logged models: the datasets one of which a metric must belong to.

    Returns:
        The function.
    """
    if kind == "attribute":
        return _ATTRIBUTES[noun](key)
    if noun == "runs":
        return _run_getter(kind, key)
    if kind == "metric":
        return _model_metrics(key, scope)
    if kind == "param":
        return lambda row: _one(_mapping(row.params).get(key))
    return lambda row: _one(_mapping(row.tags).get(key))


def single_getter(noun: str, kind: str, key: str) -> Callable[[Any], Any] | None:
    """Return a quicker form of `getter` for things that have at most one value.

    Args:
        noun: as in `parse_filter`.
        kind: as in `Compare`.
        key: as in `Compare`.

    Returns:
        The function from an entity to the value or None; None where there may be several.
    """
    if noun != "runs" or kind == "dataset":
        return None
    if kind == "attribute":
        name = f"_{key}"
        return lambda run: run.info.__dict__[name]
    if kind == "metric":
        return lambda run: run.data.metrics.get(key)
    if kind == "param":
        return lambda run: run.data.params.get(key)
    return lambda run: run.data.tags.get(key)


def order_text(noun: str, term: OrderTerm) -> Callable[[str], str] | None:
    """Return the function from a value to the text it is ordered by; None for numbers.

    Args:
        noun: as in `parse_filter`.
        term: the term.

    Returns:
        The function.
    """
    if NOUNS[noun].type_of(term.kind, term.key) == NUMBER:
        return None
    return _padded if (noun, term.key) == ("experiments", "experiment_id") else str


def aggregate_of(points: Iterable[Any], aggregate: str) -> float | None:
    """Return an aggregate of a series.

    Points that are the same in value, step and time count once, as in the SQL stores. NaN points
    count, may be first or last, and are left out of the others, unless there are only such.

    Args:
        points: the series, things with `value`, `step` and `timestamp`, in any order.
        aggregate: one of `AGGREGATES`.

    Returns:
        The number; None for a series without points.
    """
    # NaN is written as None: it equals itself there, and cannot upset the comparisons.
    distinct = {
        (point.step, point.timestamp, None if math.isnan(point.value) else point.value)
        for point in points
    }
    if not distinct:
        return None
    if aggregate == "count":
        return float(len(distinct))
    if aggregate in ("first", "last"):
        pick = min if aggregate == "first" else max
        value = pick(distinct, key=_place)[2]
        return math.nan if value is None else float(value)
    numbers = [value for _, _, value in distinct if value is not None]
    if not numbers:
        return math.nan
    if aggregate == "mean":
        return _mean(numbers)
    return float(min(numbers) if aggregate == "min" else max(numbers))


def _place(point: tuple[int, int, float | None]) -> tuple[int, int, bool, float]:
    step, timestamp, value = point
    # Among points of one step and time the largest is the last; NaN is below every number.
    return (step, timestamp, value is not None, value or 0.0)


def _mean(numbers: list[float]) -> float:
    # `fsum` is exact, so the order of the points cannot show.
    try:
        return math.fsum(numbers) / len(numbers)
    except ValueError:  # inf and -inf
        return math.nan
    except OverflowError:
        return math.fsum(number / len(numbers) for number in numbers)


def _one(value: Any) -> list[Any]:
    return [] if value is None else [value]


def _mapping(found: Any) -> dict[str, Any]:
    return found or {}


def _padded(experiment_id: str) -> str:
    # Ids are numbers in SQL stores and text in file stores; both order as numbers.
    return experiment_id.zfill(20) if experiment_id.isdigit() else experiment_id


def _run_attribute(key: str) -> Getter:
    return _run_getter("attribute", key)


def _plain_attribute(names: dict[str, str]) -> Callable[[str], Getter]:
    def attribute(key: str) -> Getter:
        name = names.get(key, key)
        return lambda row: _one(getattr(row, name))

    return attribute


def _version_attribute(key: str) -> Getter:
    if key == "version_number":
        # Text on the wire, a number in some stores.
        return lambda row: [int(row.version)]
    name = "source" if key == "source_path" else key
    if key == "run_id":
        # Versions that came from no run have an empty id in some stores.
        return lambda row: _one(row.run_id or None)
    return lambda row: _one(getattr(row, name))


def _model_attribute(key: str) -> Getter:
    if key == "status":
        return lambda row: _one(getattr(row.status, "name", row.status))
    return lambda row: _one(getattr(row, key))


_ATTRIBUTES: dict[str, Callable[[str], Getter]] = {
    "runs": _run_attribute,
    "experiments": _plain_attribute({}),
    "registered_models": _plain_attribute({}),
    "model_versions": _version_attribute,
    "logged_models": _model_attribute,
}


def _run_getter(kind: str, key: str) -> Getter:
    single = single_getter("runs", kind, key)
    if single is not None:
        return lambda run: _one(single(run))
    if key == "context":
        return lambda run: [
            tag.value
            for item in _dataset_inputs(run)
            for tag in item.tags or ()
            if tag.key == MLFLOW_DATASET_CONTEXT
        ]
    return lambda run: [getattr(item.dataset, key) for item in _dataset_inputs(run)]


def _dataset_inputs(run: Any) -> list[Any]:
    return (run.inputs.dataset_inputs or []) if run.inputs else []


def _model_metrics(key: str, scope: tuple[Scope, ...] | None) -> Getter:
    def values(model: Any) -> list[float]:
        found = [
            metric
            for metric in model.metrics or ()
            if (not key or metric.key == key) and (scope is None or _in_scope(metric, scope))
        ]
        found.sort(
            key=lambda metric: _place(
                (
                    metric.step or 0,
                    metric.timestamp or 0,
                    None if math.isnan(metric.value) else metric.value,
                )
            )
        )
        return [metric.value for metric in found]

    return values


def _in_scope(metric: Any, scope: tuple[Scope, ...]) -> bool:
    return any(
        metric.dataset_name == name and digest in (None, metric.dataset_digest)
        for name, digest in scope
    )
