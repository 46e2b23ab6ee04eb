"""Fluent functions for logged models, and which of them is active."""

from __future__ import annotations

from mlflow.entities.logged_models import LoggedModel
from mlflow.environment_variables import MLFLOW_ACTIVE_MODEL_ID
from mlflow.exceptions import invalid
from mlflow.tags import MLFLOW_MODEL_IS_EXTERNAL
from mlflow.tracking.active import active_model_id, active_runs, set_active_model_id
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.context.registry import resolve_tags
from mlflow.tracking.fluent import _get_experiment_id
from mlflow.tracking.searching import all_pages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Literal, Self

    import pandas as pd

    from mlflow.entities.logged_models import LoggedModelStatus

_last_model_id: str | None = None


def initialize_logged_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Make a logged model, status PENDING, whose files are still to come.

    Args:
        name: generated when absent.
        source_run_id: the run that makes it; the active run when absent.
        tags: its first tags, beside those of the context.
        params: its params.
        model_type: a free description of its kind.
        experiment_id: where it goes; the experiment of the active run, or the active experiment.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    global _last_model_id
    runs = active_runs()
    client = MlflowClient()
    if runs and source_run_id in (None, runs[-1].info.run_id):
        client._of(runs[-1])
        source_run_id = runs[-1].info.run_id
        experiment_id = experiment_id or runs[-1].info.experiment_id
    model = client.create_logged_model(
        experiment_id=experiment_id or _get_experiment_id(),
        name=name,
        source_run_id=source_run_id,
        tags=resolve_tags(tags),
        params=params,
        model_type=model_type,
    )
    _last_model_id = model.model_id
    return model


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Make a logged model whose files are kept elsewhere, status READY.

    Args: as `initialize_logged_model`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    found = {**(tags or {}), MLFLOW_MODEL_IS_EXTERNAL: "true"}
    model = initialize_logged_model(name, source_run_id, found, params, model_type, experiment_id)
    return finalize_logged_model(model.model_id, "READY")


def finalize_logged_model(
    model_id: str, status: Literal["READY", "FAILED"] | LoggedModelStatus
) -> LoggedModel:
    """Say that the files of a logged model are complete, or never will be.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    return MlflowClient().finalize_logged_model(model_id, status)


def get_logged_model(model_id: str) -> LoggedModel:
    """Return a logged model with tags, params and latest metrics.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    return MlflowClient().get_logged_model(model_id)


def last_logged_model() -> LoggedModel | None:
    """Return the logged model that this process made last, as it is now, or None."""
    return None if _last_model_id is None else get_logged_model(_last_model_id)


def set_logged_model_tags(model_id: str, tags: dict[str, Any]) -> None:
    """Set tags of a logged model.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    MlflowClient().set_logged_model_tags(model_id, tags)


def delete_logged_model_tag(model_id: str, key: str) -> None:
    """Remove a tag of a logged model.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    MlflowClient().delete_logged_model_tag(model_id, key)


def log_model_params(params: dict[str, str], model_id: str | None = None) -> None:
    """Add params to a logged model.

    Args:
        params: values are kept as `str(value)`.
        model_id: the active model when absent.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE, also when there is no active model.
    """
    wanted = model_id or active_model_id()
    if wanted is None:
        raise invalid("Which model? Give model_id, or call mlflow.set_active_model() first.")
    MlflowClient().log_model_params(wanted, params)


def search_logged_models(
    experiment_ids: list[str] | None = None,
    filter_string: str | None = None,
    datasets: list[dict[str, str]] | None = None,
    max_results: int | None = None,
    order_by: list[dict[str, Any]] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
) -> list[LoggedModel] | pd.DataFrame:
    """Return the logged models that match.

    Args:
        experiment_ids: where to look; the active experiment by default.
        filter_string: such as `metrics.rmse < 0.8 AND name = 'forest'`.
        datasets: dicts of `dataset_name` and perhaps `dataset_digest`: metric conditions speak of
            points measured on one of these.
        max_results: at most so many; None for all.
        order_by: dicts of `field_name` and `ascending`; newest first by default.
        output_format: `pandas` or `list`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
    """
    if output_format not in ("pandas", "list"):
        raise invalid(
            f"Unsupported output format: {output_format!r}. Supported: 'pandas' or 'list'."
        )
    client = MlflowClient()
    ids = experiment_ids or [_get_experiment_id()]
    models = all_pages(
        lambda size, token: client.search_logged_models(
            ids, filter_string, datasets, size, order_by, token
        ),
        max_results,
        100,
    )
    return models if output_format == "list" else _as_frame(models)


def _as_frame(models: list[LoggedModel]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in LoggedModel._fields}
    for model in models:
        for name, value in model:
            columns[name].append(str(value) if name == "status" else value)
    return pd.DataFrame(columns)


# ------------------------------------------------------------------------- the active model


class ActiveModel(LoggedModel):
    """The logged model that new metrics describe; as a context manager, within its block."""

    def __init__(self, logged_model: LoggedModel, before: str | None = None) -> None:
        self.__dict__.update(logged_model.__dict__)
        self._before = before

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        set_active_model_id(self._before)


def set_active_model(*, name: str | None = None, model_id: str | None = None) -> ActiveModel:
    """Say which logged model new metrics describe.

    Args:
        name: the newest of this name in the active experiment; made (as an external one) when
            there is none.
        model_id: instead of the name.

    Returns:
        The model; as a context manager, it is active within the block.

    Raises:
        MlflowException: not exactly one of the two is given; RESOURCE_DOES_NOT_EXIST.
    """
    if (name is None) == (model_id is None):
        raise invalid("Must specify exactly one of: `name` or `model_id`.")
    if model_id is not None:
        model = get_logged_model(model_id)
    else:
        found = MlflowClient().search_logged_models(
            [_get_experiment_id()], f"name = '{name}'", max_results=1
        )
        model = found[0] if found else create_external_model(name)
    before = active_model_id()
    set_active_model_id(model.model_id)
    return ActiveModel(model, before)


def get_active_model_id() -> str | None:
    """Return the id of the logged model that new metrics describe, or None."""
    return active_model_id()


def clear_active_model() -> None:
    """Let new metrics describe no model, unless they say so, here and in processes started later."""
    MLFLOW_ACTIVE_MODEL_ID.unset()
    set_active_model_id(None)
