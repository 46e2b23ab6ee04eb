"""Cuts a series to what a chart can show: first, least, greatest and last of every bucket.

A line through these points covers the same pixels as one through all of them, so no spike is
lost. Widths are powers of two and edges their multiples: points that are added move no edge.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from mlflow.exceptions import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlflow.entities.run import Metric

MAX_BUCKETS = 4_000
_MAX_MARKS = 500


class Series:
    """The points of one metric of one run, in the order of their steps.

    Args:
        points: the points, in any order.
    """

    __slots__ = ("finite", "steps", "times", "values")

    def __init__(self, points: Iterable[Metric]) -> None:
        rows = sorted((point.step, point.timestamp, point.value) for point in points)
        self.steps = array("q", [row[0] for row in rows])
        self.times = array("q", [row[1] for row in rows])
        self.values = array("d", [row[2] for row in rows])
        self.finite = all(map(math.isfinite, self.values))

    def __len__(self) -> int:
        return len(self.steps)

    def along(self, axis: str) -> tuple[Sequence[int], Sequence[float]]:
        """Return (positions, values) in the order of positions.

        Args:
            axis: `step` or `time`.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for another axis.
        """
        if axis == "step":
            return self.steps, self.values
        if axis != "time":
            raise invalid(f"Invalid axis {axis!r}: it is step or time.")
        times = self.times
        if all(times[at] <= times[at + 1] for at in range(len(times) - 1)):
            return times, self.values
        order = sorted(range(len(times)), key=times.__getitem__)
        return array("q", [times[at] for at in order]), array(
            "d", [self.values[at] for at in order]
        )


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
    found.total = max(0, stop - start)
    if not found.total:
        return found
    if not series.finite:
        places, values = _finite_part(places, values, start, stop, found)
        start, stop = 0, len(places)
    if stop - start <= 2 * buckets:
        found.x, found.y = list(places[start:stop]), list(values[start:stop])
        return found
    _fill(found, places, values, start, stop, buckets)
    return found


def _finite_part(
    places: Sequence[int], values: Sequence[float], start: int, stop: int, found: Cut
) -> tuple[Sequence[int], Sequence[float]]:
    kept_x, kept_y = array("q"), array("d")
    for at in range(start, stop):
        value = values[at]
        if math.isfinite(value):
            kept_x.append(places[at])
            kept_y.append(value)
        elif len(found.marks) < _MAX_MARKS:
            kind = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
            found.marks.append((places[at], kind))
    return kept_x, kept_y


def width_of(span: float, buckets: int) -> int:
    """Return the smallest power of two of which `buckets` cover the span."""
    width = 1
    while width * buckets < span:
        width *= 2
    return width


def _fill(
    found: Cut, places: Sequence[int], values: Sequence[float], start: int, stop: int, buckets: int
) -> None:
    width = width_of(places[stop - 1] - places[start] + 1, buckets)
    middles: list[float] = []
    means: list[float] = []
    counts: list[int] = []
    at = start
    while at < stop:
        edge = (places[at] // width + 1) * width
        end = bisect_left(places, edge, at, stop)
        part = values[at:end]
        least, most = min(part), max(part)
        chosen = sorted({at, at + part.index(least), at + part.index(most), end - 1})
        found.x.extend(places[one] for one in chosen)
        found.y.extend(values[one] for one in chosen)
        middles.append((places[at] + places[end - 1]) / 2)
        means.append(sum(part) / len(part))
        counts.append(len(part))
        at = end
    found.means = (middles, means, counts)
