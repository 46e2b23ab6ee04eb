"""Which runs are active, as cheaply as one look at the metadata file tells it."""

from __future__ import annotations

import os

from mlflow.store.backends.base import RUN, Missing, NotActive
from mlflow.store.backends.file.experiments import ACTIVE, stage_of
from mlflow.store.backends.file.reading import stamp_of
from mlflow.store.backends.file.tree import META

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.store.backends.file.reading import Stamp
    from mlflow.store.backends.file.tree import Tree

_MOST = 4096


class ActiveRun:
    """An active run: its folder, its metadata file, and how that looked when it was read."""

    __slots__ = ("meta", "place", "stamp")

    def __init__(self, place: str, stamp: Stamp) -> None:
        self.place = place
        self.meta = f"{place}/{META}"
        self.stamp = stamp


class ActiveRuns:
    """The runs known to be active.

    Deleting a run writes a line more into its metadata, so one whose file has the same number,
    size and time is as active as it was.

    Args:
        tree: where the runs are.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[str, ActiveRun] = {}

    def find(self, run_id: str) -> ActiveRun:
        """Return a run after a look at its metadata file.

        Returns:
            The same object as long as that file stays as it is.

        Raises:
            Missing: there is no such run.
            NotActive: it is deleted.
            Corrupt: it cannot be read.
        """
        run = self._known.get(run_id)
        if run is not None:
            try:
                if stamp_of(os.stat(run.meta)) == run.stamp:
                    return run
            except OSError:
                pass
            self._known.pop(run_id, None)
        place = self._tree.run_place(run_id)
        try:
            stamp = stamp_of(os.lstat(f"{place}/{META}"))
        except OSError:
            raise Missing(RUN, run_id) from None
        if stage_of(self._tree.record(place, RUN, run_id)) != ACTIVE:
            raise NotActive(RUN, run_id)
        return self._note(run_id, ActiveRun(place, stamp))

    def made(self, run_id: str, place: str) -> None:
        """Note a run that was made just now, which is active."""
        self._note(run_id, ActiveRun(place, stamp_of(os.stat(f"{place}/{META}"))))

    def _note(self, run_id: str, run: ActiveRun) -> ActiveRun:
        if len(self._known) >= _MOST:
            self._known = {}
        self._known[run_id] = run
        return run
