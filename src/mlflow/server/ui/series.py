"""The series behind charts: many in one answer, cut to the pixels there are, remembered a while."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.store.series.buckets import cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities.run import Run
    from mlflow.store.base import AbstractStore
    from mlflow.store.series.columns import Series

MAX_SERIES = 1_000
# Points kept in memory, all series together: 24 bytes each.
_MAX_POINTS = 4_000_000


class Histories:
    """Series of one store; those of a store that forgets are kept until their run says more."""

    def __init__(self, store: AbstractStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[object, Series]] = {}
        self._points = 0

    def get(self, run: Run, key: str) -> Series:
        """Return a series of a run that was just read from the store."""
        if self._store.remembers_series:
            return self._store.metric_series(run.info.run_id, key)
        mark = _mark(run, key)
        with self._lock:
            kept = self._kept.pop((run.info.run_id, key), None)
            if kept is not None and kept[0] == mark:
                self._kept[run.info.run_id, key] = kept
                return kept[1]
            if kept is not None:
                self._points -= len(kept[1])
        series = self._store.metric_series(run.info.run_id, key)
        # Only what has ended is remembered: a late point with a small step changes no mark.
        if run.info.status not in ("RUNNING", "SCHEDULED"):
            self._keep((run.info.run_id, key), mark, series)
        return series

    def _keep(self, name: tuple[str, str], mark: object, series: Series) -> None:
        with self._lock:
            before = self._kept.pop(name, None)
            self._points += len(series) - (len(before[1]) if before else 0)
            self._kept[name] = (mark, series)
            while self._points > _MAX_POINTS and len(self._kept) > 1:
                _, gone = self._kept.pop(next(iter(self._kept)))
                self._points -= len(gone)


def _mark(run: Run, key: str) -> object:
    latest = next((one for one in run.data._metric_objs if one.key == key), None)
    place = (repr(latest.value), latest.step, latest.timestamp) if latest else None
    return (run.info.status, run.info.end_time, place)


def series(
    histories: Histories,
    store: AbstractStore,
    run_ids: Sequence[str],
    keys: Sequence[str],
    *,
    buckets: int = 600,
    axis: str = "step",
    low: float | None = None,
    high: float | None = None,
) -> dict[str, Any]:
    """Return the series of some metrics of some runs.

    Args:
        histories: what is remembered.
        store: where the runs are.
        run_ids: which runs; those that are gone are left out and named in `missing`.
        keys: which metrics; a run without one has no series of it.
        buckets: how many columns of pixels a chart has.
        axis: `step` or `time`.
        low: the left edge, in units of the axis (ms for `time`).
        high: the right edge.

    Returns:
        `series`: for each `run`, `key`, `x`, `y`, `n` (points in the part), `exact` (whether all
        are there), perhaps `means` and `marks`; `runs`: start and status of each.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for more than 1 000 series, or bad edges.
    """
    if len(run_ids) * len(keys) > MAX_SERIES:
        raise invalid(
            f"Too many series: {len(run_ids)} runs and {len(keys)} metrics; at most {MAX_SERIES} "
            "at a time."
        )
    found: list[dict[str, Any]] = []
    runs: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    for run_id in dict.fromkeys(run_ids):
        try:
            run = store.get_run(run_id)
        except MlflowException:
            missing.append(run_id)
            continue
        runs[run_id] = {"start": run.info.start_time, "status": run.info.status}
        for key in dict.fromkeys(keys):
            if key in run.data.metrics:
                part = cut(histories.get(run, key), buckets, axis, low, high)
                found.append(_wire(run_id, key, part))
    return {"series": found, "runs": runs, "missing": missing}


def _wire(run_id: str, key: str, part: Any) -> dict[str, Any]:
    wire = {
        "run": run_id,
        "key": key,
        "x": part.x,
        "y": part.y,
        "n": part.total,
        "exact": part.means is None,
    }
    if part.means is not None:
        wire["means"] = part.means
    if part.marks:
        wire["marks"] = part.marks
    return wire
