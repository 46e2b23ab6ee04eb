"""A series as columns in the order of its steps, with what charts need to know beforehand."""

from __future__ import annotations

import math
from array import array
from itertools import islice
from operator import le, lt
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow.exceptions import invalid
from mlflow.store.series.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlflow.entities.run import Metric

AXES = ("step", "time")
# From so many points on, a chart of the whole reads stretches that were summed up before.
LONG = 1 << 14

Row = tuple[int, int, float]  # (step, timestamp in ms, value)


class Growth(NamedTuple):
    """What was found in a store since somebody looked.

    Attributes:
        rows: (step, timestamp in ms, value) in any order.
        mark: what to show the store the next time.
        is_whole: whether these are all points, as what was seen before holds no more.
    """

    rows: Sequence[Row]
    mark: bytes
    is_whole: bool


class Series:
    """The points of one metric of one run, in the order of their steps.

    Attributes:
        steps, times, values: int64, int64 (ms) and float64 of the points whose value is finite,
            ordered by (step, time, value).
        odd: (step, time, kind) of the others, in order; the kind is `NaN`, `Infinity` or
            `-Infinity`.
        times_ordered: whether the times are in order, too.
        summaries: by axis, of a long series.
    """

    __slots__ = ("odd", "steps", "summaries", "times", "times_ordered", "values")

    def __init__(
        self,
        steps: memoryview,
        times: memoryview,
        values: memoryview[float],
        odd: list[tuple[int, int, str]],
        *,
        times_ordered: bool,
        summaries: dict[str, Summary],
    ) -> None:
        self.steps = steps
        self.times = times
        self.values = values
        self.odd = odd
        self.times_ordered = times_ordered
        self.summaries = summaries

    @classmethod
    def of(cls, points: Iterable[Metric]) -> Series:
        """Return the series of points in any order."""
        return cls.of_rows([(one.step, one.timestamp, one.value) for one in points])

    @classmethod
    def of_rows(cls, rows: Sequence[Row]) -> Series:
        """Return the series of rows in any order."""
        return cls._joined(array("q"), array("q"), array("d"), [], rows, {}, ordered=True)

    def grown(self, rows: Sequence[Row]) -> Series:
        """Return the series with more rows, in any order; this one stays as it is."""
        if not rows:
            return self
        steps, times, values = (_copy(one) for one in (self.steps, self.times, self.values))
        if steps and min((row[0], row[1]) for row in rows) <= (steps[-1], times[-1]):
            rows = [*zip(steps, times, values, strict=True), *rows]
            steps, times, values = array("q"), array("q"), array("d")
            return self._joined(steps, times, values, self.odd, rows, {}, ordered=True)
        return self._joined(
            steps, times, values, self.odd, rows, self.summaries, ordered=self.times_ordered
        )

    @classmethod
    def _joined(
        cls,
        steps: array[int],
        times: array[int],
        values: array[float],
        odd: list[tuple[int, int, str]],
        rows: Sequence[Row],
        summaries: dict[str, Summary],
        *,
        ordered: bool,
    ) -> Series:
        """Return the series of columns followed by rows, none of which comes before their end."""
        added = [row[2] for row in rows]
        if not all(map(math.isfinite, added)):
            others = [(row[0], row[1], _kind(row[2])) for row in rows if not math.isfinite(row[2])]
            odd = sorted([*odd, *others])
            rows = [row for row in rows if math.isfinite(row[2])]
        if not _rises([row[0] for row in rows]):
            rows = sorted(rows)
        start = max(len(times) - 1, 0)  # the last of those whose order is known
        steps.extend([row[0] for row in rows])
        times.extend([row[1] for row in rows])
        values.extend([row[2] for row in rows])
        ordered = ordered and all(map(le, times[start:], times[start + 1 :]))
        whole = cls(
            memoryview(steps), memoryview(times), memoryview(values), odd,
            times_ordered=ordered, summaries={},
        )  # fmt: skip
        if len(steps) >= LONG:
            for axis in AXES if ordered else AXES[:1]:
                places: memoryview = whole.steps if axis == "step" else whole.times
                before = summaries.get(axis)
                whole.summaries[axis] = Summary.of(places, whole.values, before)
        return whole

    def __len__(self) -> int:
        return len(self.steps) + len(self.odd)

    def columns(self) -> tuple[Sequence[int], Sequence[int], Sequence[float]]:
        """Return (steps, times, values) of all points, the odd ones at their places."""
        if not self.odd:
            return self.steps, self.times, self.values
        odd = [(step, time, float(kind)) for step, time, kind in self.odd]
        rows = [*zip(self.steps, self.times, self.values, strict=True), *odd]
        rows.sort(key=lambda row: row[:2])
        steps, times, values = zip(*rows, strict=True)
        return steps, times, values

    def extremes(self) -> tuple[float | None, float | None]:
        """Return the least and the greatest finite value; None where there is none."""
        if not len(self.values):
            return None, None
        summary = self.summaries.get(AXES[0])
        if summary is None:
            return min(self.values), max(self.values)
        return min(summary.least), max(summary.most)

    def along(self, axis: str) -> tuple[Sequence[int], Sequence[float]]:
        """Return (positions, values) of the finite points in the order of positions.

        Args:
            axis: `step` or `time`.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for another axis.
        """
        if axis not in AXES:
            raise invalid(f"Invalid axis {axis!r}: it is step or time.")
        if axis == "step":
            return self.steps, self.values
        if self.times_ordered:
            return self.times, self.values
        times = self.times.tolist()
        order = sorted(range(len(times)), key=times.__getitem__)
        values = self.values.tolist()
        return (
            memoryview(array("q", [times[at] for at in order])),
            memoryview(array("d", [values[at] for at in order])),
        )

    def odd_along(self, axis: str) -> list[tuple[int, str]]:
        """Return (position, kind) of the values that are no finite number, in order."""
        of_steps = axis == "step"
        return sorted((step if of_steps else time, kind) for step, time, kind in self.odd)


def _copy(column: memoryview[Any]) -> array[Any]:
    copy: array[Any] = array(column.format)
    copy.frombytes(column.cast("B"))
    return copy


def _rises(numbers: Sequence[int]) -> bool:
    return all(map(lt, numbers, islice(numbers, 1, None)))


def _kind(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
