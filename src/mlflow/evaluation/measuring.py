"""Computing metrics that users and evaluators name: their order, arguments and results."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.metrics.base import EvaluationMetric, MetricValue, is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

_logger = logging.getLogger("mlflow.models.evaluation.utils.metric")
_MISSING = object()


class Data:
    """What arguments of metrics are looked up in.

    Args:
        predictions: what was predicted, as a series.
        targets: what was to be predicted, as a series; None without.
        inputs: the data, as a frame.
        outputs: what the model gave beside predictions; None for nothing.
        output_name: the name of the predictions.
        config: the evaluator's config.
    """

    def __init__(
        self, predictions: Any, targets: Any, inputs: Any, outputs: Any, output_name: str,
        config: dict[str, Any],
    ) -> None:  # fmt: skip
        self.predictions, self.targets = predictions, targets
        self.inputs, self.outputs = inputs, outputs
        self.output_name, self.config = output_name, config
        self.mapping = config.get("col_mapping") or {}

    def argument(self, name: str, values: Mapping[str, MetricValue]) -> Any:
        """Return what an argument of this name is; `_MISSING` where there is no such thing."""
        mapped = self.mapping.get(name, name)
        if not isinstance(mapped, str):
            return mapped
        if mapped == "predictions":
            return self.predictions
        if mapped == "targets" and self.targets is not None:
            return self.targets
        if mapped == "metrics":
            return dict(values)
        for frame in (self.inputs, self.outputs):
            if frame is not None and mapped in frame.columns:
                return frame[mapped]
        if mapped in values:
            return values[mapped]
        return self.config.get(mapped, _MISSING)

    def columns(self) -> tuple[list[str], list[str]]:
        """Return the names of what goes into the model and of what comes out."""
        rest = [] if self.outputs is None else list(self.outputs.columns)
        return list(self.inputs.columns), [self.output_name, *rest]


def check(metrics: list[Any] | None) -> list[EvaluationMetric]:
    """Return metrics that a user gave.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: some are no metrics.
    """
    if metrics is not None and not isinstance(metrics, (list, tuple)):
        raise invalid(f"extra_metrics is a list of metrics, not {type(metrics).__name__}.")
    wrong = [one for one in metrics or () if not isinstance(one, EvaluationMetric)]
    if wrong:
        told = "\n".join(f"- Metric '{one}' has type '{type(one).__name__}'" for one in wrong)
        raise invalid(
            "In the 'extra_metrics' parameter, the following metrics have the wrong type:\n\n"
            f"{told}\n\nPlease ensure that all extra metrics are instances of "
            "mlflow.metrics.EvaluationMetric; `mlflow.models.make_metric` makes one of a function."
        )
    return list(metrics or ())


def measure(
    metrics: list[EvaluationMetric], data: Data, before: Mapping[str, MetricValue]
) -> dict[str, MetricValue]:
    """Return what metrics find, by their names in results.

    A metric may take another by name; those that are taken are computed first.

    Args:
        metrics: the metrics.
        data: what they are computed from.
        before: what was computed already.

    Raises:
        MlflowException: a metric lacks an argument, or fails.
    """
    found, waiting = dict(before), list(enumerate(metrics))
    # By plain name, as other metrics call them.
    values = dict(before)
    while waiting:
        ready = [(index, one) for index, one in waiting if not _lacking(one, data, values, waiting)]
        if not ready:
            raise invalid(_told_of(waiting, data, values))
        for index, one in ready:
            value = _evaluated(index, one, data, values)
            if value is not None:
                values[one.name] = found[result_name(one)] = value
        waiting = [pair for pair in waiting if pair not in ready]
    return found


def result_name(metric: EvaluationMetric) -> str:
    """Return the name that a metric has in results."""
    return f"{metric.name}/{metric.version}" if metric.version else metric.name


def _is_old(metric: EvaluationMetric) -> bool:
    """Tell whether a metric takes a frame and a dict, as in MLflow 2."""
    names = list(inspect.signature(metric.eval_fn).parameters)
    return len(names) == 2 and names[0] == "eval_df"


def _lacking(
    metric: EvaluationMetric, data: Data, values: Mapping[str, MetricValue], waiting: list[Any]
) -> list[str]:
    """Return the arguments that a metric lacks as yet."""
    if _is_old(metric):
        return []
    to_come = {one.name for _, one in waiting if one is not metric}
    lacking = []
    for name, parameter in inspect.signature(metric.eval_fn).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if data.argument(name, values) is _MISSING and (
            parameter.default is parameter.empty or data.mapping.get(name, name) in to_come
        ):
            lacking.append(name)
    return lacking


def _told_of(waiting: list[Any], data: Data, values: Mapping[str, MetricValue]) -> str:
    inputs, outputs = data.columns()
    told = "\n".join(
        f"Metric '{one.name}' requires the following:\n- missing columns "
        f"{_lacking(one, data, values, waiting)} need to be defined or mapped"
        for _, one in waiting
    )
    return (
        f"Error: Metric calculation failed for the following metrics:\n{told}\n\nBelow are the "
        f"existing column names for the input/output data:\nInput Columns: {inputs}\nOutput "
        f"Columns: {outputs}\n\nTo resolve this issue, you may need to:\n - specify any required "
        "parameters\n - if you are missing columns, check that no two metrics take each other, "
        "and map them to existing columns:\n\n    evaluator_config={'col_mapping': {<missing "
        "column name>: <existing column name>}}"
    )


def _evaluated(
    index: int, metric: EvaluationMetric, data: Data, values: Mapping[str, MetricValue]
) -> MetricValue | None:
    positional, named = _arguments(metric, data, values)
    try:
        value = metric.eval_fn(*positional, **named)
    except Exception as error:
        raise MlflowException(f"Metric '{metric.name}': Error:\n{error!r}") from error
    if is_number(value) or isinstance(value, bool):
        return MetricValue(aggregate_results={metric.name: value})
    fault = _fault_of(value)
    if fault is not None:
        _logger.warning(
            "Did not log metric '%s' at index %d in the `extra_metrics` parameter because it %s.",
            metric.name, index, fault,
        )  # fmt: skip
        return None
    found: MetricValue = value
    if found.scores is not None and len(found.scores) != len(data.predictions):
        raise invalid(
            f"Metric '{metric.name}' gave {len(found.scores)} scores for {len(data.predictions)} "
            "rows."
        )
    return found


def _fault_of(value: Any) -> str | None:
    """Return what is wrong with what a metric returned; None for nothing."""
    if value is None:
        return "returned None"
    if not isinstance(value, MetricValue):
        return "did not return a MetricValue"
    scores: Any = value.scores
    if scores is not None and not isinstance(scores, list):
        return "must return MetricValue with scores as a list"
    if not _are_figures(value.aggregate_results):
        return "must return MetricValue with aggregate_results with str keys and numeric values"
    return None


def _arguments(
    metric: EvaluationMetric, data: Data, values: Mapping[str, MetricValue]
) -> tuple[list[Any], dict[str, Any]]:
    if _is_old(metric):
        return [frame_of(data), figures(values)], {}
    positional, named = [], {}
    for name, parameter in inspect.signature(metric.eval_fn).parameters.items():
        value = data.argument(name, values)
        if value is _MISSING:
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(value)
        elif parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            named[name] = value
    return positional, named


def frame_of(data: Data) -> Any:
    """Return predictions and targets as one frame, as functions of users take them."""
    import pandas as pd

    columns = {"prediction": data.predictions, "target": data.targets}
    return pd.DataFrame({name: one for name, one in columns.items() if one is not None})


def figures(values: Mapping[str, MetricValue], prefix: str = "") -> dict[str, Any]:
    """Return the figures in what metrics found, by the names under which runs have them.

    Args:
        values: by name.
        prefix: what each name begins with.
    """
    found = {}
    for name, value in values.items():
        plain = name.partition("/")[0]
        for key, figure in (value.aggregate_results or {}).items():
            # The one figure of a metric is called as the metric is.
            full = f"{prefix}{name}" if key in (name, plain) else f"{prefix}{name}/{prefix}{key}"
            found[full] = figure
    return found


def _are_figures(found: Any) -> bool:
    return found is None or (
        isinstance(found, dict)
        and all(isinstance(key, str) and is_number(one) for key, one in found.items())
    )
