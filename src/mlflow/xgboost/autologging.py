"""Logging what XGBoost trains: one run for each `train`, and for each `fit` of an estimator."""

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
    seen_rows,
)
from mlflow.models.flavors import library_of
from mlflow.models.post_training import watch_metrics, watch_predictions
from mlflow.tracking.autolog import get_autologging_config, safe_patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FLAVOR_NAME = "xgboost"
# Arguments of `train` that are objects, or what `params` holds.
_NO_PARAMS = frozenset({"params", "dtrain", "evals", "obj", "evals_result", "xgb_model",
                        "callbacks"})  # fmt: skip

# The flavor's `log_model`, given by `enable`: this module is below it.
_log_model: Any = None
# The first rows of matrices: XGBoost keeps the values and lets go of the types.
_examples: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def enable(log_model: Callable[..., Any]) -> None:
    """Patch `train`, the estimators, and what they are given.

    Args:
        log_model: the flavor's function that logs a model.
    """
    global _log_model
    _log_model = log_model
    xgboost = library_of(FLAVOR_NAME)
    safe_patch(FLAVOR_NAME, xgboost, "train", _logged_train, manage_run=True)
    for kind in (xgboost.DMatrix, xgboost.QuantileDMatrix):
        safe_patch(FLAVOR_NAME, kind, "__init__", _watched_matrix)
    safe_patch(FLAVOR_NAME, xgboost.sklearn, "train", _inner_train, inside=True)
    for kind in _estimators(xgboost):
        if "fit" in vars(kind):
            safe_patch(FLAVOR_NAME, kind, "fit", _logged_fit, manage_run=True)
        watch_predictions(kind, FLAVOR_NAME)
    if xgboost.compat.SKLEARN_INSTALLED:
        watch_metrics()


def _estimators(xgboost: Any) -> Iterator[type]:
    for kind in vars(xgboost.sklearn).values():
        if isinstance(kind, type) and issubclass(kind, xgboost.XGBModel):
            yield kind


def _logged_train(original: Any, *args: Any, **kwargs: Any) -> Any:
    training = _Training(original._function, args, kwargs)
    return log_training(training, original, _log_model, **_saving())


def _inner_train(original: Any, *args: Any, **kwargs: Any) -> Any:
    return log_inner_training(_Training(original._function, args, kwargs), original)


def _logged_fit(original: Any, estimator: Any, *args: Any, **kwargs: Any) -> Any:
    return log_fit(FLAVOR_NAME, original, estimator, args, kwargs, _log_model, **_saving())


def _saving() -> dict[str, Any]:
    return {"model_format": get_autologging_config(FLAVOR_NAME, "model_format", "ubj")}


def _watched_matrix(original: Any, matrix: Any, *args: Any, **kwargs: Any) -> None:
    original(matrix, *args, **kwargs)
    with part(FLAVOR_NAME, "an input example"):
        _examples[matrix] = first_rows(args[0] if args else kwargs.get("data"))


class _Training(Boosting):
    """One call of `xgboost.train`."""

    flavor = FLAVOR_NAME
    names_dataset = True

    def params(self) -> dict[str, Any]:
        """Return the booster's params and the arguments of `train` that are plain values."""
        own = {key: value for key, value in self.given.items() if key not in _NO_PARAMS}
        return {**dict(self.given["params"]), **own}

    def data(self) -> Iterator[tuple[str, str | None, Any, Any]]:
        """Give the matrices as arrays, without their labels."""
        yield "train", None, _features(self.given["dtrain"]), None
        for matrix, name in self.given["evals"] or ():
            yield "eval", name, _features(matrix), None

    def example(self) -> Any:
        """Return the first rows that the matrix was made of."""
        return _examples.get(self.given["dtrain"])

    def predict(self, booster: Any, rows: Any) -> Any:
        """Return what a booster makes of such rows."""
        return booster.predict(library_of(FLAVOR_NAME).DMatrix(rows))

    def watch(self, rounds: Rounds) -> None:
        """Add a callback."""
        xgboost = library_of(FLAVOR_NAME)

        class Watch(xgboost.callback.TrainingCallback):  # type: ignore[misc, name-defined]
            """Tells each round."""

            def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
                """Tell the round, and never stop the training."""
                rounds.add(
                    {
                        f"{name}-{metric}": values[-1]
                        for name, metrics in evals_log.items()
                        for metric, values in metrics.items()
                    },
                    epoch,
                )
                return False

        self.call.arguments["callbacks"] = [*(self.given["callbacks"] or ()), Watch()]

    def best_round(self, booster: Any, count: int) -> tuple[int, dict[str, int]] | None:
        """Return the best round where `early_stopping_rounds` was given; rounds begin at 0."""
        if not self.given["early_stopping_rounds"] or not count:
            return None
        best = int(booster.best_iteration)
        return best, {"stopped_iteration": count - 1, "best_iteration": best}

    def importance(self, booster: Any) -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
        """Give the kinds that were asked for, `weight` without."""
        for kind in get_autologging_config(FLAVOR_NAME, "importance_types") or ["weight"]:
            yield kind, partial(booster.get_score, importance_type=kind)

    def as_json(self, scores: dict[str, float]) -> str:
        """Return the file as MLflow writes it."""
        return json.dumps(scores)


def _features(matrix: Any) -> Any:
    shape = (matrix.num_row(), matrix.num_col())
    xgboost = library_of(FLAVOR_NAME)
    if not isinstance(matrix, xgboost.QuantileDMatrix):
        # Those of quantiles cannot be cut.
        matrix = matrix.slice(list(range(seen_rows(shape))), allow_groups=True)
    return as_dense(matrix.get_data(), shape)
