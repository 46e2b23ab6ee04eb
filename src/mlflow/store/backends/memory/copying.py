"""Exact copies out of and into memory."""

from __future__ import annotations

from mlflow.entities.run import Metric
from mlflow.store.backends.base import (
    EXPERIMENT,
    LOGGED_MODEL,
    REGISTERED_MODEL,
    RUN,
    Duplicate,
)
from mlflow.store.backends.copying import Copying
from mlflow.store.backends.memory.records import (
    DELETED,
    ExperimentRecord,
    LoggedModelRecord,
    RegisteredRecord,
    RunRecord,
    VersionRecord,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.registry import ModelVersion, RegisteredModel
    from mlflow.entities.run import Run
    from mlflow.store.backends.memory import MemoryBackend


class MemoryCopying(Copying):
    """See `Copying`.

    Args:
        backend: whose records are copied.
    """

    def __init__(self, backend: MemoryBackend) -> None:
        self._of = backend

    # --- out ---------------------------------------------------------------------------------

    def run_deletion_time(self, run_id: str) -> int | None:
        with self._of._lock:
            run = self._of._run(run_id)
            return run.deleted_at if run.info.lifecycle_stage == DELETED else None

    def logged_model_points(self, model_id: str) -> list[Metric]:
        with self._of._lock:
            return list(self._of._logged_model(model_id, allow_deleted=True).metrics)

    def last_version_number(self, name: str) -> int:
        with self._of._lock:
            return self._of._model(name).last_number

    def counts(self) -> dict[str, int]:
        with self._of._lock:
            return {
                EXPERIMENT: len(self._of._experiments),
                RUN: len(self._of._runs),
                LOGGED_MODEL: len(self._of._logged),
                REGISTERED_MODEL: len(self._of._registered),
            }

    def beyond_contract(self) -> dict[str, int]:
        return {}

    # --- in ----------------------------------------------------------------------------------

    def import_experiment(self, experiment: Experiment) -> str:
        name = experiment.name
        with self._of._lock:
            experiment_id = experiment.experiment_id or str(self._of._next_experiment)
            kept = self._of._experiments.get(experiment_id)
            if kept is not None and not self._is_as_born(kept):
                raise Duplicate(EXPERIMENT, experiment_id)
            named = self._of._named(name)
            if named is not None and named is not kept:
                raise Duplicate(EXPERIMENT, name)
            location = experiment.artifact_location
            record = ExperimentRecord(experiment_id, name, location, experiment.creation_time)
            record.stage = experiment.lifecycle_stage
            record.updated = experiment.last_update_time
            record.deleted_at = experiment.last_update_time or 0
            record.tags = dict(experiment.tags)
            self._of._experiments[experiment_id] = record
            if experiment_id.isdigit():
                self._of._next_experiment = max(self._of._next_experiment, int(experiment_id) + 1)
        return experiment_id

    def _is_as_born(self, kept: ExperimentRecord) -> bool:
        if kept.id != "0" or kept.name != "Default" or kept.tags:
            return False
        within = [one.info.experiment_id for one in self._of._runs.values()]
        within += [one.fields["experiment_id"] for one in self._of._logged.values()]
        return "0" not in within

    def import_run(
        self, run: Run, points: Callable[[], Iterable[Sequence[Metric]]], deletion_time: int | None
    ) -> dict[str, int]:
        info = run.info
        record = RunRecord(info._copy_with_overrides())
        record.deleted_at = deletion_time or 0
        record.params, record.tags = dict(run.data.params), dict(run.data.tags)
        if run.inputs:
            record.datasets = {
                (one.dataset.name, one.dataset.digest): one for one in run.inputs.dataset_inputs
            }
            record.model_inputs = {one.model_id: one for one in run.inputs.model_inputs}
        if run.outputs:
            record.model_outputs = {one.model_id: one for one in run.outputs.model_outputs}
        for piece in points():
            for one in piece:
                where = (one.key, one.value, one.timestamp, one.step, None)
                kept = Metric(*where, one.dataset_name, one.dataset_digest, info.run_id)
                record.metrics.setdefault(one.key, []).append(kept)
        with self._of._lock:
            self._of._experiment(info.experiment_id)
            if info.run_id in self._of._runs:
                raise Duplicate(RUN, info.run_id)
            self._of._runs[info.run_id] = record
        return {}

    def import_logged_model(
        self, model: LoggedModel, points: Sequence[Metric], stage: str
    ) -> dict[str, int]:
        record = LoggedModelRecord(model)
        record.stage, record.deleted_at = stage, model.last_updated_timestamp
        record.metrics = list(points)
        with self._of._lock:
            self._of._experiment(model.experiment_id)
            if model.model_id in self._of._logged:
                raise Duplicate(LOGGED_MODEL, model.model_id)
            self._of._logged[model.model_id] = record
        return {}

    def import_registered_model(
        self,
        model: RegisteredModel,
        versions: Sequence[tuple[ModelVersion, str | None]],
        last_number: int,
    ) -> dict[str, int]:
        record = RegisteredRecord(model)
        record.aliases = {alias: str(version) for alias, version in model.aliases.items()}
        record.last_number = last_number
        for version, location in sorted(versions, key=lambda one: int(one[0].version)):
            number = str(version.version)
            record.versions[number] = VersionRecord(version, number, location)
        with self._of._lock:
            if model.name in self._of._registered:
                raise Duplicate(REGISTERED_MODEL, model.name)
            self._of._registered[model.name] = record
        return {}
