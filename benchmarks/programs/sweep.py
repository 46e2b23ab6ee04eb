"""Log a sweep to look through: 200 runs, 12 params of which four differ, five seeds a setting.

`python sweep.py mlflow URI` or `python sweep.py aim REPOSITORY`, with the interpreter of that library.
"""

from __future__ import annotations

import itertools
import math
import random
import sys
from collections.abc import Iterator
from typing import Any

EXPERIMENT = "sweep"
RATES = ("0.3", "0.1", "0.03", "0.01", "0.003", "0.001", "0.0003", "0.0001", "0.00003", "0.00001")
#: The setting that is best, whatever the seed: what somebody who looks has to find.
BEST = {"optimizer": "sgd", "depth": "50", "lr": "0.01"}
STEPS = 20


def settings() -> Iterator[tuple[dict[str, Any], float]]:
    """Yield the params of each run, and the accuracy it comes to."""
    luck = random.Random(7)
    for optimizer, depth, lr in itertools.product(("adam", "sgd"), ("18", "50"), RATES):
        for seed in range(5):
            good = 0.85 - 0.05 * abs(math.log10(float(lr)) + 2)
            good += 0.03 * (depth == "50") + 0.015 * (optimizer == "sgd") + luck.gauss(0, 0.004)
            yield (
                {
                    "lr": lr, "optimizer": optimizer, "depth": depth, "seed": seed, "epochs": 30,
                    "batch_size": 128, "dataset": "imagenet-100", "image_size": 224, "warmup": 500,
                    "dropout": "0.1", "scheduler": "cosine", "precision": "bf16",
                },
                good,
            )  # fmt: skip


def accuracy(good: float, step: int) -> float:
    """Return the accuracy at a step of a run that comes to `good`."""
    return good * (1 - math.exp(-6 * (step + 1) / STEPS))


def _echo(model_input: Any) -> Any:
    return model_input


def to_mlflow(uri: str) -> None:
    """Log to a store of MLflow's, with a model for each run of the best setting."""
    import mlflow
    from mlflow.entities import Metric

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(EXPERIMENT)
    client = mlflow.MlflowClient()
    for params, good in settings():
        with mlflow.start_run() as run:
            mlflow.log_params(params)
            points = [Metric("val_accuracy", accuracy(good, at), 1, at) for at in range(STEPS)]
            client.log_batch(run.info.run_id, metrics=points)
            if params.items() >= BEST.items():
                mlflow.pyfunc.log_model(
                    name="model", python_model=_echo, pip_requirements=["cloudpickle"]
                )


def to_aim(repository: str) -> None:
    """Log to a repository of Aim's."""
    import aim

    for params, good in settings():
        run = aim.Run(
            repo=repository, experiment=EXPERIMENT, system_tracking_interval=None,
            log_system_params=False, capture_terminal_logs=False,
        )  # fmt: skip
        run["hparams"] = params
        for at in range(STEPS):
            run.track(accuracy(good, at), name="val_accuracy", step=at)
        run.close()


if __name__ == "__main__":
    {"mlflow": to_mlflow, "aim": to_aim}[sys.argv[1]](sys.argv[2])
