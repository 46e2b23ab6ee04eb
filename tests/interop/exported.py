"""Fills a server with runs and models, or describes what it has. `exported.py fill|describe URI`."""

from __future__ import annotations

import json
import os
import sys
import tempfile

import mlflow
from mlflow.entities import Metric, Param, RunTag

NAME, MODEL = "exported", "Moved"


def fill(client):
    """Make one experiment with two runs, and a registered model with two versions."""
    experiment_id = client.create_experiment(NAME, tags={"e": "é"})
    client.create_registered_model(MODEL, {"t": "1"}, "about")
    for number in range(2):
        run = client.create_run(experiment_id, run_name=f"run {number}")
        run_id = run.info.run_id
        client.log_batch(
            run_id,
            [Metric("m", 0.1 * step + number, 1000 + step, step) for step in range(150)],
            [Param(f"p{n}", "é" * n or "-") for n in range(20)],
            [RunTag("t", f"v{number}")],
        )
        client.log_text(run_id, f"text {number}", "a/b.txt")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "MLmodel")
            with open(path, "w") as file:
                file.write("flavors: {}\n")
            client.log_artifact(run_id, path, "model")
        client.create_model_version(
            MODEL, f"{client.get_run(run_id).info.artifact_uri}/model", run_id, {"v": str(number)}
        )
        client.set_terminated(run_id, "FINISHED", 5_000)


def describe(client):
    """Return what a user sees, without ids and addresses."""
    experiment = client.get_experiment_by_name(NAME)
    runs = {}
    for run in client.search_runs([experiment.experiment_id]):
        history = client.get_metric_history(run.info.run_id, "m")
        runs[run.info.run_name] = {
            "status": run.info.status,
            "metrics": sorted([one.step, one.timestamp, one.value] for one in history),
            "params": dict(sorted(run.data.params.items())),
            "tag": run.data.tags["t"],
            "text": mlflow.artifacts.load_text(f"{run.info.artifact_uri}/a/b.txt"),
        }
    model = client.get_registered_model(MODEL)
    versions = {}
    for one in client.search_model_versions(f"name = '{MODEL}'"):
        versions[one.version] = {
            "tag": one.tags["v"],
            "run": client.get_run(one.run_id).info.run_name,
            "files": sorted(file.path for file in client.list_artifacts(one.run_id, "model")),
        }
    return {
        "tag": experiment.tags["e"],
        "runs": dict(sorted(runs.items())),
        "model": [model.description, model.tags["t"]],
        "versions": dict(sorted(versions.items())),
    }


if __name__ == "__main__":
    mlflow.set_tracking_uri(sys.argv[2])
    if sys.argv[1] == "fill":
        fill(mlflow.MlflowClient())
    else:
        print(json.dumps(describe(mlflow.MlflowClient())))  # noqa: T201
