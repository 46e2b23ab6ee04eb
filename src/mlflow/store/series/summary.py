"""A long series summed up by stretches of one width, so that a chart need not read its points."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# How many points a stretch has on average.
_POINTS = 256


class Summary:
    """Where the extremes of stretches are, along one axis.

    A stretch is what lies between two multiples of the width, so stretches of a multiple of the
    width are made of whole ones.

    Attributes:
        width: of a stretch, in units of the axis: a power of two.
        starts: the place in the series of the first point of each stretch that has any.
        least_at, most_at: the place of the first of the least and of the greatest values.
        least, most: those values.
        sums: of the values.
    """

    __slots__ = ("least", "least_at", "most", "most_at", "starts", "sums", "width")
    COLUMNS = (
        ("starts", "q"), ("least_at", "q"), ("most_at", "q"),
        ("least", "d"), ("most", "d"), ("sums", "d"),
    )  # fmt: skip

    def __init__(self, width: int, columns: Sequence[Sequence[float]]) -> None:
        self.width = width
        for (name, _), column in zip(self.COLUMNS, columns, strict=True):
            setattr(self, name, column)

    if TYPE_CHECKING:
        starts: Sequence[int]
        least_at: Sequence[int]
        most_at: Sequence[int]
        least: Sequence[float]
        most: Sequence[float]
        sums: Sequence[float]

    @classmethod
    def of(
        cls, places: Sequence[int], values: memoryview[float], before: Summary | None = None
    ) -> Summary:
        """Sum up a series.

        Args:
            places: the positions on the axis, in order.
            values: the values there.
            before: the summary of a part from the start of the same series.
        """
        width = width_of(places[-1] - places[0] + 1, max(1, len(places) // _POINTS))
        columns: list[array[float]] = [array(kind) for _, kind in cls.COLUMNS]
        at = 0
        if before is not None and before.width == width and len(before.starts) > 1:
            # The last stretch may have grown.
            at = before.starts[-1]
            for (name, _), column in zip(cls.COLUMNS, columns, strict=True):
                column.extend(getattr(before, name)[:-1])
        while at < len(places):
            end = bisect_left(places, (places[at] // width + 1) * width, at)
            part = values[at:end].tolist()
            least, most = min(part), max(part)
            row = (at, at + part.index(least), at + part.index(most), least, most, sum(part))
            for column, cell in zip(columns, row, strict=True):
                column.append(cell)
            at = end
        return cls(width, columns)

    def between(self, start: int, stop: int) -> tuple[int, int]:
        """Return the range of stretches that lie whole in a range of places.

        The last stretch of all never counts as whole: points may still be added to it.

        Args:
            start: the first place.
            stop: the place after the last.
        """
        return bisect_left(self.starts, start), bisect_right(self.starts, stop) - 1


def width_of(span: float, buckets: int) -> int:
    """Return the smallest power of two of which `buckets` cover the span."""
    width = 1
    while width * buckets < span:
        width *= 2
    return width
