"""The backend of file stores: the parts of this package behind one contract."""

from __future__ import annotations

import os
from importlib import import_module

from mlflow.store.backends.base import Backend
from mlflow.store.backends.file.experiments import Experiments
from mlflow.store.backends.file.logged_models import LoggedModels
from mlflow.store.backends.file.registry import Registry
from mlflow.store.backends.file.remove import deleted, moved_artifacts, purge
from mlflow.store.backends.file.runs import Runs
from mlflow.store.backends.file.scan import Searches, paged
from mlflow.store.backends.file.tree import Tree
from mlflow.store.durability import DISK, level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.registry import ModelVersion, RegisteredModel
    from mlflow.entities.run import (
        DatasetInput,
        LoggedModelInput,
        LoggedModelOutput,
        Metric,
        Param,
        Run,
        RunInfo,
        RunTag,
    )
    from mlflow.store.backends.base import Query
    from mlflow.store.backends.copying import Copying
    from mlflow.store.series.columns import Growth

# Loaded when a store is moved; logging has no use for it.
COPYING = "mlflow.store.backends.file.copying"


class FileBackend(Backend):
    """A store in a folder.

    Args:
        root: the folder; made when something is first asked of it.
        durability: `os`: what was logged survives the death of any process; `disk`: also a power
            cut. None takes it from `MILLSTREAM_DURABILITY`.
        artifact_root: the URI below which new experiments keep their artifacts; the folder itself
            when None.
    """

    def __init__(
        self, root: str, durability: str | None = None, artifact_root: str | None = None
    ) -> None:
        # The folder itself may be reached through links: whoever names it chose them.
        durable = level(durability) == DISK
        self.tree = Tree(os.path.realpath(root), durable=durable, artifact_root=artifact_root)
        self.experiments = Experiments(self.tree)
        self.runs = Runs(self.tree, self.experiments)
        self.logged_models = LoggedModels(self.tree, self.experiments)
        self.registry = Registry(self.tree)
        self.searches = Searches(self.tree, self.runs)
        self.append_metric = self.runs.appender.append  # type: ignore[method-assign]

    @property
    def address(self) -> str:
        return self.tree.root

    def __repr__(self) -> str:
        return f"FileBackend({self.tree.root!r})"

    @property
    def place(self) -> str:
        return self.tree.root

    @property
    def problems(self) -> dict[str, str]:
        """What was found in the store that cannot be read: reasons by path."""
        return self.tree.problems.found

    # --- experiments -------------------------------------------------------------------------

    def insert_experiment(
        self,
        name: str,
        artifact_location: str | None,
        tags: Sequence[tuple[str, str]],
        time: int,
    ) -> str:
        self.tree.be_born()
        return self.experiments.insert(name, artifact_location, tags, time)

    def get_experiment(self, experiment_id: str) -> Experiment:
        self.tree.be_born()
        return self.experiments.get(experiment_id)

    def find_experiment(self, name: str) -> Experiment | None:
        self.tree.be_born()
        return self.experiments.find(name)

    def rename_experiment(self, experiment_id: str, name: str, time: int) -> None:
        self.tree.be_born()
        self.experiments.rename(experiment_id, name, time)

    def move_experiment(self, experiment_id: str, stage: str, time: int) -> None:
        self.tree.be_born()
        self.experiments.move(experiment_id, stage, time, self.runs.move_place)

    def write_experiment_tags(
        self,
        experiment_id: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        self.tree.be_born()
        self.experiments.write_tags(experiment_id, tags, removed, time)

    def search_experiments(self, view_type: int, query: Query) -> PagedList[Experiment]:
        self.tree.be_born()
        rows = self.experiments.every(view_type)
        return paged("experiments", rows, query, (view_type,))

    # --- runs --------------------------------------------------------------------------------

    def insert_run(self, info: RunInfo, tags: Sequence[RunTag]) -> None:
        self.tree.be_born()
        self.runs.insert(info, tags)

    def get_run(self, run_id: str) -> Run:
        return self.runs.get(run_id)

    def get_run_info(self, run_id: str) -> RunInfo:
        return self.runs.info(run_id)

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
        tags: Sequence[RunTag] = (),
    ) -> RunInfo:
        return self.runs.update(
            run_id, status=status, end_time=end_time, run_name=run_name, tags=tags
        )

    def move_run(self, run_id: str, stage: str, time: int) -> None:
        self.runs.move(run_id, stage, time)

    def append_metric(self, run_id: str, key: str, value: float, timestamp: int, step: int) -> None:
        # Instances hold the bound method of the appender instead: one call less for each point.
        self.runs.appender.append(run_id, key, value, timestamp, step)

    def write_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        models: dict[str, str] = {}
        for metric in metrics:
            model_id = metric._model_id
            if model_id is not None and model_id not in models:
                models[model_id] = self.logged_models.active_place(model_id)
        self.runs.write_batch(run_id, metrics, params, tags, models)

    def delete_run_tag(self, run_id: str, key: str) -> None:
        self.runs.delete_tag(run_id, key)

    def metric_history(
        self,
        run_id: str,
        key: str,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> PagedList[Metric]:
        return self.runs.history(run_id, key, max_results, page_token)

    def series_since(self, run_id: str, key: str, mark: bytes) -> Growth:
        return self.runs.series_since(run_id, key, mark)

    def search_runs(
        self, experiment_ids: Sequence[str], view_type: int, query: Query
    ) -> PagedList[Run]:
        self.tree.be_born()
        return self.searches.runs(experiment_ids, view_type, query)

    def write_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput],
        models: Sequence[LoggedModelInput],
    ) -> None:
        self.runs.write_inputs(run_id, datasets, models)

    def write_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        self.runs.write_outputs(run_id, models)

    # --- logged models -----------------------------------------------------------------------

    def insert_logged_model(self, model: LoggedModel) -> None:
        self.tree.be_born()
        self.logged_models.insert(model)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        return self.logged_models.get(model_id, allow_deleted=allow_deleted)

    def update_logged_model(
        self, model_id: str, status: str, status_message: str | None, time: int
    ) -> None:
        self.logged_models.update(model_id, status, status_message, time)

    def write_logged_model(
        self,
        model_id: str,
        *,
        tags: Sequence[tuple[str, str]] = (),
        params: Sequence[tuple[str, str]] = (),
        removed_tags: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        self.logged_models.write(
            model_id, tags=tags, params=params, removed_tags=removed_tags, time=time
        )

    def move_logged_model(self, model_id: str, stage: str, time: int) -> None:
        self.logged_models.move(model_id, stage, time)

    def search_logged_models(
        self, experiment_ids: Sequence[str], query: Query
    ) -> PagedList[LoggedModel]:
        rows = self.logged_models.every(experiment_ids)
        return paged("logged_models", rows, query, (sorted(set(experiment_ids)),))

    # --- registry ----------------------------------------------------------------------------

    def insert_registered_model(self, model: RegisteredModel) -> None:
        self.tree.be_born()
        self.registry.insert(model)

    def get_registered_model(self, name: str) -> RegisteredModel:
        return self.registry.get(name)

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None, time: int
    ) -> None:
        self.registry.update(name, description, deployment_job_id, time)

    def rename_registered_model(self, name: str, new_name: str, time: int) -> None:
        self.registry.rename(name, new_name, time)

    def delete_registered_model(self, name: str) -> None:
        self.registry.delete(name)

    def write_registered_model_tags(
        self,
        name: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        self.registry.write_tags(name, tags, removed, time)

    def search_registered_models(self, query: Query) -> PagedList[RegisteredModel]:
        return paged("registered_models", self.registry.every(), query, ())

    def set_alias(self, name: str, alias: str, version: str, time: int) -> None:
        self.registry.set_alias(name, alias, version, time)

    def delete_alias(self, name: str, alias: str, time: int) -> None:
        self.registry.delete_alias(name, alias, time)

    def insert_model_version(self, version: ModelVersion, storage_location: str | None) -> str:
        return self.registry.insert_version(version, storage_location)

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        return self.registry.get_version(name, version)

    def model_version_location(self, name: str, version: str) -> str | None:
        return self.registry.location(name, version)

    def update_model_version(
        self, name: str, version: str, description: str | None, time: int
    ) -> None:
        self.registry.update_version(name, version, description, time)

    def move_model_version(
        self, name: str, version: str, stage: str, *, archive_existing: bool, time: int
    ) -> None:
        self.registry.move_version(
            name, version, stage, archive_existing=archive_existing, time=time
        )

    def delete_model_version(self, name: str, version: str, time: int) -> None:
        self.registry.delete_version(name, version, time)

    def write_model_version_tags(
        self,
        name: str,
        version: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        self.registry.write_version_tags(name, version, tags, removed, time)

    def search_model_versions(self, query: Query) -> PagedList[ModelVersion]:
        return paged("model_versions", self.registry.every_version(), query, ())

    # --- maintenance -------------------------------------------------------------------------

    def list_deleted(self, kind: str, before: int) -> list[str]:
        return deleted(self.tree, kind, before)

    def purge(self, kind: str, ids: Iterable[str]) -> None:
        purge(self.tree, kind, ids)

    def moved_artifacts(self, artifact_uri: str) -> str:
        return moved_artifacts(self.tree, artifact_uri)

    def copying(self) -> Copying:
        made: Copying = import_module(COPYING).FileCopying(self)
        return made

    def close(self) -> None:
        self.runs.appender.close()
        self.searches.close()
