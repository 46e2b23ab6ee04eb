"""Run by stock MLflow: fills a store, or prints what it finds in one as JSON.

Usage: moved_store.py fill URI, or moved_store.py show URI
"""

import json
import sys

import mlflow
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Metric, Param, RunTag


def fill(client):
    wine = client.create_experiment("wine", tags={"team": "a b"})
    gone = client.create_experiment("gone")
    for experiment, name in ((wine, "one"), (wine, "two"), ("0", "three"), (gone, "four")):
        run = client.create_run(experiment, run_name=name, start_time=1000, tags={"k": "größe"})
        run_id = run.info.run_id
        points = [Metric("loss", 1.0 / (step + 1), 2000 + step, step) for step in range(50)]
        points += [Metric("odd", float("nan"), 1, 0), Metric("odd", float("inf"), 2, 1)]
        params = [Param("lr", "0.1"), Param("long", "x" * 5000)]
        client.log_batch(run_id, points, params, [RunTag("mlflow.note.content", "a\n\nb")])
        if name == "one":
            dataset = MetaDataset(CodeDatasetSource(tags={}), name="data")
            entity = mlflow.entities.DatasetInput(
                dataset._to_mlflow_entity(),
                [mlflow.entities.InputTag("mlflow.data.context", "train")],
            )
            client.log_inputs(run_id, datasets=[entity])
            model = client.create_logged_model(wine, "m", source_run_id=run_id, params={"a": "1"})
            client.finalize_logged_model(model.model_id, "READY")
            client.log_metric(run_id, "acc", 0.5, step=1, model_id=model.model_id)
        if name != "two":
            client.set_terminated(run_id, "FINISHED", end_time=9000)
        if name == "three":
            client.delete_run(run_id)
    client.delete_experiment(gone)
    client.create_registered_model("wine", tags={"t": "v"}, description="about")
    for number in range(1, 4):
        client.create_model_version("wine", f"s3://bucket/{number}", tags={"n": str(number)})
    client.set_registered_model_alias("wine", "champion", 2)
    client.delete_model_version("wine", "3")


def number(value):
    """Return a number as text; MLflow's tables keep the infinite one as the largest."""
    return repr(value).replace("1.7976931348623157e+308", "inf")


def show(client):
    found = {"experiments": {}, "runs": {}, "models": {}, "versions": {}}
    experiments = client.search_experiments(view_type=3)
    for one in experiments:
        found["experiments"][one.experiment_id] = [
            one.name,
            one.artifact_location,
            one.lifecycle_stage,
            one.creation_time,
            dict(one.tags),
        ]
    ids = [one.experiment_id for one in experiments]
    for run in client.search_runs(ids, run_view_type=3):
        history = {
            key: [
                [number(p.value), p.timestamp, p.step]
                for p in client.get_metric_history(run.info.run_id, key)
            ]
            for key in run.data.metrics
        }
        found["runs"][run.info.run_id] = [
            {name: value for name, value in dict(run.info).items() if name != "run_uuid"},
            {key: number(value) for key, value in run.data.metrics.items()},
            {key: sorted(points) for key, points in history.items()},
            run.data.params,
            run.data.tags,
            [
                [one.dataset.name, one.dataset.digest, {t.key: t.value for t in one.tags}]
                for one in run.inputs.dataset_inputs
            ],
        ]
    for model in client.search_logged_models(ids):
        found["models"][model.model_id] = [
            model.name,
            model.artifact_location,
            str(model.status),
            model.params,
            [[one.key, one.value, one.step, one.run_id] for one in model.metrics or ()],
        ]
    for one in client.search_registered_models():
        aliases = {alias: str(version) for alias, version in one.aliases.items()}
        found["versions"][one.name] = [one.description, dict(one.tags), aliases]
    for one in client.search_model_versions():
        found["versions"][f"{one.name}/{one.version}"] = [
            one.source,
            one.current_stage,
            dict(one.tags),
        ]
    if "new" in sys.argv:
        made = client.create_model_version("wine", "s3://bucket/next")
        found["next"] = str(made.version)
    print("FOUND" + json.dumps(found, sort_keys=True, default=str))


if __name__ == "__main__":
    {"fill": fill, "show": show}[sys.argv[1]](mlflow.MlflowClient(sys.argv[2]))
