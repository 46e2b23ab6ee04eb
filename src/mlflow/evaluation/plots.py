"""Figures about classifiers: curves of their probabilities, and what is taken for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DPI, _SIZE, _FONT = 175, (6.0, 4.0), 8


def _axes() -> tuple[Any, Any]:
    """Return a figure of its own, as the user's pyplot state is not ours to touch; and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="tight")
    axes = figure.subplots()
    axes.tick_params(labelsize=_FONT)
    return figure, axes


def _finished(axes: Any, x: str, y: str, title: str) -> None:
    axes.set_xlabel(x, fontsize=_FONT)
    axes.set_ylabel(y, fontsize=_FONT)
    axes.set_title(title, fontsize=_FONT)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=_FONT)


def roc(curves: Iterable[tuple[str, Any, Any, float]]) -> Any:
    """Return the figure of ROC curves.

    Args:
        curves: label, rates of false positives, rates of true positives, area below.
    """
    figure, axes = _axes()
    for label, false, true, area in curves:
        axes.plot(false, true, label=f"{label}AUC={area:.3f}")
    axes.plot([0, 1], [0, 1], "--", color="gray")
    _finished(axes, "False Positive Rate", "True Positive Rate", "ROC curve")
    return figure


def precision_recall(curves: Iterable[tuple[str, Any, Any, float]]) -> Any:
    """Return the figure of precision-recall curves.

    Args:
        curves: label, recalls, precisions, area below.
    """
    figure, axes = _axes()
    for label, recall, precision, area in curves:
        axes.step(recall, precision, where="post", label=f"{label}AP={area:.3f}")
    _finished(axes, "Recall", "Precision", "Precision recall curve")
    return figure


def lift(targets: Any, probabilities: Any, labels: Sequence[Any]) -> Any:
    """Return the figure of the lift of both classes.

    Args:
        targets: the classes.
        probabilities: a column for each class.
        labels: the two classes.

    Raises:
        ValueError: there are not two classes in the targets.
    """
    import numpy as np

    targets = np.asarray(targets)
    if len(np.unique(targets)) != 2:
        msg = f"a lift curve takes targets of two classes, there is {np.unique(targets).tolist()}"
        raise ValueError(msg)
    figure, axes = _axes()
    share = np.arange(1, len(targets) + 1) / len(targets)
    for column, label in enumerate(labels):
        order = np.argsort(probabilities[:, column], kind="stable")[::-1]
        hits = np.cumsum(targets[order] == label)
        axes.plot(share, hits / hits[-1] / share, label=f"Class {label}")
    axes.plot([0, 1], [1, 1], "k--", label="Baseline")
    _finished(axes, "Percentage of sample", "Lift", "Lift curve")
    return figure


def calibration(curves: Iterable[tuple[str, Any, Any]]) -> Any:
    """Return the figure of calibration curves.

    Args:
        curves: label, mean predicted probabilities, shares of positives.
    """
    figure, axes = _axes()
    axes.plot([0, 1], [0, 1], "k:", label="Perfectly calibrated")
    for label, predicted, true in curves:
        axes.plot(predicted, true, "s-", label=label)
    _finished(axes, "Mean predicted probability", "Fraction of positives", "Calibration curve")
    return figure


def confusion(counts: Any, labels: Sequence[Any]) -> Any:
    """Return the figure of what is taken for what.

    Args:
        counts: of rows, by true and predicted class.
        labels: the classes.
    """
    import numpy as np

    counts = np.asarray(counts, dtype=float)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    figure, axes = _axes()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image)
    places = range(len(labels))
    axes.set_xticks(places, [str(label) for label in labels])
    axes.set_yticks(places, [str(label) for label in labels])
    for row in places:
        for column in places:
            share = shares[row, column]
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=_FONT,
                      color="white" if share > 0.5 else "black")  # fmt: skip
    _finished(axes, "Predicted label", "True label", "Normalized confusion matrix")
    return figure
