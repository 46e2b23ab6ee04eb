"""Logging what LightGBM trains: one run for each `train`, and for each `fit` of an estimator."""

from __future__ import annotations

import json
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from mlflow.models.autologged import first_rows, part
from mlflow.models.boosting import (
    Boosting,
    Rounds,
    as_dense,
    log_fit,
    log_inner_training,
    log_training,
)
from mlflow.models.flavors import library_of
from mlflow.models.post_training import watch_metrics, watch_predictions
from mlflow.tracking.autolog import safe_patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FLAVOR_NAME = "lightgbm"
# Arguments of `train` that are objects, or what `params` holds.
_NO_PARAMS = frozenset({"params", "train_set", "valid_sets", "valid_names", "feval", "init_model",
                        "callbacks"})  # fmt: skip
# LightGBM's own early stopping, which ends a round by an exception, comes at 30.
_BEFORE_STOPPING = 25

# The flavor's `log_model`, given by `enable`: this module is below it.
_log_model: Any = None
# The first rows of datasets, which let go of their data when they are used.
_examples: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def enable(log_model: Callable[..., Any]) -> None:
    """Patch `train`, the estimators, and what they are given.

    Args:
        log_model: the flavor's function that logs a model.
    """
    global _log_model
    _log_model = log_model
    lightgbm = library_of(FLAVOR_NAME)
    safe_patch(FLAVOR_NAME, lightgbm, "train", _logged_train, manage_run=True)
    safe_patch(FLAVOR_NAME, lightgbm.Dataset, "__init__", _watched_dataset)
    safe_patch(FLAVOR_NAME, lightgbm.sklearn, "train", _inner_train, inside=True)
    for kind in _estimators(lightgbm):
        if "fit" in vars(kind):
            safe_patch(FLAVOR_NAME, kind, "fit", _logged_fit, manage_run=True)
        watch_predictions(kind, FLAVOR_NAME)
    if lightgbm.compat.SKLEARN_INSTALLED:
        watch_metrics()


def _estimators(lightgbm: Any) -> Iterator[type]:
    for kind in vars(lightgbm.sklearn).values():
        if isinstance(kind, type) and issubclass(kind, lightgbm.LGBMModel):
            yield kind


def _logged_train(original: Any, *args: Any, **kwargs: Any) -> Any:
    return log_training(_Training(original._function, args, kwargs), original, _log_model)


def _inner_train(original: Any, *args: Any, **kwargs: Any) -> Any:
    return log_inner_training(_Training(original._function, args, kwargs), original)


def _logged_fit(original: Any, estimator: Any, *args: Any, **kwargs: Any) -> Any:
    return log_fit(FLAVOR_NAME, original, estimator, args, kwargs, _log_model)


def _watched_dataset(original: Any, dataset: Any, *args: Any, **kwargs: Any) -> None:
    original(dataset, *args, **kwargs)
    with part(FLAVOR_NAME, "an input example"):
        _examples[dataset] = first_rows(args[0] if args else kwargs.get("data"))


class _Training(Boosting):
    """One call of `lightgbm.train`."""

    flavor = FLAVOR_NAME

    def params(self) -> dict[str, Any]:
        """Return the booster's params and the arguments of `train` that are plain values."""
        own = {key: value for key, value in self.given.items() if key not in _NO_PARAMS}
        return {**self.given["params"], **own}

    def data(self) -> Iterator[tuple[str, str | None, Any, Any]]:
        """Give the datasets that still have their data."""
        yield "train", None, *_features(self.given["train_set"])
        sets = self.given["valid_sets"] or ()
        sets = [sets] if not isinstance(sets, (list, tuple)) else sets
        names = self.given["valid_names"] or [None] * len(sets)
        names = [names] if isinstance(names, str) else names
        for dataset, name in zip(sets, names, strict=False):
            yield "eval", name, *_features(dataset)

    def example(self) -> Any:
        """Return the first rows that the dataset was made of."""
        return _examples.get(self.given["train_set"])

    def predict(self, booster: Any, rows: Any) -> Any:
        """Return what a booster makes of such rows."""
        return booster.predict(rows)

    def watch(self, rounds: Rounds) -> None:
        """Add a callback."""

        def watch(env: Any) -> None:
            rounds.add(
                {f"{one[0]}-{one[1]}": one[2] for one in env.evaluation_result_list or ()},
                env.iteration,
            )

        watch.order = _BEFORE_STOPPING  # type: ignore[attr-defined]
        self.call.arguments["callbacks"] = [*(self.given["callbacks"] or ()), watch]

    def best_round(self, booster: Any, count: int) -> tuple[int, dict[str, int]] | None:
        """Return the best round where the training could stop early; rounds begin at 1."""
        best = int(booster.best_iteration)
        if best <= 0 or not count:
            return None
        return best - 1, {"stopped_iteration": count, "best_iteration": best}

    def importance(self, booster: Any) -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
        """Give both kinds."""
        for kind in ("split", "gain"):
            yield kind, partial(_importance, booster, kind)

    def as_json(self, scores: dict[str, float]) -> str:
        """Return the file as MLflow writes it."""
        return json.dumps(scores, indent=2)


def _importance(booster: Any, kind: str) -> dict[str, float]:
    values = booster.feature_importance(importance_type=kind).tolist()
    return dict(zip(booster.feature_name(), values, strict=True))


def _features(dataset: Any) -> tuple[Any, Any]:
    import numpy as np

    X, y = dataset.data, dataset.label
    if hasattr(X, "tocsr"):
        X = as_dense(X, X.shape)
    return X, None if y is None else np.asarray(y)
