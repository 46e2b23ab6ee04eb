"""What was deleted and can be removed for good, in which order, and which files go with it."""

from __future__ import annotations

from typing import NamedTuple

from mlflow.entities import ViewType
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.store.base import AbstractStore

RUN, LOGGED_MODEL, EXPERIMENT = "Run", "Logged model", "Experiment"
#: Experiments come last: what is in them goes first.
KINDS = (RUN, LOGGED_MODEL, EXPERIMENT)


class Item(NamedTuple):
    """One thing that can be removed.

    Attributes:
        kind: RUN, LOGGED_MODEL or EXPERIMENT.
        id: its id.
    """

    kind: str
    id: str


class Files(NamedTuple):
    """Where the artifacts of an item are, and the folder that this has to be in to go with it.

    Attributes:
        location: a URI or path; empty when there are none.
        folder: such as `RUN_ID/artifacts`.
    """

    location: str
    folder: str

    @property
    def are_its_own(self) -> bool:
        """Whether they are in a folder that is named by the item, and nothing else is."""
        location = self.location
        return f"/{self.folder}/" in f"{location}/" and ".." not in location.split("/")


def planned(
    store: AbstractStore,
    older_than: int = 0,
    runs: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    experiments: Sequence[str] | None = None,
) -> list[Item]:
    """Return what can be removed, in the order in which it is.

    Args:
        store: where it is.
        older_than: only what was deleted at least so many ms ago.
        runs: these runs only; when any ids are given, nothing else is meant.
        models: these logged models only.
        experiments: these experiments only, each with its runs.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: one of the ids was not deleted, or not for long
            enough.
    """
    deleted = {
        RUN: store.list_deleted_runs,
        LOGGED_MODEL: store.list_deleted_logged_models,
        EXPERIMENT: store.list_deleted_experiments,
    }
    asked = dict(zip(KINDS, (runs, models, experiments), strict=True))
    if all(ids is None for ids in asked.values()):
        return [Item(kind, one) for kind in KINDS for one in deleted[kind](older_than)]
    plan: list[Item] = []
    for kind, ids in asked.items():
        there = set(deleted[kind](older_than)) if ids else set()
        for one in ids or ():
            if one not in there:
                raise invalid(
                    f"{kind} {one} is not deleted, or not for long enough; only what was "
                    "deleted before can be removed for good."
                )
            if kind == EXPERIMENT:
                plan += [Item(RUN, run_id) for run_id in runs_of(store, one)]
            plan.append(Item(kind, one))
    # A run may be named and belong to an experiment that is named, too.
    return list(dict.fromkeys(plan))


def runs_of(store: AbstractStore, experiment_id: str) -> list[str]:
    """Return the runs that go with an experiment."""
    found: list[str] = []
    token = None
    while True:
        page = store.search_runs([experiment_id], None, ViewType.ALL, page_token=token)
        found += [run.info.run_id for run in page]
        token = page.token
        if not token:
            return found


def files_of(store: AbstractStore, item: Item) -> Files:
    """Return where the artifacts of an item are.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST: it is gone.
    """
    if item.kind == RUN:
        uri = store.get_run(item.id).info.artifact_uri or ""
        return Files(store.moved_artifacts(uri), f"{item.id}/artifacts")
    if item.kind == EXPERIMENT:
        return Files("", "")
    model = store.get_logged_model(item.id, allow_deleted=True)
    # It is in a folder of its own, or in the artifacts of its run.
    in_run = f"{model.source_run_id}/artifacts/{model.name}"
    own = f"/{in_run}/" not in f"{model.artifact_location}/"
    location = store.moved_artifacts(model.artifact_location)
    return Files(location, f"{item.id}/artifacts" if own else in_run)


def purge(store: AbstractStore, item: Item) -> None:
    """Remove an item for good; its artifacts are removed before, by whoever can reach them.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE when it is active.
    """
    remove = {
        RUN: store.purge_run,
        LOGGED_MODEL: store.purge_logged_model,
        EXPERIMENT: store.purge_experiment,
    }
    remove[item.kind](item.id)
