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
    client = mlflow.MlflowClient()
    found = []
    for experiment in client.search_experiments():
        if names and experiment.name not in names:
            continue
        for run in client.search_runs([experiment.experiment_id]):
            found.append(
                {
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
                    "tags": {k: v for k, v in run.data.tags.items() if not VOLATILE.match(k)},
                    "files": sorted(files(client, run.info.run_id)),
                    "is nested": "mlflow.parentRunId" in run.data.tags,
                }
            )
            found[-1]["tags"].pop("mlflow.parentRunId", None)
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True, default=str))


def files(client, run_id, path=None):
    for one in client.list_artifacts(run_id, path):
        if one.is_dir:
            yield from files(client, run_id, one.path)
        else:
            yield one.path


def say(**shown):
    with open(os.environ["SHOWN"], "w") as file:
        json.dump(shown, file, indent=1, sort_keys=True, default=str)
