"""Thinning of long series for charts, which keeps what a chart must not hide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Points that one stretch may keep: its first, last, lowest, highest and one that is no number.
_KEPT = 5


def thinned(values: Sequence[float], limit: int) -> list[int]:
    """Return the places of at most `limit` values of a series that show its course.

    The series is cut into stretches of equal count, and of each the first, the last, the lowest,
    the highest and one NaN are kept. A series that fits is kept whole.

    Args:
        values: in the order of the chart.
        limit: from 1.
    """
    if len(values) <= limit:
        return list(range(len(values)))
    if limit < _KEPT:
        return sorted(_marks(values, 0, len(values))[:limit])
    stretches = limit // _KEPT
    kept: set[int] = set()
    for number in range(stretches):
        start = len(values) * number // stretches
        end = len(values) * (number + 1) // stretches
        kept.update(_marks(values, start, end))
    return sorted(kept)


def _marks(values: Sequence[float], start: int, end: int) -> list[int]:
    """Return the places to keep of a stretch, the most telling first and each once."""
    part = list(values[start:end])
    missing = next((place for place, value in enumerate(part) if math.isnan(value)), None)
    numbers = part if missing is None else [value for value in part if not math.isnan(value)]
    marks = [end - 1, start]
    if numbers:
        marks += [start + part.index(max(numbers)), start + part.index(min(numbers))]
    if missing is not None:
        marks.append(start + missing)
    return list(dict.fromkeys(marks))
