"""Experiments on files: a folder each, moved to `.trash` when deleted."""

from __future__ import annotations

import os

from mlflow.entities.experiment import Experiment, ExperimentTag, LifecycleStage
from mlflow.store.backends.base import (
    EXPERIMENT,
    TAG,
    BackendError,
    Corrupt,
    Duplicate,
    Missing,
    NotActive,
)
from mlflow.store.backends.file.metadata import Malformed
from mlflow.store.backends.file.reading import number_of, text_of
from mlflow.store.backends.file.tree import experiment_record, refused
from mlflow.store.backends.file.uris import believed
from mlflow.store.backends.file.writing import Locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from mlflow.store.backends.file.tree import Tree

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
_ID_DIGITS = 18


def stage_of(record: dict[str, Any]) -> str:
    """Return the lifecycle stage that a record holds; old ones hold none and are active."""
    return DELETED if record.get("lifecycle_stage") == DELETED else ACTIVE


def new_experiment_id() -> str:
    """Return eighteen random digits, as MLflow's file stores name experiments."""
    number = int.from_bytes(os.urandom(8), "little")
    low = 10 ** (_ID_DIGITS - 1)
    return str(low + number % (9 * low))


class Experiments:
    """The experiments of a store.

    Args:
        tree: where they are.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    # --- reading -----------------------------------------------------------------------------

    def get(self, experiment_id: str) -> Experiment:
        """See `Backend.get_experiment`."""
        return self._entity(experiment_id, self._tree.experiment_place(experiment_id))

    def _entity(self, experiment_id: str, place: str) -> Experiment:
        tree = self._tree
        record = tree.record(place, EXPERIMENT, experiment_id)
        try:
            own = f"{tree.root}/{experiment_id}"
            own_uri = f"{tree.uri}/{experiment_id}"
            recorded = text_of(record, "artifact_location")
            created, updated = (
                number_of(record, "creation_time"),
                number_of(record, "last_update_time"),
            )
            tags = self._tree.listings.texts(f"{place}/tags")
            return Experiment(
                experiment_id,
                text_of(record, "name", experiment_id),
                believed(recorded, own, own_uri, (experiment_id,)),
                DELETED if place.startswith(tree.trash + "/") else stage_of(record),
                [ExperimentTag(key, value) for key, value in tags.items()],
                created,
                updated,
                text_of(record, "workspace", "default"),
            )
        except Malformed as error:
            raise Corrupt(EXPERIMENT, experiment_id, f"{place}: {error}") from None

    def every(self, view_type: int) -> Iterator[Experiment]:
        """Yield the experiments of a view that can be read, in no order."""
        for experiment_id, place in self._tree.experiment_places():
            try:
                found = self._entity(experiment_id, place)
            except Missing:  # a folder that is no experiment, or one that is just being made
                continue
            except Corrupt as error:
                self._tree.problems.report(place, error.detail)
                continue
            if LifecycleStage.matches_view_type(view_type, found.lifecycle_stage):
                yield found

    def find(self, name: str) -> Experiment | None:
        """See `Backend.find_experiment`."""
        place = self._place_of(name)
        return self._entity(*place) if place else None

    def _place_of(self, name: str) -> tuple[str, str] | None:
        """Return (id, folder) of the experiment of this name, reading no more than names."""
        for experiment_id, place in self._tree.experiment_places():
            try:
                if self._tree.record(place, EXPERIMENT, experiment_id).get("name") == name:
                    return experiment_id, place
            except Corrupt as error:
                self._tree.problems.report(place, error.detail)
            except BackendError:
                continue
        return None

    # --- writing -----------------------------------------------------------------------------

    def insert(
        self,
        name: str,
        artifact_location: str | None,
        tags: Sequence[tuple[str, str]],
        time: int,
    ) -> str:
        """See `Backend.insert_experiment`."""
        tree = self._tree
        try:
            with Locked(tree.root):
                if self._place_of(name):
                    raise Duplicate(EXPERIMENT, name)
                experiment_id = new_experiment_id()
                location = artifact_location or f"{tree.artifact_root}/{experiment_id}"
                tree.publish_experiment(
                    experiment_record(experiment_id, name, location, time), tags
                )
                return experiment_id
        except OSError as error:
            raise refused(error) from error

    def _active(self, experiment_id: str) -> tuple[str, dict[str, Any]]:
        """Return folder and record of an active experiment."""
        place = self._tree.experiment_place(experiment_id)
        record = self._tree.record(place, EXPERIMENT, experiment_id)
        if place.startswith(self._tree.trash + "/") or stage_of(record) != ACTIVE:
            raise NotActive(EXPERIMENT, experiment_id)
        return place, record

    def active_place(self, experiment_id: str) -> str:
        """Return the folder of an active experiment.

        Raises:
            Missing: there is none with this id.
            NotActive: it is deleted.
        """
        return self._active(experiment_id)[0]

    def rename(self, experiment_id: str, name: str, time: int) -> None:
        """See `Backend.rename_experiment`."""
        try:
            with Locked(self._tree.root):
                place, record = self._active(experiment_id)
                taken = self._place_of(name)
                if taken:
                    raise Duplicate(EXPERIMENT, name)
                changed = record | {"name": name, "last_update_time": time}
                self._tree.rewrite(place, _ours(changed))
        except OSError as error:
            raise refused(error) from error

    def move(self, experiment_id: str, stage: str, time: int, move_run: Any) -> None:
        """See `Backend.move_experiment`; `move_run` changes the stage of one run's folder."""
        tree = self._tree
        try:
            with Locked(tree.root):
                place = tree.experiment_place(experiment_id)
                record = tree.record(place, EXPERIMENT, experiment_id)
                in_trash = place.startswith(tree.trash + "/")
                if (DELETED if in_trash else stage_of(record)) == stage:
                    raise Missing(EXPERIMENT, experiment_id)
                changed = record | {"lifecycle_stage": stage, "last_update_time": time}
                tree.rewrite(place, _ours(changed))
                for run_id, run in tree.run_places(place):
                    move_run(run_id, run, stage, time)
                tree.writer.make_folders(tree.trash)
                base = tree.trash if stage == DELETED else tree.root
                if place != f"{base}/{experiment_id}":
                    os.rename(place, f"{base}/{experiment_id}")
                    tree.writer.settle(tree.root)
                    tree.writer.settle(tree.trash)
        except OSError as error:
            raise refused(error) from error

    def write_tags(
        self,
        experiment_id: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        """See `Backend.write_experiment_tags`."""
        tree = self._tree
        place = self._active(experiment_id)[0]
        try:
            with Locked(place):
                record = self._active(experiment_id)[1]
                for key in removed:
                    if not tree.has_value(place, "tags", key):
                        raise Missing(TAG, key)
                tree.write_values(place, "tags", tags)
                for key in removed:
                    tree.remove_value(place, "tags", key)
                if time is not None:
                    tree.rewrite(place, _ours(record | {"last_update_time": time}))
        except OSError as error:
            raise refused(error) from error


def _ours(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as it is written again: MLflow adds an empty `tags` to rewritten ones."""
    return record | {"tags": {}}
