"""Searches on files by reading the tree: the plain path, which an index must agree with."""

from __future__ import annotations

from importlib import import_module

from mlflow.entities.experiment import LifecycleStage
from mlflow.entities.paged_list import PagedList
from mlflow.search.match import page
from mlflow.store.backends.base import Corrupt, Missing
from mlflow.store.backends.file.index_recent import RecentRuns
from mlflow.store.backends.file.reading import folders
from mlflow.store.backends.file.tree import is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from mlflow.entities.run import Metric, Run
    from mlflow.store.backends.base import Query
    from mlflow.store.backends.file.index import RunIndex
    from mlflow.store.backends.file.runs import Runs
    from mlflow.store.backends.file.tree import Tree

INDEX = "mlflow.store.backends.file.index"
# From so many runs on, reading them all takes longer than asking the index.
MANY = 1000


def paged(
    noun: str,
    rows: Iterable[Any],
    query: Query,
    narrowed: tuple[object, ...],
    history: Any = None,
) -> PagedList[Any]:
    """Return one page of rows; `narrowed` is what else chose them."""
    found, token = page(
        noun,
        rows,
        query.where,
        query.order_by,
        query.max_results,
        query.page_token,
        history=history,
        query=narrowed,
    )
    return PagedList(found, token)


def every_run(
    tree: Tree, runs: Runs, experiment_ids: Iterable[str], view_type: int
) -> Iterator[Run]:
    """Yield the runs of experiments and a view that can be read, in no order."""
    stages = frozenset(LifecycleStage.view_type_to_stages(view_type))
    for experiment_id in dict.fromkeys(experiment_ids):
        try:
            experiment = tree.experiment_place(experiment_id)
        except Missing:
            continue
        for run_id, place in tree.run_places(experiment):
            try:
                info = runs.read_info(run_id, place)
                if info.lifecycle_stage in stages:
                    yield runs.read(run_id, place, info)
            except Missing:
                continue
            except Corrupt as error:
                tree.problems.report(place, error.detail)


class Searches:
    """Searches of runs: through the index where there are many, else by reading all.

    Args:
        tree: the store.
        runs: its runs.
    """

    def __init__(self, tree: Tree, runs: Runs) -> None:
        self._tree = tree
        self._runs = runs
        self._recent = RecentRuns(self._read)
        self._index: RunIndex | None = None

    def runs(self, experiment_ids: Sequence[str], view_type: int, query: Query) -> PagedList[Run]:
        """See `Backend.search_runs`."""
        narrowed = (sorted(set(experiment_ids)), view_type)
        places = []
        for experiment_id in narrowed[0]:
            try:
                places.append((experiment_id, self._tree.experiment_place(experiment_id)))
            except Missing:
                continue
        if self._index is None and sum(len(folders(place)) for _, place in places) >= MANY:
            # By name: the index brings a database along, which small stores never need.
            made = import_module(INDEX).RunIndex(self._tree.root, self._recent, least=MANY)
            self._index = made
        if self._index is not None:
            page_of_index = self._index.search(places, view_type, query, narrowed)
            if page_of_index is not None:
                return page_of_index
        rows = self._remembered(places, view_type)
        return paged("runs", rows, query, narrowed, self._history)

    def _read(self, experiment: str, run_id: str) -> Run | None:
        """Return the run in a folder of an experiment; None when that is no run."""
        place = f"{experiment}/{run_id}"
        if not is_id(run_id) or not self._tree.is_run(place):
            return None
        try:
            return self._runs.read(run_id, place)
        except Missing:
            return None
        except Corrupt as error:
            self._tree.problems.report(place, error.detail)
            return None

    def _remembered(self, places: list[tuple[str, str]], view_type: int) -> Iterator[Run]:
        """Yield what `every_run` yields, reading again only what changed."""
        stages = frozenset(LifecycleStage.view_type_to_stages(view_type))
        for _, experiment in places:
            for name in folders(experiment):
                run = self._recent(experiment, name)
                if run is not None and run.info.lifecycle_stage in stages:
                    yield run

    def _history(self, run: Run, key: str) -> list[Metric]:
        return list(self._runs.history(run.info.run_id, key, None, None))

    def close(self) -> None:
        """Write what the index has worth keeping."""
        if self._index is not None:
            self._index.close()
            self._index = None
