"""Checkpoints of a training among its run's artifacts: which are kept, under which names, and found."""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from typing import TYPE_CHECKING, Any

from mlflow.artifacts import download_artifacts
from mlflow.exceptions import invalid, not_found
from mlflow.models.autologged import part
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import active_run

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDER = "checkpoints"
_LATEST = "latest_checkpoint"
_WEIGHTS = ".weights"


class Checkpoints:
    """The checkpoints of one training.

    Args:
        flavor: the integration.
        ending: of the library's files, with a dot.
        monitor: the metric that tells which is the best.
        mode: `min` or `max`: which values of it are better.
        save_best_only: keep one, the best so far; without, all of them.
        save_weights_only: keep weights alone, without what rebuilds the model around them.
        save_freq: `epoch`, or after how many batches.

    Raises:
        MlflowException: the mode or the frequency is none.
    """

    def __init__(
        self,
        flavor: str,
        ending: str,
        monitor: str,
        mode: str,
        save_best_only: bool,
        save_weights_only: bool,
        save_freq: str | int,
    ) -> None:
        if save_best_only and mode not in ("min", "max"):
            raise invalid(f"`mode` of checkpoints must be 'min' or 'max', not {mode!r}.")
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise invalid(
                f"`save_freq` of checkpoints must be 'epoch' or a number, not {save_freq!r}."
            )
        self.save_weights_only = save_weights_only
        self._flavor = flavor
        self._ending = (_WEIGHTS if save_weights_only else "") + ending
        self._monitor = monitor
        self._sign = 1 if mode == "min" else -1
        self._best_only = save_best_only
        self._freq = save_freq
        self._best: float | None = None

    def is_due(self, step: int) -> bool:
        """Tell whether the batch of this number asks for one."""
        return self._freq != "epoch" and step % int(self._freq) == 0

    @property
    def by_epochs(self) -> bool:
        """Whether each epoch asks for one."""
        return self._freq == "epoch"

    def consider(
        self,
        run_id: str,
        metrics: dict[str, Any],
        epoch: int,
        step: int,
        save: Callable[[str], object],
    ) -> None:
        """Keep a checkpoint with a run, if it is one to keep; a failure is a warning.

        Args:
            run_id: the run.
            metrics: what is measured of it.
            epoch: its epoch, from 0.
            step: how many batches there were.
            save: writes it to a path.
        """
        with part(self._flavor, "a checkpoint"):
            values = {key: float(value) for key, value in metrics.items()}
            if self._best_only and not self._is_better(values.get(self._monitor)):
                return
            name, place = _LATEST, _FOLDER
            if not self._best_only:
                name = "checkpoint"
                kind = f"epoch_{epoch}" if self.by_epochs else f"global_step_{step}"
                place = f"{_FOLDER}/{kind}"
            client = MlflowClient()
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, name + self._ending)
                save(path)
                with open(os.path.join(folder, f"{name}_metrics.json"), "w") as file:
                    json.dump({"epoch": epoch, "global_step": step, **values}, file)
                client.log_artifacts(run_id, folder, place)

    def _is_better(self, value: float | None) -> bool:
        # A metric that is not there yet, such as that of a validation to come, decides nothing.
        # Neither does one that is no number.
        if value is None or math.isnan(value):
            return False
        if self._best is not None and value * self._sign >= self._best:
            return False
        self._best = value * self._sign
        return True


def fetch_checkpoint(
    run_id: str | None, epoch: int | None, global_step: int | None
) -> tuple[str, bool]:
    """Bring a checkpoint here.

    Args:
        run_id: the run; the active one when None.
        epoch: the epoch it is of.
        global_step: the number of batches before it; the last one when neither is given.

    Returns:
        Its file, and whether that has weights alone.

    Raises:
        MlflowException: both are given, there is no run, or no such checkpoint.
    """
    if epoch is not None and global_step is not None:
        raise invalid("Only one of 'epoch' and 'global_step' can be set for 'load_checkpoint'.")
    if run_id is None:
        run = active_run()
        if run is None:
            raise invalid(
                "There is no active run, please provide the 'run_id' argument for "
                "'load_checkpoint' invocation."
            )
        run_id = run.info.run_id
    client = MlflowClient()
    entries = client.list_artifacts(run_id, _FOLDER)
    if not entries:
        raise not_found(f"There is no logged checkpoint artifact in the run '{run_id}'.")
    wanted = _LATEST
    if epoch is not None or global_step is not None:
        wanted = f"epoch_{epoch}" if epoch is not None else f"global_step_{global_step}"
    elif not any(_is_file(one.path, _LATEST) for one in entries):
        numbered = [one.path for one in entries if one.is_dir]
        wanted = max(numbered, key=_number, default=_FOLDER).rpartition("/")[2]
    name = wanted
    if wanted != _LATEST:
        entries, name = client.list_artifacts(run_id, f"{_FOLDER}/{wanted}"), "checkpoint"
    found = [one.path for one in entries if _is_file(one.path, name)]
    if not found:
        raise not_found(f"The run '{run_id}' has no checkpoint '{_FOLDER}/{wanted}'.")
    path = str(download_artifacts(run_id=run_id, artifact_path=found[0]))
    return path, os.path.splitext(path)[0].endswith(_WEIGHTS)


def _is_file(path: str, name: str) -> bool:
    return path.rpartition("/")[2].startswith(f"{name}.")


def _number(path: str) -> int:
    digits = re.search(r"\d+$", path)
    return int(digits[0]) if digits else -1
