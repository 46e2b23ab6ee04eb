"""Thinned series keep what a chart must not hide."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from mlflow.server.sampling import thinned


@given(st.lists(st.floats(), max_size=300), st.integers(1, 60))
def test_what_is_kept(values, limit):
    """Never too many, in order, and with the extremes, the ends and a NaN."""
    kept = thinned(values, limit)

    assert len(kept) <= limit
    assert kept == sorted(set(kept))
    if len(values) <= limit:
        assert kept == list(range(len(values)))
        return
    numbers = [value for value in values if not math.isnan(value)]
    if limit >= 5:
        assert {0, len(values) - 1} <= set(kept)
        if numbers:
            assert {min(numbers), max(numbers)} <= {values[at] for at in kept}
        if len(numbers) < len(values):
            assert any(math.isnan(values[at]) for at in kept)


def test_a_spike_is_never_hidden():
    """One point in a hundred thousand."""
    values = [0.0] * 100_000
    values[54_321] = 9.0

    assert 54_321 in thinned(values, 320)
