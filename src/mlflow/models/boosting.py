"""The training of boosted trees as its run tells it: what the libraries that boost have in common."""

from __future__ import annotations

import inspect
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from mlflow.api import rules
from mlflow.models.autologged import (
    as_text,
    first_rows,
    is_wanted,
    log_dataset,
    log_new_params,
    log_trained,
    part,
    points,
)
from mlflow.models.post_training import remember_fit
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import active_run
from mlflow.tracking.logged import initialize_logged_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlflow.entities.run import Metric

_MODEL = "model"
# What is measured after each round is sent together: the first at once, so that the run is seen to
# live, and what has come since whenever so many seconds have gone by.
_SECONDS_BETWEEN = 1.0
_MOST_BARS = 50
# Longer names are cut in the chart.
_LABEL = 40
# A digest looks at so many elements of an array; see mlflow.data.digest.
_SEEN = 10_000


class Boosting:
    """One call of a library's `train`. What is true of one library, its subclass says.

    Args:
        function: the library's own function.
        args: its positional arguments.
        kwargs: its keyword arguments.
    """

    flavor = ""
    #: Whether what early stopping found names the data that was trained on.
    names_dataset = False

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        signature = inspect.signature(function)
        self.call = signature.bind(*args, **kwargs)
        complete = signature.bind(*args, **kwargs)
        complete.apply_defaults()
        self.given: dict[str, Any] = complete.arguments

    def params(self) -> dict[str, Any]:
        """Return what the training was asked for."""
        raise NotImplementedError

    def data(self) -> Iterator[tuple[str, str | None, Any, Any]]:
        """Give each set of data: what it is for, its name, features and targets."""
        raise NotImplementedError

    def example(self) -> Any:
        """Return some rows of what is trained on, or None."""
        raise NotImplementedError

    def predict(self, booster: Any, rows: Any) -> Any:
        """Return what a booster makes of such rows."""
        raise NotImplementedError

    def watch(self, rounds: Rounds) -> None:
        """Have each round of the call told to `rounds`."""
        raise NotImplementedError

    def best_round(self, booster: Any, count: int) -> tuple[int, dict[str, int]] | None:
        """Return which round was the best, and what the run says of that; None for all of them.

        Args:
            booster: what came of the training.
            count: how many rounds there were.
        """
        raise NotImplementedError

    def importance(self, booster: Any) -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
        """Give each kind of importance, and what computes that of each feature."""
        raise NotImplementedError

    def as_json(self, scores: dict[str, float]) -> str:
        """Return the file that holds the importance of features."""
        raise NotImplementedError


class Rounds:
    """What is measured after each round, on its way to the run in few requests.

    Args:
        flavor: the integration.
        client: where the run is.
        run_id: the run.
        model_id: the logged model that is described.
    """

    def __init__(
        self, flavor: str, client: MlflowClient, run_id: str, model_id: str | None
    ) -> None:
        self.values: list[dict[str, float]] = []
        self._flavor = flavor
        self._client = client
        self._run_id = run_id
        self._model_id = model_id
        self._waiting: list[Metric] = []
        self._sent: float | None = None
        self._reachable = True

    def add(self, values: dict[str, Any], step: int) -> None:
        """Take the metrics of a round; whatever happens, the training goes on.

        Args:
            values: name → value.
            step: the round.
        """
        if not values:
            return
        with part(self._flavor, "metrics of a round"):
            named = {key.replace("@", "_at_"): float(value) for key, value in values.items()}
            self.values.append(named)
            self._waiting += points(named, self._model_id, step=step)
            if self._reachable and self._is_due():
                self._reachable = False  # a store that fails is not asked again in each round
                self._send()
                self._reachable = True

    def finish(self) -> None:
        """Send what is still here."""
        if self._waiting:
            with part(self._flavor, "metrics of rounds"):
                self._send()

    def _is_due(self) -> bool:
        if self._sent is None or len(self._waiting) >= rules.MAX_METRICS_PER_BATCH:
            return True
        return time.monotonic() - self._sent >= _SECONDS_BETWEEN

    def _send(self) -> None:
        self._sent = time.monotonic()
        self._client.log_batch(self._run_id, metrics=self._waiting)
        self._waiting = []


# ---------------------------------------------------------------------- trainings


def log_training(
    training: Boosting, original: Callable[..., Any], log_model: Callable[..., Any], **saving: Any
) -> Any:
    """Run a training, and log it and its booster with the active run.

    Args:
        training: the call.
        original: runs it.
        log_model: the flavor's function.
        saving: further arguments of that.

    Returns:
        The booster.
    """
    run = active_run()
    if run is None:
        return original(*training.call.args, **training.call.kwargs)
    logged = LoggedTraining(training.flavor, run.info.run_id)
    example = None
    with part(training.flavor, "an input example"):
        example = training.example()
    booster = _train(training, original, logged)
    if logged.model_id is not None:
        logged.save(
            booster, log_model, lambda rows: training.predict(booster, rows), example, saving
        )
    return booster


def log_fit(
    flavor: str,
    original: Callable[..., Any],
    estimator: Any,
    args: Any,
    kwargs: Any,
    log_model: Callable[..., Any],
    **saving: Any,
) -> Any:
    """Fit an estimator, whose `train` logs with the active run, and log the estimator.

    Args:
        flavor: the integration.
        original: runs the fit.
        estimator: the estimator.
        args: its positional arguments.
        kwargs: its keyword arguments.
        log_model: the flavor's function.
        saving: further arguments of that.

    Returns:
        What the fit returns.
    """
    run = active_run()
    if run is None:
        return original(estimator, *args, **kwargs)
    logged = LoggedTraining(flavor, run.info.run_id)
    example = None
    with part(flavor, "an input example"):
        # Before the fit, which may change its input.
        example = first_rows(args[0] if args else kwargs.get("X"))
    token = _fitting.set(logged)
    try:
        result = original(estimator, *args, **kwargs)
    except BaseException:
        logged.fail()
        raise
    finally:
        _fitting.reset(token)
    if logged.model_id is not None:
        logged.save(estimator, log_model, estimator.predict, example, saving)
    with part(flavor, "metrics to come"):
        remember_fit(flavor, estimator, logged.run_id, logged.model_id)
    return result


def log_inner_training(training: Boosting, original: Callable[..., Any]) -> Any:
    """Run a training that belongs to a fit, and log it where the fit is logged.

    Args:
        training: the call.
        original: runs it.
    """
    logged = _fitting.get()
    if logged is None or logged.flavor != training.flavor:
        return original(*training.call.args, **training.call.kwargs)
    return _train(training, original, logged)


class LoggedTraining:
    """The run that a training is logged with, and the logged model that is to come of it."""

    def __init__(self, flavor: str, run_id: str) -> None:
        self.flavor = flavor
        self.client = MlflowClient()
        self.run_id = run_id
        self.model_id: str | None = None

    def begin_model(self, params: dict[str, Any]) -> None:
        """Make the logged model before the training, so that metrics can name it."""
        with part(self.flavor, "the model"):
            model = initialize_logged_model(_MODEL, params=as_text(params))
            self.model_id = model.model_id

    def save(
        self,
        model: Any,
        log_model: Callable[..., Any],
        predict: Callable[[Any], Any],
        example: Any,
        saving: dict[str, Any],
    ) -> None:
        """Log what was trained into the logged model."""
        with part(self.flavor, "the model"):
            log_trained(
                self.flavor, log_model, model, predict, example,
                name=_MODEL, model_id=self.model_id, **saving,
            )  # fmt: skip

    def fail(self) -> None:
        """Say that nothing comes of the logged model."""
        if self.model_id is not None:
            with part(self.flavor, "the end of the model"):
                self.client.finalize_logged_model(self.model_id, "FAILED")


_fitting: ContextVar[LoggedTraining | None] = ContextVar("boosting_fit", default=None)


def _train(training: Boosting, original: Callable[..., Any], logged: LoggedTraining) -> Any:
    flavor, client, run_id = training.flavor, logged.client, logged.run_id
    params: dict[str, Any] = {}
    with part(flavor, "params"):
        params = training.params()
        log_new_params(client, run_id, params)
    trained_on = None
    if is_wanted(flavor, "log_datasets"):
        # Before the training, which may let go of its data.
        trained_on = _log_data(training, client, run_id)
    if is_wanted(flavor, "log_models"):
        logged.begin_model(params)
    rounds = Rounds(flavor, client, run_id, logged.model_id)
    with part(flavor, "metrics of rounds"):
        training.watch(rounds)
    try:
        booster = original(*training.call.args, **training.call.kwargs)
    except BaseException:
        rounds.finish()
        logged.fail()
        raise
    rounds.finish()
    with part(flavor, "early stopping"):
        best = training.best_round(booster, len(rounds.values))
        if best is not None:
            dataset = trained_on if training.names_dataset else None
            _log_best(logged, rounds, *best, dataset)
    for kind, measure in training.importance(booster):
        with part(flavor, f"the importance of features by {kind}"):
            _log_importance(training, client, run_id, kind, measure())
    return booster


def _log_data(training: Boosting, client: MlflowClient, run_id: str) -> Any:
    trained_on = None
    with part(training.flavor, "datasets"):
        for context, name, X, y in training.data():
            dataset = log_dataset(client, run_id, X, y, context, name)
            trained_on = dataset if context == "train" else trained_on
    return trained_on


def _log_best(
    logged: LoggedTraining, rounds: Rounds, index: int, found: dict[str, int], dataset: Any
) -> None:
    # The values of the best round stand at one more step, where charts and tables take them as
    # the last.
    best = rounds.values[index]
    logged.client.log_batch(
        logged.run_id,
        metrics=[
            *points({key: float(value) for key, value in found.items()}, logged.model_id, dataset),
            *points(best, logged.model_id, dataset, step=len(rounds.values)),
        ],
    )


# --------------------------------------------------------------------------- data


def as_dense(rows: Any, shape: tuple[int, int]) -> Any:
    """Return sparse rows as an array of a whole's shape, filled as far as a digest looks.

    The pages that are not written cost no memory.

    Args:
        rows: a sparse matrix with the first rows, at least.
        shape: the shape of the whole.
    """
    import numpy as np

    whole = np.zeros(shape, rows.dtype)
    count = seen_rows(shape)
    whole[:count] = rows.tocsr()[:count].toarray()
    return whole


def seen_rows(shape: tuple[int, int]) -> int:
    """Return how many rows a digest looks at."""
    return min(shape[0], -(-_SEEN // max(shape[1], 1)))


# ---------------------------------------------------------- importance of features


def _log_importance(
    training: Boosting, client: MlflowClient, run_id: str, kind: str, scores: dict[str, float]
) -> None:
    client.log_text(run_id, training.as_json(scores), f"feature_importance_{kind}.json")
    try:
        figure = importance_figure(scores, kind)
    except ImportError:
        return
    client.log_figure(run_id, figure, f"feature_importance_{kind}.png")


def importance_figure(scores: dict[str, float], kind: str) -> Any:
    """Return a bar chart of the most important features.

    Args:
        scores: feature → importance.
        kind: the kind of importance.

    Raises:
        ImportError: matplotlib is not installed.
    """
    from matplotlib.figure import Figure

    shown = sorted(scores.items(), key=lambda one: one[1])[-_MOST_BARS:]
    names = [name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…" for name, _ in shown]
    # A figure of its own: the user's pyplot state is not ours to touch. Room for the names is
    # reckoned, since having the layout find it draws everything twice.
    figure = Figure(figsize=(6.4, max(4.8, 0.25 * len(shown))))
    axes = figure.subplots()
    figure.subplots_adjust(left=0.12 + 0.012 * max(map(len, names), default=0))
    axes.barh(range(len(shown)), [score for _, score in shown], tick_label=names)
    axes.set_xlabel("Importance")
    axes.set_ylabel("Features")
    several = f", the highest {len(shown)} of {len(scores)}" if len(shown) < len(scores) else ""
    axes.set_title(f"Feature importance ({kind}{several})")
    return figure
