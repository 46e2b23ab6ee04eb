"""The functions of a training script: which run and experiment are active, and what is logged."""

from __future__ import annotations

import os
from time import perf_counter, time

from mlflow._doorway import attach, load
from mlflow._later import announce
from mlflow.entities.run import Param, Run, RunStatus, RunTag
from mlflow.environment_variables import (
    MILLSTREAM_LOG_PATCH,
    MLFLOW_ENABLE_ASYNC_LOGGING,
    MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING,
    MLFLOW_EXPERIMENT_ID,
    MLFLOW_EXPERIMENT_NAME,
    MLFLOW_RUN_ID,
)
from mlflow.exceptions import MlflowException, invalid
from mlflow.store import heartbeat
from mlflow.tags import MLFLOW_NOTE_CONTENT, MLFLOW_PARENT_RUN_ID, MLFLOW_USER
from mlflow.tracking import active, lifetime, overhead, queue
from mlflow.tracking.active import (
    RunStack,
    active_model_id,
    active_runs,
    produced_at,
    set_active_runs,
    tracking_store,
)
from mlflow.tracking.client import MlflowClient, is_synchronous
from mlflow.tracking.context.registry import resolve_tags
from mlflow.tracking.default_experiment import get_experiment_id as default_experiment_id
from mlflow.tracking.values import (
    as_dataset_input,
    as_number,
    metrics_of,
    params_of,
    portions,
    tags_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from mlflow.entities.experiment import Experiment
    from mlflow.store.base import AbstractStore
    from mlflow.tracking.queue import RunOperations


# Integrations read and set these two.
_active_experiment_id: str | None = None
_active_run_stack = RunStack()

_last_active_run: tuple[str, AbstractStore] | None = None

# Functions that few programs use in their inner loop live beside this file and are loaded on first
# use; this module is where MLflow's users look for them.
_ELSEWHERE = {
    "ActiveModel": "mlflow.tracking.logged",
    "Image": "mlflow.tracking.figures",
    **dict.fromkeys(
        (
            "get_artifact_uri",
            "load_table",
            "log_artifact",
            "log_artifacts",
            "log_dict",
            "log_figure",
            "log_image",
            "log_stream",
            "log_table",
            "log_text",
        ),
        "mlflow.tracking.files",
    ),
    **dict.fromkeys(("log_input", "log_inputs", "log_outputs"), "mlflow.tracking.inputs"),
    **dict.fromkeys(
        ("search_experiments", "search_runs", "SEARCH_MAX_RESULTS_PANDAS"),
        "mlflow.tracking.searching",
    ),
    **dict.fromkeys(
        (
            "clear_active_model",
            "create_external_model",
            "delete_logged_model_tag",
            "finalize_logged_model",
            "get_active_model_id",
            "get_logged_model",
            "initialize_logged_model",
            "last_logged_model",
            "log_model_params",
            "search_logged_models",
            "set_active_model",
            "set_logged_model_tags",
        ),
        "mlflow.tracking.logged",
    ),
    "register_model": "mlflow.tracking.registry",
}
__getattr__, __dir__ = attach(__name__, _ELSEWHERE)


# ------------------------------------------------------------------------------------- runs


class ActiveRun(Run):
    """A run that is being logged to; as a context manager it ends with its block.

    It ends FINISHED, FAILED when the block is left by an exception (or a non-zero `sys.exit`), or
    KILLED when that exception is KeyboardInterrupt, comes from SIGTERM, or cancels a task. What
    went wrong is kept in the run's tags `millstream.error.*`.

    Args:
        run: the run.
        store: where it is kept; where the tracking URI leads when absent.
    """

    def __init__(self, run: Run, store: AbstractStore | None = None) -> None:
        super().__init__(run.info, run.data, run.inputs, run.outputs)
        self._store = store or tracking_store()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool:
        status = lifetime.status_of(exc_val)
        error = exc_val if status != "FINISHED" else None
        runs = active_runs()
        if any(run is self for run in runs):
            # Runs that were started inside and left open end with it.
            while runs and runs[-1] is not self:
                _end(runs[-1], status, error)
                runs = runs[:-1]
            _end(self, status, error)
        elif lifetime.is_open(self.info.run_id):
            _finish(self, status, error)
        return exc_type is None


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: dict[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Start a run, or go on with an earlier one, and make it the active run.

    Args:
        run_id: an earlier run to go on with; the variable `MLFLOW_RUN_ID` names one too.
        experiment_id: where a new run goes; otherwise the active experiment, the one that the
            environment names, or `0`.
        run_name: the name of a new run; generated when absent.
        nested: allow an active run, which becomes the parent of the new one.
        parent_run_id: the parent of a new run; with a run active, it must be that one.
        tags: tags to set (a JSON object as text will do).
        description: kept as the tag `mlflow.note.content`.
        log_system_metrics: log what the machine does, as `system/…`; by default as the variable
            `MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING` says.

    Returns:
        The run, also usable as a context manager.

    Raises:
        Exception: a run is active and `nested` is false.
        MlflowException: the run, its parent or the experiment does not exist or is deleted; the
            description is given twice; system metrics are wanted and psutil is not installed.
    """
    runs = active_runs()
    if runs and not nested:
        raise Exception(  # noqa: TRY002 - integrations match this type and text
            f"Run with UUID {runs[-1].info.run_id} is already active. To start a new run, first "
            "end the current run with mlflow.end_run(). To start a nested run, call start_run "
            "with nested=True"
        )
    system = None
    if log_system_metrics or _wants_system_metrics(log_system_metrics):
        system = load("mlflow.tracking.system_metrics")
        system.check()
    user_tags = _tags_to_set(tags, description)
    store = tracking_store()
    earlier = run_id or _run_of_environment()
    if earlier:
        run = _resume(store, earlier, user_tags)
    else:
        parent = _parent(store, runs, parent_run_id)
        run = _create(store, experiment_id, run_name, parent, user_tags)
    started = ActiveRun(run, store)
    lifetime.began(run.info, store)
    set_active_runs((*runs, started))
    if system is not None:
        system.begin(run, store)
    if MILLSTREAM_LOG_PATCH.get_raw() and MILLSTREAM_LOG_PATCH.get():
        MlflowClient()._log_patch(run)
    return started


def _wants_system_metrics(said: bool | None) -> bool:
    """Tell whether the environment asks for system metrics, and the program does not refuse."""
    variable = MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING
    return said is None and variable.get_raw() is not None and bool(variable.get())


def _tags_to_set(tags: Any, description: str | None) -> dict[str, str]:
    if isinstance(tags, str):
        import json

        tags = json.loads(tags)
    given: dict[str, Any] = dict(tags or {})
    found = {key: str(value) for key, value in given.items()}
    if description:
        if MLFLOW_NOTE_CONTENT in found:
            raise invalid(
                f"Description is already set via the tag {MLFLOW_NOTE_CONTENT} in tags. "
                f"Remove the key {MLFLOW_NOTE_CONTENT} from the tags or omit the description."
            )
        found[MLFLOW_NOTE_CONTENT] = description
    return found


def _run_of_environment() -> str | None:
    """Return the run that the environment names, and forget it: it is for one `start_run`."""
    run_id = MLFLOW_RUN_ID.get_raw()
    if run_id is not None:
        MLFLOW_RUN_ID.unset()
    return run_id


def _resume(store: AbstractStore, run_id: str, tags: dict[str, str]) -> Run:
    info = store.get_run(run_id).info
    wanted = _active_experiment_id
    if wanted is not None and wanted != info.experiment_id:
        raise MlflowException(
            f"Cannot start run with ID {run_id} because active experiment ID does not match "
            "environment run ID. Make sure --experiment-name or --experiment-id matches "
            "experiment set with set_experiment(), or just use command-line arguments"
        )
    if info.lifecycle_stage == "deleted":
        raise invalid(f"Cannot start run with ID {run_id} because it is in the deleted state.")
    # Before it is said to be running: what runs and has no process is taken for dead.
    heartbeat.begin(info)
    store.update_run_info(run_id, RunStatus.RUNNING, None, None)
    if tags:
        for batch in portions((), (), tags_of(tags)):
            store.log_batch(run_id, *batch)
    return store.get_run(run_id)


def _parent(store: AbstractStore, runs: tuple[Run, ...], parent_run_id: str | None) -> str | None:
    current = runs[-1].info.run_id if runs else None
    if parent_run_id is None or parent_run_id == current:
        return current
    if current is not None:
        raise MlflowException(
            f"Current run with UUID {current} does not match the specified parent_run_id "
            f"{parent_run_id}. To start a new nested run under the parent run with UUID "
            f"{current}, first end the current run with mlflow.end_run()."
        )
    store.get_run(parent_run_id)
    return parent_run_id


def _create(
    store: AbstractStore,
    experiment_id: str | None,
    run_name: str | None,
    parent: str | None,
    tags: dict[str, str],
) -> Run:
    if experiment_id is None:
        experiment_id = _get_experiment_id()
    if parent is not None:
        tags[MLFLOW_PARENT_RUN_ID] = parent
    found = resolve_tags(tags)
    return store.create_run(
        experiment_id=str(experiment_id),
        user_id=found.get(MLFLOW_USER, "unknown"),
        start_time=int(time() * 1000),
        tags=[RunTag(key, value) for key, value in found.items()],
        run_name=run_name,
    )


def end_run(status: str | int = "FINISHED") -> None:
    """End the active run, if there is one; the run around it is active again.

    Args:
        status: FINISHED, FAILED, KILLED, RUNNING or SCHEDULED.
    """
    runs = active_runs()
    if not runs:
        return
    if isinstance(status, int):
        status = RunStatus.to_string(status)
    RunStatus.from_string(status)
    _end(runs[-1], status, None)


def _end(run: Any, status: str, error: BaseException | None) -> None:
    """Take the innermost run off and end it."""
    set_active_runs(active_runs()[:-1])
    _finish(run, status, error)


def _finish(run: Any, status: str, error: BaseException | None) -> None:
    global _last_active_run
    store = _store_of(run)
    _last_active_run = (run.info.run_id, store)
    lifetime.finish(run.info.run_id, store, status, error)


def _store_of(run: Any) -> AbstractStore:
    return run._store if isinstance(run, ActiveRun) else tracking_store()


def active_run() -> ActiveRun | None:
    """Return the active run of this thread or task as it was when it started, or None.

    For what was logged since, ask `mlflow.get_run(active_run().info.run_id)`.
    """
    runs = active_runs()
    return runs[-1] if runs else None


def last_active_run() -> Run | None:
    """Return the active run, or the one that was ended last in this process, as it is now."""
    runs = active_runs()
    if runs:
        return _store_of(runs[-1]).get_run(runs[-1].info.run_id)
    if _last_active_run is None:
        return None
    run_id, store = _last_active_run
    return store.get_run(run_id)


def get_run(run_id: str) -> Run:
    """Return a run with its latest metrics, params, tags, inputs and outputs.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    return MlflowClient().get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """Return the run that a nested run belongs to; None for one without a parent.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST for either run.
    """
    return MlflowClient().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    """Mark a run deleted; `restore_run` undoes it.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    MlflowClient().delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Make a deleted run active again.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    MlflowClient().restore_run(run_id)


def _get_or_start_run() -> ActiveRun:
    runs = active_runs()
    return runs[-1] if runs else start_run()


# ------------------------------------------------------------------------------ experiments


def _get_experiment_id() -> str:
    """Return the experiment that a new run goes to."""
    return _active_experiment_id or _experiment_of_environment() or default_experiment_id()


def _experiment_of_environment() -> str | None:
    name, number = MLFLOW_EXPERIMENT_NAME.get_raw(), MLFLOW_EXPERIMENT_ID.get_raw()
    if not name:
        return number or None
    store = tracking_store()
    found = store.get_experiment_by_name(name)
    found_id = found.experiment_id if found else None
    if found_id is None and not number:
        found_id = _create_or_find(store, name)
    if number and number != found_id:
        raise invalid(
            f"The provided {MLFLOW_EXPERIMENT_ID} environment variable value `{number}` does not "
            f"match the experiment id `{found_id}` for experiment name `{name}`"
        )
    return found_id


def _create_or_find(store: AbstractStore, name: str) -> str:
    """Make an experiment; where another process was faster, use that one."""
    try:
        return store.create_experiment(name)
    except MlflowException as error:
        found = store.get_experiment_by_name(name)
        if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
            raise
        return found.experiment_id


def set_experiment(
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    trace_location: Any = None,
) -> Experiment:
    """Say where new runs go from now on, in this process and those it starts.

    Args:
        experiment_name: made when it does not exist.
        experiment_id: instead of the name; must exist.
        trace_location: a later version.

    Returns:
        The experiment.

    Raises:
        MlflowException: not exactly one of name and id is given; the experiment is deleted, or no
            experiment has the id.
    """
    global _active_experiment_id
    if (experiment_name is None) == (experiment_id is None):
        raise invalid("Must specify exactly one of: `experiment_id` or `experiment_name`.")
    if trace_location is not None:
        announce("mlflow.set_experiment(trace_location=…)")
    store = tracking_store()
    if experiment_name is None:
        experiment = store.get_experiment(str(experiment_id))
    else:
        found = store.get_experiment_by_name(experiment_name)
        if found is None:
            _note(
                "Experiment with name '%s' does not exist. Creating a new experiment.",
                experiment_name,
            )
            found = store.get_experiment(_create_or_find(store, experiment_name))
        experiment = found
    if experiment.lifecycle_stage != "active":
        raise invalid(
            f"Cannot set a deleted experiment {experiment.name!r} as the active experiment. "
            "You can restore the experiment, or permanently delete the experiment to create a "
            "new one."
        )
    _active_experiment_id = experiment.experiment_id
    MLFLOW_EXPERIMENT_ID.set(experiment.experiment_id)
    return experiment


def _note(message: str, *values: object) -> None:
    import logging

    logging.getLogger(__name__).info(message, *values)


def create_experiment(
    name: str,
    artifact_location: str | None = None,
    tags: dict[str, Any] | None = None,
    trace_location: Any = None,
) -> str:
    """Make an experiment and return its id; it does not become the active one.

    Args:
        name: unique, also among deleted experiments.
        artifact_location: the root of its artifacts; chosen by the store when absent.
        tags: tags to set.
        trace_location: a later version.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_ALREADY_EXISTS.
    """
    if trace_location is not None:
        announce("mlflow.create_experiment(trace_location=…)")
    return MlflowClient().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str) -> Experiment:
    """Return an experiment, deleted ones too.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    return MlflowClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """Return the experiment of this name, deleted ones too; None when there is none."""
    return MlflowClient().get_experiment_by_name(name)


def delete_experiment(experiment_id: str) -> None:
    """Mark an experiment and its runs deleted; `restore_experiment` undoes it.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    MlflowClient().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str) -> None:
    """Make a deleted experiment and its runs active again.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    MlflowClient().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag of the active experiment."""
    MlflowClient().set_experiment_tag(_get_experiment_id(), key, value)


def set_experiment_tags(tags: dict[str, Any]) -> None:
    """Set tags of the active experiment."""
    for key, value in tags.items():
        set_experiment_tag(key, value)


def delete_experiment_tag(key: str) -> None:
    """Remove a tag of the active experiment.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    MlflowClient().delete_experiment_tag(_get_experiment_id(), key)


# ---------------------------------------------------------------- metrics, params and tags


def _target(run_id: str | None) -> tuple[str, AbstractStore]:
    """Return the run to log to and its store: the active run (started if need be) by default."""
    if run_id is not None:
        for run in reversed(active_runs()):
            if run.info.run_id == run_id:
                return run_id, _store_of(run)
        return run_id, tracking_store()
    run = _get_or_start_run()
    return run.info.run_id, _store_of(run)


# What the look-up of one variable costs through `os.environ` is a good part of logging a metric.
_environment = getattr(os.environ, "_data", None)
_async_key = MLFLOW_ENABLE_ASYNC_LOGGING.name.encode()


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> RunOperations | None:
    """Add a point to a series of the active run, which is started if need be.

    Args:
        key: the series: letters, digits, `_ - . / :` and spaces.
        value: a number, or an array or tensor of one element; NaN and infinities are kept.
        step: its place in the series; 0 when absent.
        synchronous: false to return before it is kept.
        timestamp: ms since the epoch; now when absent.
        run_id: another run.
        model_id: the logged model it describes; the active model, or the one that the run
            produced at this step, when absent.
        dataset: what it was measured on.

    Returns:
        With `synchronous=False` an object to wait for, else None.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    started = perf_counter()
    if run_id is None:
        runs = active_runs()
        run = runs[-1] if runs else start_run()
        run_id = run._info._run_id
        store = run._store if type(run) is ActiveRun else tracking_store()
    else:
        run_id, store = _target(run_id)
    if type(value) is not float:
        value = as_number(value)
    if timestamp is None:
        timestamp = int(time() * 1000)
    if (
        synchronous is None
        and model_id is None
        and dataset is None
        and _environment is not None
        and _async_key not in _environment
        and not active.models_in_use
    ):
        store.log_metric_value(run_id, key, value, timestamp, step or 0)
        overhead.note(started, step)
        return None
    return _log_metrics(
        store, run_id, {key: value}, timestamp, synchronous, model_id, dataset, step=step
    )


def log_metrics(
    metrics: dict[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> RunOperations | None:
    """Add a point to each of several series; see `log_metric`."""
    run_id, store = _target(run_id)
    if timestamp is None:
        timestamp = int(time() * 1000)
    return _log_metrics(
        store, run_id, metrics, timestamp, synchronous, model_id, dataset, step=step
    )


@overhead.counted
def _log_metrics(
    store: AbstractStore,
    run_id: str,
    values: dict[str, Any],
    timestamp: int,
    synchronous: bool | None,
    model_id: str | None,
    dataset: Any,
    *,
    step: int | None,
) -> RunOperations | None:
    step = step or 0
    described: tuple[str | None, str | None] = (None, None)
    if dataset is not None:
        described = (dataset.name, dataset.digest)
        _add_input(store, run_id, dataset)
    model = model_id or active_model_id() or produced_at(run_id, step)
    points = metrics_of(values, timestamp, step, model, described)
    if not is_synchronous(synchronous):
        return queue.queue_of(store).put(run_id, points, (), ())
    if len(points) == 1:
        store.log_metric(run_id, points[0])
        return None
    for batch in portions(points, (), ()):
        store.log_batch(run_id, *batch)
    return None


def _add_input(store: AbstractStore, run_id: str, dataset: Any) -> None:
    store.log_inputs(run_id, [as_dataset_input(dataset)])


@overhead.counted
def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Keep an input setting of the active run, which is started if need be.

    Args:
        key: its name.
        value: kept as `str(value)`; the same value again is accepted, another one is not.
        synchronous: false to return before it is kept.

    Returns:
        The value; with `synchronous=False` an object to wait for.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    run_id, store = _target(None)
    param = Param(key, str(value))
    if not is_synchronous(synchronous):
        return queue.queue_of(store).put(run_id, (), [param], ())
    store.log_param(run_id, param)
    return value


def log_params(
    params: dict[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    """Keep several input settings; see `log_param`."""
    run_id, store = _target(run_id)
    return _write(store, run_id, synchronous, params=params_of(params))


@overhead.counted
def set_tag(key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
    """Set a tag of the active run, which is started if need be.

    Args:
        key: its name; names that start with `mlflow.` have a meaning.
        value: kept as `str(value)`.
        synchronous: false to return before it is kept.

    Returns:
        With `synchronous=False` an object to wait for, else None.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    run_id, store = _target(None)
    tag = RunTag(key, str(value))
    if not is_synchronous(synchronous):
        return queue.queue_of(store).put(run_id, (), (), [tag])
    store.set_tag(run_id, tag)
    return None


def set_tags(tags: dict[str, Any], synchronous: bool | None = None) -> RunOperations | None:
    """Set several tags; see `set_tag`."""
    run_id, store = _target(None)
    return _write(store, run_id, synchronous, tags=tags_of(tags))


@overhead.counted
def _write(
    store: AbstractStore,
    run_id: str,
    synchronous: bool | None,
    params: list[Param] | tuple[()] = (),
    tags: list[RunTag] | tuple[()] = (),
) -> RunOperations | None:
    if not is_synchronous(synchronous):
        return queue.queue_of(store).put(run_id, (), params, tags)
    for batch in portions((), params, tags):
        store.log_batch(run_id, *batch)
    return None


def delete_tag(key: str) -> None:
    """Remove a tag of the active run.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    run_id, store = _target(None)
    store.delete_tag(run_id, key)


def flush_async_logging() -> None:
    """Wait until everything that was logged with `synchronous=False` is kept or refused."""
    queue.flush_all()


def flush_artifact_async_logging() -> None:
    """Wait for artifacts; they are always kept when the call that logs them returns."""


def enable_async_logging(enable: bool = True) -> None:
    """Make `synchronous=False` the default of the logging functions, or not."""
    MLFLOW_ENABLE_ASYNC_LOGGING.set("true" if enable else "false")
