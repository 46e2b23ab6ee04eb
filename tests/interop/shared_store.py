"""Runs with any MLflow: adds to a store, or prints what it reads of one.

`shared_store.py add FOLDER STORE NAME` adds one of everything, called NAME, to the store at the URI
STORE; `shared_store.py go-on FOLDER STORE` goes on with what is there; `shared_store.py read FOLDER
STORE` prints all that a client sees, as JSON. FOLDER is worked in.
"""

from __future__ import annotations

import json
import math
import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import mlflow
from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    RunTag,
    ViewType,
)

IS_2 = mlflow.__version__.startswith("2.")
VALUES = [0.1, -0.0, 1e-300, 123456789.123456789, math.nan, math.inf, -math.inf, 5e-324]
TEXTS = ["", "plain", "two\nlines\n", " ü: 'quoted' \"twice\" #x ", "0123", "null", "x" * 500]


def add(client: MlflowClient, name: str) -> None:
    experiment = client.create_experiment(f"{name}: öne", tags={"t": f"of {name}"})
    gone = client.create_experiment(f"{name} gone")
    client.set_experiment_tag(experiment, "n/e", "x")
    runs = [
        client.create_run(experiment, 1000 + number, {"mlflow.user": name}, f"{name} {number}")
        for number in range(3)
    ]
    first = runs[0].info.run_id
    for step, value in enumerate(VALUES):
        client.log_metric(first, "deep/er/loss", value, 2000 + step, step)
    client.log_batch(
        first,
        [Metric("acc", 0.5, 3, -1), Metric("acc", 0.25, 3, 7), Metric("acc", 0.75, 2, 7)],
        [Param(f"p{number}", text) for number, text in enumerate(TEXTS)],
        [RunTag(f"a b/t{number}", text) for number, text in enumerate(TEXTS)],
    )
    used = Dataset(f"{name} wine", "d1", "local", '{"uri": "a"}', '{"mlflow_colspec": []}', "{}")
    client.log_inputs(first, [DatasetInput(used, [InputTag("mlflow.data.context", "train")])])
    client.log_text(first, "hello", "folder/text.txt")
    client.set_terminated(first, "FAILED", 5000)
    client.delete_run(runs[1].info.run_id)
    client.create_run(gone)
    client.delete_experiment(gone)
    add_models(client, name, runs[2].info)


def add_models(client: MlflowClient, name: str, run) -> None:
    model = f"{name} model"
    client.create_registered_model(model, {"k": f"of {name}"}, "what\nit is")
    for number in range(3):
        client.create_model_version(
            model, f"{run.artifact_uri}/m{number}", run.run_id, {"n": str(number)}, None, "text ü"
        )
    client.set_registered_model_alias(model, "best", "2")
    client.transition_model_version_stage(model, "1", "Production")
    client.delete_model_version(model, "3")
    if not IS_2:
        kept = client.create_logged_model(
            run.experiment_id, f"{name}-logged", run.run_id, {"t": "x"}, {"p": "1"}, "kind"
        )
        client.log_metric(run.run_id, "of_model", 0.5, 7, 1, model_id=kept.model_id)
        client.finalize_logged_model(kept.model_id, "READY")


def go_on(client: MlflowClient) -> None:
    """Change what either program made: runs, experiments, versions."""
    for experiment in client.search_experiments():
        if experiment.name == "Default":
            continue
        client.set_experiment_tag(experiment.experiment_id, "visits", experiment.name + "+")
        for run in client.search_runs([experiment.experiment_id], order_by=["start_time ASC"]):
            points = client.get_metric_history(run.info.run_id, "visits")
            client.log_metric(run.info.run_id, "visits", len(points) + 0.5, 9, len(points))
            client.set_tag(run.info.run_id, "visit", str(len(points)))
            client.log_param(run.info.run_id, f"visit{len(points)}", mlflow.__version__)
            client.update_run(run.info.run_id, "RUNNING", f"visit {len(points)}")
    for model in client.search_registered_models():
        version = client.create_model_version(model.name, "file:///somewhere")
        client.set_registered_model_alias(model.name, "best", version.version)
        client.set_model_version_tag(model.name, "1", "visits", str(version.version))


def plain(value):
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in sorted(value.items())}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def fields(entity, *names: str):
    return {name: plain(getattr(entity, name)) for name in names}


def of_run(client: MlflowClient, run_id: str):
    run = client.get_run(run_id)
    return {
        **fields(run.info, "run_id", "experiment_id", "user_id", "status", "start_time", "end_time",
                 "lifecycle_stage", "artifact_uri", "run_name"),
        **fields(run.data, "metrics", "params", "tags"),
        "histories": {
            key: [[repr(p.value), p.timestamp, p.step] for p in client.get_metric_history(run_id, key)]
            for key in sorted(run.data.metrics)
        },
        "datasets": sorted(
            [[*(value for _, value in sorted(dict(one.dataset).items())), *map(str, one.tags)]
             for one in run.inputs.dataset_inputs], key=repr,
        ),
        "artifacts": [] if run.info.lifecycle_stage == "deleted" else sorted(
            one.path for folder in ("", "folder") for one in client.list_artifacts(run_id, folder)
        ),
    }  # fmt: skip


def of_models(client: MlflowClient):
    models = {
        model.name: {
            **fields(model, "creation_timestamp", "last_updated_timestamp", "description", "tags"),
            "aliases": {key: str(value) for key, value in sorted(model.aliases.items())},
            "latest": sorted(str(one.version) for one in model.latest_versions),
        }
        for model in client.search_registered_models()
    }
    versions = {
        f"{one.name}/{one.version}": fields(
            one, "creation_timestamp", "last_updated_timestamp", "current_stage", "description",
            "source", "run_id", "status", "tags",
        ) | {"aliases": sorted(client.get_model_version(one.name, one.version).aliases)}
        for one in client.search_model_versions()
    }  # fmt: skip
    return models, versions


def of_logged_models(client: MlflowClient, experiments):
    return [] if IS_2 else sorted((
        {
            **fields(one, "model_id", "experiment_id", "name", "artifact_location", "model_type",
                     "creation_timestamp", "last_updated_timestamp", "source_run_id", "tags", "params"),
            "status": str(one.status),
            "metrics": sorted([m.key, repr(m.value), m.step, m.run_id] for m in one.metrics or ()),
        }
        for one in client.search_logged_models(experiments)
    ), key=lambda one: one["model_id"])  # fmt: skip


def read(client: MlflowClient):
    experiments = sorted(client.search_experiments(ViewType.ALL), key=lambda one: one.experiment_id)
    active = [one.experiment_id for one in experiments if one.lifecycle_stage == "active"]
    runs = [
        run.info.run_id
        for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY)
        for run in client.search_runs([one.experiment_id for one in experiments], "", view)
    ]
    return {
        "experiments": [
            fields(one, "experiment_id", "name", "artifact_location", "lifecycle_stage", "tags")
            for one in experiments
        ],
        "runs": [of_run(client, run_id) for run_id in sorted(runs)],
        "failed": sorted(
            run.info.run_id for run in client.search_runs(active, "attributes.status = 'FAILED'")
        ),
        "registry": of_models(client),
        "logged models": of_logged_models(client, active),
    }


if __name__ == "__main__":
    what, folder, store = sys.argv[1:4]
    os.chdir(folder)
    the_client = MlflowClient(store, store)
    if what == "add":
        add(the_client, sys.argv[4])
    elif what == "go-on":
        go_on(the_client)
    print(json.dumps(read(the_client), sort_keys=True))
