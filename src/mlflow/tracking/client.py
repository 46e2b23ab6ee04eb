"""`MlflowClient`: the operations of a tracking store and a model registry, by explicit ids."""

from __future__ import annotations

from time import time

from mlflow import _later
from mlflow.entities.experiment import ExperimentTag, ViewType
from mlflow.entities.run import Metric, Param, RunStatus, RunTag
from mlflow.environment_variables import MLFLOW_ENABLE_ASYNC_LOGGING
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.base import history
from mlflow.tags import MLFLOW_PARENT_RUN_ID, MLFLOW_USER
from mlflow.tracking import active, lifetime, queue
from mlflow.tracking.client_files import RunFiles
from mlflow.tracking.client_models import LoggedModels
from mlflow.tracking.client_registry import ModelRegistry
from mlflow.tracking.overhead import counted
from mlflow.tracking.values import as_number, portions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from typing import Any

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.run import (
        DatasetInput,
        LoggedModelInput,
        LoggedModelOutput,
        Run,
    )
    from mlflow.store.artifact.artifact_repo import ArtifactRepository
    from mlflow.store.base import AbstractStore
    from mlflow.tracking.queue import RunOperations


class _TrackingPart:
    """What integrations read of a client's inside.

    Args:
        tracking_uri: the URI of the store.
        store: the store.
    """

    def __init__(self, tracking_uri: str, store: AbstractStore) -> None:
        self.tracking_uri = tracking_uri
        self.store = store

    def _get_artifact_repo(self, run_id: str) -> ArtifactRepository:
        """Return the place of a run's artifacts, as qlib asks for it."""
        root = self.store.get_run(run_id).info.artifact_uri or ""
        return artifact_repository(root, self.store.artifact_server)


class _Experiments:
    """Operations on experiments."""

    _store: AbstractStore

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: dict[str, Any] | None = None,
    ) -> str:
        """Make an experiment and return its id.

        Args:
            name: unique, also among deleted experiments.
            artifact_location: the root of its artifacts; chosen by the store when absent.
            tags: tags to set.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_ALREADY_EXISTS.
        """
        found = [ExperimentTag(key, str(value)) for key, value in (tags or {}).items()]
        return self._store.create_experiment(
            name, None if artifact_location is None else str(artifact_location), found
        )

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment, deleted ones too.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        return self._store.get_experiment(str(experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of this name, deleted ones too; None when there is none."""
        return self._store.get_experiment_by_name(name)

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """Return one page of the experiments that match.

        Args:
            view_type: a `ViewType`.
            max_results: the size of the page.
            filter_string: such as `name LIKE 'wine%' AND tags.team = 'a'`.
            order_by: such as `["name ASC"]`; newest first by default.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        size = 1000 if max_results is None else max_results
        return self._store.search_experiments(view_type, size, filter_string, order_by, page_token)

    def delete_experiment(self, experiment_id: str) -> None:
        """Mark an experiment and its runs deleted; `restore_experiment` undoes it.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._store.delete_experiment(str(experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        """Make a deleted experiment and its runs active again.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._store.restore_experiment(str(experiment_id))

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Change the name of an active experiment.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST; INVALID_STATE for a
                deleted one; RESOURCE_ALREADY_EXISTS.
        """
        self._store.rename_experiment(str(experiment_id), new_name)

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        """Set a tag of an experiment; the value is kept as `str(value)`.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._store.set_experiment_tag(str(experiment_id), ExperimentTag(key, str(value)))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag of an experiment.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._store.delete_experiment_tag(str(experiment_id), key)


class _Runs:
    """Operations on runs."""

    _store: AbstractStore

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: dict[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Start a run, without making it the active one.

        Args:
            experiment_id: where it goes.
            start_time: ms since the epoch; now when absent.
            tags: its first tags.
            run_name: generated when absent.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        found = tags or {}
        return self._store.create_run(
            experiment_id=str(experiment_id),
            user_id=found.get(MLFLOW_USER, "unknown"),
            start_time=start_time or int(time() * 1000),
            tags=[RunTag(key, str(value)) for key, value in found.items()],
            run_name=run_name,
        )

    def get_run(self, run_id: str) -> Run:
        """Return a run with its latest metrics, params, tags, inputs and outputs.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        queue.flush(self._store)
        return self._store.get_run(run_id)

    def get_parent_run(self, run_id: str) -> Run | None:
        """Return the run that a nested run belongs to; None for one without a parent.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for either run.
        """
        parent = self._store.get_run(run_id).data.tags.get(MLFLOW_PARENT_RUN_ID)
        return None if parent is None else self._store.get_run(parent)

    def search_runs(
        self,
        experiment_ids: list[str] | str,
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """Return one page of the runs that match.

        Args:
            experiment_ids: where to look; one id will do.
            filter_string: such as `metrics.rmse < 0.8 AND params.alpha = '0.5'`.
            run_view_type: a `ViewType`.
            max_results: the size of the page.
            order_by: such as `["metrics.rmse ASC"]`; newest first by default.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        if isinstance(experiment_ids, (str, int)):
            experiment_ids = [experiment_ids]
        queue.flush(self._store)
        return self._store.search_runs(
            [str(one) for one in experiment_ids],
            filter_string,
            run_view_type,
            max_results,
            order_by,
            page_token,
        )

    def set_terminated(
        self, run_id: str, status: str | None = None, end_time: int | None = None
    ) -> None:
        """End a run.

        Args:
            run_id: the run.
            status: FINISHED by default.
            end_time: ms since the epoch; now when absent.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a deleted run.
        """
        number = RunStatus.from_string(status or "FINISHED")
        lifetime.settle(run_id, self._store)
        self._store.update_run_info(run_id, number, end_time or int(time() * 1000), None)

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Change the state or the name of a run.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a deleted run.
        """
        number = None if status is None else RunStatus.from_string(status)
        self._store.update_run_info(run_id, number, None, name)

    def delete_run(self, run_id: str) -> None:
        """Mark a run deleted; `restore_run` undoes it.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._store.delete_run(run_id)

    def restore_run(self, run_id: str) -> None:
        """Make a deleted run active again.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._store.restore_run(run_id)


class _Logging:
    """Operations that write to runs, and the histories of metrics."""

    _store: AbstractStore

    @counted
    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> RunOperations | None:
        """Add a point to a series of a run; see `mlflow.log_metric`.

        Args:
            run_id: the run.
            key: the series.
            value: a number, or an array or tensor of one element.
            timestamp: ms since the epoch; now when absent.
            step: 0 when absent.
            synchronous: false to return before it is kept.
            dataset_name: the dataset it was measured on.
            dataset_digest: the digest of that dataset.
            model_id: the logged model it describes.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        value = as_number(value)
        stamp = int(time() * 1000) if timestamp is None else timestamp
        if model_id is None and dataset_name is None and is_synchronous(synchronous):
            self._store.log_metric_value(run_id, key, value, stamp, step or 0)
            return None
        point = Metric(key, value, stamp, step or 0, model_id, dataset_name, dataset_digest)
        if not is_synchronous(synchronous):
            return queue.queue_of(self._store).put(run_id, [point], (), ())
        self._store.log_metric(run_id, point)
        return None

    @counted
    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Keep an input setting of a run as `str(value)`; see `mlflow.log_param`.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        param = Param(key, str(value))
        if not is_synchronous(synchronous):
            return queue.queue_of(self._store).put(run_id, (), [param], ())
        self._store.log_param(run_id, param)
        return value

    @counted
    def set_tag(
        self, run_id: str, key: str, value: Any, synchronous: bool | None = None
    ) -> RunOperations | None:
        """Set a tag of a run; the value is kept as `str(value)`.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        tag = RunTag(key, str(value))
        if not is_synchronous(synchronous):
            return queue.queue_of(self._store).put(run_id, (), (), [tag])
        self._store.set_tag(run_id, tag)
        return None

    @counted
    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Write metrics, params and tags of a run.

        More than one batch may hold is written in several.

        Args:
            run_id: the run.
            metrics: points.
            params: input settings.
            tags: tags.
            synchronous: false to return before they are kept.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        if not is_synchronous(synchronous):
            return queue.queue_of(self._store).put(run_id, metrics, params, tags)
        for batch in portions(metrics, params, tags):
            self._store.log_batch(run_id, *batch)
        return None

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag of a run.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        self._store.delete_tag(run_id, key)

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """Return all points of a series, in the order in which they were logged.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        queue.flush(self._store)
        return list(history(self._store, run_id, key))

    @counted
    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[LoggedModelInput] | None = None,
    ) -> None:
        """Note datasets and logged models that a run uses.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._store.log_inputs(run_id, list(datasets or ()), list(models or ()))

    @counted
    def log_outputs(self, run_id: str, models: list[LoggedModelOutput]) -> None:
        """Note logged models that a run produced; its metrics of those steps describe them.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        self._store.log_outputs(run_id, list(models))
        for model in models:
            active.note_produced(run_id, model.model_id, model.step)


def is_synchronous(synchronous: bool | None) -> bool:
    """Return what was asked for, or what the environment says."""
    if synchronous is not None:
        return synchronous
    return not (MLFLOW_ENABLE_ASYNC_LOGGING.is_set() and MLFLOW_ENABLE_ASYNC_LOGGING.get())


class MlflowClient(_Experiments, _Runs, _Logging, RunFiles, LoggedModels, ModelRegistry):
    """Creates, changes and finds experiments, runs, logged models and registered models.

    Nothing here depends on which run is active.

    Args:
        tracking_uri: where runs are kept; the current tracking URI when absent.
        registry_uri: where registered models are kept; the current registry URI when absent, or
            the given tracking URI.
        workspace_store_uri: a later version.
    """

    def __init__(
        self,
        tracking_uri: str | os.PathLike[str] | None = None,
        registry_uri: str | os.PathLike[str] | None = None,
        workspace_store_uri: str | None = None,
    ) -> None:
        uri = active.resolve_tracking_uri(tracking_uri)
        self._set_store(uri, active.tracking_store(uri))
        if registry_uri:
            self._registry_uri = active.resolve_tracking_uri(registry_uri)
        elif tracking_uri and not active.is_registry_uri_set():
            self._registry_uri = uri
        else:
            self._registry_uri = active.get_registry_uri()

    def _set_store(self, uri: str, store: AbstractStore) -> None:
        self._store = store
        self._tracking_client = _TrackingPart(uri, store)

    def _of(self, run: Any) -> MlflowClient:
        """Return this client, on the store in which an active run was started."""
        store = getattr(run, "_store", None)
        if store is not None and store is not self._store:
            self._set_store(self._tracking_client.tracking_uri, store)
        return self

    @property
    def tracking_uri(self) -> str:
        """The URI of the tracking store."""
        return self._tracking_client.tracking_uri


# What later versions fill: present, so that programs can ask for it, and clear when it is called.
_LATER = (
    "add_dataset_to_experiments create_dataset create_mcp_access_endpoint create_mcp_server "
    "create_mcp_server_version create_prompt create_prompt_version create_webhook "
    "create_workspace delete_dataset delete_dataset_tag delete_mcp_access_endpoint "
    "delete_mcp_server delete_mcp_server_alias delete_mcp_server_tag delete_mcp_server_version "
    "delete_mcp_server_version_tag delete_prompt delete_prompt_alias delete_prompt_tag "
    "delete_prompt_version delete_prompt_version_tag delete_trace_tag delete_traces "
    "delete_webhook delete_workspace detach_prompt_from_run end_span end_trace get_dataset "
    "get_latest_mcp_server_version get_mcp_access_endpoint get_mcp_server "
    "get_mcp_server_version get_mcp_server_version_by_alias get_prompt get_prompt_version "
    "get_prompt_version_by_alias get_trace get_webhook get_workspace get_workspace_store_uri "
    "link_prompt_version_to_model link_prompt_version_to_run link_prompt_versions_to_trace "
    "link_traces_to_run list_logged_prompts list_webhooks list_workspaces load_prompt "
    "parse_prompt_uri refresh_mcp_server_version_tools register_prompt "
    "remove_dataset_from_experiments search_datasets search_mcp_access_endpoints "
    "search_mcp_server_versions search_mcp_servers search_prompt_versions search_prompts "
    "search_traces set_dataset_tags set_mcp_server_alias set_mcp_server_tag "
    "set_mcp_server_version_tag set_prompt_alias set_prompt_tag set_prompt_version_tag "
    "set_trace_tag start_span start_trace test_webhook unlink_traces_from_run "
    "update_mcp_access_endpoint update_mcp_server update_mcp_server_version update_webhook "
    "update_workspace"
)
for _name in _LATER.split():
    setattr(MlflowClient, _name, _later.later(f"MlflowClient.{_name}"))
