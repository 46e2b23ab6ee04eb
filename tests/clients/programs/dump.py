"""What is in a store, as the tests compare it: printed as JSON, without what differs each time."""

import json
import os
import re

import mlflow

VOLATILE = re.compile(
    r"mlflow\.(source\.|user|runName|log-model|modelId|dataset)|datetime|millstream\.|session|"
    r"flaml.*(time|id)|start_time|.*timestamp"
)


def runs(*names):
    """Return the runs of experiments, of all by default, in an order that does not depend on time."""
    client = mlflow.MlflowClient()
    found = []
    for experiment in client.search_experiments():
        if names and experiment.name not in names:
            continue
        models = client.search_logged_models([experiment.experiment_id])
        for run in client.search_runs([experiment.experiment_id]):
            own = [one for one in models if one.source_run_id == run.info.run_id]
            found.append(_run(client, experiment, run, own))
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True, default=str))


def _run(client, experiment, run, models):
    tags = {k: v for k, v in run.data.tags.items() if not VOLATILE.match(k)}
    return {
        "experiment": experiment.name,
        "status": run.info.status,
        "params": run.data.params,
        "metrics": {key: round(one, 6) for key, one in run.data.metrics.items()},
        "points": {
            key: [
                (one.step, round(one.value, 6))
                for one in client.get_metric_history(run.info.run_id, key)
            ]
            for key in run.data.metrics
        },
        "is nested": tags.pop("mlflow.parentRunId", None) is not None,
        "tags": tags,
        "files": sorted(
            path
            for path in {*files(client, run.info.run_id), *model_files(client, models)}
            # MLflow writes it beside a model that it loads by its id.
            if not path.endswith("/registered_model_meta")
        ),
    }


def files(client, run_id, path=None):
    for one in client.list_artifacts(run_id, path):
        if one.is_dir:
            yield from files(client, run_id, one.path)
        else:
            yield one.path


def model_files(client, models):
    """Give the files of logged models as if they lay below their runs; MLflow 3 keeps them beside."""
    for model in models:
        waiting = [None]
        while waiting:
            for one in client.list_logged_model_artifacts(model.model_id, waiting.pop()):
                if one.is_dir:
                    waiting.append(one.path)
                else:
                    yield f"{model.name}/{one.path}"


def say(**shown):
    """Leave what is compared in the file that the tests name."""
    with open(os.environ["SHOWN"], "w") as file:
        json.dump(shown, file, indent=1, sort_keys=True, default=str)
