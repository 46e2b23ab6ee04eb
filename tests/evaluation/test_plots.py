"""What figures show."""

from __future__ import annotations

import numpy as np
import pytest

from mlflow.evaluation import plots


def lines(figure):
    return {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}


def test_lift():
    """The best two of four are the positive ones: twice as many as by chance, then fewer."""
    chances = np.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])

    found = lines(plots.lift([1, 1, 0, 0], chances, [0, 1]))

    assert found["Class 1"] == [[0.25, 2], [0.5, 2], [0.75, pytest.approx(4 / 3)], [1, 1]]
    assert found["Baseline"] == [[0, 1], [1, 1]]


def test_lift_of_one_class():
    with pytest.raises(ValueError, match="two classes"):
        plots.lift([1, 1], np.ones((2, 2)), [0, 1])


def test_confusion():
    """Shares of each true class; a class without rows is all zero."""
    figure = plots.confusion([[3, 1], [0, 0]], ["no", "yes"])

    assert [text.get_text() for text in figure.axes[0].texts] == ["0.75", "0.25", "0.00", "0.00"]
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["no", "yes"]


@pytest.mark.parametrize("draw", [plots.roc, plots.precision_recall])
def test_curves_say_their_area(draw):
    labels = lines(draw([("class=1, ", [0, 1], [0, 1], 0.5)]))

    assert any(label.startswith("class=1, A") and label.endswith("=0.500") for label in labels)


def test_calibration():
    assert lines(plots.calibration([("Class 1", [0.1], [0.2])]))["Class 1"] == [[0.1, 0.2]]
