"""The training of models of Keras as its run tells it, for each of the flavors that hold them."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

import mlflow.data as datasets
from mlflow.data.tensorflow_dataset import is_tensorflow
from mlflow.exceptions import invalid
from mlflow.models.autologged import (
    first_rows,
    is_wanted,
    log_new_params,
    part,
    points,
)
from mlflow.models.boosting import LoggedTraining, Rounds
from mlflow.models.checkpoints import Checkpoints
from mlflow.tracking.autolog import get_autologging_config, safe_patch, when_imported
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import active_run, start_run
from mlflow.tracking.values import as_dataset_input

if TYPE_CHECKING:
    from collections.abc import Callable

# Arguments of `fit` that are data, objects, or no matter of the training.
_NO_PARAMS = frozenset({"self", "x", "y", "callbacks", "validation_data", "verbose"})
_STOPPING = ("monitor", "min_delta", "patience", "baseline", "restore_best_weights")


class Integration(NamedTuple):
    """What one flavor asks of a training.

    Attributes:
        flavor: its name.
        prefix: what the names of the optimizer's params begin with.
        log_model: its function that logs a model.
        saving: gives further arguments of that.
        complete: whether early stopping, checkpoints and logs of TensorBoard are told, too.
    """

    flavor: str
    prefix: str
    log_model: Callable[..., Any]
    saving: Callable[[], dict[str, Any]]
    complete: bool


def enable(integration: Integration, libraries: tuple[str, ...]) -> None:
    """Patch `fit`, in libraries that are imported already or will be.

    Args:
        integration: the flavor's.
        libraries: `keras`, `tf_keras`.
    """
    for library in libraries:
        when_imported(library, integration.flavor, functools.partial(_patch, integration, library))


def _patch(integration: Integration, library: str) -> None:
    model = importlib.import_module(library).Model
    owner = next(
        kind
        for kind in model.__mro__
        if "fit" in vars(kind) and not hasattr(vars(kind)["fit"], "_forwards")
    )
    if not integration.complete and owner is not model:
        # The two flavors stand one above the other, so that each can be switched off; a fit that
        # both would log is logged by the upper one.
        if "fit" not in vars(model):
            model.fit = _forwarding(model, owner.fit)
        owner = model
    safe_patch(
        integration.flavor,
        owner,
        "fit",
        functools.partial(_logged_fit, integration, library),
        manage_run=True,
    )


def _forwarding(model: Any, inherited: Any) -> Any:
    @functools.wraps(inherited)
    def fit(self: Any, *args: Any, **kwargs: Any) -> Any:
        return super(model, self).fit(*args, **kwargs)

    fit._forwards = True  # type: ignore[attr-defined]
    return fit


def _logged_fit(
    integration: Integration, library: str, original: Any, model: Any, *args: Any, **kwargs: Any
) -> Any:
    run = active_run()
    if run is None:
        return original(model, *args, **kwargs)
    flavor = integration.flavor
    logged = LoggedTraining(flavor, run.info.run_id)
    function = inspect.unwrap(original._function)
    call = inspect.signature(function).bind(model, *args, **kwargs)
    params: dict[str, Any] = {}
    with part(flavor, "params"):
        params = _params(function, call)
        log_new_params(logged.client, logged.run_id, params)
    if is_wanted(flavor, "log_datasets"):
        _log_data(flavor, logged, call.arguments)
    example = None
    if is_wanted(flavor, "log_models"):
        with part(flavor, "an input example"):
            example = _first(call.arguments.get("x"))
        logged.begin_model(params)
    with tempfile.TemporaryDirectory() as folder:
        watching = None
        with part(flavor, "metrics"):
            watching = _Watching(integration, importlib.import_module(library), logged, folder)
            watching.join(call, model)
        try:
            history = original(*call.args, **call.kwargs)
        except BaseException:
            logged.fail()
            raise
        finally:
            if watching is not None:
                watching.finish()
    if logged.model_id is not None:
        logged.save(
            model,
            integration.log_model,
            functools.partial(model.predict, verbose=0),
            example,
            integration.saving(),
        )
    return history


def _params(function: Callable[..., Any], call: inspect.BoundArguments) -> dict[str, Any]:
    complete = inspect.signature(function).bind(*call.args, **call.kwargs)
    complete.apply_defaults()
    params = {key: value for key, value in complete.arguments.items() if key not in _NO_PARAMS}
    if params.get("batch_size", 0) is None:
        params["batch_size"] = _batch_size(complete.arguments.get("x"))
    return params


def _batch_size(data: Any) -> int | None:
    """Return how many rows a batch has where the data says so; a generator is not asked."""
    if hasattr(data, "as_numpy_iterator"):
        first = next(iter(data.take(1)), None)
        while isinstance(first, (tuple, list, dict)) and first:
            first = next(iter(first.values() if isinstance(first, dict) else first))
        shape = getattr(first, "shape", None)
        return int(shape[0]) if shape else None
    found = getattr(data, "batch_size", None)
    return found if isinstance(found, int) else None


# --------------------------------------------------------------------------- data


def _log_data(flavor: str, logged: LoggedTraining, given: dict[str, Any]) -> None:
    with part(flavor, "datasets"):
        sets = [(given.get("x"), given.get("y"), "train")]
        tested = given.get("validation_data")
        if isinstance(tested, (tuple, list)) and len(tested) >= 2:
            sets.append((tested[0], tested[1], "eval"))
        for x, y, context in sets:
            dataset = _dataset(x, y)
            if dataset is not None:
                logged.client.log_inputs(logged.run_id, [as_dataset_input(dataset, context)])


def _dataset(x: Any, y: Any) -> Any:
    if is_tensorflow(x):
        return datasets.from_tensorflow(x, targets=y if is_tensorflow(y) else None)
    if type(x).__module__ == "numpy" and hasattr(x, "shape"):
        targets = y if type(y).__module__ == "numpy" else None
        return datasets.from_numpy(features=x, targets=targets)
    return None


def _first(x: Any) -> Any:
    if hasattr(x, "as_numpy_iterator"):
        x = next(iter(x.take(1).as_numpy_iterator()), None)
        x = x[0] if isinstance(x, tuple) else x
    if isinstance(x, dict):
        rows = {key: _first(value) for key, value in x.items()}
        return None if any(value is None for value in rows.values()) else rows
    return first_rows(x.numpy() if hasattr(x, "numpy") else x)


# ------------------------------------------------------------------------ callbacks


class _Watching:
    """The callbacks of one fit, and what is to be told when it ends."""

    def __init__(
        self, integration: Integration, keras: Any, logged: LoggedTraining, folder: str
    ) -> None:
        self._flavor = integration.flavor
        self._complete = integration.complete
        self._keras = keras
        self._logged = logged
        self._folder = folder
        self._stopping: Any = None
        self._metrics = metrics_callback(integration.flavor, integration.prefix, keras.__name__)(
            log_every_epoch=get_autologging_config(self._flavor, "log_every_epoch", True),
            log_every_n_steps=get_autologging_config(self._flavor, "log_every_n_steps"),
        )
        self._metrics._bind(logged.run_id, logged.model_id)

    def join(self, call: inspect.BoundArguments, model: Any) -> None:
        """Add the callbacks to those of the call."""
        given = call.arguments.get("callbacks")
        more = [self._metrics]
        listed = getattr(given, "callbacks", given)
        own = list(listed) if isinstance(listed, (list, tuple)) else [listed] if listed else []
        if self._complete:
            more += self._further(own)
        if given is not None and hasattr(given, "callbacks"):
            # A list of Keras' own kind has been told its model already.
            for one in more:
                given.append(one)
                one.set_model(model)
            return
        call.arguments["callbacks"] = [*own, *more]

    def _further(self, own: list[Any]) -> list[Any]:
        callbacks, found = self._keras.callbacks, []
        kinds = (callbacks.EarlyStopping,)
        self._stopping = next((one for one in own if isinstance(one, kinds)), None)
        if self._stopping is not None:
            with part(self._flavor, "params of early stopping"):
                params = {name: getattr(self._stopping, name) for name in _STOPPING}
                log_new_params(self._logged.client, self._logged.run_id, params)
        board = next((one for one in own if isinstance(one, callbacks.TensorBoard)), None)
        if board is not None:
            self._folder = str(board.log_dir)
        elif _has_tensorboard():
            found.append(callbacks.TensorBoard(self._folder))
        if get_autologging_config(self._flavor, "checkpoint", True):
            with part(self._flavor, "checkpoints"):
                one = checkpoint_callback(self._flavor, self._keras.__name__)(
                    **{
                        name: get_autologging_config(self._flavor, f"checkpoint_{name}", default)
                        for name, default in CHECKPOINT_OPTIONS.items()
                    }
                )
                one._bind(self._logged.run_id)
                found.append(one)
        return found

    def finish(self) -> None:
        """Tell what is told at the end of a fit."""
        if self._metrics._rounds is not None:
            self._metrics._rounds.finish()
        if not self._complete:
            return
        with part(self._flavor, "logs of TensorBoard"):
            self._logged.client.log_artifacts(self._logged.run_id, self._folder, "tensorboard_logs")
        with part(self._flavor, "early stopping"):
            self._log_stop()

    def _log_stop(self) -> None:
        stopped = getattr(self._stopping, "stopped_epoch", 0)
        if not stopped:
            return
        found = {"stopped_epoch": float(stopped)}
        again = []
        if self._stopping.restore_best_weights and self._stopping.best_weights is not None:
            best = int(getattr(self._stopping, "best_epoch", stopped - self._stopping.patience))
            found["restored_epoch"] = float(best)
            # The values of that epoch stand at one more step, where tables take them as the last.
            last = stopped + 1
            again = points(self._metrics._epochs[best], self._logged.model_id, step=last)
        self._logged.client.log_batch(
            self._logged.run_id, metrics=[*points(found, self._logged.model_id), *again]
        )


def _has_tensorboard() -> bool:
    try:
        return importlib.import_module("tensorboard") is not None
    except ImportError:
        return False


def _keras(flavor: str, library: str | None) -> Any:
    if library is None:
        library = "tf_keras" if flavor == "tensorflow" and _is_legacy() else "keras"
    return importlib.import_module(library)


def _is_legacy() -> bool:
    # Who has asked TensorFlow for the older Keras has loaded it.
    return "tf_keras" in sys.modules and "keras" not in sys.modules


class _Metrics:
    """Tells the active run a training's optimizer, summary and metrics.

    Args:
        log_every_epoch: log metrics after each epoch.
        log_every_n_steps: log metrics after so many batches.
        model_id: the logged model that the metrics describe.

    Raises:
        MlflowException: neither is asked for.
    """

    flavor = prefix = ""
    model: Any

    def __init__(
        self,
        log_every_epoch: bool = True,
        log_every_n_steps: int | None = None,
        model_id: str | None = None,
    ) -> None:
        super().__init__()
        if not log_every_epoch and log_every_n_steps is None:
            raise invalid("`log_every_n_steps` must be specified if `log_every_epoch=False`.")
        self._every_epoch = log_every_epoch
        self._every = log_every_n_steps
        self._steps = 0
        self._rounds: Rounds | None = None
        self._epochs: dict[int, dict[str, float]] = {}
        self._bind(None, model_id)

    def _bind(self, run_id: str | None, model_id: str | None) -> None:
        self._run_id = run_id
        self._model_id = model_id

    def on_train_begin(self, logs: Any = None) -> None:
        """Tell the optimizer and the summary."""
        with part(self.flavor, "the model's description"):
            client = MlflowClient()
            run_id = self._run_id or _active_run_id()
            self._rounds = Rounds(self.flavor, client, run_id, self._model_id)
            config = self.model.optimizer.get_config()
            params = {f"{self.prefix}{key}": value for key, value in config.items()}
            log_new_params(client, run_id, params)
            lines: list[str] = []
            self.model.summary(print_fn=lambda line, **_: lines.append(str(line)))
            client.log_text(run_id, "\n".join(lines), "model_summary.txt")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Tell the metrics of so many batches."""
        if self._every is None:
            return
        self._steps += 1
        if self._steps % self._every == 0:
            self._add(logs, self._steps)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Tell the metrics of an epoch."""
        with part(self.flavor, "metrics of an epoch"):
            self._epochs[epoch] = {key: float(value) for key, value in (logs or {}).items()}
        if self._every_epoch:
            self._add(logs, epoch)

    def on_test_end(self, logs: Any = None) -> None:
        """Tell the metrics of a validation; they have no step."""
        self._add({f"validation_{key}": value for key, value in (logs or {}).items()}, 0)

    def on_train_end(self, logs: Any = None) -> None:
        """Send what is still here."""
        if self._rounds is not None:
            self._rounds.finish()

    def _add(self, logs: Any, step: int) -> None:
        if self._rounds is not None:
            self._rounds.add(logs or {}, step)


@functools.cache
def metrics_callback(flavor: str, prefix: str, library: str | None = None) -> Any:
    """Return the class of callbacks that tell a run of a training.

    Args:
        flavor: the integration, for messages.
        prefix: what the names of the optimizer's params begin with.
        library: the Keras whose callbacks they are.
    """
    keras = _keras(flavor, library)
    own = {"flavor": flavor, "prefix": prefix, "__doc__": _Metrics.__doc__}
    return type("MlflowCallback", (_Metrics, keras.callbacks.Callback), own)


#: Arguments of callbacks for checkpoints, and what they are when they are not given.
CHECKPOINT_OPTIONS: dict[str, Any] = {
    "monitor": "val_loss",
    "mode": "min",
    "save_best_only": True,
    "save_weights_only": False,
    "save_freq": "epoch",
}


class _Kept:
    """Keeps checkpoints with the active run; see `Checkpoints` for its arguments."""

    flavor = ""
    model: Any

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "min",
        save_best_only: bool = True,
        save_weights_only: bool = False,
        save_freq: str | int = "epoch",
    ) -> None:
        super().__init__()
        self._checkpoints = Checkpoints(
            self.flavor, ".h5", monitor, mode, save_best_only, save_weights_only, save_freq
        )
        self._epoch = self._step = 0
        self._bind(None)

    def _bind(self, run_id: str | None) -> None:
        self._run_id = run_id

    def on_train_begin(self, logs: Any = None) -> None:
        """Find the run."""
        with part(self.flavor, "checkpoints"):
            self._run_id = self._run_id or _active_run_id()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Remember the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Keep one, if it is time."""
        self._step += 1
        if self._checkpoints.is_due(self._step):
            self._keep(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep one, if each epoch asks for it."""
        if self._checkpoints.by_epochs:
            self._keep(logs)

    def _keep(self, logs: Any) -> None:
        if self._run_id is None:
            return
        weights = self._checkpoints.save_weights_only
        save = self.model.save_weights if weights else self.model.save
        self._checkpoints.consider(self._run_id, logs or {}, self._epoch, self._step, save)


@functools.cache
def checkpoint_callback(flavor: str, library: str | None = None) -> Any:
    """Return the class of callbacks that keep checkpoints with a run.

    Args:
        flavor: the integration, for messages.
        library: the Keras whose callbacks they are.
    """
    keras = _keras(flavor, library)
    own = {"flavor": flavor, "__doc__": _Kept.__doc__}
    return type("MlflowModelCheckpointCallback", (_Kept, keras.callbacks.Callback), own)


def _active_run_id() -> str:
    run = active_run() or start_run()
    return str(run.info.run_id)
