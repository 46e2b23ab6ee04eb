"""What a fitted scikit-learn estimator tells about its training data: metrics and plots."""

from __future__ import annotations

import inspect
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_logger = logging.getLogger("mlflow.sklearn")


class FitArguments:
    """The data of one call of `fit`.

    Args:
        function: the estimator's own method.
        estimator: the estimator.
        args: the positional arguments, the estimator left out.
        kwargs: the keyword arguments.
    """

    def __init__(
        self, function: Callable[..., Any], estimator: Any, args: Any, kwargs: Any
    ) -> None:
        names = [name for name in inspect.signature(function).parameters if name != "self"]
        given = dict(zip(names, args, strict=False)) | kwargs
        self.X = given.get("X", args[0] if args else None)
        self.y = given.get("y", given.get("Y"))
        self.sample_weight = given.get("sample_weight")


def training_metrics(
    estimator: Any, data: FitArguments, prefix: str, pos_label: Any = None
) -> dict[str, float]:
    """Return the metrics of an estimator on its training data, as MLflow names them.

    Args:
        estimator: a fitted estimator.
        data: what it was fitted on.
        prefix: what each name begins with.
        pos_label: the positive class of a binary classifier; weighted averages without it.
    """
    from sklearn.base import is_classifier, is_regressor

    metrics: dict[str, float] = {}
    if data.y is not None and hasattr(estimator, "predict"):
        if is_classifier(estimator):
            metrics = _classifier_metrics(estimator, data, prefix, pos_label)
        elif is_regressor(estimator):
            metrics = _regressor_metrics(estimator, data, prefix)
    if data.y is not None and hasattr(estimator, "score"):
        _add(metrics, f"{prefix}score", lambda: _score(estimator, data))
    return metrics


def _classifier_metrics(
    estimator: Any, data: FitArguments, prefix: str, pos_label: Any
) -> dict[str, float]:
    from sklearn import metrics as sk

    metrics: dict[str, float] = {}
    predicted = estimator.predict(data.X)
    weight = {"sample_weight": data.sample_weight}
    average: dict[str, Any] = {"average": "weighted"}
    if pos_label is not None:
        average = {"average": "binary", "pos_label": pos_label}
    for name in ("precision_score", "recall_score", "f1_score"):
        measure = getattr(sk, name)
        _add(
            metrics,
            f"{prefix}{name}",
            partial(measure, data.y, predicted, zero_division=0, **average, **weight),
        )
    _add(metrics, f"{prefix}accuracy_score",
         lambda: sk.accuracy_score(data.y, predicted, **weight))  # fmt: skip
    if not hasattr(estimator, "predict_proba"):
        return metrics
    probabilities = estimator.predict_proba(data.X)
    _add(metrics, f"{prefix}log_loss",
         lambda: sk.log_loss(data.y, probabilities, **weight,
                             labels=getattr(estimator, "classes_", None)))  # fmt: skip
    _add(metrics, f"{prefix}roc_auc", lambda: _roc_auc(sk, data, probabilities, weight))
    return metrics


def _roc_auc(sk: Any, data: FitArguments, probabilities: Any, weight: dict[str, Any]) -> float:
    if probabilities.shape[1] == 2:
        return float(sk.roc_auc_score(data.y, probabilities[:, 1], average="weighted", **weight))
    return float(sk.roc_auc_score(data.y, probabilities, average="weighted", multi_class="ovo"))


def _regressor_metrics(estimator: Any, data: FitArguments, prefix: str) -> dict[str, float]:
    from sklearn import metrics as sk

    metrics: dict[str, float] = {}
    predicted = estimator.predict(data.X)
    weight = {"sample_weight": data.sample_weight}
    for name in ("mean_squared_error", "mean_absolute_error", "r2_score"):
        measure = getattr(sk, name)
        _add(metrics, f"{prefix}{name}", partial(measure, data.y, predicted, **weight))
    if f"{prefix}mean_squared_error" in metrics:
        metrics[f"{prefix}root_mean_squared_error"] = metrics[f"{prefix}mean_squared_error"] ** 0.5
    return metrics


def _score(estimator: Any, data: FitArguments) -> float:
    accepted = inspect.signature(estimator.score).parameters
    arguments = [data.X, data.y]
    if data.sample_weight is not None and "sample_weight" in accepted:
        return float(estimator.score(*arguments, sample_weight=data.sample_weight))
    return float(estimator.score(*arguments))


def _add(metrics: dict[str, float], name: str, measure: Callable[[], Any]) -> None:
    # One metric that does not apply, such as ROC of one class, must not cost the others.
    try:
        metrics[name] = float(measure())
    except Exception as error:  # noqa: BLE001 - it is left out
        _logger.debug("No metric %s: %s", name, error)


def training_plots(estimator: Any, data: FitArguments, prefix: str) -> dict[str, Any]:
    """Return figures about a classifier on its training data, by file name.

    Args:
        estimator: a fitted estimator.
        data: what it was fitted on.
        prefix: what each name begins with.
    """
    from sklearn.base import is_classifier

    if data.y is None or not is_classifier(estimator):
        return {}
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return {}
    from sklearn import metrics as sk

    displays = {"confusion_matrix": sk.ConfusionMatrixDisplay}
    classes: Any = getattr(estimator, "classes_", [])
    if hasattr(estimator, "predict_proba") and len(classes) == 2:
        displays["roc_curve"] = sk.RocCurveDisplay
        displays["precision_recall_curve"] = sk.PrecisionRecallDisplay
    figures = {}
    for name, display in displays.items():
        try:
            # A figure of its own: the user's pyplot state is not ours to touch.
            figure = Figure()
            display.from_estimator(estimator, data.X, data.y, ax=figure.subplots())
            figures[f"{prefix}{name}.png"] = figure
        except Exception as error:  # noqa: BLE001 - it is left out
            _logger.debug("No plot %s: %s", name, error)
    return figures
