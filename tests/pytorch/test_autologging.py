"""What Lightning trains is logged, and training does not change."""

from __future__ import annotations

import importlib
import logging

import numpy as np
import pytest

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE
from mlflow.tracking.autolog import AUTOLOGGING_INTEGRATIONS

torch = pytest.importorskip("torch", reason="torch is not installed; scripts/flavors brings it")
pytest.importorskip("lightning", reason="lightning is not installed; scripts/flavors brings it")
pytestmark = pytest.mark.filterwarnings("ignore")

rng = np.random.RandomState(0)
ARRAY = rng.rand(40, 3).astype("float32")
TARGET = (ARRAY[:, :1] * 2 - ARRAY[:, 1:2]).astype("float32")


@pytest.fixture(params=["lightning.pytorch", "pytorch_lightning"])
def pl(request):
    yield importlib.import_module(request.param)
    AUTOLOGGING_INTEGRATIONS["pytorch"] = {"disable": True}


def network(pl):
    torch.manual_seed(0)

    class Net(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)
            self.losses = []

        def forward(self, x):
            return self.layer(x)

        def training_step(self, batch, number):
            loss = torch.nn.functional.mse_loss(self(batch[0]), batch[1])
            self.losses.append(float(loss))
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, number):
            self.log("val_loss", torch.nn.functional.mse_loss(self(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.02)

    return Net()


def loader():
    rows = torch.utils.data.TensorDataset(torch.tensor(ARRAY), torch.tensor(TARGET))
    return torch.utils.data.DataLoader(rows, batch_size=8)


def fit(pl, model=None, **kwargs):
    model = model or network(pl)
    trainer = pl.Trainer(
        logger=False, enable_progress_bar=False, enable_checkpointing=False, accelerator="cpu",
        enable_model_summary=False, **{"max_epochs": 2, **kwargs},
    )  # fmt: skip
    trainer.fit(model, loader(), loader())
    return model, trainer


def runs():
    return mlflow.search_runs(output_format="list", order_by=["start_time ASC"])


def steps(run, key):
    return [one.step for one in MlflowClient().get_metric_history(run.info.run_id, key)]


def test_a_training(pl):
    mlflow.pytorch.autolog()
    model, trainer = fit(pl)

    (run,) = runs()
    assert (run.info.status, mlflow.active_run()) == ("FINISHED", None)
    assert run.data.tags["mlflow.autologging"] == "pytorch"
    assert run.data.tags["Mode"] == "training"
    assert (run.data.params["lr"], run.data.params["optimizer_name"]) == ("0.02", "SGD")
    assert steps(run, "train_loss") == steps(run, "val_loss") == [0, 1]
    last = float(trainer.callback_metrics["val_loss"])
    assert run.data.metrics["val_loss"] == pytest.approx(last)
    (output,) = run.outputs.model_outputs
    logged = mlflow.get_logged_model(output.model_id)
    assert {metric.key for metric in logged.metrics} == {"train_loss", "val_loss"}
    with torch.no_grad():
        expected = model(torch.tensor(ARRAY)).numpy()
    assert np.allclose(mlflow.pyfunc.load_model(logged.model_uri).predict(ARRAY), expected)


def test_training_is_the_same_with_and_without(pl):
    bare, _ = fit(pl)
    mlflow.pytorch.autolog(log_models=False)
    watched, trainer = fit(pl)
    assert watched.losses == bare.losses
    # A trainer that fits again is watched once.
    trainer.fit_loop.max_epochs = 4
    trainer.fit(watched, loader(), loader())
    assert steps(runs()[1], "train_loss") == [2, 3]
    assert steps(runs()[0], "train_loss") == [0, 1]


@pytest.mark.parametrize("broken", ["log_batch", "log_text", "set_tag", "log_artifacts"])
def test_a_store_that_fails_stops_no_training(pl, broken, monkeypatch, caplog):
    def fails(*args, **kwargs):
        raise RuntimeError("no store")

    mlflow.pytorch.autolog()
    monkeypatch.setattr(MlflowClient, broken, fails)
    with caplog.at_level(logging.ERROR):
        model, _ = fit(pl)

    assert len(model.losses) == 10


def test_metrics_by_steps(pl):
    mlflow.pytorch.autolog(log_models=False, log_every_n_step=2, checkpoint=False)
    fit(pl)

    (run,) = runs()
    assert steps(run, "train_loss") == [1, 3, 5, 7, 9]
    assert steps(run, "val_loss") == [0, 1]
    assert MlflowClient().list_artifacts(run.info.run_id, "checkpoints") == []


def test_early_stopping(pl):
    stop = pl.callbacks.EarlyStopping("val_loss", min_delta=10.0, patience=1)
    mlflow.pytorch.autolog(log_models=False)
    fit(pl, callbacks=[stop], max_epochs=9)

    (run,) = runs()
    assert (run.data.params["patience"], run.data.metrics["stopped_epoch"]) == ("1", 1)
    assert (run.data.metrics["restored_epoch"], run.data.metrics["wait_count"]) == (0, 1)


def test_a_failing_training(pl):
    model = network(pl)
    model.layer = torch.nn.Linear(2, 1)
    mlflow.pytorch.autolog()
    with pytest.raises(RuntimeError):
        fit(pl, model)

    assert runs()[0].info.status == "FAILED"
    (logged,) = mlflow.search_logged_models(output_format="list")
    assert str(logged.status) == "FAILED"


def test_other_processes_of_one_training_log_nothing(pl, monkeypatch):
    from mlflow.pytorch import autologging

    patched = []
    monkeypatch.setattr(autologging, "when_imported", lambda *args: patched.append(args))
    monkeypatch.setenv("LOCAL_RANK", "1")
    mlflow.pytorch.autolog()
    assert patched == []
    monkeypatch.setenv("LOCAL_RANK", "0")
    mlflow.pytorch.autolog()
    assert [library for library, *_ in patched] == ["lightning", "pytorch_lightning"]


def test_checkpoints(pl, monkeypatch):
    mlflow.pytorch.autolog(log_models=False, checkpoint_save_best_only=False)
    model, _ = fit(pl)
    kind, run_id = type(model), runs()[0].info.run_id

    loaded = mlflow.pytorch.load_checkpoint(kind, run_id)
    assert torch.equal(loaded.layer.weight, model.layer.weight)
    first = mlflow.pytorch.load_checkpoint(kind, run_id, epoch=0)
    assert not torch.equal(first.layer.weight, model.layer.weight)
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a checkpoint of Lightning"):
        mlflow.pytorch.load_checkpoint(kind, run_id)
    with pytest.raises(MlflowException, match="no logged checkpoint"):
        with mlflow.start_run():
            mlflow.pytorch.load_checkpoint(kind)


def test_the_callback_by_hand(pl):
    kind = mlflow.pytorch.MlflowModelCheckpointCallback
    assert issubclass(kind, object)
    with pytest.raises(MlflowException, match="must be 'min' or 'max', not 'x'"):
        kind(mode="x")
    with pytest.raises(MlflowException, match="must be 'epoch' or a number, not 0"):
        kind(save_freq=0)
