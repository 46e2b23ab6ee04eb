"""Logging a model: its folder is saved, stored beside its run, and recorded as a logged model."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

from mlflow.entities.run import LoggedModelOutput, Metric
from mlflow.exceptions import MlflowException
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import active_run
from mlflow.tracking.logged import initialize_logged_model
from mlflow.tracking.registry import register_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.run import Run
    from mlflow.models.info import ModelInfo

_logger = logging.getLogger("mlflow.models.model")


def record_model(
    model_class: Callable[..., Any],
    flavor: Any,
    flavor_arguments: dict[str, Any],
    *,
    name: str | None,
    content: dict[str, Any],
    run_id: str | None,
    registered_model_name: str | None,
    await_registration_for: int | None,
    model_type: str | None,
    params: dict[str, Any] | None,
    tags: dict[str, Any] | None,
    step: int,
    model_id: str | None,
) -> ModelInfo:
    """Save a model with a flavor and log it; see `Model.log`.

    The logged model is PENDING while files are written, then READY, or FAILED when saving raised.
    """
    client = MlflowClient()
    run = _run_of(client, run_id)
    if model_id is None:
        logged = _create(run, name, model_type, params, tags)
    else:
        logged = client.get_logged_model(model_id)
    folder = tempfile.mkdtemp(prefix="mlflow-model-")
    try:
        target = os.path.join(folder, "model")
        model = model_class(
            artifact_path=logged.artifact_location,
            model_id=logged.model_id,
            model_uuid=logged.model_id,
            run_id=run.info.run_id if run is not None else None,
            **content,
        )
        flavor.save_model(path=target, mlflow_model=model, **flavor_arguments)
        client.log_model_artifacts(logged.model_id, target)
        logged = client.finalize_logged_model(logged.model_id, "READY")
    except BaseException:
        _mark_failed(client, logged.model_id)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if run is not None:
        outputs = [LoggedModelOutput(model_id=logged.model_id, step=step)]
        client.log_outputs(run.info.run_id, outputs)
        logged = _described_by_metrics(client, run, logged, step)
    info: ModelInfo = model.get_model_info(logged)
    if registered_model_name is not None:
        version = register_model(
            f"models:/{logged.model_id}", registered_model_name, await_registration_for
        )
        info._registered_model_version = int(version.version)
    return info


def _run_of(client: MlflowClient, run_id: str | None) -> Run | None:
    if run_id is not None:
        return client.get_run(run_id)
    active = active_run()
    return client.get_run(active.info.run_id) if active is not None else None


def _create(
    run: Run | None,
    name: str | None,
    model_type: str | None,
    params: dict[str, Any] | None,
    tags: dict[str, Any] | None,
) -> LoggedModel:
    # As in MLflow, what the run says counts more.
    all_params = {**(params or {}), **(run.data.params if run is not None else {})}
    logged: LoggedModel = initialize_logged_model(
        name=name,
        source_run_id=run.info.run_id if run is not None else None,
        tags={key: str(value) for key, value in (tags or {}).items()} or None,
        params={key: str(value) for key, value in all_params.items()} or None,
        model_type=model_type,
        experiment_id=run.info.experiment_id if run is not None else None,
    )
    return logged


def _described_by_metrics(
    client: MlflowClient, run: Run, logged: LoggedModel, step: int
) -> LoggedModel:
    """Give a model the metrics whose last point its run has logged at the model's step."""
    known = {(one.key, one.step, one.value) for one in logged.metrics or ()}
    points = [
        Metric(
            one.key, one.value, one.timestamp, one.step,
            logged.model_id, one.dataset_name, one.dataset_digest, run.info.run_id,
        )
        for one in run.data._metric_objs
        if one.step == step and (one.key, one.step, one.value) not in known
    ]  # fmt: skip
    if not points:
        return logged
    try:
        client.log_batch(run.info.run_id, metrics=points, synchronous=True)
        return client.get_logged_model(logged.model_id)
    except MlflowException as error:
        _logger.warning("The model is logged without its metrics: %s", error)
        return logged


def _mark_failed(client: MlflowClient, model_id: str) -> None:
    try:
        client.finalize_logged_model(model_id, "FAILED")
    except Exception:
        # The reason that saving failed is the one to be seen.
        _logger.debug("Could not mark the logged model %s as failed.", model_id, exc_info=True)


def saved_logged_model(model_id: str | None) -> LoggedModel | None:
    """Return the logged model of an id; None when the tracking store does not know it."""
    if model_id is None:
        return None
    try:
        return MlflowClient().get_logged_model(model_id)
    except MlflowException:
        return None
