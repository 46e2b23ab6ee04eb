"""Logging what scikit-learn trains: one run for each outermost fit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlflow.entities.run import Param, RunTag
from mlflow.models.signature import infer_signature
from mlflow.sklearn.describe import describe_params, describe_tags, is_search
from mlflow.sklearn.post_training import (
    PREDICTIONS,
    logged_metric,
    logged_prediction,
    logged_score,
    metric_functions,
    remember_fit,
)
from mlflow.sklearn.records import log_dataset, points
from mlflow.sklearn.search import best_params, log_search
from mlflow.sklearn.training import FitArguments, training_metrics, training_plots
from mlflow.tracking.autolog import get_autologging_config, safe_patch
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import active_run

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_TESTED_FROM = (1, 4)
_JUDGED: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(PREDICTIONS, logged_prediction),
    "score": logged_score,
}
_EXAMPLE_ROWS = 5

_logger = logging.getLogger("mlflow.sklearn")


# The flavor's `log_model`, given by `enable`: this module is below it.
_log_model: Any = None


def enable(log_model: Callable[..., Any]) -> None:
    """Patch the estimators of scikit-learn: those defined already and those to come.

    Args:
        log_model: the flavor's function that logs a model.
    """
    global _log_model
    _log_model = log_model
    import sklearn.metrics
    from sklearn.base import BaseEstimator

    for kind in _subclasses(BaseEstimator):
        _patch_class(kind)
    _patch_definition(BaseEstimator)
    for name in metric_functions():
        safe_patch(FLAVOR_NAME, sklearn.metrics, name, logged_metric)
        # Pickle looks a function up where it says it is, and must find this very one.
        getattr(sklearn.metrics, name).__module__ = "sklearn.metrics"


def is_supported(version: str) -> bool:
    """Tell whether this integration was tested with a version of scikit-learn."""
    return tuple(int(part) for part in version.split(".")[:2]) >= _TESTED_FROM


def _subclasses(kind: type) -> Iterator[type]:
    found: list[type] = kind.__subclasses__()
    for sub in found:
        yield sub
        yield from _subclasses(sub)


def _patch_class(kind: type) -> None:
    module = kind.__module__
    if not module.startswith("sklearn.") or module.startswith(_NOT_TRAINING):
        return
    for name in _METHODS:
        # Each class's own method only: what it inherits is patched where it is defined.
        if name in vars(kind):
            safe_patch(FLAVOR_NAME, kind, name, _logged_fit, manage_run=True)
    for base in kind.__mro__:
        # Mixins hold most of these; they are no estimators themselves.
        if base.__module__.startswith("sklearn."):
            for name in vars(base).keys() & _JUDGED.keys():
                safe_patch(FLAVOR_NAME, base, name, _JUDGED[name])


def _patch_definition(base: type) -> None:
    own = vars(base).get("__init_subclass__")
    if getattr(own, "_mlflow_patched", False):
        return

    class _Hook(classmethod):  # type: ignore[type-arg]
        _mlflow_patched = True

    def __init_subclass__(cls: type, **kwargs: Any) -> None:
        if own is not None:
            own.__get__(None, cls)(**kwargs)
        else:
            super(base, cls).__init_subclass__(**kwargs)  # type: ignore[arg-type]
        try:
            _patch_class(cls)
        except Exception:  # a class of the user must come into being whatever happens here
            _logger.debug("Could not patch %s", cls, exc_info=True)

    base.__init_subclass__ = _Hook(__init_subclass__)  # type: ignore[assignment, method-assign]


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
        example = _first_rows(data.X)
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
            remember_fit(estimator, run_id, model_id)
    return result


class _part:  # noqa: N801 - reads as a statement
    """A part of what is logged; one that fails leaves the others."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        if not get_autologging_config(FLAVOR_NAME, "silent", False):
            _logger.warning(
                "Autologging left out %s: %s: %s", self._what, type(error).__name__, error
            )
        _logger.debug("The reason:", exc_info=error)
        return True


def _wanted(option: str) -> bool:
    return bool(get_autologging_config(FLAVOR_NAME, option, True))


def _is_set(option: str) -> bool:
    return bool(get_autologging_config(FLAVOR_NAME, option, False))


def _log_params(client: MlflowClient, run_id: str, estimator: Any) -> None:
    tags = [RunTag(key, value) for key, value in describe_tags(estimator).items()]
    client.log_batch(run_id, tags=tags)
    # A second fit in one run cannot change what the first has logged; it adds what is new.
    known = client.get_run(run_id).data.params
    described = describe_params(estimator).items()
    client.log_batch(run_id, params=[Param(k, v) for k, v in described if k not in known])


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


def _first_rows(X: Any) -> Any:
    if hasattr(X, "iloc"):
        return X.iloc[:_EXAMPLE_ROWS].copy()
    if hasattr(X, "dtype") and getattr(X, "shape", None):
        return X[:_EXAMPLE_ROWS].copy()
    return list(X[:_EXAMPLE_ROWS]) if isinstance(X, list) else None


def _log_one_model(
    estimator: Any,
    name: str,
    example: Any,
    *,
    registered: bool,
    params: dict[str, Any] | None = None,
) -> str | None:
    signature = None
    if _wanted("log_model_signatures") and example is not None:
        with _part("the signature"):
            predict = getattr(estimator, "predict", None) or getattr(estimator, "transform", None)
            signature = infer_signature(example, predict(example) if predict else None)
    info = _log_model(
        estimator,
        name=name,
        signature=signature,
        input_example=example if _is_set("log_input_examples") else None,
        serialization_format=get_autologging_config(FLAVOR_NAME, "serialization_format"),
        registered_model_name=(
            get_autologging_config(FLAVOR_NAME, "registered_model_name") if registered else None
        ),
        params=params,
    )
    return str(info.model_id)


def _log_best_model(search: Any, example: Any) -> str | None:
    best = getattr(search, "best_estimator_", None)
    if best is None:
        return None
    params = describe_params(best)
    return _log_one_model(best, "best_estimator", example, registered=False, params=params)
