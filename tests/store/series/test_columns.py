"""Columns are in order whichever way points came, and odd values stand apart."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.store.series.columns import LONG, Series

rows_of_any_order = st.lists(
    st.tuples(
        st.integers(-9, 9), st.integers(0, 9), st.sampled_from([0.0, 1.0, math.nan, math.inf])
    ),
    max_size=30,
)


def parts(series):
    return (
        series.steps.tolist(), series.times.tolist(), series.values.tolist(), series.odd,
        series.times_ordered,
    )  # fmt: skip


@given(rows_of_any_order, rows_of_any_order)
def test_growing_is_starting_with_all(rows, later):
    """The series that was there stays as it was."""
    before = Series.of_rows(rows)
    kept = parts(before)

    grown = before.grown(later)

    assert parts(Series.of_rows([*rows, *later])) == parts(grown)
    assert len(rows) + len(later) == len(grown)
    assert kept == parts(before)


def test_times_that_go_back_are_sorted_when_they_are_the_axis():
    """A clock that was set does not cross lines."""
    series = Series.of_rows([(0, 30, 1.0), (1, 10, 2.0), (2, 20, math.nan)])

    places, values = series.along("time")

    assert ([10, 30], [2.0, 1.0]) == (places.tolist(), values.tolist())
    assert ([(20, "NaN")], [(2, "NaN")]) == (series.odd_along("time"), series.odd_along("step"))
    with pytest.raises(MlflowException, match="Invalid axis"):
        series.along("epoch")


def test_only_long_series_are_summed_up():
    """By time only where times are in order."""
    rows = [(at, at, 1.0) for at in range(LONG)]

    assert {} == Series.of_rows(rows[1:]).summaries
    assert ["step", "time"] == list(Series.of_rows(rows).summaries)
    assert ["step"] == list(Series.of_rows([(-1, 9, 0.0), *rows]).summaries)


def test_all_points_have_their_places():
    """The odd ones, too."""
    series = Series.of_rows([(3, 3, 1.0), (1, 1, 0.5), (2, 2, math.inf)])

    assert [(1, 2, 3), (1, 2, 3), (0.5, math.inf, 1.0)] == list(series.columns())
    assert [[1], [1], [0.5]] == [list(one) for one in Series.of_rows([(1, 1, 0.5)]).columns()]


@pytest.mark.parametrize("count", [0, 1, 100, LONG])
def test_extremes(count):
    """Of finite values; of a long series they are summed up."""
    rows = [(at, at, float((at * 7919) % 1009)) for at in range(count)]

    found = Series.of_rows([*rows, (-1, -1, math.nan), (-2, -2, -math.inf)]).extremes()

    values = [row[2] for row in rows]
    assert (min(values, default=None), max(values, default=None)) == found
