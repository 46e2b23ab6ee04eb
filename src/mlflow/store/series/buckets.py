"""Cuts a series to what a chart can show: first, least, greatest and last of every bucket.

A line through these points covers the same pixels as one through all of them, so no spike is
lost. Widths are powers of two and edges their multiples: points that are added move no edge.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from mlflow.exceptions import invalid
from mlflow.store.series.summary import width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.store.series.columns import Series
    from mlflow.store.series.summary import Summary

MAX_BUCKETS = 4_000
_MAX_MARKS = 500


class Cut:
    """A part of a series, cut to size.

    Attributes:
        x, y: the points that are drawn.
        means: where points were left out, (position, mean) of each bucket, for smoothing; None
            where all are there.
        marks: (position, kind) of values that are no finite number: `NaN`, `Infinity`,
            `-Infinity`; at most 500.
        total: how many points lie in the part.
    """

    __slots__ = ("marks", "means", "total", "x", "y")

    def __init__(self) -> None:
        self.x: list[int] = []
        self.y: list[float] = []
        self.means: tuple[list[float], list[float], list[int]] | None = None
        self.marks: list[tuple[int, str]] = []
        self.total = 0


def cut(
    series: Series,
    buckets: int,
    axis: str = "step",
    low: float | None = None,
    high: float | None = None,
) -> Cut:
    """Return what a chart of `buckets` columns shows of a series.

    Args:
        series: the points.
        buckets: how many columns of pixels there are.
        axis: `step` or `time`.
        low: the left edge; the start of the series when None. One point beyond each edge is
            included, so that lines reach the edges.
        high: the right edge.

    Returns:
        The cut: all of the points where there are at most two a column.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    if not 1 <= buckets <= MAX_BUCKETS:
        raise invalid(f"Invalid number of buckets: {buckets}; it is 1 to {MAX_BUCKETS}.")
    found = Cut()
    places, values = series.along(axis)
    start = 0 if low is None else max(0, bisect_left(places, low) - 1)
    stop = len(places) if high is None else min(len(places), bisect_right(places, high) + 1)
    odd = [
        mark
        for mark in (series.odd_along(axis) if series.odd else ())
        if (low is None or low <= mark[0]) and (high is None or mark[0] <= high)
    ]
    found.marks = odd[:_MAX_MARKS]
    found.total = max(0, stop - start) + len(odd)
    if start >= stop:
        return found
    if stop - start <= 2 * buckets:
        found.x, found.y = list(places[start:stop]), list(values[start:stop])
        return found
    width = width_of(places[stop - 1] - places[start] + 1, buckets)
    summary = series.summaries.get(axis)
    if summary is not None and summary.width > width:
        summary = None
    _fill(found, places, values, (start, stop), width, summary)
    return found


def _fill(
    found: Cut,
    places: Sequence[int],
    values: Sequence[float],
    part: tuple[int, int],
    width: int,
    summary: Summary | None,
) -> None:
    middles: list[float] = []
    means: list[float] = []
    counts: list[int] = []
    at, stop = part
    while at < stop:
        end = bisect_left(places, (places[at] // width + 1) * width, at, stop)
        least_at, most_at, total = _extremes(values, at, end, summary)
        chosen = sorted({at, least_at, most_at, end - 1})
        found.x.extend([places[one] for one in chosen])
        found.y.extend([values[one] for one in chosen])
        middles.append((places[at] + places[end - 1]) / 2)
        means.append(total / (end - at))
        counts.append(end - at)
        at = end
    found.means = (middles, means, counts)


def _extremes(
    values: Sequence[float], at: int, end: int, summary: Summary | None
) -> tuple[int, int, float]:
    """Return the places of the first least and first greatest value, and the sum, of a range.

    Args:
        values: of the series.
        at: where the range starts.
        end: where it ends.
        summary: of the series, for what of the range it covers.
    """
    first, last = summary.between(at, end) if summary is not None else (0, 0)
    if summary is None or first >= last:
        part = list(values[at:end])
        least, most = min(part), max(part)
        return at + part.index(least), at + part.index(most), sum(part)
    lows, highs = list(summary.least[first:last]), list(summary.most[first:last])
    low, high, total = min(lows), max(highs), sum(summary.sums[first:last])
    low_at = summary.least_at[first + lows.index(low)]
    high_at = summary.most_at[first + highs.index(high)]
    for start, stop in ((at, summary.starts[first]), (summary.starts[last], end)):
        if start < stop:
            least_at, most_at, more = _extremes(values, start, stop, None)
            total += more
            # Of equal ones the first counts, wherever it is.
            low_at = min(low_at, least_at, key=lambda one: (values[one], one))
            high_at = min(high_at, most_at, key=lambda one: (-values[one], one))
    return low_at, high_at, total
