"""What has happened to runs since somebody last looked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities.run import Run
    from mlflow.server.ui.frame import Frame
    from mlflow.store.base import AbstractStore

#: A run that is said to be running and has logged nothing for so many ms: something is wrong.
STALE_AFTER = 3_600_000
_MOST_OPEN = 100
_TERMINAL = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}


def news(store: AbstractStore, frame: Frame, since: int, now: int) -> dict[str, int]:
    """Return how many runs have ended since a time, and how many are running, stale ones apart.

    Args:
        store: where the runs are.
        frame: the runs.
        since: ms since the epoch.
        now: the same.
    """
    # What is stale changes without any run changing: it is looked at again now and then.
    return frame.once(("news", since, now // 300_000), lambda: _news(store, frame, since, now))


def _news(store: AbstractStore, frame: Frame, since: int, now: int) -> dict[str, int]:
    found = dict.fromkeys((*_TERMINAL.values(), "running", "stale"), 0)
    looked = 0
    for run in frame.runs():
        ended = _TERMINAL.get(run.info.status)
        if ended is not None:
            found[ended] += (run.info.end_time or 0) >= since
            continue
        looked += 1
        is_stale = looked <= _MOST_OPEN and _last_sign(store, run) < now - STALE_AFTER
        found["stale" if is_stale else "running"] += 1
    return found


def _last_sign(store: AbstractStore, run: Run) -> int:
    start = run.info.start_time or 0
    if not run.data.metrics:
        return start
    points = store.get_run(run.info.run_id).data._metric_objs
    return max((point.timestamp for point in points), default=start)
