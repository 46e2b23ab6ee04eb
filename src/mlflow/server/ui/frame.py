"""What is remembered of the runs of some experiments, so that summaries need not ask again.

A table shows what the store says now. Summaries (which keys there are, which params differ,
groups, the points of a scatter plot) look at every run; they are made from a frame, which a thread
fills page by page and keeps up to date: new runs and runs that are not finished are read again
whenever somebody looks, and everything now and then, at a pace set by how long that takes.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mlflow.entities.run import Run, RunData
from mlflow.tags import MLFLOW_LOGGED_MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeVar

    from mlflow.store.base import AbstractStore

    T = TypeVar("T")

MAX_RUNS = 20_000
# The first rows are read at once; the rest behind, at half speed: whoever waits goes first.
_FIRST, _PAGE, _LONGEST_PAUSE = 100, 500, 1.0
# A whole reading is repeated after this long, or after so many times what it took.
_WHOLE_AFTER, _PACE = 60.0, 30.0
_RECENT_AFTER = 1.0
_RECENT = 1_000
_MAX_FRAMES, _MAX_ANSWERS = 8, 16
# Tags that no table shows and that may be long.
DROPPED = (MLFLOW_LOGGED_MODELS,)


class Frame:
    """The runs of some experiments, in one view.

    Args:
        store: where they are.
        experiment_ids: which experiments.
        view: a `ViewType`.
    """

    def __init__(self, store: AbstractStore, experiment_ids: Sequence[str], view: int) -> None:
        self._store = store
        self._ids = list(experiment_ids)
        self._view = view
        self._lock = threading.Lock()
        self._busy = threading.Lock()
        self._ended = threading.Event()
        self._runs: dict[str, Run] = {}
        self._whole_at = self._recent_at = 0.0
        self._took = 0.0
        self.version = 0
        self.complete = False
        self.capped = False
        self.error: Exception | None = None
        self._sorted: tuple[int, list[Run]] = (-1, [])
        self._answers: dict[object, tuple[int, Any]] = {}

    def runs(self) -> list[Run]:
        """Return the runs that are known, newest first; the list is not to be changed."""
        with self._lock:
            version = self.version
            if self._sorted[0] == version:
                return self._sorted[1]
            found = list(self._runs.values())
        found.sort(key=_newest_first)
        self._sorted = (version, found)
        return found

    def once(self, question: object, answer: Callable[[], T]) -> T:
        """Return the answer to a question about the runs, made anew only when they changed."""
        version = self.version
        kept = self._answers.get(question)
        if kept is not None and kept[0] == version:
            return kept[1]  # type: ignore[no-any-return]
        made = answer()
        if len(self._answers) >= _MAX_ANSWERS:
            self._answers.clear()
        self._answers[question] = (version, made)
        return made

    def refresh(self, wait: float) -> None:
        """Bring the frame up to date: what is new for at most `wait` seconds, the rest behind.

        Raises:
            MlflowException: the store cannot be read.
        """
        now = time.monotonic()
        if not self.complete and not self._runs:
            self.note(self._store.search_runs(self._ids, "", self._view, _FIRST))
        whole_due = now - self._whole_at > max(_WHOLE_AFTER, _PACE * self._took)
        if not self.complete or whole_due:
            self._start(self._read_whole, 0)
        elif now - self._recent_at > _RECENT_AFTER:
            self._start(self._read_recent, wait)
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def end(self) -> None:
        """Read no further page."""
        self._ended.set()

    def close(self) -> None:
        """Return when the store is asked no more."""
        self.end()
        with self._busy:
            pass

    def note(self, runs: Sequence[Run]) -> None:
        """Take what the store has just said of some runs."""
        fresh = {run.info.run_id: _light(run) for run in runs}
        with self._lock:
            changed = [key for key, run in fresh.items() if self._runs.get(key) != run]
            if not changed:
                return
            if self.complete or len(self._runs) < MAX_RUNS:
                self._runs.update({key: fresh[key] for key in changed})
                self.version += 1

    def forget(self, run_ids: Sequence[str]) -> None:
        """Drop runs that left the view."""
        with self._lock:
            for run_id in run_ids:
                if self._runs.pop(run_id, None) is not None:
                    self.version += 1

    def _start(self, work: Callable[[], None], wait: float) -> None:
        if not self._busy.acquire(blocking=False):
            return
        done = threading.Event()

        def go() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whoever asks next is told
                self.error = error
            finally:
                self._busy.release()
                done.set()

        threading.Thread(target=go, name="frame", daemon=True).start()
        done.wait(wait)

    def _read_whole(self) -> None:
        started = time.monotonic()
        found: dict[str, Run] = {}
        token: str | None = None
        while len(found) < MAX_RUNS:
            began = time.monotonic()
            page = self._store.search_runs(self._ids, "", self._view, _PAGE, None, token)
            for run in page:
                found[run.info.run_id] = _light(run)
            if not self.complete:
                with self._lock:
                    self._runs.update(found)
                    self.version += 1
            token = page.token
            if not token:
                break
            if self._ended.wait(min(_LONGEST_PAUSE, time.monotonic() - began)):
                return
        with self._lock:
            if not self.complete or found != self._runs:
                self._runs = found
                self.version += 1
            self.complete, self.capped = True, bool(token)
        self._whole_at = self._recent_at = time.monotonic()
        self._took = self._whole_at - started

    def _read_recent(self) -> None:
        newest = max((run.info.start_time or 0 for run in self.runs()), default=0)
        where = f"status IN ('RUNNING', 'SCHEDULED') OR start_time >= {newest}"
        with self._lock:
            open_ids = [key for key, run in self._runs.items() if _is_open(run)]
        fresh = self._store.search_runs(self._ids, where, self._view, _RECENT)
        self.note(fresh)
        # What was running and is not among them has ended, or is gone.
        seen = {run.info.run_id for run in fresh}
        for run_id in [key for key in open_ids if key not in seen][:_RECENT]:
            self._look_again(run_id)
        self._recent_at = time.monotonic()

    def _look_again(self, run_id: str) -> None:
        try:
            self.note([self._store.get_run(run_id)])
        except Exception:  # noqa: BLE001 - purged, or unreadable: either way not in the table
            self.forget([run_id])


class Frames:
    """The frames of one store; the least used go first."""

    def __init__(self, store: AbstractStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._frames: dict[tuple[tuple[str, ...], int], Frame] = {}

    def get(self, experiment_ids: Sequence[str], view: int) -> Frame:
        """Return the frame of these experiments and this view."""
        key = (tuple(sorted(set(experiment_ids))), view)
        with self._lock:
            frame = self._frames.pop(key, None) or Frame(self._store, key[0], view)
            self._frames[key] = frame
            while len(self._frames) > _MAX_FRAMES:
                self._frames.pop(next(iter(self._frames))).end()
        return frame

    def close(self) -> None:
        """Return when the store is asked no more."""
        with self._lock:
            frames = list(self._frames.values())
        for frame in frames:
            frame.close()

    def forget(self, run_ids: Sequence[str]) -> None:
        """Drop runs that are no longer there, from all frames."""
        with self._lock:
            frames = list(self._frames.values())
        for frame in frames:
            frame.forget(run_ids)


def _newest_first(run: Run) -> tuple[int, str]:
    return (-(run.info.start_time or 0), run.info.run_id)


def _is_open(run: Run) -> bool:
    return run.info.status in ("RUNNING", "SCHEDULED")


def _light(run: Run) -> Run:
    """Return the run without what summaries never show."""
    data = run.data
    kept = RunData()
    kept._metrics = data.metrics
    kept._params = data.params
    kept._tags = {key: value for key, value in data.tags.items() if key not in DROPPED}
    return Run(run.info, kept, run.inputs)
