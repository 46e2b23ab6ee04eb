"""Runs to look at: a small sweep in memory, and the client of a server over it."""

from __future__ import annotations

import math
import time

import pytest

from mlflow.entities.run import Dataset, DatasetInput, Metric, Param, RunTag
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore


class Sweep:
    """Twelve runs: three learning rates, two optimizers, two seeds."""

    def __init__(self):
        self.store = LocalStore(MemoryBackend())
        self.experiment = self.store.create_experiment("sweep")
        self.ids = []
        number = 0
        for lr in ("0.5", "0.1", "0.02"):
            for optimizer in ("adam", "sgd"):
                for seed in ("1", "2"):
                    self.ids.append(self.add(number, lr, optimizer, seed))
                    number += 1

    def add(self, number, lr="0.1", optimizer="adam", seed="1", **tags):
        store = self.store
        tags = [RunTag(key, value) for key, value in tags.items()]
        made = store.create_run(self.experiment, "ada", 1000 + number, tags, f"run-{number}")
        run_id = made.info.run_id
        params = {"lr": lr, "optimizer": optimizer, "seed": seed, "data": "wine"}
        points = [Metric("loss", 1.0 / (step + 1) + number, 1, step) for step in range(3)]
        last = Metric("score", math.nan if number == 5 else float(number), 1, 0)
        pairs = [Param(key, value) for key, value in params.items()]
        store.log_batch(run_id, [*points, last], pairs, [])
        dataset = Dataset("wine", "abc", "local", "{}")
        store.log_inputs(run_id, [DatasetInput(dataset, [])])
        store.update_run_info(run_id, 3, 2000 + number, None)
        return run_id


def filled(frame):
    """Wait until a frame has read everything."""
    end = time.monotonic() + 60
    while not frame.complete:
        frame.refresh(1)
        assert time.monotonic() < end
        time.sleep(0.001)
    return frame


@pytest.fixture
def sweep():
    return Sweep()
