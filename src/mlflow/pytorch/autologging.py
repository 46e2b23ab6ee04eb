"""Logging what Lightning trains: one run for each `fit`."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Any

from mlflow.models.autologged import first_rows, is_wanted, log_new_params, part, points
from mlflow.models.boosting import LoggedTraining, Rounds
from mlflow.models.checkpoints import Checkpoints
from mlflow.models.flavors import library_of
from mlflow.pytorch.exported import evaluating
from mlflow.tracking.autolog import get_autologging_config, safe_patch, when_imported
from mlflow.tracking.fluent import active_run, start_run

if TYPE_CHECKING:
    from collections.abc import Callable

FLAVOR_NAME = "pytorch"
# The distributions of Lightning, and the module in each that trains.
LIBRARIES = {"lightning": "lightning.pytorch", "pytorch_lightning": "pytorch_lightning"}

_STOPPING = ("monitor", "mode", "patience", "min_delta", "stopped_epoch")
#: Arguments of callbacks for checkpoints, and what they are when they are not given.
CHECKPOINT_OPTIONS: dict[str, Any] = {
    "monitor": "val_loss",
    "mode": "min",
    "save_best_only": True,
    "save_weights_only": False,
    "save_freq": "epoch",
}

# The flavor's `log_model`, given by `enable`: this module is below it.
_log_model: Any = None


def enable(log_model: Callable[..., Any]) -> None:
    """Patch the trainers of Lightning, in the distributions that are imported or will be.

    Args:
        log_model: the flavor's function that logs a model.
    """
    global _log_model
    _log_model = log_model
    # The first of several processes that train one model tells of it.
    if any(os.environ.get(name, "0") != "0" for name in ("RANK", "LOCAL_RANK", "NODE_RANK")):
        return
    for library, module in LIBRARIES.items():
        when_imported(library, FLAVOR_NAME, functools.partial(_patch, module))


def _patch(module: str) -> None:
    trainer = importlib.import_module(module).Trainer
    safe_patch(FLAVOR_NAME, trainer, "fit", functools.partial(_logged_fit, module), manage_run=True)


def _logged_fit(
    module: str, original: Any, trainer: Any, model: Any, *args: Any, **kwargs: Any
) -> Any:
    run = active_run()
    if run is None:
        return original(trainer, model, *args, **kwargs)
    logged = LoggedTraining(FLAVOR_NAME, run.info.run_id)
    if is_wanted(FLAVOR_NAME, "log_models"):
        logged.begin_model({})
    watch = None
    with part(FLAVOR_NAME, "metrics"):
        watch = _join(module, trainer, logged)
    try:
        result = original(trainer, model, *args, **kwargs)
    except BaseException:
        logged.fail()
        raise
    finally:
        if watch is not None:
            watch._rounds.finish()
    with part(FLAVOR_NAME, "early stopping"):
        _log_stop(importlib.import_module(module), trainer, logged)
    with part(FLAVOR_NAME, "the summary"):
        kinds = importlib.import_module(f"{module}.utilities.model_summary")
        summary = str(kinds.ModelSummary(model, max_depth=-1))
        logged.client.log_text(logged.run_id, summary, "model_summary.txt")
    if logged.model_id is not None:
        example = watch._example if watch is not None else None
        logged.save(
            model,
            _log_model,
            functools.partial(_predict, model),
            example,
            {"serialization_format": "pickle"},
        )
    return result


def _join(module: str, trainer: Any, logged: LoggedTraining) -> Any:
    # A trainer that fits again has those of the last time.
    kinds = (_watch_class(module), checkpoint_callback(module))
    kept = [one for one in trainer.callbacks if not getattr(one, "_of_autologging", False)]
    watch = kinds[0](logged)
    found = [watch]
    if get_autologging_config(FLAVOR_NAME, "checkpoint", True):
        with part(FLAVOR_NAME, "checkpoints"):
            options = {
                name: get_autologging_config(FLAVOR_NAME, f"checkpoint_{name}", default)
                for name, default in CHECKPOINT_OPTIONS.items()
            }
            checkpoints = kinds[1](**options)
            checkpoints._run_id, checkpoints._of_autologging = logged.run_id, True
            found.append(checkpoints)
    trainer.callbacks = [*kept, *found]
    return watch


def _predict(model: Any, rows: Any) -> Any:
    torch = library_of(FLAVOR_NAME)
    with evaluating(model), torch.no_grad():
        return model(torch.from_numpy(rows).to(model.device)).cpu().numpy()


def _stopping(lightning: Any, trainer: Any) -> Any:
    kind = lightning.callbacks.EarlyStopping
    return next((one for one in trainer.callbacks if isinstance(one, kind)), None)


def _log_stop(lightning: Any, trainer: Any, logged: LoggedTraining) -> None:
    stopping = _stopping(lightning, trainer)
    if stopping is None or not stopping.stopped_epoch:
        return
    found = {
        "stopped_epoch": float(stopping.stopped_epoch),
        "restored_epoch": float(stopping.stopped_epoch - max(1, stopping.patience)),
        "best_score": float(stopping.best_score),
        "wait_count": float(stopping.wait_count),
    }
    logged.client.log_batch(logged.run_id, metrics=points(found, logged.model_id))


# ------------------------------------------------------------------------ callbacks


class _Watch:
    """Tells a run of one training."""

    lightning: Any = None
    _of_autologging = True

    def __init__(self, logged: LoggedTraining) -> None:
        self._logged = logged
        self._client, self._run_id = logged.client, logged.run_id
        self._rounds = Rounds(FLAVOR_NAME, self._client, self._run_id, logged.model_id)
        self._every_epoch = get_autologging_config(FLAVOR_NAME, "log_every_n_epoch", 1)
        self._every_step = get_autologging_config(FLAVOR_NAME, "log_every_n_step")
        # What is measured after batches, and what is measured after epochs.
        self._of_steps: set[str] = set()
        self._of_epochs: set[str] = set()
        self._example: Any = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Tell what is trained with."""
        with part(FLAVOR_NAME, "params"):
            self._client.set_tag(self._run_id, "Mode", "training")
            params = {"epochs": trainer.max_epochs}
            for optimizer in trainer.optimizers[:1]:
                params["optimizer_name"] = type(optimizer).__name__
                params.update(optimizer.defaults)
            stopping = _stopping(self.lightning, trainer)
            if stopping is not None:
                params.update({name: getattr(stopping, name) for name in _STOPPING})
            log_new_params(self._client, self._run_id, params)

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep some rows of the first batch."""
        if self._example is None and self._logged.model_id is not None:
            with part(FLAVOR_NAME, "an input example"):
                rows = batch[0] if isinstance(batch, (list, tuple)) else batch
                if hasattr(rows, "detach"):
                    self._example = first_rows(rows.detach().cpu().numpy())

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Tell the metrics of so many batches."""
        step = trainer.global_step
        if self._every_step is None or (step + 1) % self._every_step:
            return
        found = trainer.logged_metrics
        names = {key for key in found if key not in self._of_epochs}
        self._of_steps |= names
        self._rounds.add({key: found[key] for key in names}, step)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Remember which metrics are those of validations."""
        self._of_epochs |= set(trainer.callback_metrics) - self._of_steps

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Tell the metrics of an epoch."""
        found = trainer.callback_metrics
        self._of_epochs |= set(found) - self._of_steps
        if (trainer.current_epoch + 1) % self._every_epoch == 0:
            told = {key: found[key] for key in found if key not in self._of_steps}
            self._rounds.add(told, trainer.current_epoch)

    def on_test_end(self, trainer: Any, pl_module: Any) -> None:
        """Tell the metrics of a test."""
        with part(FLAVOR_NAME, "the test"):
            self._client.set_tag(self._run_id, "Mode", "testing")
        self._rounds.add(dict(trainer.callback_metrics), 0)
        self._rounds.finish()


@functools.cache
def _watch_class(module: str) -> Any:
    lightning = importlib.import_module(module)
    return type("Watch", (_Watch, lightning.Callback), {"lightning": lightning})


class _Kept:
    """Keeps checkpoints with the active run; see `Checkpoints` for its arguments."""

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "min",
        save_best_only: bool = True,
        save_weights_only: bool = False,
        save_freq: str | int = "epoch",
    ) -> None:
        self._checkpoints = Checkpoints(
            FLAVOR_NAME, ".pth", monitor, mode, save_best_only, save_weights_only, save_freq
        )
        self._run_id: str | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Find the run."""
        with part(FLAVOR_NAME, "checkpoints"):
            self._run_id = self._run_id or (active_run() or start_run()).info.run_id

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Keep one, if it is time."""
        if self._checkpoints.is_due(trainer.global_step):
            self._keep(trainer)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Keep one, if each epoch asks for it."""
        if self._checkpoints.by_epochs:
            self._keep(trainer)

    def _keep(self, trainer: Any) -> None:
        if self._run_id is None:
            return
        save = functools.partial(
            trainer.save_checkpoint, weights_only=self._checkpoints.save_weights_only
        )
        self._checkpoints.consider(
            self._run_id, trainer.callback_metrics, trainer.current_epoch,
            trainer.global_step, save,
        )  # fmt: skip


@functools.cache
def checkpoint_callback(module: str | None = None) -> Any:
    """Return the class of callbacks that keep checkpoints with a run.

    Args:
        module: the Lightning whose callbacks they are; the one that is imported, or installed.
    """
    lightning = importlib.import_module(module or _lightning())
    own = {"__doc__": _Kept.__doc__}
    return type("MlflowModelCheckpointCallback", (_Kept, lightning.Callback), own)


def _lightning() -> str:
    imported = [one for one in LIBRARIES if one in sys.modules]
    installed = [one for one in LIBRARIES if importlib.util.find_spec(one) is not None]
    return LIBRARIES[next(iter([*imported, *installed]), "lightning")]
