"""Thinning of long series for charts, which keeps what a chart must not hide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities.run import Metric

# Points that one stretch may keep: its first, last, lowest, highest and one that is no number.
_KEPT = 5


def thinned(points: Sequence[Metric], limit: int) -> list[Metric]:
    """Return at most `limit` points of a series that show its course.

    The series is cut into stretches of equal count, and of each the first, the last, the lowest,
    the highest and one NaN are kept. A series that fits is returned whole.

    Args:
        points: in the order of the chart.
        limit: from 1.
    """
    if len(points) <= limit:
        return list(points)
    if limit < _KEPT:
        chosen = _marks(points, 0, len(points))[:limit]
        return [points[place] for place in sorted(chosen)]
    stretches = limit // _KEPT
    kept: set[int] = set()
    for number in range(stretches):
        start = len(points) * number // stretches
        end = len(points) * (number + 1) // stretches
        kept.update(_marks(points, start, end))
    return [points[place] for place in sorted(kept)]


def _marks(points: Sequence[Metric], start: int, end: int) -> list[int]:
    """Return the places to keep of a stretch, the most telling first and each once."""
    low = high = missing = None
    for place in range(start, end):
        value = points[place].value
        if math.isnan(value):
            missing = place
            continue
        if low is None or value < points[low].value:
            low = place
        if high is None or value > points[high].value:
            high = place
    marks = [end - 1, start, high, low, missing]
    return list(dict.fromkeys(place for place in marks if place is not None))
