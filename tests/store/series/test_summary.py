"""Stretches of one width: how wide they are, and which lie in a range."""

from __future__ import annotations

import pytest

from mlflow.store.series.columns import Series
from mlflow.store.series.summary import Summary, width_of


@pytest.mark.parametrize(
    ("span", "buckets", "width"), [(1, 1, 1), (10, 10, 1), (11, 10, 2), (1000, 100, 16)]
)
def test_a_width_is_a_power_of_two(span, buckets, width):
    """The smallest that is enough."""
    assert width == width_of(span, buckets)


def test_only_whole_stretches_lie_in_a_range(monkeypatch):
    """What is partly in it, or may still grow, is read point by point."""
    monkeypatch.setattr("mlflow.store.series.summary._POINTS", 4)
    series = Series.of_rows([(at, at, float(at)) for at in range(32)])

    summary = Summary.of(series.steps, series.values)

    assert (4, list(range(0, 32, 4))) == (summary.width, list(summary.starts))
    assert (0, 7) == summary.between(0, 32)
    assert (1, 2) == summary.between(1, 9)
    assert (2, 2) == summary.between(5, 8)
