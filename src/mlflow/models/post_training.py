"""Metrics that a user computes from predictions of a logged estimator, kept with its run.

What an estimator predicts is remembered by identity, for as long as it lives. When a function of
`sklearn.metrics` is given it, the result goes to the estimator's run, under the name that the data
has where the user wrote the call.
"""

from __future__ import annotations

import inspect
import json
import numbers
import sys
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow.models.autologged import is_wanted, log_dataset, points
from mlflow.tracking.autolog import (
    AUTOLOGGING_INTEGRATIONS,
    autologging_is_disabled,
    safe_patch,
)
from mlflow.tracking.client import MlflowClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_PREDICTIONS = ("predict", "predict_proba", "predict_log_proba", "decision_function")
_TRUTHS = frozenset({"y_true", "y_pred", "y_score", "y_proba", "y_prob", "labels", "labels_pred",
                     "labels_true", "pred_decision"})  # fmt: skip
_INFO_FILE = "metric_info.json"
_UNKNOWN = "unknown_dataset"
# A loop that predicts row by row would fill the run with datasets of one row.
_MOST_DATASETS = 20

# The patches stand for all integrations at once: whose an estimator is, its entry says.
_INTEGRATION = "post-training metrics"

_lock = threading.Lock()


class _Run:
    """What is known of one run: the names in use, and how each metric was called."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.counts: dict[str, int] = {}
        # Name → the data that has it, the first one plain and the others numbered.
        self.datasets: dict[str, list[int]] = {}
        self.calls: dict[str, str] = {}
        self.logged_datasets: set[int] = set()

    def metric_key(self, metric: str, dataset: str) -> str:
        """Return the key of one more value of a metric."""
        number = self.counts[metric] = self.counts.get(metric, 0) + 1
        return f"{metric}_{dataset}" if number == 1 else f"{metric}-{number}_{dataset}"

    def dataset_key(self, name: str, data: Any) -> str:
        """Return the name of some data in this run."""
        same = self.datasets.setdefault(name, [])
        if id(data) not in same:
            same.append(id(data))
        number = same.index(id(data)) + 1
        return name if number == 1 else f"{name}-{number}"


class _Known(NamedTuple):
    """Whose an object is; `alive` returns the object, or None when it is gone."""

    alive: Callable[[], Any]
    flavor: str
    run: _Run
    model_id: str | None
    dataset: str = _UNKNOWN


_runs: dict[str, _Run] = {}
_estimators: dict[int, _Known] = {}
_predictions: dict[int, _Known] = {}


def _remember(table: dict[int, _Known], value: Any, *about: Any) -> None:
    key = id(value)
    try:
        reference = weakref.ref(value, lambda _: table.pop(key, None))
    except TypeError:
        # Lists and numbers cannot be watched, and their identity would pass to another object.
        return
    table[key] = _Known(reference, *about)


def _known(table: dict[int, _Known], value: Any) -> _Known | None:
    found = table.get(id(value))
    return found if found is not None and found.alive() is value else None


def remember_fit(flavor: str, estimator: Any, run_id: str, model_id: str | None) -> None:
    """Note that an estimator was fitted in a run.

    Args:
        flavor: the integration that logged it.
        estimator: the estimator.
        run_id: the run.
        model_id: the logged model, which the metrics then describe.
    """
    with _lock:
        run = _runs.setdefault(run_id, _Run(run_id))
        _remember(_estimators, estimator, flavor, run, model_id)


def _metric_functions() -> Iterator[str]:
    """Return the names of the functions in `sklearn.metrics` that judge predictions."""
    import sklearn.metrics

    for name in sklearn.metrics.__all__:
        function = getattr(sklearn.metrics, name)
        if inspect.isfunction(function) and not _TRUTHS.isdisjoint(
            inspect.signature(function).parameters
        ):
            yield name


# ------------------------------------------------------------------- patches


def watch_metrics() -> None:
    """Let functions of `sklearn.metrics` that are looked up from now on log what they judge."""
    import sklearn.metrics

    AUTOLOGGING_INTEGRATIONS.setdefault(_INTEGRATION, {})
    for name in _metric_functions():
        safe_patch(_INTEGRATION, sklearn.metrics, name, _logged_metric)
        # Pickle looks a function up where it says it is, and must find this very one.
        getattr(sklearn.metrics, name).__module__ = "sklearn.metrics"


def watch_predictions(kind: type, library: str) -> None:
    """Follow what estimators of a class predict, and log how they score.

    Args:
        kind: the class.
        library: the classes of this package, and of scikit-learn, that it stands on are patched.
    """
    for base in kind.__mro__:
        # Mixins hold most of these; they are no estimators themselves.
        if base.__module__.partition(".")[0] in ("sklearn", library):
            for name in vars(base).keys() & _JUDGED.keys():
                safe_patch(_INTEGRATION, base, name, _JUDGED[name])


def _logged_prediction(original: Any, estimator: Any, *args: Any, **kwargs: Any) -> Any:
    """Predict, and remember whose prediction it is and of what."""
    result = original(estimator, *args, **kwargs)
    known = _known(_estimators, estimator)
    if known is None or not _is_on(known):
        return result
    data = args[0] if args else kwargs.get("X")
    with _lock:
        name = known.run.dataset_key(_name_of(data, _caller()) or _UNKNOWN, data)
        _remember(_predictions, result, known.flavor, known.run, known.model_id, name)
        seen = known.run.logged_datasets
        is_new = id(data) not in seen and len(seen) < _MOST_DATASETS
        seen.add(id(data))
    if is_new and is_wanted(known.flavor, "log_datasets"):
        log_dataset(MlflowClient(), known.run.run_id, data, None, "eval")
    return result


def _logged_metric(original: Any, *args: Any, **kwargs: Any) -> Any:
    """Compute a metric, and log it where it judges a prediction that is known."""
    result = original(*args, **kwargs)
    known = next(
        (found for value in (*args, *kwargs.values()) if (found := _known(_predictions, value))),
        None,
    )
    if known is not None and _is_on(known) and _is_number(result):
        function = original._function
        call = _call(function.__name__, function, args, kwargs, _caller())
        _log(known, function.__name__, known.dataset, result, call)
    return result


def _logged_score(original: Any, estimator: Any, *args: Any, **kwargs: Any) -> Any:
    """Score an estimator, and log the score with its run."""
    result = original(estimator, *args, **kwargs)
    known = _known(_estimators, estimator)
    if known is not None and _is_on(known) and _is_number(result):
        kind = type(estimator).__name__
        data = args[0] if args else kwargs.get("X")
        caller = _caller()
        with _lock:
            name = known.run.dataset_key(_name_of(data, caller) or _UNKNOWN, data)
        call = _call(f"{kind}.score", original._function, (estimator, *args), kwargs, caller)
        _log(known, f"{kind}_score", name, result, call)
    return result


_JUDGED: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(_PREDICTIONS, _logged_prediction),
    "score": _logged_score,
}


def _is_on(known: _Known) -> bool:
    return is_wanted(known.flavor, "log_post_training_metrics") and not autologging_is_disabled(
        known.flavor
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Number) and not isinstance(value, (bool, complex))


def _log(known: _Known, metric: str, dataset: str, value: Any, call: str) -> None:
    run = known.run
    client = MlflowClient()
    with _lock:
        key = run.metric_key(metric, dataset)
        run.calls[key] = call
        text = json.dumps(run.calls, indent=2)
    client.log_batch(run.run_id, metrics=points({key: float(value)}, known.model_id))
    client.log_text(run.run_id, text, _INFO_FILE)


# ------------------------------------------------------------- what a call says


def _caller() -> FrameType | None:
    """Return the frame that called the patched function: the first that is none of ours."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("mlflow."):
        frame = frame.f_back
    return frame


def _name_of(value: Any, frame: FrameType | None) -> str | None:
    """Return the variable that holds this very object: a local one of the frame or its callers.

    A parameter is followed to the caller, which has the name that means something. Globals count
    where the call itself is written at the top level.
    """
    at = frame
    while at is not None and value is not None:
        code = at.f_code
        is_top = code.co_name == "<module>"
        if is_top and at is not frame:
            return None
        found = next((name for name, held in at.f_locals.items() if held is value), None)
        parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if found is not None and (is_top or found not in parameters):
            return found
        at = at.f_back
    return None


def _call(
    name: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    frame: FrameType | None,
) -> str:
    given = inspect.signature(function).bind(*args, **kwargs).arguments
    told = [f"{key}={_told(value, frame)}" for key, value in given.items() if key != "self"]
    return f"{name}({', '.join(told)})"


def _told(value: Any, frame: FrameType | None) -> str:
    if value is None or isinstance(value, (str, bool, numbers.Number)):
        return repr(value)
    return _name_of(value, frame) or f"<{type(value).__name__}>"
