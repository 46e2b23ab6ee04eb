"""Fluent functions for what goes into a run and what comes out: datasets and logged models."""

from __future__ import annotations

from mlflow.exceptions import invalid
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import _get_or_start_run
from mlflow.tracking.values import as_dataset_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.entities.run import LoggedModelInput, LoggedModelOutput


def log_input(
    dataset: Any = None,
    context: str | None = None,
    tags: dict[str, str] | None = None,
    model: LoggedModelInput | None = None,
) -> None:
    """Note a dataset (or a logged model) that the active run uses; the run is started if need be.

    Args:
        dataset: made by `mlflow.data.from_pandas` and its kin.
        context: what it is used for, such as `training`.
        tags: tags of this use.
        model: a logged model that the run uses.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE.
    """
    log_inputs(
        [dataset] if dataset is not None else None,
        [context] if dataset is not None else None,
        [tags] if dataset is not None else None,
        [model] if model is not None else None,
    )


def log_inputs(
    datasets: list[Any] | None = None,
    contexts: list[str | None] | None = None,
    tags_list: list[dict[str, str] | None] | None = None,
    models: list[LoggedModelInput | None] | None = None,
) -> None:
    """Note several datasets and logged models that the active run uses.

    Args:
        datasets: made by `mlflow.data.from_pandas` and its kin.
        contexts: what each is used for; as many as there are datasets.
        tags_list: tags of each use; as many as there are datasets.
        models: logged models that the run uses.

    Raises:
        MlflowException: the lists differ in length.
    """
    datasets = list(datasets or [])
    contexts = [None] * len(datasets) if contexts is None else contexts
    tags_list = [None] * len(datasets) if tags_list is None else tags_list
    if not len(datasets) == len(contexts) == len(tags_list):
        raise invalid(
            "`mlflow.log_inputs` requires `datasets`, `contexts`, `tags_list` to be lists of the "
            f"same length, got {len(datasets)}, {len(contexts)} and {len(tags_list)} entries."
        )
    uses = [
        as_dataset_input(dataset, context, tags)
        for dataset, context, tags in zip(datasets, contexts, tags_list, strict=True)
        if dataset is not None
    ]
    run = _get_or_start_run()
    MlflowClient()._of(run).log_inputs(
        run.info.run_id, uses, [model for model in models or () if model is not None]
    )


def log_outputs(models: list[LoggedModelOutput] | None = None) -> None:
    """Note logged models that the active run produced.

    Args:
        models: with the step at which each was produced.
    """
    run = _get_or_start_run()
    MlflowClient()._of(run).log_outputs(run.info.run_id, models or [])
