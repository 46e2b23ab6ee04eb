"""Which checkpoints of a training are kept, and which one is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models.checkpoints import Checkpoints, fetch_checkpoint


def kept(run, values, monitor="loss", mode="min", best=True, freq="epoch"):
    found = Checkpoints("keras", ".h5", monitor, mode, best, False, freq)
    for number, value in enumerate(values):
        text = f"{number}"
        found.consider(
            run.info.run_id, {} if value is None else {"loss": value}, number, 10 * number,
            lambda path, text=text: Path(path).write_text(text),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "values", "expected"),
    [
        ("min", [3.0, 1.0, 2.0, 1.0], "1"),
        ("max", [3.0, 1.0, 4.0], "2"),
        ("min", [None, 3.0, None], "1"),
        ("min", [float("nan"), 3.0], "1"),
    ],
)
def test_the_best_is_kept(mode, values, expected):
    with mlflow.start_run() as run:
        kept(run, values, mode=mode)
        path, weights_only = fetch_checkpoint(None, None, None)

    assert (Path(path).read_text(), weights_only) == (expected, False)


def test_all_are_kept_and_found_by_number():
    with mlflow.start_run() as run:
        kept(run, [1.0] * 12, best=False)
    run_id = run.info.run_id

    assert Path(fetch_checkpoint(run_id, 3, None)[0]).read_text() == "3"
    # The last by number, not by name.
    assert Path(fetch_checkpoint(run_id, None, None)[0]).read_text() == "11"
    text = mlflow.artifacts.load_text(f"runs:/{run_id}/checkpoints/epoch_3/checkpoint_metrics.json")
    assert json.loads(text) == {"epoch": 3, "global_step": 30, "loss": 1.0}
    with pytest.raises(MlflowException, match="no checkpoint 'checkpoints/global_step_7'"):
        fetch_checkpoint(run_id, None, 7)


def test_batches_ask_for_one():
    found = Checkpoints("keras", ".h5", "loss", "min", True, True, 4)
    assert [step for step in range(1, 9) if found.is_due(step)] == [4, 8]
    assert not found.by_epochs


def test_no_metric_no_checkpoint():
    with mlflow.start_run() as run:
        kept(run, [1.0], monitor="val_loss")
        with pytest.raises(MlflowException, match="no logged checkpoint"):
            fetch_checkpoint(run.info.run_id, None, None)
