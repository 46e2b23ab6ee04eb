"""Metrics of retrievers: how good the first k of what was found are."""

from __future__ import annotations

import logging
from math import log2

from mlflow.metrics.base import EvaluationMetric, MetricValue, make_metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_logger = logging.getLogger("mlflow.metrics.metric_definitions")


def precision_at_k(k: int) -> EvaluationMetric:
    """Return the metric "share of the first k that is relevant".

    Args:
        k: how many of what was found are looked at.
    """
    return _metric("precision", k, _precision)


def recall_at_k(k: int) -> EvaluationMetric:
    """Return the metric "share of the relevant that is among the first k".

    Args:
        k: how many of what was found are looked at.
    """
    return _metric("recall", k, _recall)


def ndcg_at_k(k: int) -> EvaluationMetric:
    """Return the metric "discounted gain of the first k, beside that of the best order".

    Args:
        k: how many of what was found are looked at.
    """
    return _metric("ndcg", k, _ndcg)


def _metric(kind: str, k: int, score: Callable[..., float]) -> EvaluationMetric:
    known = _is_count(k)
    if not known:
        _logger.warning(
            "Cannot calculate '%s_at_k' for invalid parameter 'k'. 'k' should be a positive "
            "integer; found: %s. Skipping metric logging.", kind, k,
        )  # fmt: skip

    def evaluate(predictions: Any, targets: Any) -> MetricValue | None:
        name = f"{kind}_at_k"
        if not known or not _are_lists(name, "predictions", predictions):
            return None
        if not _are_lists(name, "targets", targets):
            return None
        pairs = zip(predictions, targets, strict=True)
        return MetricValue([score(list(found)[:k], set(wanted), k) for found, wanted in pairs])

    return make_metric(eval_fn=evaluate, greater_is_better=True, name=f"{kind}_at_{k}")


def _is_count(k: Any) -> bool:
    return isinstance(k, int) and not isinstance(k, bool) and k > 0


def _are_lists(metric: str, role: str, rows: Any) -> bool:
    from numpy import ndarray

    for number, row in enumerate(rows):
        if not isinstance(row, (list, tuple, set, ndarray)) or not all(
            isinstance(one, (str, int)) for one in row
        ):
            column = f"the column specified by the `{role}` parameter"
            if role == "predictions":
                column += " or the model output column"
            _logger.warning(
                "Cannot calculate metric '%s' for non-arraylike of string or int inputs. "
                "Non-arraylike of strings/ints found for %s on row %d, value %s. Skipping metric "
                "logging.", metric, column, number, row,
            )  # fmt: skip
            return False
    return True


def _precision(found: list[Any], wanted: set[Any], k: int) -> float:
    return sum(one in wanted for one in found) / len(found) if found else 0.0


def _recall(found: list[Any], wanted: set[Any], k: int) -> float:
    if not wanted:
        return 0.0 if found else 1.0
    return len(wanted.intersection(found)) / len(wanted)


def _ndcg(found: list[Any], wanted: set[Any], k: int) -> float:
    if not wanted:
        return 0.0 if found else 1.0
    gain = sum(_worth(place) for place, one in enumerate(found) if one in wanted)
    # In the best order, whatever is relevant comes first: what was found, as often, and the rest.
    relevant = sum(one in wanted for one in found) + len(wanted.difference(found))
    return gain / sum(_worth(place) for place in range(min(k, relevant)))


def _worth(place: int) -> float:
    return 1 / log2(place + 2)
