"""Whether a model's metrics are good enough, by themselves and beside those of another model."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import BAD_REQUEST, INVALID_PARAMETER_VALUE, MlflowException, invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.evaluation.result import EvaluationResult

_logger = logging.getLogger("mlflow.models.evaluation.validation")


class MetricThresholdClassException(MlflowException):
    """A threshold that says nothing, or says it wrongly."""

    def __init__(self, _message: str, **kwargs: Any) -> None:
        super().__init__(
            f"Could not instantiate MetricThreshold class: {_message}",
            error_code=INVALID_PARAMETER_VALUE,
            **kwargs,
        )


class ModelValidationFailedException(MlflowException):
    """A model that is not good enough."""

    def __init__(self, message: str, **kwargs: Any) -> None:
        super().__init__(message, error_code=BAD_REQUEST, **kwargs)


class MetricThreshold:
    """What a metric has to reach.

    Args:
        threshold: at least this value, at most where lower is better.
        min_absolute_change: better than the baseline by at least this much.
        min_relative_change: better than the baseline by at least this share of its value.
        greater_is_better: whether higher values are better.

    Raises:
        MetricThresholdClassException: nothing is asked, or a value is of the wrong type.
    """

    def __init__(
        self,
        threshold: float | None = None,
        min_absolute_change: float | None = None,
        min_relative_change: float | None = None,
        greater_is_better: bool | None = None,
    ) -> None:
        if threshold is not None and not _is_number(threshold):
            raise MetricThresholdClassException("`threshold` parameter must be a number.")
        if min_absolute_change is not None and not (
            _is_number(min_absolute_change) and min_absolute_change > 0
        ):
            raise MetricThresholdClassException(
                "`min_absolute_change` parameter must be a positive number."
            )
        if min_relative_change is not None:
            if not isinstance(min_relative_change, float):
                raise MetricThresholdClassException(
                    "`min_relative_change` parameter must be a floating point number."
                )
            if not 0 <= min_relative_change <= 1:
                raise MetricThresholdClassException(
                    "`min_relative_change` parameter must be between 0 and 1."
                )
        if greater_is_better is None:
            raise MetricThresholdClassException("`greater_is_better` parameter must be defined.")
        if not isinstance(greater_is_better, bool):
            raise MetricThresholdClassException("`greater_is_better` parameter must be a boolean.")
        if threshold is None and min_absolute_change is None and min_relative_change is None:
            raise MetricThresholdClassException("no threshold was specified.")
        self._threshold = threshold
        self._min_absolute_change = min_absolute_change
        self._min_relative_change = min_relative_change
        self._greater_is_better = greater_is_better

    @property
    def threshold(self) -> float | None:
        """The value that has to be reached."""
        return self._threshold

    @property
    def min_absolute_change(self) -> float | None:
        """By how much it has to be better than the baseline."""
        return self._min_absolute_change

    @property
    def min_relative_change(self) -> float | None:
        """By which share of the baseline it has to be better."""
        return self._min_relative_change

    @property
    def greater_is_better(self) -> bool:
        """Whether higher values are better."""
        return self._greater_is_better

    def __str__(self) -> str:
        told = [
            f"{name}: {value}."
            for name, value in (
                ("Threshold", self._threshold),
                ("Minimum Absolute Change", self._min_absolute_change),
                ("Minimum Relative Change", self._min_relative_change),
            )
            if value is not None
        ]
        better = "Higher" if self._greater_is_better else "Lower"
        return " ".join([*told, f"{better} value is better."])


def validate_evaluation_results(
    validation_thresholds: Any,
    candidate_result: EvaluationResult,
    baseline_result: EvaluationResult | None = None,
) -> None:
    """Raise unless the metrics of a model are good enough.

    Args:
        validation_thresholds: what each metric has to reach.
        candidate_result: of the model in question.
        baseline_result: of the model that it is compared with.

    Raises:
        ModelValidationFailedException: they are not, or one is missing.
        MlflowException: the thresholds are something else.
    """
    if not isinstance(validation_thresholds, dict) or not all(
        isinstance(name, str) and isinstance(one, MetricThreshold)
        for name, one in validation_thresholds.items()
    ):
        raise invalid(
            "The validation thresholds argument must be a dictionary that maps strings to "
            "MetricThreshold objects."
        )
    baseline = {} if baseline_result is None else baseline_result.metrics
    _logger.info("Validating candidate model metrics against baseline")
    failures = [
        " ".join(found)
        for name, one in validation_thresholds.items()
        if (found := list(_failures(name, one, candidate_result.metrics, baseline)))
    ]
    if failures:
        raise ModelValidationFailedException("\n".join(failures))
    _logger.info("Model validation passed!")


def _failures(
    name: str, asked: MetricThreshold, candidate: dict[str, float], baseline: dict[str, float]
) -> Iterator[str]:
    if name not in candidate:
        yield (
            f"Metric validation failed: metric {name} was missing from the evaluation result of "
            "the candidate model."
        )
        return
    value, higher = candidate[name], asked.greater_is_better
    if asked.threshold is not None and not _reaches(value, asked.threshold, higher):
        yield (
            f"Metric {name} value threshold check failed: candidate model {name} = {value}, "
            f"{name} threshold = {asked.threshold}."
        )
    if asked.min_absolute_change is None and asked.min_relative_change is None:
        return
    if name not in baseline:
        yield (
            f"Model comparison failed: metric {name} was missing from the evaluation result of "
            "the baseline model."
        )
        return
    before = baseline[name]
    both = f"candidate model {name} = {value}, baseline model {name} = {before}, {name}"
    change = asked.min_absolute_change
    if change is not None and not _reaches(value, _moved(before, change, higher), higher):
        yield (
            f"Metric {name} minimum absolute change check failed: {both} minimum absolute change "
            f"threshold = {change}."
        )
    share = asked.min_relative_change
    if share is not None and not _is_better_by_share(name, value, before, share, higher):
        yield (
            f"Metric {name} minimum relative change check failed: {both} minimum relative change "
            f"threshold = {share}."
        )


def _is_better_by_share(name: str, value: float, before: float, share: float, higher: bool) -> bool:
    if before == 0:
        _logger.warning(
            "Cannot perform relative model comparison for metric %s as baseline metric value is 0. "
            "Falling back to simple comparison: verifying that candidate metric value is better "
            "than the baseline metric value.", name,
        )  # fmt: skip
        return value > before if higher else value < before
    change = (value - before) / abs(before)
    return change >= share if higher else -change >= share


def _moved(before: float, change: float, higher: bool) -> float:
    """Return a value moved towards the better, as decimals: 0.3 and 0.1 make 0.4."""
    from decimal import Decimal

    step = Decimal(str(change)) if higher else -Decimal(str(change))
    try:
        return float(Decimal(str(before)) + step)
    except ArithmeticError:  # infinite, or not a number
        return before


def _reaches(value: float, bound: float, higher: bool) -> bool:
    return value >= bound if higher else value <= bound


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
