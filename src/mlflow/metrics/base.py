"""What a metric is, and what it gives: scores a row, reasons a row, and figures over all rows."""

from __future__ import annotations

import keyword
import logging
from dataclasses import dataclass
from numbers import Number
from typing import cast

from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

# Arguments of a metric's function that mean the same in every evaluation.
SPECIAL = ("predictions", "targets", "metrics")

_logger = logging.getLogger("mlflow.models.evaluation.base")


def is_number(value: Any) -> bool:
    """Tell whether a value is a number; truth values are none."""
    return isinstance(value, Number) and not isinstance(value, (bool, complex))


def standard_aggregations(scores: Sequence[float]) -> dict[str, float]:
    """Return mean, variance and 90th percentile of scores."""
    import numpy as np

    return {
        "mean": float(np.mean(scores)),
        "variance": float(np.var(scores)),
        "p90": float(np.percentile(scores, 90)),
    }


@dataclass
class MetricValue:
    """What a metric found.

    Attributes:
        scores: one for each row.
        justifications: the reason of each score.
        aggregate_results: figures over all rows by name; mean, variance and 90th percentile of
            the scores when absent.
    """

    scores: list[str] | list[float] | None = None
    justifications: list[str] | None = None
    aggregate_results: dict[str, float] | None = None

    def __post_init__(self) -> None:
        scores = self.scores
        if self.aggregate_results is not None or not isinstance(scores, (list, tuple)):
            return
        if scores and all(map(is_number, scores)):
            self.aggregate_results = standard_aggregations(cast("list[float]", scores))


class EvaluationMetric:
    """A metric: a function of predictions, and what is known of it.

    Args:
        eval_fn: takes what its arguments are named after: `predictions`, `targets`, `metrics` (what
            was computed before, by name), a column of the data, another metric, or a key of the
            evaluator's config. It returns a `MetricValue` or a number.
        name: its name.
        greater_is_better: whether higher values are better.
        long_name: the name when absent.
        version: a suffix of the name in results.
        metric_details: what it is, in words.
        metric_metadata: anything else about it.
        genai_metric_args: how a metric that asks a language model was made.
    """

    def __init__(
        self,
        eval_fn: Callable[..., Any],
        name: str,
        greater_is_better: bool,
        long_name: str | None = None,
        version: str | None = None,
        metric_details: str | None = None,
        metric_metadata: dict[str, Any] | None = None,
        genai_metric_args: dict[str, Any] | None = None,
    ) -> None:
        self.eval_fn = eval_fn
        self.name = name
        self.greater_is_better = greater_is_better
        self.long_name = long_name or name
        self.version = version
        self.metric_details = metric_details
        self.metric_metadata = metric_metadata
        self.genai_metric_args = genai_metric_args

    def __call__(self, **arguments: Any) -> Any:
        """Return what the function returns for arguments that are given by name."""
        return self.eval_fn(**arguments)

    def __str__(self) -> str:
        facts = ["name", "greater_is_better", "long_name", "version", "metric_details"]
        told = [
            f"{fact}={getattr(self, fact)}"
            for fact in (*facts, "metric_metadata")
            if getattr(self, fact) is not None
        ]
        return f"EvaluationMetric({', '.join(told)})"


def make_metric(
    *,
    eval_fn: Callable[..., Any],
    greater_is_better: bool,
    name: str | None = None,
    long_name: str | None = None,
    version: str | None = None,
    metric_details: str | None = None,
    metric_metadata: dict[str, Any] | None = None,
    genai_metric_args: dict[str, Any] | None = None,
) -> EvaluationMetric:
    """Make a metric for `extra_metrics` of `mlflow.evaluate`.

    Args:
        eval_fn: takes what its arguments are named after, see `EvaluationMetric`.
        greater_is_better: whether higher values are better.
        name: the function's name when absent.
        long_name: the name when absent.
        version: a suffix of the name in results.
        metric_details: what it is, in words.
        metric_metadata: anything else about it.
        genai_metric_args: how a metric that asks a language model was made.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: a function without a name, and no name given.
    """
    if name is None:
        name = getattr(eval_fn, "__name__", None)
        if name is None:
            raise invalid(
                "`name` must be specified if `eval_fn` does not have a `__name__` attribute."
            )
        if name == "<lambda>":
            raise invalid("`name` must be specified if `eval_fn` is a lambda function.")
    reason = _unusable(name)
    if reason:
        _logger.warning(
            "The metric name '%s' provided is %s, so that no other metric can take it as an "
            "argument. Give it another name if one shall.", name, reason,
        )  # fmt: skip
    return EvaluationMetric(
        eval_fn, name, greater_is_better, long_name, version,
        metric_details, metric_metadata, genai_metric_args,
    )  # fmt: skip


def _unusable(name: str) -> str | None:
    """Return why no argument of a function can be called by a name, None where one can."""
    if not name.isidentifier():
        return "not a valid Python identifier"
    if keyword.iskeyword(name):
        return "a reserved Python keyword"
    if name in SPECIAL:
        return "used as a special parameter in MLflow metrics"
    return None
