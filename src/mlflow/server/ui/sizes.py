"""How many bytes the artifacts of runs take, as far as this server reaches them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mlflow.exceptions import MlflowException

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.entities.run import Run
    from mlflow.server.roots import ArtifactRoots

_MAX_KEPT = 20_000
# A run that has ended may be given another file; tables need not see it at once.
_FRESH = 60.0


def size_at(roots: ArtifactRoots, location: str) -> int:
    """Return the bytes of the files below a place.

    Raises:
        MlflowException: the place is none of this server's.
    """
    spot = roots.find(location)
    return sum(size or 0 for _, size in spot.root.walk(spot.path))


class Sizes:
    """The sizes of runs; those of runs that have ended are remembered for a minute.

    Args:
        roots: the folders of artifacts; None when this server has none.
        clock: seconds.
    """

    def __init__(
        self, roots: ArtifactRoots | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._roots = roots
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, int | None]] = {}

    def of(self, run: Run) -> int | None:
        """Return the bytes of a run's artifacts; None where this server does not reach them."""
        now = self._clock()
        with self._lock:
            at, size = self._kept.get(run.info.run_id, (-_FRESH, None))
        if now - at < _FRESH:
            return size
        size = self._counted(run.info.artifact_uri or "")
        if run.info.status not in ("RUNNING", "SCHEDULED"):
            with self._lock:
                if len(self._kept) >= _MAX_KEPT:
                    self._kept.clear()
                self._kept[run.info.run_id] = (now, size)
        return size

    def _counted(self, location: str) -> int | None:
        if self._roots is None or not location:
            return None
        try:
            return size_at(self._roots, location)
        except (MlflowException, OSError):
            return None
