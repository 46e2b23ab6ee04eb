"""Exact copies out of and into file stores: things are made beside their place, then renamed."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager

from mlflow.entities.logged_models import LoggedModel
from mlflow.entities.registry import STAGE_DELETED_INTERNAL, ModelVersion
from mlflow.entities.run import Run
from mlflow.store.backends.base import (
    EXPERIMENT,
    LOGGED_MODEL,
    REGISTERED_MODEL,
    RUN,
    Duplicate,
    Missing,
)
from mlflow.store.backends.copying import POINT_DATASETS, CannotHold, Copying
from mlflow.store.backends.file import metadata
from mlflow.store.backends.file.appender import append_lines
from mlflow.store.backends.file.experiments import ACTIVE, DELETED, new_experiment_id, stage_of
from mlflow.store.backends.file.logged_models import model_record
from mlflow.store.backends.file.reading import (
    folders,
    is_folder,
    key_path,
    make_parent,
    number_of,
    plain_files,
)
from mlflow.store.backends.file.registry import (
    NEW,
    VERSION,
    is_model_name,
    registered_record,
    version_record,
)
from mlflow.store.backends.file.remove import remove_folder
from mlflow.store.backends.file.runs import run_record
from mlflow.store.backends.file.series import blocks, extra_of, line, metric_of, open_series
from mlflow.store.backends.file.series import read_points as points_of
from mlflow.store.backends.file.tree import (
    DEFAULT,
    META,
    REGISTRY,
    experiment_record,
    is_id,
    refused,
)
from mlflow.store.backends.file.uris import believed, to_path
from mlflow.store.backends.file.writing import Locked
from mlflow.store.durability import settle_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.registry import RegisteredModel
    from mlflow.entities.run import Metric
    from mlflow.store.backends.file.backend import FileBackend


class FileCopying(Copying):
    """See `Copying`.

    Args:
        backend: whose records are copied.
    """

    def __init__(self, backend: FileBackend) -> None:
        self._of = backend
        self._tree = backend.tree

    # --- out ---------------------------------------------------------------------------------

    def run_deletion_time(self, run_id: str) -> int | None:
        record = self._tree.record(self._tree.run_place(run_id), RUN, run_id)
        return number_of(record, "deleted_time") if stage_of(record) == DELETED else None

    def logged_model_points(self, model_id: str) -> list[Metric]:
        found: list[Metric] = []
        for key, path in plain_files(f"{self._tree.model_place(model_id)}/metrics"):
            descriptor, _ = open_series(path)
            try:
                for data, _, _ in blocks(descriptor, 0):
                    points, _ = points_of(data, of_model=True)
                    found += [metric_of(key, point, None, model_id) for point in points]
            finally:
                os.close(descriptor)
        return found

    def last_version_number(self, name: str) -> int:
        return self._of.registry.last_number(name)

    def counts(self) -> dict[str, int]:
        places = [place for _, place in self._tree.experiment_places()]
        return {
            EXPERIMENT: len(places),
            RUN: sum(1 for place in places for _ in self._tree.run_places(place)),
            LOGGED_MODEL: sum(len(folders(f"{place}/{REGISTRY}")) for place in places),
            REGISTERED_MODEL: len(self._of.registry.names()),
        }

    def beyond_contract(self) -> dict[str, int]:
        places = [place for _, place in self._tree.experiment_places()]
        traces = sum(
            len(folders(f"{place}/traces")) for place in places if is_folder(f"{place}/traces")
        )
        return {"traces": traces} if traces else {}

    def unreadable(self) -> dict[str, str]:
        return dict(self._of.problems)

    def location_of(self, thing: Experiment | Run | LoggedModel) -> str:
        # What a file store would take for a former place of its own is brought into its folders.
        tree = self._tree
        if isinstance(thing, Run):
            below = (thing.info.experiment_id, thing.info.run_id, "artifacts")
            tail = "/".join(below)
            own = (f"{tree.root}/{tail}", f"{tree.uri}/{tail}")
            return believed(thing.info.artifact_uri or "", *own, below)
        if isinstance(thing, LoggedModel):
            record = model_record(thing)
            where = (thing.experiment_id, thing.model_id, thing.source_run_id, record)
            return self._of.logged_models.location(*where)
        return self._experiment_location(thing.experiment_id, thing.artifact_location)

    def _experiment_location(self, experiment_id: str, location: str) -> str:
        own = (f"{self._tree.root}/{experiment_id}", f"{self._tree.uri}/{experiment_id}")
        return believed(location, *own, (experiment_id,))

    # --- in ----------------------------------------------------------------------------------

    def import_experiment(self, experiment: Experiment) -> str:
        tree = self._tree
        experiment_id = experiment.experiment_id or new_experiment_id()
        if not is_id(experiment_id) or experiment_id == REGISTRY:
            raise CannotHold(f"{experiment_id!r} cannot name a folder of experiments")
        self._of.tree.be_born()
        location = self._experiment_location(experiment_id, experiment.artifact_location)
        record = experiment_record(experiment_id, experiment.name, location, 0) | {
            "creation_time": experiment.creation_time,
            "last_update_time": experiment.last_update_time,
            "lifecycle_stage": experiment.lifecycle_stage,
        }
        base = tree.trash if experiment.lifecycle_stage == DELETED else tree.root
        with Locked(tree.root):
            if self._is_as_born(experiment_id, experiment.name):
                tree.write_values(f"{tree.root}/{DEFAULT}", "tags", experiment.tags.items())
                tree.rewrite(f"{tree.root}/{DEFAULT}", record)
                return experiment_id
        with self._draft(base, f"{base}/{experiment_id}") as draft:
            tree.publish_values(f"{draft}/tags", experiment.tags)
            tree.writer.publish(f"{draft}/{META}", metadata.emit(record))
        return experiment_id

    def _is_as_born(self, experiment_id: str, name: str) -> bool:
        """Tell whether the experiment to add takes the place of the empty `Default`.

        Raises:
            Duplicate: its id or name is taken.
        """
        taken = self._of.experiments.find(name)
        if taken is not None and taken.experiment_id != experiment_id:
            raise Duplicate(EXPERIMENT, name)
        try:
            kept = self._of.experiments.get(experiment_id)
        except Missing:
            return False
        born = experiment_id == DEFAULT and kept.name == "Default" and not kept.tags
        if not born or folders(self._tree.experiment_place(experiment_id)):
            raise Duplicate(EXPERIMENT, experiment_id)
        return True

    def import_run(
        self, run: Run, points: Callable[[], Iterable[Sequence[Metric]]], deletion_time: int | None
    ) -> dict[str, int]:
        tree, info = self._tree, run.info
        experiment = tree.experiment_place(info.experiment_id)
        place = f"{experiment}/{info.run_id}"
        location = self.location_of(run)
        if not is_id(info.run_id) or self._has(tree.run_place, info.run_id):
            raise Duplicate(RUN, info.run_id)
        record = run_record(info) | {"artifact_uri": location}
        if deletion_time is not None:
            record["deleted_time"] = deletion_time
        lost = 0
        with self._draft(experiment, place) as draft:
            tree.publish_values(f"{draft}/params", run.data.params)
            tree.publish_values(f"{draft}/tags", run.data.tags)
            os.mkdir(f"{draft}/metrics")
            for piece in points():
                lost += self._write_points(draft, piece)
            if run.inputs:
                datasets, models = run.inputs.dataset_inputs, run.inputs.model_inputs
                self._of.runs.inputs.write(draft, datasets, models, place)
            if run.outputs:
                self._of.runs.inputs.write_outputs(draft, run.outputs.model_outputs)
            tree.writer.publish(f"{draft}/{META}", metadata.emit(record))
            below = (info.experiment_id, info.run_id, "artifacts")
            _bring_artifacts(info.artifact_uri or "", location, f"{draft}/artifacts", below)
            os.makedirs(f"{draft}/artifacts", exist_ok=True)
        tree.remember_run(info.run_id, place)
        return {POINT_DATASETS: lost} if lost else {}

    def _write_points(self, draft: str, points: Sequence[Metric]) -> int:
        """Append points of runs or logged models; return how many lost their dataset."""
        lost = 0
        lines: dict[str, list[str]] = {}
        for one in points:
            extra = extra_of(one.dataset_name, one.dataset_digest)
            lost += one.dataset_name is not None and not extra
            if one.model_id is not None:
                extra = (one.run_id or "", *extra)
            text = line(one.value, one.timestamp, one.step, extra)
            lines.setdefault(one.key, []).append(text)
        durable = self._tree.writer.durable
        for key, some in lines.items():
            path = key_path(f"{draft}/metrics", key)
            make_parent(f"{draft}/metrics", path, self._tree.writer)
            append_lines(path, key, "".join(some), durable=durable)
        return lost

    def import_logged_model(
        self, model: LoggedModel, points: Sequence[Metric], stage: str
    ) -> dict[str, int]:
        tree, model_id = self._tree, model.model_id
        folder = f"{tree.experiment_place(model.experiment_id)}/{REGISTRY}"
        if not is_id(model_id) or self._has(tree.model_place, model_id):
            raise Duplicate(LOGGED_MODEL, model_id)
        location = self.location_of(model)
        record = model_record(model) | {"artifact_location": location}
        if stage != ACTIVE:
            record["lifecycle_stage"] = stage
        tree.writer.make_folders(folder)
        with self._draft(folder, f"{folder}/{model_id}") as draft:
            tree.publish_values(f"{draft}/tags", model.tags)
            tree.publish_values(f"{draft}/params", model.params)
            os.mkdir(f"{draft}/metrics")
            lost = self._write_points(draft, points)
            below = (model.experiment_id, REGISTRY, model_id, "artifacts")
            if location.endswith("/".join(below)):  # else they came with their run's
                _bring_artifacts(model.artifact_location, location, f"{draft}/artifacts", below)
            tree.writer.publish(f"{draft}/{META}", metadata.emit(record))
        return {POINT_DATASETS: lost} if lost else {}

    def import_registered_model(
        self,
        model: RegisteredModel,
        versions: Sequence[tuple[ModelVersion, str | None]],
        last_number: int,
    ) -> dict[str, int]:
        tree = self._tree
        root = f"{tree.root}/{REGISTRY}"
        if not is_model_name(model.name):
            raise CannotHold(f"{model.name!r} cannot name a folder of models")
        tree.be_born()
        tree.writer.make_folders(root)
        place = f"{root}/{model.name}"
        if os.path.lexists(f"{place}/{META}"):
            raise Duplicate(REGISTERED_MODEL, model.name)
        with self._draft(root, place) as draft:
            tree.publish_values(f"{draft}/tags", model.tags)
            aliases = {alias: str(number) for alias, number in model.aliases.items()}
            tree.publish_values(f"{draft}/aliases", aliases)
            for version, location in versions:
                number = int(version.version)
                os.mkdir(f"{draft}/{VERSION}{number}")
                tree.publish_values(f"{draft}/{VERSION}{number}/tags", version.tags)
                record = version_record(version, number, location)
                tree.writer.publish(f"{draft}/{VERSION}{number}/{META}", metadata.emit(record))
            if last_number > max((int(one.version) for one, _ in versions), default=0):
                gone = ModelVersion(model.name, str(last_number), 0)
                record = version_record(gone, last_number, None)
                record["current_stage"] = STAGE_DELETED_INTERNAL
                os.mkdir(f"{draft}/{VERSION}{last_number}")
                tree.writer.publish(f"{draft}/{VERSION}{last_number}/{META}", metadata.emit(record))
            tree.writer.publish(f"{draft}/{META}", metadata.emit(registered_record(model)))
        return {}

    def _has(self, find: object, key: str) -> bool:
        try:
            find(key)  # type: ignore[operator]
        except Missing:
            return False
        return True

    @contextmanager
    def _draft(self, folder: str, place: str) -> Iterator[str]:
        """Give a folder that becomes `place` when the block ends, and is gone when it fails.

        What an interrupted import left behind is found by its name, and removed first.
        """
        tree = self._tree
        name = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
        draft = f"{folder}/{NEW}{name}"
        try:
            with Locked(folder):
                remove_folder(tree.root, draft)
                os.mkdir(draft)
                try:
                    yield draft
                    if tree.writer.durable:
                        settle_all(draft)
                    os.rename(draft, place)
                except BaseException:
                    remove_folder(tree.root, draft)
                    raise
        except OSError as error:
            raise refused(error) from error
        tree.writer.settle(folder)


def _bring_artifacts(recorded: str, location: str, target: str, below: tuple[str, ...]) -> None:
    """Copy artifacts into a draft when this store will not believe that they are elsewhere.

    Raises:
        CannotHold: they are in a place that has nothing to do with what they belong to.
    """
    path = to_path(recorded)
    if recorded in ("", location) or path is None:
        return
    parts = path.replace("\\", "/").rstrip("/").split("/")
    if tuple(parts[-len(below) :]) != below or ".." in parts:
        raise CannotHold(
            f"its artifacts are at {recorded!r}, which a file store does not believe of what it "
            "keeps; copy them yourself"
        )
    if os.path.isdir(path):
        shutil.copytree(path, target, symlinks=True)
