"""Trains small networks under autologging and prints what the runs hold; for stock and ours.

`networks.py LIBRARY FOLDER`, where LIBRARY is `tensorflow`, `keras`, `lightning` or `all`; the store lies below FOLDER.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

import mlflow

random = np.random.RandomState(0)
ARRAY = random.rand(40, 3).astype("float32")
TARGET = (ARRAY[:, :1] * 2 - ARRAY[:, 1:2]).astype("float32")


# ------------------------------------------------------------------- keras


def network(optimizer="sgd", name="net", **more):
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((3,), name="x"),
            keras.layers.Dense(4, "relu", name="one"),
            keras.layers.Dense(1, name="two"),
        ],
        name=name,
    )
    model.compile(optimizer, "mse", metrics=["mae"], **more)
    return model


def plain():
    network().fit(ARRAY, TARGET, epochs=3, batch_size=8, verbose=0)


def defaults():
    network("adam").fit(ARRAY, TARGET, verbose=0)


def validated():
    import keras

    optimizer = keras.optimizers.Adam(0.01, epsilon=1e-6)
    network(optimizer).fit(ARRAY, TARGET, epochs=2, verbose=0, validation_split=0.25, shuffle=False)


def validated_on_data():
    network().fit(ARRAY, TARGET, epochs=2, verbose=0, validation_data=(ARRAY[:8], TARGET[:8]))


def stops_early():
    import keras

    stop = keras.callbacks.EarlyStopping("loss", patience=1, min_delta=10, verbose=0)
    network().fit(ARRAY, TARGET, epochs=9, verbose=0, callbacks=[stop])


def stops_early_and_restores():
    import keras

    stop = keras.callbacks.EarlyStopping(
        "loss", patience=2, min_delta=10, restore_best_weights=True
    )
    network().fit(ARRAY, TARGET, epochs=9, verbose=0, callbacks=[stop])


def could_stop_early():
    import keras

    stop = keras.callbacks.EarlyStopping("loss", patience=5)
    network().fit(ARRAY, TARGET, epochs=2, verbose=0, callbacks=[stop])


def on_batches():
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((ARRAY, TARGET)).batch(8)
    network().fit(data, epochs=2, verbose=0, validation_data=data)


def on_tensors():
    import tensorflow as tf

    network().fit(tf.constant(ARRAY), tf.constant(TARGET), epochs=1, verbose=0)


def on_generator():
    def batches():
        while True:
            yield ARRAY[:8], TARGET[:8]

    network().fit(batches(), steps_per_epoch=3, epochs=2, verbose=0)


def with_weights():
    network().fit(
        ARRAY, TARGET, epochs=1, verbose=0,
        sample_weight=np.ones(40, "float32"),
    )  # fmt: skip


def several_inputs():
    import keras

    keras.utils.set_random_seed(0)
    a, b = keras.Input((2,), name="a"), keras.Input((1,), name="b")
    both = keras.layers.Concatenate(name="c")([a, b])
    model = keras.Model({"a": a, "b": b}, keras.layers.Dense(1, name="d")(both), name="several")
    model.compile("sgd", "mse")
    model.fit({"a": ARRAY[:, :2], "b": ARRAY[:, 2:]}, TARGET, epochs=1, verbose=0)


def own_run():
    with mlflow.start_run(run_name="own"):
        network("adam").fit(ARRAY, TARGET, epochs=3, verbose=0, initial_epoch=1)


def fails():
    try:
        network().fit(ARRAY, TARGET[:3], epochs=1, verbose=0)
    except ValueError:
        pass


def evaluated():
    model = network()
    model.fit(ARRAY, TARGET, epochs=1, verbose=0)
    model.evaluate(ARRAY, TARGET, verbose=0)
    model.predict(ARRAY, verbose=0)


# --------------------------------------------------------------- lightning


def module(pl, **changes):
    import torch

    torch.manual_seed(0)

    class Net(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 1)

        def forward(self, x):
            return self.layer(x)

        def training_step(self, batch, number):
            x, y = batch
            loss = torch.nn.functional.mse_loss(self(x), y)
            self.log("train_loss", loss, **changes)
            return loss

        def validation_step(self, batch, number):
            x, y = batch
            self.log("val_loss", torch.nn.functional.mse_loss(self(x), y))

        def test_step(self, batch, number):
            x, y = batch
            self.log("test_loss", torch.nn.functional.mse_loss(self(x), y))

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=0.02)

    return Net()


def loader():
    import torch

    rows = torch.utils.data.TensorDataset(torch.tensor(ARRAY), torch.tensor(TARGET))
    return torch.utils.data.DataLoader(rows, batch_size=8)


def trainer(pl, **more):
    more.setdefault("max_epochs", 2)
    return pl.Trainer(
        logger=False, enable_progress_bar=False, accelerator="cpu",
        enable_checkpointing=False, enable_model_summary=False, log_every_n_steps=1, **more,
    )  # fmt: skip


def pl_plain(pl):
    trainer(pl).fit(module(pl), loader())


def pl_validated(pl):
    trainer(pl, max_epochs=3).fit(module(pl), loader(), loader())


def pl_by_epoch(pl):
    trainer(pl).fit(module(pl, on_step=True, on_epoch=True), loader(), loader())


def pl_stops_early(pl):
    stop = pl.callbacks.EarlyStopping("val_loss", min_delta=10.0, patience=1, mode="min")
    trainer(pl, max_epochs=9, callbacks=[stop]).fit(module(pl), loader(), loader())


def pl_tested(pl):
    model, by = module(pl), trainer(pl)
    by.fit(model, loader(), loader())
    by.test(model, loader(), verbose=False)


def pl_own_run(pl):
    with mlflow.start_run(run_name="own"):
        trainer(pl).fit(module(pl), loader())


def pl_fails(pl):
    class Bad(type(module(pl))):
        def training_step(self, batch, number):
            raise RuntimeError("no")

    try:
        trainer(pl).fit(Bad(), loader())
    except RuntimeError:
        pass


KERAS = [plain, defaults, validated, validated_on_data, stops_early, stops_early_and_restores,
         could_stop_early, on_batches, on_tensors, on_generator, with_weights, several_inputs,
         own_run, fails, evaluated]  # fmt: skip
LIGHTNING = [one for name, one in list(globals().items()) if name.startswith("pl_")]
# What of a fit is told in another way by each machine and moment.
UNSTABLE = ("tensorboard_logs",)


# --------------------------------------------------------------- recording


def files(client, run_id, path=None):
    for info in client.list_artifacts(run_id, path):
        if info.path == "model":  # of the logged model, whose files are compared elsewhere
            continue
        if info.is_dir:
            yield from files(client, run_id, info.path)
        elif not info.path.startswith(UNSTABLE):
            yield info.path
        elif "events" in info.path:
            yield info.path.rpartition("/")[0]


def text_of(run_id, path):
    if not path.endswith((".txt", "metrics.json")):
        return None
    with open(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=path)) as file:
        return json.load(file) if path.endswith(".json") else file.read()


def near(value):
    return float(f"{value:.5g}")


def model_of(model_id):
    logged = mlflow.get_logged_model(model_id)
    described = mlflow.models.get_model_info(f"models:/{model_id}")
    return {
        "name": logged.name,
        "status": str(logged.status),
        "tags": chosen(logged.tags),
        "params": logged.params,
        "metrics": sorted({m.key for m in logged.metrics or []}),
        "signature": str(described.signature),
        "example": described.saved_input_example_info,
        "flavors": described.flavors,
    }


def chosen(tags):
    kept = ("mlflow.autologging", "mlflow.user", "mlflow.source.type")
    return {k: v for k, v in tags.items() if k in kept or not k.startswith("mlflow.")}


def describe(run):
    client = mlflow.MlflowClient()
    run_id = run.info.run_id
    outputs = run.outputs.model_outputs if run.outputs else []
    return {
        "status": run.info.status,
        "params": run.data.params,
        "tags": chosen(run.data.tags),
        "metrics": {
            key: [[one.step, near(one.value)] for one in client.get_metric_history(run_id, key)]
            for key in sorted(run.data.metrics)
        },
        "inputs": sorted(
            [one.dataset.name, one.dataset.digest, one.dataset.source_type, one.dataset.schema,
             one.dataset.profile, [tag.value for tag in one.tags]]
            for one in run.inputs.dataset_inputs
        ),
        "files": {path: text_of(run_id, path) for path in sorted(set(files(client, run_id)))},
        "models": sorted((model_of(one.model_id) for one in outputs), key=str),
    }  # fmt: skip


def record(label, train, *args):
    experiment = mlflow.set_experiment(label)
    train(*args)
    runs = mlflow.search_runs([experiment.experiment_id], output_format="list")
    return sorted(map(describe, runs), key=lambda run: json.dumps(run, sort_keys=True))


def of_keras(flavor, more):
    found = {}
    flavor.autolog(log_models=False)
    for train in KERAS:
        found[train.__name__] = record(train.__name__, train)
    flavor.autolog(extra_tags={"team": "x"})
    for train in (plain, validated_on_data, several_inputs, own_run):
        found[f"{train.__name__} with models"] = record(f"{train.__name__} with models", train)
    flavor.autolog(log_input_examples=True, log_every_n_steps=2, log_every_epoch=False,
                   log_datasets=False, registered_model_name="kept")  # fmt: skip
    found["with options"] = record("with options", plain)
    for name, options in more.items():
        flavor.autolog(log_models=False, **options)
        found[name] = record(name, validated_on_data)
    flavor.autolog(exclusive=True)
    found["exclusive"] = record("exclusive", own_run)
    return found


def of_all():
    import lightning.pytorch as pl

    # Imported before: stock waits for it in vain. Of Keras and TensorFlow, which both would log a
    # fit, stock takes now the one and now the other.
    mlflow.autolog(log_models=False)
    return {"lightning": record("lightning", pl_plain, pl)}


def of_lightning():
    import importlib

    # The older name: of early stopping with the newer one, stock tells nothing.
    pl = importlib.import_module("pytorch_lightning")
    found = {}
    mlflow.pytorch.autolog(log_models=False)
    for train in LIGHTNING:
        found[train.__name__] = record(train.__name__, train, pl)
    mlflow.pytorch.autolog(extra_tags={"team": "x"}, checkpoint=False)
    found["with models"] = record("with models", pl_validated, pl)
    for name, options in {
        "by steps": {"log_every_n_step": 2},
        "every second epoch": {"log_every_n_epoch": 2},
        "all checkpoints": {"checkpoint_save_best_only": False},
        "weights": {"checkpoint_save_weights_only": True},
        "by number": {"checkpoint_save_freq": 4},
        "best mae": {"checkpoint_monitor": "train_loss", "checkpoint_mode": "max"},
    }.items():
        mlflow.pytorch.autolog(log_models=False, **options)
        found[name] = record(name, pl_validated, pl)
    mlflow.pytorch.autolog(exclusive=True)
    found["exclusive"] = record("exclusive", pl_own_run, pl)
    return found


CHECKPOINTS = {
    "all checkpoints": {"checkpoint_save_best_only": False},
    "weights": {"checkpoint_save_weights_only": True},
    "by number": {"checkpoint_save_freq": 4, "checkpoint_monitor": "loss"},
    "no checkpoints": {"checkpoint": False},
}


def main(library):
    if library in ("lightning", "all"):
        return of_lightning() if library == "lightning" else of_all()
    import importlib

    return of_keras(
        importlib.import_module(f"mlflow.{library}"), CHECKPOINTS if library == "tensorflow" else {}
    )


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    # Spares stock the processes, one a model, that find out what a model imports.
    mlflow.models.infer_pip_requirements = lambda *args, **kwargs: []
    os.chdir(sys.argv[2])
    mlflow.set_tracking_uri(f"sqlite:///{sys.argv[2]}/mlflow.db")
    print(json.dumps(main(sys.argv[1]), sort_keys=True))
