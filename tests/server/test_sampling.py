"""Thinned series keep what a chart must not hide."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from mlflow.entities.run import Metric
from mlflow.server.sampling import thinned


def series(values):
    return [Metric("m", value, 1, step) for step, value in enumerate(values)]


@given(st.lists(st.floats(), max_size=300), st.integers(1, 60))
def test_what_is_kept(values, limit):
    """Never too many, in order, and with the extremes, the ends and a NaN."""
    points = series(values)
    kept = thinned(points, limit)

    assert len(kept) <= limit
    assert [p.step for p in kept] == sorted({p.step for p in kept})
    if len(points) <= limit:
        assert points == kept or any(math.isnan(p.value) for p in points)
        assert len(points) == len(kept)
        return
    numbers = [value for value in values if not math.isnan(value)]
    if limit >= 5:
        assert {0, len(values) - 1} <= {p.step for p in kept}
        if numbers:
            assert {min(numbers), max(numbers)} <= {p.value for p in kept}
        if len(numbers) < len(values):
            assert any(math.isnan(p.value) for p in kept)


def test_a_spike_is_never_hidden():
    """One point in a hundred thousand."""
    values = [0.0] * 100_000
    values[54_321] = 9.0

    assert 9.0 in {p.value for p in thinned(series(values), 320)}
