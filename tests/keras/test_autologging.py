"""What Keras trains is logged, and training does not change."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import mlflow
import mlflow.keras
import mlflow.tensorflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import keras_training
from mlflow.models.deserialize import POLICY_VARIABLE
from mlflow.tracking.autolog import AUTOLOGGING_INTEGRATIONS, disable_autologging

keras = pytest.importorskip("keras", reason="keras is not installed; scripts/flavors brings it")
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

rng = np.random.RandomState(0)
ARRAY = rng.rand(40, 3).astype("float32")
TARGET = (ARRAY[:, :1] * 2 - ARRAY[:, 1:2]).astype("float32")


@pytest.fixture(params=["keras", "tensorflow"])
def flavor(request):
    pytest.importorskip(request.param, reason=f"{request.param} is not installed")
    yield getattr(mlflow, request.param)
    for name in ("keras", "tensorflow"):
        AUTOLOGGING_INTEGRATIONS[name] = {"disable": True}


def network():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)], name="net")
    model.compile("sgd", "mse")
    return model


def fit(model=None, **kwargs):
    model = model or network()
    return model, model.fit(ARRAY, TARGET, **{"epochs": 3, "verbose": 0, **kwargs})


def runs():
    return mlflow.search_runs(output_format="list", order_by=["start_time ASC"])


def history(run, key):
    points = MlflowClient().get_metric_history(run.info.run_id, key)
    return [(point.step, pytest.approx(point.value)) for point in points]


def test_a_training(flavor):
    flavor.autolog()
    model, seen = fit(validation_split=0.2)

    (run,) = runs()
    name = flavor.FLAVOR_NAME
    assert (run.info.status, mlflow.active_run()) == ("FINISHED", None)
    assert run.data.tags["mlflow.autologging"] == name
    prefix = "optimizer_" if name == "keras" else "opt_"
    assert run.data.params[f"{prefix}learning_rate"].startswith("0.0099")
    assert run.data.params["epochs"] == "3"
    for key in ("loss", "val_loss"):
        assert list(enumerate(seen.history[key])) == history(run, key)
    assert [step for step, _ in history(run, "validation_loss")] == [0, 0, 0]
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.digest == mlflow.data.from_numpy(ARRAY, targets=TARGET).digest
    (output,) = run.outputs.model_outputs
    logged = mlflow.get_logged_model(output.model_id)
    assert (str(logged.status), logged.params["epochs"]) == ("READY", "3")
    assert {"loss", "val_loss"} <= {metric.key for metric in logged.metrics}
    loaded = mlflow.pyfunc.load_model(logged.model_uri)
    assert np.allclose(loaded.predict(ARRAY), model.predict(ARRAY, verbose=0))


def test_training_is_the_same_with_and_without(flavor):
    _, bare = fit()
    flavor.autolog(log_models=False)
    _, watched = fit()

    assert watched.history == bare.history


@pytest.mark.parametrize("broken", ["log_batch", "log_text", "log_inputs", "log_artifacts"])
def test_a_store_that_fails_stops_no_training(flavor, broken, monkeypatch, caplog):
    def fails(*args, **kwargs):
        raise RuntimeError("no store")

    flavor.autolog()
    monkeypatch.setattr(MlflowClient, broken, fails)
    with caplog.at_level(logging.ERROR):
        _, seen = fit()

    assert len(seen.history["loss"]) == 3


def test_metrics_are_sent_together(flavor, monkeypatch):
    calls = []
    send = MlflowClient.log_batch

    def count(self, run_id, metrics=(), **kwargs):
        if metrics:
            calls.append(len(metrics))
        return send(self, run_id, metrics=metrics, **kwargs)

    monkeypatch.setattr(MlflowClient, "log_batch", count)
    monkeypatch.setattr("mlflow.models.boosting._SECONDS_BETWEEN", 1000.0)
    flavor.autolog(log_models=False, log_every_n_steps=1)
    fit(epochs=20, batch_size=8)

    # The first at once, the rest at the end: 100 batches and 20 epochs.
    assert sum(calls) == 120
    assert len(calls) == 2


def test_the_users_callbacks_are_kept_and_not_changed(flavor):
    flavor.autolog(log_models=False)
    own = [keras.callbacks.EarlyStopping("loss", patience=1, min_delta=100)]
    fit(callbacks=own, epochs=9)

    assert len(own) == 1
    (run,) = runs()
    assert [step for step, _ in history(run, "loss")] == [0, 1]
    if flavor is mlflow.tensorflow:
        assert run.data.metrics["stopped_epoch"] == 1
        assert run.data.params["patience"] == "1"


def test_a_failing_training_leaves_a_failed_model(flavor):
    flavor.autolog()
    with pytest.raises(ValueError):
        network().fit(ARRAY, TARGET[:3], verbose=0)

    (run,) = runs()
    assert run.info.status == "FAILED"
    (model,) = mlflow.search_logged_models(output_format="list")
    assert str(model.status) == "FAILED"


def test_switches(flavor):
    flavor.autolog(disable=True)
    fit()
    flavor.autolog(log_models=False, exclusive=True)
    with mlflow.start_run():
        fit()
    assert [run.data.params for run in runs()] == [{}]
    flavor.autolog(log_models=False, extra_tags={"team": "x"})
    with disable_autologging():
        fit()
    fit()
    assert runs()[1].data.tags["team"] == "x"
    assert len(runs()) == 2


def test_one_run_where_both_flavors_would_log():
    pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    try:
        mlflow.tensorflow.autolog(log_models=False)
        mlflow.keras.autolog(log_models=False)
        fit()
        mlflow.keras.autolog(disable=True)
        fit()
    finally:
        for name in ("keras", "tensorflow"):
            AUTOLOGGING_INTEGRATIONS[name] = {"disable": True}

    told = [run.data.tags["mlflow.autologging"] for run in runs()]
    assert told == ["keras", "tensorflow"]


@pytest.mark.parametrize("weights_only", [True, False])
def test_checkpoints(weights_only, tmp_path, monkeypatch):
    pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    kept = mlflow.tensorflow.MlflowModelCheckpointCallback(
        "loss", save_best_only=False, save_weights_only=weights_only
    )
    with mlflow.start_run() as run:
        model, _ = fit(callbacks=[kept])
        expected = model.predict(ARRAY, verbose=0)
        found = mlflow.tensorflow.load_checkpoint(network())
    assert np.allclose(found.predict(ARRAY, verbose=0), expected)
    run_id = run.info.run_id
    first = mlflow.tensorflow.load_checkpoint(network(), run_id, epoch=0)
    assert not np.allclose(first.predict(ARRAY, verbose=0), expected)
    with pytest.raises(MlflowException, match="no checkpoint 'checkpoints/epoch_7'"):
        mlflow.tensorflow.load_checkpoint(None, run_id, epoch=7)
    with pytest.raises(MlflowException, match="Only one of 'epoch' and 'global_step'"):
        mlflow.tensorflow.load_checkpoint(None, run_id, epoch=0, global_step=1)
    with pytest.raises(MlflowException, match="There is no active run"):
        mlflow.tensorflow.load_checkpoint()
    if weights_only:
        with pytest.raises(MlflowException, match="'model' argument must be provided"):
            mlflow.tensorflow.load_checkpoint(None, run_id)
    else:
        monkeypatch.setenv(POLICY_VARIABLE, "false")
        with pytest.raises(MlflowException, match="a Keras model as HDF5"):
            mlflow.tensorflow.load_checkpoint(None, run_id)


def test_callbacks_by_hand(flavor):
    callback = flavor.MlflowCallback(log_every_epoch=False, log_every_n_steps=2)
    assert flavor.MLflowCallback is flavor.MlflowCallback
    with mlflow.start_run() as run:
        fit(callbacks=[callback], batch_size=8)

    assert [step for step, _ in history(run, "loss")] == list(range(2, 16, 2))
    with pytest.raises(MlflowException, match="`log_every_n_steps` must be specified"):
        flavor.MlflowCallback(log_every_epoch=False)


def test_the_size_of_a_batch_is_asked_of_data_that_can_be_asked():
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
    batches = tf.data.Dataset.from_tensor_slices((ARRAY, TARGET)).batch(8)
    generator = iter([1])
    assert keras_training._batch_size(batches) == 8
    assert keras_training._batch_size(generator) is None
    assert next(generator) == 1
