"""Judges models that predict classes, of two or of more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from mlflow.evaluation import plots
from mlflow.evaluation.builtin import BuiltInEvaluator
from mlflow.evaluation.subject import estimator_of
from mlflow.exceptions import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.metrics.base import EvaluationMetric

_MOST_CLASSES = 10  # of which curves are drawn

_logger = logging.getLogger("mlflow.models.evaluation.evaluators.classifier")


class ClassifierEvaluator(BuiltInEvaluator):
    """Counts of right and wrong, rates made of them, and curves where there are probabilities."""

    @classmethod
    def can_evaluate(
        cls, *, model_type: str | None, evaluator_config: dict[str, Any], **kwargs: Any
    ) -> bool:
        return model_type == "classifier"

    def compute(self, extra: list[EvaluationMetric], makers: list[Callable[..., Any]]) -> None:
        self.predicted = self.predict()
        self.data.outputs = None
        self.true = self.targets()
        self.labels = self._labels()
        self.probabilities = self._probabilities()
        self.add_own_score()
        if self._positive() is not None:
            self._judge_two()
        else:
            self._judge_many()
        self.measure(extra)
        self.log_custom(makers)
        self.log_figure("confusion_matrix", self._draw_confusion)

    def _labels(self) -> list[Any]:
        """Return the classes, the positive one of two last."""
        import numpy as np

        found = self.config.get("label_list")
        if found is None:
            found = np.unique(np.concatenate([self.true.to_numpy(), self.predicted.to_numpy()]))
        labels = sorted(found.tolist() if hasattr(found, "tolist") else found)
        if len(labels) < 2:
            raise invalid(
                "Evaluation dataset for classification must contain at least two unique labels, "
                f"but only {len(labels)} unique labels were found."
            )
        positive = self.config.get("pos_label")
        if positive is None or len(labels) > 2:
            return labels
        if positive not in labels:
            raise invalid(f"`pos_label` is {positive!r}, and the labels are {labels}.")
        return [one for one in labels if one != positive] + [positive]

    def _positive(self) -> Any:
        """Return the positive class; None where there are more than two."""
        if len(self.labels) != 2:
            _logger.info(
                "The evaluation dataset is inferred as multiclass dataset, number of classes is "
                "inferred as %d. If this is incorrect, please specify the `label_list` parameter "
                "in `evaluator_config`.", len(self.labels),
            )  # fmt: skip
            return None
        negative, positive = self.labels
        _logger.info(
            "The evaluation dataset is inferred as binary dataset, positive label is %s, negative "
            "label is %s.", positive, negative,
        )  # fmt: skip
        return positive

    def _probabilities(self) -> Any:
        """Return the probability of each class, in the order of the labels; None without."""
        import numpy as np

        estimator = estimator_of(self.model)
        if not hasattr(estimator, "predict_proba"):
            return None
        found = np.asarray(estimator.predict_proba(self.features()))
        known = getattr(estimator, "classes_", None)
        classes = sorted(self.labels) if known is None else np.asarray(known).tolist()
        if any(label not in classes for label in self.labels):
            _logger.warning(
                "The model knows the classes %s and the data has %s; without a probability for "
                "each class, curves and what is made of them are left out.", classes, self.labels,
            )  # fmt: skip
            return None
        return found[:, [classes.index(label) for label in self.labels]]

    # -------------------------------------------------------------- two classes

    def _judge_two(self) -> None:
        positive = self.labels[1]
        self.add(_counts(self.true == positive, self.predicted == positive))
        self.add(_rates(self.true, self.predicted, self.weights, pos_label=positive,
                        average="binary"))  # fmt: skip
        if self.probabilities is None:
            return
        is_positive, chances = self.true == positive, self.probabilities[:, 1]
        curves = _curves(is_positive, chances, self.weights)
        self.add({"log_loss": self._log_loss(), **curves.areas})
        self.log_figure("roc_curve_plot", lambda: plots.roc([("", *curves.roc)]))
        self.log_figure(
            "precision_recall_curve_plot",
            lambda: plots.precision_recall([("", *curves.precision_recall)]),
        )
        self.log_figure(
            "lift_curve_plot", lambda: plots.lift(self.true, self.probabilities, self.labels)
        )
        self.log_figure(
            "calibration_curve_plot",
            lambda: plots.calibration([("Classifier", *self._calibration(is_positive, chances))]),
        )

    def _log_loss(self) -> float:
        import numpy as np
        from sklearn.metrics import log_loss

        order = sorted(range(len(self.labels)), key=lambda index: self.labels[index])
        labels = [self.labels[index] for index in order]
        chances = np.asarray(self.probabilities)[:, order]
        return float(log_loss(self.true, chances, labels=labels, sample_weight=self.weights))

    def _calibration(self, is_true: Any, chances: Any) -> tuple[Any, Any]:
        from sklearn.calibration import calibration_curve

        bins = self.config.get("calibration_n_bins", 10)
        true, predicted = calibration_curve(is_true, chances, n_bins=bins)
        return predicted, true

    # -------------------------------------------------------------- more classes

    def _judge_many(self) -> None:
        average = self.config.get("average", "weighted")
        self.add({"example_count": len(self.true)})
        rates = _rates(self.true, self.predicted, self.weights, average=average, pos_label=None)
        self.add({name: rate for name, rate in rates.items() if name != "example_count"})
        if self.probabilities is not None:
            self.add({"log_loss": self._log_loss(), "roc_auc": self._roc_auc(average)})
            self.log_figure("calibration_curve_plot", self._draw_calibrations)
        most = self.config.get("max_classes_for_multiclass_roc_pr", _MOST_CLASSES)
        if self.probabilities is not None and len(self.labels) > most:
            _logger.warning(
                "The classifier num_classes > %s, skip logging ROC curve and Precision-Recall "
                "curve. You can add evaluator config 'max_classes_for_multiclass_roc_pr' to "
                "increase the threshold.", most,
            )  # fmt: skip
        has_curves = self.probabilities is not None and len(self.labels) <= most
        found = [self._one_against_rest(index, has_curves) for index in range(len(self.labels))]
        curves = [(f"class={row['positive_class']}, ", one) for row, one in found if one]
        if curves:
            self.log_figure("roc_curve_plot", lambda: plots.roc([(n, *c.roc) for n, c in curves]))
            self.log_figure(
                "precision_recall_curve_plot",
                lambda: plots.precision_recall([(n, *c.precision_recall) for n, c in curves]),
            )
        import pandas as pd

        self.log_frame("per_class_metrics", pd.DataFrame([row for row, _ in found]))

    def _one_against_rest(self, index: int, has_curves: bool) -> tuple[dict[str, Any], Any]:
        label = self.labels[index]
        true, predicted = self.true == label, self.predicted == label
        row = {
            "positive_class": label,
            **_counts(true, predicted),
            **_rates(true, predicted, self.weights, pos_label=True, average="binary"),
        }
        if not has_curves:
            return row, None
        curves = _curves(true, self.probabilities[:, index], self.weights)
        return {**row, **curves.areas}, curves

    def _roc_auc(self, average: str) -> float:
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(
            self.true, self.probabilities, labels=self.labels, sample_weight=self.weights,
            average=average, multi_class="ovr",
        ))  # fmt: skip

    def _draw_calibrations(self) -> Any:
        return plots.calibration([
            (f"Class {label}", *self._calibration(self.true == label, self.probabilities[:, index]))
            for index, label in enumerate(self.labels)
        ])  # fmt: skip

    def _draw_confusion(self) -> Any:
        from sklearn.metrics import confusion_matrix

        # The positive class stands last wherever it is among the labels.
        labels = self.labels
        counts = confusion_matrix(self.true, self.predicted, labels=labels)
        return plots.confusion(counts, labels)


class _Curves:
    """ROC and precision-recall curves of one class, each with the area below it."""

    def __init__(self, roc: Any, precision_recall: Any) -> None:
        self.roc = roc
        self.precision_recall = precision_recall
        self.areas = {"roc_auc": roc[2], "precision_recall_auc": precision_recall[2]}


def _curves(is_true: Any, chances: Any, weights: Any) -> _Curves:
    from sklearn import metrics as sk

    false_rate, true_rate, _ = sk.roc_curve(is_true, chances, sample_weight=weights)
    area = float(sk.roc_auc_score(is_true, chances, sample_weight=weights))
    precision, recall, _ = sk.precision_recall_curve(is_true, chances, sample_weight=weights)
    average = float(sk.average_precision_score(is_true, chances, sample_weight=weights))
    return _Curves((false_rate, true_rate, area), (recall, precision, average))


def _counts(true: Any, predicted: Any) -> dict[str, int]:
    return {
        "true_negatives": int((~true & ~predicted).sum()),
        "false_positives": int((~true & predicted).sum()),
        "false_negatives": int((true & ~predicted).sum()),
        "true_positives": int((true & predicted).sum()),
    }


def _rates(
    true: Any, predicted: Any, weights: Any, *, pos_label: Any, average: str
) -> dict[str, Any]:
    from sklearn import metrics as sk

    options: dict[str, Any] = {"sample_weight": weights, "average": average, "zero_division": 0.0}
    if pos_label is not None:
        options["pos_label"] = pos_label
    precision, recall, f1, _ = sk.precision_recall_fscore_support(true, predicted, **options)
    return {
        "example_count": len(true),
        "accuracy_score": float(sk.accuracy_score(true, predicted, sample_weight=weights)),
        "recall_score": float(recall),
        "precision_score": float(precision),
        "f1_score": float(f1),
    }
