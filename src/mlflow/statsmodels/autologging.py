"""Logging what statsmodels fits: one run for each outermost `fit`."""

from __future__ import annotations

import inspect
import numbers
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mlflow.models.autologged import is_wanted, log_new_params, log_trained, part, points
from mlflow.models.flavors import library_of
from mlflow.tracking.autolog import patch_subclasses, safe_patch
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import active_run

if TYPE_CHECKING:
    from collections.abc import Callable

FLAVOR_NAME = "statsmodels"
# What results say of a fit in one number, where they say it.
_METRICS = ("aic", "bic", "centered_tss", "condition_number", "df_model", "df_resid", "ess",
            "f_pvalue", "fvalue", "llf", "mse_model", "mse_resid", "mse_total", "rsquared",
            "rsquared_adj", "scale", "ssr", "uncentered_tss")  # fmt: skip

# The flavor's `log_model`, given by `enable`: this module is below it.
_log_model: Any = None


def enable(log_model: Callable[..., Any]) -> None:
    """Patch the models of statsmodels: those defined already and those to come.

    Args:
        log_model: the flavor's function that logs a model.
    """
    global _log_model
    _log_model = log_model
    patch_subclasses(library_of(FLAVOR_NAME, "statsmodels.base.model").Model, _patch_class)


def _patch_class(kind: type) -> None:
    # Each class's own method only: what it inherits is patched where it is defined.
    if kind.__module__.startswith("statsmodels.") and "fit" in vars(kind):
        safe_patch(FLAVOR_NAME, kind, "fit", _logged_fit, manage_run=True)


def _logged_fit(original: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    run = active_run()
    if run is None:
        return original(model, *args, **kwargs)
    run_id = run.info.run_id
    client = MlflowClient()
    with part(FLAVOR_NAME, "params"):
        log_new_params(client, run_id, _params(original._function, model, args, kwargs))
    results = original(model, *args, **kwargs)
    model_id = None
    if is_wanted(FLAVOR_NAME, "log_models"):
        with part(FLAVOR_NAME, "the model"):
            model_id = log_trained(FLAVOR_NAME, _log_model, results, None, None)
    with part(FLAVOR_NAME, "metrics"):
        client.log_batch(run_id, metrics=points(_metrics(results), model_id))
    with part(FLAVOR_NAME, "the summary"):
        client.log_text(run_id, _summary(results), "model_summary.txt")
    return results


def _params(
    function: Callable[..., Any], model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    signature = inspect.signature(function)
    bound = signature.bind(model, *args, **kwargs)
    bound.apply_defaults()
    (_, *given) = bound.arguments.items()
    found: dict[str, Any] = {}
    for name, value in given:
        further = signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD
        found.update(value if further else {name: value})
    return found


def _metrics(results: Any) -> dict[str, float]:
    found = {}
    # Some are computed when they are looked at, and warn of what no one asked for.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _METRICS:
            value = None
            # Not every model has all of them, and some say so by raising.
            with suppress(Exception):
                value = getattr(results, name, None)
            if isinstance(value, numbers.Real):
                found[name] = float(value)
    return found


def _summary(results: Any) -> str:
    summary = results.summary()
    # That of a vector autoregression is text as it is.
    return str(summary.as_text() if hasattr(summary, "as_text") else summary)
