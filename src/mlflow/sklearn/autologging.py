"""Logging what scikit-learn trains: one run for each outermost fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow.entities.run import RunTag
from mlflow.models.autologged import (
    first_rows,
    is_wanted,
    log_dataset,
    log_new_params,
    log_trained,
    part,
    points,
)
from mlflow.models.post_training import remember_fit, watch_metrics, watch_predictions
from mlflow.sklearn.describe import describe_params, describe_tags, is_search
from mlflow.sklearn.search import best_params, log_search
from mlflow.sklearn.training import FitArguments, training_metrics, training_plots
from mlflow.tracking.autolog import get_autologging_config, patch_subclasses, safe_patch
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import active_run

if TYPE_CHECKING:
    from collections.abc import Callable

FLAVOR_NAME = "sklearn"
_PREFIX = "training_"
_METHODS = ("fit", "fit_predict", "fit_transform")
# Fitting these says nothing about a model; within one, they belong to its run.
_NOT_TRAINING = (
    "sklearn.preprocessing",
    "sklearn.impute",
    "sklearn.feature_extraction",
    "sklearn.feature_selection",
    "sklearn.compose._column_transformer",
)

# The flavor's `log_model`, given by `enable`: this module is below it.
_log_model: Any = None


def enable(log_model: Callable[..., Any]) -> None:
    """Patch the estimators of scikit-learn: those defined already and those to come.

    Args:
        log_model: the flavor's function that logs a model.
    """
    global _log_model
    _log_model = log_model
    from sklearn.base import BaseEstimator

    patch_subclasses(BaseEstimator, _patch_class)
    watch_metrics()


def _patch_class(kind: type) -> None:
    module = kind.__module__
    if not module.startswith("sklearn.") or module.startswith(_NOT_TRAINING):
        return
    for name in _METHODS:
        # Each class's own method only: what it inherits is patched where it is defined.
        if name in vars(kind):
            safe_patch(FLAVOR_NAME, kind, name, _logged_fit, manage_run=True)
    watch_predictions(kind, "sklearn")


# -------------------------------------------------------------------- one fit


def _logged_fit(original: Any, estimator: Any, *args: Any, **kwargs: Any) -> Any:
    run = active_run()
    if run is None:
        return original(estimator, *args, **kwargs)
    run_id = run.info.run_id
    client = MlflowClient()
    data = FitArguments(original._function, estimator, args, kwargs)
    with _part("params"):
        _log_params(client, run_id, estimator)
    example = None
    with _part("an input example"):
        # Before the fit, which may change its input.
        example = first_rows(data.X)
    result = original(estimator, *args, **kwargs)
    dataset = None
    if _wanted("log_datasets"):
        with _part("the dataset"):
            dataset = log_dataset(client, run_id, data.X, data.y, "train")
    best_model_id = None
    if is_search(estimator):
        if _wanted("log_models"):
            with _part("the best model"):
                best_model_id = _log_best_model(estimator, example)
        with _part("the best params"):
            client.log_batch(run_id, params=best_params(estimator))
    model_id = None
    if _wanted("log_models"):
        with _part("the model"):
            model_id = _log_one_model(estimator, "model", example, registered=True)
    with _part("metrics"):
        _log_metrics(client, run_id, estimator, data, model_id, dataset)
    with _part("plots"):
        _log_files(client, run_id, estimator, data)
    if is_search(estimator):
        with _part("the search"):
            count = get_autologging_config(FLAVOR_NAME, "max_tuning_runs", 5)
            log_search(client, run, estimator, count, best_model_id, dataset)
    if _wanted("log_post_training_metrics"):
        with _part("metrics to come"):
            remember_fit(FLAVOR_NAME, estimator, run_id, model_id)
    return result


def _part(what: str) -> part:
    return part(FLAVOR_NAME, what)


def _wanted(option: str) -> bool:
    return is_wanted(FLAVOR_NAME, option)


def _log_params(client: MlflowClient, run_id: str, estimator: Any) -> None:
    tags = [RunTag(key, value) for key, value in describe_tags(estimator).items()]
    client.log_batch(run_id, tags=tags)
    log_new_params(client, run_id, describe_params(estimator))


def _log_metrics(
    client: MlflowClient,
    run_id: str,
    estimator: Any,
    data: FitArguments,
    model_id: str | None,
    dataset: Any,
) -> None:
    pos_label = get_autologging_config(FLAVOR_NAME, "pos_label")
    found = training_metrics(estimator, data, _PREFIX, pos_label)
    if is_search(estimator) and hasattr(estimator, "best_score_"):
        found["best_cv_score"] = float(estimator.best_score_)
    client.log_batch(run_id, metrics=points(found, model_id, dataset))


def _log_files(client: MlflowClient, run_id: str, estimator: Any, data: FitArguments) -> None:
    from sklearn.utils import estimator_html_repr

    client.log_text(run_id, estimator_html_repr(estimator), "estimator.html")
    for name, figure in training_plots(estimator, data, _PREFIX).items():
        client.log_figure(run_id, figure, name)


def _log_one_model(
    estimator: Any,
    name: str,
    example: Any,
    *,
    registered: bool,
    params: dict[str, Any] | None = None,
) -> str | None:
    return log_trained(
        FLAVOR_NAME,
        _log_model,
        estimator,
        getattr(estimator, "predict", None) or getattr(estimator, "transform", None),
        example,
        name=name,
        registered=registered,
        serialization_format=get_autologging_config(FLAVOR_NAME, "serialization_format"),
        params=params,
    )


def _log_best_model(search: Any, example: Any) -> str | None:
    best = getattr(search, "best_estimator_", None)
    if best is None:
        return None
    params = describe_params(best)
    return _log_one_model(best, "best_estimator", example, registered=False, params=params)
