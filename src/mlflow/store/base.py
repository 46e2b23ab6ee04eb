"""The contract of a store: every operation on experiments, runs and models, with its promises."""

from __future__ import annotations

from importlib import import_module

from mlflow.entities.logged_models import LoggedModelTag
from mlflow.entities.paged_list import PagedList
from mlflow.entities.registry import ModelVersionTag
from mlflow.entities.run import Metric
from mlflow.exceptions import MlflowException, MlflowNotImplementedException
from mlflow.tags import MLFLOW_MODEL_VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from mlflow.entities.experiment import Experiment, ExperimentTag
    from mlflow.entities.logged_models import (
        LoggedModel,
        LoggedModelParameter,
        LoggedModelStatus,
    )
    from mlflow.entities.registry import (
        ModelVersion,
        RegisteredModel,
        RegisteredModelTag,
    )
    from mlflow.entities.run import (
        DatasetInput,
        LoggedModelInput,
        LoggedModelOutput,
        Param,
        Run,
        RunInfo,
        RunTag,
    )
    from mlflow.store.series.columns import Series

ACTIVE_ONLY, ALL = 1, 3  # of `ViewType`


def _absent(store: object, operation: str) -> MlflowNotImplementedException:
    return MlflowNotImplementedException(
        f"{type(store).__name__} does not offer {operation!r}; use another tracking URI."
    )


def with_registration(text: str | None, name: str, version: str) -> str:
    """Return the tag `mlflow.modelVersions` with one more version in it.

    Args:
        text: the tag as it is; None when there is none.
        name: the registered model.
        version: the number of the version.
    """
    import json

    entry = {"name": name, "version": int(version)}
    try:
        registered = json.loads(text or "[]")
    except ValueError:
        registered = []  # cut at the length limit: what is left cannot be added to
    return json.dumps(registered if entry in registered else [*registered, entry])


class ExperimentStore:
    """Operations on experiments."""

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: list[ExperimentTag] | None = None,
    ) -> str:
        """Make an experiment.

        Args:
            name: non-empty, at most 500 characters, unique over active and deleted ones.
            artifact_location: the root of its artifacts; chosen by the store when None.
            tags: its first tags.

        Returns:
            The new id.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a bad name, location or tag;
                RESOURCE_ALREADY_EXISTS for a name that is taken.
        """
        raise _absent(self, "create_experiment")

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment, deleted ones too.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "get_experiment")

    def get_experiment_by_name(self, experiment_name: str) -> Experiment | None:
        """Return the experiment of this name, deleted ones too; None when there is none."""
        token = None
        while True:
            page = self.search_experiments(ALL, page_token=token)
            for one in page:
                if one.name == experiment_name:
                    return one
            token = page.token
            if not token:
                return None

    def delete_experiment(self, experiment_id: str) -> None:
        """Mark an experiment and its runs deleted; `restore_experiment` undoes it.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for an unknown or deleted one;
                INVALID_PARAMETER_VALUE for the default experiment, where it must stay.
        """
        raise _absent(self, "delete_experiment")

    def restore_experiment(self, experiment_id: str) -> None:
        """Make a deleted experiment and its runs active again.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST when it is not a deleted one.
        """
        raise _absent(self, "restore_experiment")

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Change the name of an active experiment.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a bad name; RESOURCE_DOES_NOT_EXIST;
                INVALID_STATE for a deleted one; RESOURCE_ALREADY_EXISTS for a taken name.
        """
        raise _absent(self, "rename_experiment")

    def set_experiment_tag(self, experiment_id: str, tag: ExperimentTag) -> None:
        """Set a tag of an active experiment.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a bad key or value, or a deleted
                experiment; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "set_experiment_tag")

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag of an active experiment.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the experiment or the tag;
                INVALID_PARAMETER_VALUE for a deleted experiment.
        """
        raise _absent(self, "delete_experiment_tag")

    def search_experiments(
        self,
        view_type: int = ACTIVE_ONLY,
        max_results: int = 1000,
        filter_string: str | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """Return one page of the experiments that match.

        Args:
            view_type: a `ViewType`.
            max_results: the size of the page, 1 to 50 000.
            filter_string: see docs/search.md; empty for all.
            order_by: such as `["name ASC"]`; newest first by default.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        raise _absent(self, "search_experiments")

    # --- maintenance -------------------------------------------------------------------------

    def list_deleted_experiments(self, older_than: int = 0) -> list[str]:
        """Return ids of experiments deleted at least `older_than` ms ago."""
        raise _absent(self, "list_deleted_experiments")

    def purge_experiment(self, experiment_id: str) -> None:
        """Remove a deleted experiment for good, with its runs; not its artifacts elsewhere.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE when it is active.
        """
        raise _absent(self, "purge_experiment")

    def moved_artifacts(self, artifact_uri: str) -> str:
        """Return where the artifacts of something deleted are now.

        Args:
            artifact_uri: where its record says that they are; a store that moves what is deleted
                knows better.
        """
        return artifact_uri


class RunStore:
    """Operations on runs, what they log, and what goes in and comes out."""

    def takes_ids(self) -> bool:
        """Tell whether runs and logged models can be made with ids that were made elsewhere."""
        return False

    def create_run(
        self,
        experiment_id: str,
        user_id: str | None,
        start_time: int | None,
        tags: list[RunTag] | None,
        run_name: str | None,
        run_id: str | None = None,
    ) -> Run:
        """Start a run.

        Without a name (as an argument or as the tag `mlflow.runName`) it gets a generated one.

        Args:
            experiment_id: an active experiment.
            user_id: who starts it.
            start_time: ms; now when None.
            tags: its first tags.
            run_name: its name.
            run_id: an id that was made elsewhere, 32 hexadecimal digits; a new one when None.
                Stores of other programs give the run one of their own.

        Returns:
            The run, status RUNNING.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the experiment; INVALID_STATE when it is
                deleted; INVALID_PARAMETER_VALUE for bad tags, two different names, or an id of
                another form; RESOURCE_ALREADY_EXISTS for an id that is taken.
        """
        raise _absent(self, "create_run")

    def get_run(self, run_id: str) -> Run:
        """Return a run, deleted ones too, with latest metrics, params, tags, inputs, outputs.

        A run that is said to be running though its process is known to be gone is ended first,
        as KILLED, at its last sign of life. `search_runs` does the same.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "get_run")

    def update_run_info(
        self,
        run_id: str,
        run_status: int | None,
        end_time: int | None,
        run_name: str | None,
    ) -> RunInfo:
        """Change status (a `RunStatus` number), end time or name of an active run.

        None leaves a field. The tag `mlflow.runName` follows the name.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a deleted run.
        """
        raise _absent(self, "update_run_info")

    def delete_run(self, run_id: str) -> None:
        """Mark a run deleted; `restore_run` undoes it. A deleted run stays deleted.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "delete_run")

    def restore_run(self, run_id: str) -> None:
        """Make a deleted run active again; an active one stays so.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "restore_run")

    def log_metric(self, run_id: str, metric: Metric) -> None:
        """Add a point to a series of an active run.

        Args:
            run_id: the run.
            metric: a finite number, NaN or an infinity; not a bool.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a bad key, number, time or step, or a
                deleted run; RESOURCE_DOES_NOT_EXIST.
        """
        self.log_batch(run_id, [metric], [], [])

    def log_metric_value(
        self, run_id: str, key: str, value: float, timestamp: int, step: int
    ) -> None:
        """Do what `log_metric` does, for a point that names no model and no dataset.

        This is the way of the fluent `log_metric`: stores that can save the entity.
        """
        self.log_metric(run_id, Metric(key, value, timestamp, step))

    def log_param(self, run_id: str, param: Param) -> Any:
        """Keep a param of an active run; the same value again is accepted, another refused.

        Returns:
            The param as kept (an over-long value is cut), or None.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a bad key or value, a changed value, or
                a deleted run; RESOURCE_DOES_NOT_EXIST.
        """
        self.log_batch(run_id, [], [param], [])

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        """Set a tag of an active run; the tag `mlflow.runName` renames it.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a bad key or value, or a deleted run;
                RESOURCE_DOES_NOT_EXIST.
        """
        self.log_batch(run_id, [], [], [tag])

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag of an active run.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the run or the tag;
                INVALID_PARAMETER_VALUE for a deleted run.
        """
        raise _absent(self, "delete_tag")

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        """Write metrics, params and tags of an active run at once.

        Everything is checked first: a call that raises INVALID_PARAMETER_VALUE or
        RESOURCE_DOES_NOT_EXIST wrote nothing. A metric that names a logged model becomes a point
        of the run and of the model; one that was read from the run (its `run_id` says so) is in
        the run already, and becomes a point of the model alone.

        Args:
            run_id: the run.
            metrics: at most 1 000.
            params: at most 100.
            tags: at most 100; all three at most 1 000 together.

        Raises:
            MlflowException: as the single calls; INVALID_PARAMETER_VALUE for too many.
        """
        raise _absent(self, "log_batch")

    def get_metric_history(
        self,
        run_id: str,
        metric_key: str,
        max_results: int | None = None,
        page_token: str | None = None,
    ) -> PagedList[Metric]:
        """Return the points of a series, in the order logged where the store keeps it.

        Args:
            run_id: the run, deleted ones too.
            metric_key: the series; one that was never logged is empty.
            max_results: the size of a page; None for everything.
            page_token: the token of the page before.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the run.
        """
        raise _absent(self, "get_metric_history")

    # Whether a series that was read is read again only where something was added.
    remembers_series = False

    def metric_series(self, run_id: str, metric_key: str) -> Series:
        """Return the points of a series as columns in the order of steps, for charts.

        Args:
            run_id: the run, deleted ones too.
            metric_key: the series; one that was never logged is empty.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the run.
        """
        points = list(history(self, run_id, metric_key))
        # Loaded for charts; logging has no use for it.
        series: Series = import_module("mlflow.store.series.columns").Series.of(points)
        return series

    def search_runs(
        self,
        experiment_ids: list[str],
        filter_string: str | None,
        run_view_type: int,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """Return one page of the runs that match.

        Args:
            experiment_ids: where to look; unknown ones are empty.
            filter_string: see docs/search.md; empty for all.
            run_view_type: a `ViewType`.
            max_results: the size of the page, 1 to 50 000.
            order_by: such as `["metrics.loss ASC"]`; newest first by default. Missing values
                come last in both directions, NaN just before them.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        # What MLflow asks plug-ins for.
        search = getattr(self, "_search_runs", None)
        if search is None:
            raise _absent(self, "search_runs")
        runs, token = search(
            experiment_ids, filter_string, run_view_type, max_results, order_by, page_token
        )
        return PagedList(runs, token)

    def log_inputs(
        self,
        run_id: str,
        datasets: list[DatasetInput] | None = None,
        models: list[LoggedModelInput] | None = None,
    ) -> None:
        """Add datasets and logged models that went into an active run.

        Name and digest say which dataset of the experiment it is; its source, schema and profile
        are those that were logged first.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for bad fields or a deleted run;
                RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "log_inputs")

    def log_outputs(self, run_id: str, models: list[LoggedModelOutput]) -> None:
        """Add logged models that came out of an active run.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a deleted run; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "log_outputs")

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        """Note an MLflow model in the run's tag `mlflow.log-model.history`, as MLflow 2.x does.

        Args:
            run_id: an active run.
            mlflow_model: anything with `get_tags_dict()`.

        Raises:
            MlflowException: as `set_tag`.
        """
        raise _absent(self, "record_logged_model")

    # --- maintenance -------------------------------------------------------------------------

    def list_deleted_runs(self, older_than: int = 0) -> list[str]:
        """Return ids of runs deleted at least `older_than` ms ago."""
        raise _absent(self, "list_deleted_runs")

    def purge_run(self, run_id: str) -> None:
        """Remove a deleted run for good; not its artifacts elsewhere.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE when it is active.
        """
        raise _absent(self, "purge_run")


def history(store: RunStore, run_id: str, key: str) -> Iterator[Metric]:
    """Yield all points of a series, in the order in which they were logged, page after page."""
    found = store.get_metric_history(run_id, key)
    yield from found
    while found.token:
        found = store.get_metric_history(run_id, key, None, found.token)
        yield from found


class LoggedModelStore:
    """Operations on logged models."""

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: list[LoggedModelTag] | None = None,
        params: list[LoggedModelParameter] | None = None,
        model_type: str | None = None,
        model_id: str | None = None,
    ) -> LoggedModel:
        """Make a logged model, status PENDING.

        Its folder is `<run artifact root>/<name>`; a second one of the same name in a run, or one
        without a run, is kept below `<experiment>/models/<id>/artifacts`.

        Args:
            experiment_id: an active experiment.
            name: generated when None.
            source_run_id: the run that makes it.
            tags: its first tags.
            params: its params.
            model_type: a free description of its kind.
            model_id: an id that was made elsewhere, `m-` and 32 hexadecimal digits; a new one when
                None. Stores of other programs give the model one of their own.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a bad name, tag,
                param or id, or a deleted experiment; RESOURCE_ALREADY_EXISTS for an id that is
                taken.
        """
        raise _absent(self, "create_logged_model")

    def get_logged_model(self, model_id: str, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model with tags, params and latest metrics.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST, also for a deleted one unless allowed.
        """
        raise _absent(self, "get_logged_model")

    def finalize_logged_model(self, model_id: str, status: LoggedModelStatus | str) -> LoggedModel:
        """Say that a logged model is READY or FAILED.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for another status; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "finalize_logged_model")

    def delete_logged_model(self, model_id: str) -> None:
        """Mark a logged model deleted.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "delete_logged_model")

    def set_logged_model_tags(self, model_id: str, tags: list[LoggedModelTag]) -> None:
        """Set tags.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "set_logged_model_tags")

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the model or the tag.
        """
        raise _absent(self, "delete_logged_model_tag")

    def log_logged_model_params(self, model_id: str, params: list[LoggedModelParameter]) -> None:
        """Add params.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "log_logged_model_params")

    def search_logged_models(
        self,
        experiment_ids: list[str],
        filter_string: str | None = None,
        datasets: list[dict[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: list[dict[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """Return one page of the active logged models that match.

        Args:
            experiment_ids: where to look.
            filter_string: see docs/search.md; empty for all.
            datasets: dicts of `dataset_name` and perhaps `dataset_digest`: metric conditions
                speak of points measured on one of these.
            max_results: the size of the page; 100 when None.
            order_by: dicts of `field_name`, `ascending`, `dataset_name`, `dataset_digest`;
                newest first by default.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        raise _absent(self, "search_logged_models")

    def set_model_versions_tags(self, name: str, version: str, model_id: str) -> None:
        """Note in the tag `mlflow.modelVersions` of a logged model that it was registered.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the logged model.
        """
        # This is the way of stores that can do no better than ask and write.
        tags = self.get_logged_model(model_id).tags
        text = with_registration(tags.get(MLFLOW_MODEL_VERSIONS), name, version)
        if text != tags.get(MLFLOW_MODEL_VERSIONS):
            self.set_logged_model_tags(model_id, [LoggedModelTag(MLFLOW_MODEL_VERSIONS, text)])

    # --- maintenance -------------------------------------------------------------------------

    def list_deleted_logged_models(self, older_than: int = 0) -> list[str]:
        """Return ids of logged models deleted at least `older_than` ms ago."""
        raise _absent(self, "list_deleted_logged_models")

    def purge_logged_model(self, model_id: str) -> None:
        """Remove a deleted logged model for good; not its artifacts elsewhere.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE when it is active.
        """
        raise _absent(self, "purge_logged_model")


class RegistryStore:
    """Operations on registered models and their versions."""

    def create_registered_model(
        self,
        name: str,
        tags: list[RegisteredModelTag] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Make a registered model.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_ALREADY_EXISTS.
        """
        raise _absent(self, "create_registered_model")

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Return a registered model with tags, aliases, and the newest version of each stage.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "get_registered_model")

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        """Change the description.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "update_registered_model")

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Change the name; versions, tags and aliases follow.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST;
                RESOURCE_ALREADY_EXISTS.
        """
        raise _absent(self, "rename_registered_model")

    def delete_registered_model(self, name: str) -> None:
        """Remove a registered model with all its versions.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "delete_registered_model")

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Return one page of the registered models that match; by name by default.

        Prompts are left out unless the filter asks for the tag `mlflow.prompt.is_prompt`.

        Args:
            filter_string: see docs/search.md; empty for all.
            max_results: the size of the page, 1 to 1 000; 100 when None.
            order_by: such as `["last_updated_timestamp DESC"]`.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        raise _absent(self, "search_registered_models")

    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        """Return the newest version of each stage, or of the stages asked for.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE for a bad stage.
        """
        raise _absent(self, "get_latest_versions")

    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        """Set a tag.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "set_registered_model_tag")

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag, if it is there.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST for the model.
        """
        raise _absent(self, "delete_registered_model_tag")

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version, wherever it pointed before, in one act.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a bad or reserved alias;
                RESOURCE_DOES_NOT_EXIST for the model or the version.
        """
        raise _absent(self, "set_registered_model_alias")

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias, if it is there.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST for the model.
        """
        raise _absent(self, "delete_registered_model_alias")

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: list[ModelVersionTag] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Make the next version of a registered model, status READY.

        Numbers count up without gaps, whoever else adds versions at the same time.

        Args:
            name: the registered model.
            source: the URI of the model's files.
            run_id: the run that made it.
            tags: its first tags.
            run_link: a link to the run, elsewhere.
            description: free text.
            local_model_path: accepted for plug-ins; not used.
            model_id: the logged model it is.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "create_model_version")

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        """Return a version.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "get_model_version")

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that an alias points at; `latest` is the highest number.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for an unknown alias;
                RESOURCE_DOES_NOT_EXIST for the model.
        """
        raise _absent(self, "get_model_version_by_alias")

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Return where the files of a version are.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "get_model_version_download_uri")

    def update_model_version(
        self, name: str, version: str, description: str | None
    ) -> ModelVersion:
        """Change the description.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "update_model_version")

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool
    ) -> ModelVersion:
        """Put a version in a stage, in any case, and perhaps archive the others that are there.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a bad stage, or archiving from a stage
                that is not an active one; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "transition_model_version_stage")

    def delete_model_version(self, name: str, version: str) -> None:
        """Delete a version and the aliases that point at it; its number is not used again.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "delete_model_version")

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """Return one page of the versions that match, by name and falling number by default.

        Args:
            filter_string: see docs/search.md; empty for all.
            max_results: the size of the page, 1 to 200 000; 10 000 when None.
            order_by: such as `["version_number ASC"]`.
            page_token: the token of the page before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
        """
        raise _absent(self, "search_model_versions")

    def set_model_version_tag(self, name: str, version: str, tag: ModelVersionTag) -> None:
        """Set a tag.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        raise _absent(self, "set_model_version_tag")

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        """Remove a tag, if it is there.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST for the version.
        """
        raise _absent(self, "delete_model_version_tag")

    def copy_model_version(self, src_mv: ModelVersion, dst_name: str) -> ModelVersion:
        """Make a version of another registered model from this one; the model is made if missing.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        try:
            self.create_registered_model(dst_name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return self.create_model_version(
            dst_name,
            f"models:/{src_mv.name}/{src_mv.version}",
            src_mv.run_id,
            [ModelVersionTag(key, value) for key, value in src_mv.tags.items()],
            src_mv.run_link,
            src_mv.description,
            model_id=src_mv.model_id,
        )


class AbstractStore(ExperimentStore, RunStore, LoggedModelStore, RegistryStore):
    """Where experiments, runs and models are kept: tracking store and model registry in one.

    Methods are named and called as those of MLflow's tracking and registry stores, so plug-ins
    written for these work here. One that is not overridden raises `MlflowNotImplementedException`.

    Promises of every store:

    *Atomic.* A call that raises has changed nothing; another thread or process sees all of a
    change or nothing (`log_batch`: all of its params and tags, and each point, or nothing).
    *Kept.* When a call returns, its effect survives the death of any process.
    *Ordered.* A read that starts after a write returned, anywhere, sees it.
    *Threads and fork.* One store may be used from many threads, and in a child after `os.fork`.
    *Errors.* What is refused raises `MlflowException` with the code that the method names.

    Args:
        store_uri: where it is; plug-ins pass it on.
        tracking_uri: of the runs, where this is a registry.
    """

    def __init__(self, store_uri: str | None = None, tracking_uri: str | None = None) -> None:
        self._store_uri = store_uri
        self._tracking_uri = tracking_uri

    #: The address of the server that keeps what the records call `mlflow-artifacts:/…`.
    artifact_server: str | None = None
    #: Whether it sees itself to what earlier processes left for it in journals.
    brings_journals = False

    def impatient(self) -> AbstractStore:
        """Return the same store, but that it says soon when it is away, and tries no longer."""
        return self

    def goes_on(self, error: MlflowException) -> bool:
        """Tell whether what failed with an error may be tried again, as something has changed.

        Args:
            error: how artifacts of the store's runs could not be sent.
        """
        return False

    def together(self) -> AbstractContextManager[None]:
        """Return a block of calls of this thread that may be kept together, when the block ends.

        Each call is all or nothing by itself, and sees those before it; none is promised to be
        kept before the block has ended, and none is when its end raises.
        """
        from contextlib import nullcontext

        return nullcontext()

    def close(self) -> None:
        """Give back descriptors and connections; the store may be used again afterwards."""
