"""Logged models on files: a folder each, below `models` of their experiment."""

from __future__ import annotations

import os

from mlflow.entities.logged_models import LoggedModel, LoggedModelStatus
from mlflow.store.backends.base import LOGGED_MODEL, TAG, Corrupt, Duplicate, Missing, NotActive
from mlflow.store.backends.file import metadata
from mlflow.store.backends.file.experiments import ACTIVE, DELETED, Experiments, stage_of
from mlflow.store.backends.file.metadata import Malformed
from mlflow.store.backends.file.reading import (
    Unreadable,
    folders,
    is_folder,
    number_of,
    optional_text,
    text_of,
)
from mlflow.store.backends.file.series import Latest, metric_of
from mlflow.store.backends.file.tree import META, is_id, refused
from mlflow.store.backends.file.uris import believed, to_path, to_uri
from mlflow.store.backends.file.writing import Locked, Making

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from mlflow.entities.run import Metric
    from mlflow.store.backends.file.tree import Tree


class LoggedModels:
    """The logged models of a store.

    Args:
        tree: where they are.
        experiments: the experiments they belong to.
    """

    def __init__(self, tree: Tree, experiments: Experiments) -> None:
        self._tree = tree
        self._experiments = experiments
        self._latest = Latest()

    def insert(self, model: LoggedModel) -> None:
        """See `Backend.insert_logged_model`."""
        tree = self._tree
        experiment = self._experiments.active_place(model.experiment_id)
        place = f"{experiment}/models/{model.model_id}"
        try:
            tree.writer.make_folders(f"{experiment}/models")
            with Making(place, lambda: os.path.lexists(f"{place}/{META}")):
                self._fill(place, model)
            tree.writer.settle(f"{experiment}/models")
        except FileExistsError:
            raise Duplicate(LOGGED_MODEL, model.model_id) from None
        except OSError as error:
            raise refused(error) from error

    def _fill(self, place: str, model: LoggedModel) -> None:
        tree = self._tree
        for name, values in (("tags", model.tags), ("params", model.params), ("metrics", {})):
            tree.publish_values(f"{place}/{name}", values)
        tree.writer.settle(place)
        # Without metadata the folder is nothing yet.
        tree.writer.create(f"{place}/{META}", metadata.emit(model_record(model)), place)

    def get(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """See `Backend.get_logged_model`."""
        place, record = self._find(model_id)
        if not allow_deleted and stage_of(record) != ACTIVE:
            raise NotActive(LOGGED_MODEL, model_id)
        return self._entity(model_id, place, record)

    def _find(self, model_id: str) -> tuple[str, dict[str, Any]]:
        place = self._tree.model_place(model_id)
        return place, self._tree.record(place, LOGGED_MODEL, model_id)

    def active_place(self, model_id: str) -> str:
        """Return the folder of an active logged model.

        Raises:
            Missing: there is none with this id.
            NotActive: it is deleted.
        """
        place, record = self._find(model_id)
        if stage_of(record) != ACTIVE:
            raise NotActive(LOGGED_MODEL, model_id)
        return place

    def _entity(self, model_id: str, place: str, record: dict[str, Any]) -> LoggedModel:
        experiment_id = place.rsplit("/", 3)[1]
        try:
            created = number_of(record, "creation_timestamp") or 0
            status = number_of(record, "status")
            run_id = optional_text(record, "source_run_id")
            return LoggedModel(
                experiment_id,
                model_id,
                text_of(record, "name"),
                self.location(experiment_id, model_id, run_id, record),
                created,
                number_of(record, "last_updated_timestamp") or created,
                optional_text(record, "model_type"),
                run_id,
                LoggedModelStatus.from_int(0 if status is None else status),
                optional_text(record, "status_message"),
                self._tree.listings.texts(f"{place}/tags"),
                self._tree.listings.texts(f"{place}/params"),
                self._metrics(model_id, place),
            )
        except (Malformed, ValueError) as error:
            raise Corrupt(LOGGED_MODEL, model_id, f"{place}: {error}") from None

    def location(
        self, experiment_id: str, model_id: str, run_id: str | None, record: dict[str, Any]
    ) -> str:
        """Return where its files are: in its own folder, or in the artifacts of its run."""
        recorded = text_of(record, "artifact_location")
        tree = self._tree
        inside = f"/{experiment_id}/{run_id}/artifacts/"
        path = to_path(recorded)
        if run_id and path is not None and inside in path and ".." not in path.split("/"):
            head, _, rest = path.partition(inside)
            below = (experiment_id, run_id, "artifacts")
            tail = "/".join(below)
            own = f"{tree.root}/{tail}"
            if believed(head + inside[:-1], own, f"{tree.uri}/{tail}", below).startswith("file:"):
                return to_uri(f"{own}/{rest}")
            return recorded
        place = (experiment_id, "models", model_id, "artifacts")
        tail = "/".join(place)
        return believed(recorded, f"{tree.root}/{tail}", f"{tree.uri}/{tail}", place)

    def _metrics(self, model_id: str, place: str) -> list[Metric]:
        metrics = []
        for key, path in self._tree.listings.files(f"{place}/metrics")[0]:
            try:
                points, bad = self._latest.points(path, of_model=True)
            except FileNotFoundError:
                continue
            except Unreadable as error:
                self._tree.problems.report(path, str(error))
                continue
            if bad:
                self._tree.problems.report(path, f"{bad} lines that are no points")
            metrics.extend([metric_of(key, point, None, model_id) for point in points])
        return metrics

    def update(self, model_id: str, status: str, message: str | None, time: int) -> None:
        """See `Backend.update_logged_model`."""
        changes = {
            "status": LoggedModelStatus(status).to_int(),
            "status_message": message,
            "last_updated_timestamp": time,
        }
        place = self.active_place(model_id)
        with Locked(place):
            self.active_place(model_id)
            self._tree.rewrite(place, self._find(model_id)[1] | changes)

    def write(
        self,
        model_id: str,
        *,
        tags: Sequence[tuple[str, str]] = (),
        params: Sequence[tuple[str, str]] = (),
        removed_tags: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        """See `Backend.write_logged_model`."""
        tree = self._tree
        place = self.active_place(model_id)
        with Locked(place):
            self.active_place(model_id)
            for key in removed_tags:
                if not tree.has_value(place, "tags", key):
                    raise Missing(TAG, key)
            tree.write_values(place, "tags", tags)
            tree.write_values(place, "params", params)
            for key in removed_tags:
                tree.remove_value(place, "tags", key)
            if time is not None:
                tree.rewrite(place, self._find(model_id)[1] | {"last_updated_timestamp": time})

    def move(self, model_id: str, stage: str, time: int) -> None:
        """See `Backend.move_logged_model`."""
        place = self._find(model_id)[0]
        with Locked(place):
            record = dict(self._find(model_id)[1])
            if stage_of(record) == stage:
                return
            record.pop("lifecycle_stage", None)
            if stage == DELETED:
                record["lifecycle_stage"] = DELETED
            self._tree.rewrite(place, record | {"last_updated_timestamp": time})

    def every(self, experiment_ids: Sequence[str]) -> Iterator[LoggedModel]:
        """Yield the active logged models of experiments, in no order."""
        for experiment_id in dict.fromkeys(experiment_ids):
            try:
                folder = f"{self._tree.experiment_place(experiment_id)}/models"
            except Missing:
                continue
            for model_id in folders(folder) if is_folder(folder) else ():
                if not is_id(model_id):
                    continue
                place = f"{folder}/{model_id}"
                try:
                    record = self._tree.record(place, LOGGED_MODEL, model_id)
                    if stage_of(record) == ACTIVE:
                        yield self._entity(model_id, place, record)
                except Missing:
                    continue
                except Corrupt as error:
                    self._tree.problems.report(place, error.detail)


def model_record(model: LoggedModel) -> dict[str, Any]:
    """Return the metadata of a new logged model."""
    return {
        "artifact_location": model.artifact_location,
        "creation_timestamp": model.creation_timestamp,
        "experiment_id": model.experiment_id,
        "last_updated_timestamp": model.last_updated_timestamp,
        "model_id": model.model_id,
        "model_type": model.model_type,
        "name": model.name,
        "source_run_id": model.source_run_id,
        "status": model.status.to_int(),
        "status_message": model.status_message,
    }
