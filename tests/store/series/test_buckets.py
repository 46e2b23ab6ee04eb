"""Series cut to pixels lose no spike, no end and no odd value."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.entities.run import Metric
from mlflow.exceptions import MlflowException
from mlflow.store.series.buckets import MAX_BUCKETS, cut
from mlflow.store.series.columns import Series
from mlflow.store.series.summary import width_of

values = st.floats(allow_nan=False, allow_infinity=False, width=32)


def series(numbers, step=1):
    return Series.of([Metric("m", one, at, at * step) for at, one in enumerate(numbers)])


@given(st.lists(values, min_size=1, max_size=800), st.integers(1, 40), st.integers(1, 7))
def test_every_bucket_keeps_its_ends_and_extremes(numbers, buckets, step):
    """Whatever was logged, the drawn line covers the same rows of pixels."""
    whole = series(numbers, step)

    found = cut(whole, buckets)

    drawn = list(zip(found.x, found.y, strict=True))
    points = list(zip(whole.steps, whole.values, strict=True))
    assert set(drawn) <= set(points)
    assert sorted(found.x) == found.x
    assert (len(numbers), points[0], points[-1]) == (found.total, drawn[0], drawn[-1])
    if found.means is None:
        assert points == drawn
        return
    width = width_of(whole.steps[-1] - whole.steps[0] + 1, buckets)
    for place in {at // width for at in whole.steps}:
        inside = [one for at, one in points if at // width == place]
        shown = [one for at, one in drawn if at // width == place]
        assert (min(inside), max(inside)) == (min(shown), max(shown))
        assert (inside[0], inside[-1]) == (shown[0], shown[-1])
    assert len(drawn) <= 4 * (buckets + 1)
    assert sum(found.means[2]) == len(numbers)


def test_edges_stay_when_points_are_added():
    """A live chart does not shimmer: what was drawn of full buckets is drawn again."""
    numbers = [math.sin(at) for at in range(1000)]
    first, later = cut(series(numbers[:900]), 100), cut(series(numbers), 100)

    assert 16 == width_of(1000, 100)
    full = 880  # whole buckets of the first
    assert [at for at in first.x if at < full] == [at for at in later.x if at < full]


def test_a_part_is_exact_when_it_is_small():
    """Zooming in shows every point, and one beyond each edge."""
    found = cut(series(range(10_000)), 50, low=5000, high=5020)

    assert (list(range(4999, 5022)), None) == (found.x, found.means)
    assert 0 == cut(series([]), 50).total


def test_odd_values_are_marked_and_not_drawn():
    """NaN and infinities are said, and upset nothing."""
    numbers = [1.0] * 100
    numbers[10], numbers[20], numbers[30] = math.nan, math.inf, -math.inf

    found = cut(series(numbers), 10)

    assert [(10, "NaN"), (20, "Infinity"), (30, "-Infinity")] == found.marks
    assert {1.0} == set(found.y)
    only = cut(series([math.nan] * 5), 10)
    assert ([], 5) == (only.x, len(only.marks))


def test_time_is_an_axis_too():
    """Points are in the order of their times there."""
    points = [Metric("m", 1.0, 30, 0), Metric("m", 2.0, 10, 1), Metric("m", 3.0, 20, 2)]

    found = cut(Series.of(points), 10, "time")

    assert ([10, 20, 30], [2.0, 3.0, 1.0]) == (found.x, found.y)
    with pytest.raises(MlflowException, match="Invalid axis"):
        cut(Series.of(points), 10, "epoch")


@pytest.mark.parametrize("buckets", [0, -1, MAX_BUCKETS + 1])
def test_bounds(buckets):
    """A chart has some columns of pixels, not millions."""
    with pytest.raises(MlflowException, match="number of buckets"):
        cut(series([1.0]), buckets)


columns = st.lists(
    st.tuples(
        st.integers(-50, 2000),
        st.integers(0, 5000),
        st.sampled_from([math.nan, math.inf, -math.inf]) | st.integers(-5, 5).map(float) | values,
    ),
    max_size=500,
)
edges = st.none() | st.integers(-100, 2100)


@given(
    columns, columns, st.integers(1, 60), st.sampled_from(["step", "time"]), edges, edges,
    st.booleans(), st.integers(1, 20),
)  # fmt: skip
def test_a_cut_of_summed_up_stretches_is_the_cut_of_the_points(
    rows, later, buckets, axis, low, high, in_order, size
):
    """Whether a series was summed up at once, or as it grew."""
    if in_order:
        rows, later = (
            [(at, at * 3, row[2]) for at, row in enumerate(some)] for some in (rows, later)
        )
        later = [(at + len(rows), (at + len(rows)) * 3, value) for at, _, value in later]
    plain = Series.of_rows([*rows, *later])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlflow.store.series.columns.LONG", 1)
        patch.setattr("mlflow.store.series.summary._POINTS", size)
        summed = Series.of_rows(rows).grown(later)
    assert not plain.summaries

    found, wanted = (cut(one, buckets, axis, low, high) for one in (summed, plain))

    assert (wanted.x, wanted.y, wanted.marks, wanted.total) == (
        found.x, found.y, found.marks, found.total,
    )  # fmt: skip
    assert (wanted.means is None) == (found.means is None)
    if wanted.means is not None:
        assert wanted.means[0::2] == found.means[0::2]
        assert wanted.means[1] == pytest.approx(found.means[1], rel=1e-9, abs=1e-9)


def test_a_summary_that_grew_is_the_summary_of_all():
    """Only its last stretch is read again."""
    rows = [(at, at, float(at % 97)) for at in range(40_000)]
    whole, grown = Series.of_rows(rows), Series.of_rows(rows[:39_000]).grown(rows[39_000:])

    for axis in ("step", "time"):
        for name, _ in whole.summaries[axis].COLUMNS:
            mine, other = (list(getattr(one.summaries[axis], name)) for one in (whole, grown))
            assert mine == other


def test_a_long_series_is_drawn_without_reading_it():
    """A chart of the whole looks at the ends of columns and at what was summed up."""

    class Counted:
        def __init__(self, column):
            self.column, self.read = column, 0

        def __len__(self):
            return len(self.column)

        def __getitem__(self, at):
            found = self.column[at]
            self.read += len(found) if isinstance(at, slice) else 1
            return found

    whole = Series.of_rows([(at, at, float(at % 977)) for at in range(200_000)])
    whole.values = values_read = Counted(whole.values)

    found = cut(whole, 300)

    assert 200_000 == found.total
    assert values_read.read < 6_000
