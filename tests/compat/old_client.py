"""What a client of MLflow 1.x or 2.x asks a server for, from the first call to the last; for recording."""

import contextlib
import os
import sys
import tempfile

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

uri = sys.argv[1]
mlflow.set_tracking_uri(uri)
client = MlflowClient(uri)
number = client.create_experiment(
    "old " + mlflow.__version__, artifact_location="mlflow-artifacts:/old"
)
client.get_experiment(number)
client.get_experiment_by_name("old " + mlflow.__version__)
client.set_experiment_tag(number, "team", "x")
client.rename_experiment(number, "older " + mlflow.__version__)
list_experiments = getattr(client, "list_experiments", None) or client.search_experiments
with contextlib.suppress(mlflow.exceptions.MlflowException):
    list_experiments()
run = client.create_run(number, tags={"kind": "a"})
name = run.info.run_id
client.log_param(name, "rate", 0.1)
client.log_metric(name, "loss", 0.5, timestamp=1_600_000_000_000, step=1)
client.log_metric(name, "loss", float("nan"), timestamp=1_600_000_000_001, step=2)
client.log_metric(name, "far", float("inf"), timestamp=1_600_000_000_002)
client.log_batch(
    name,
    metrics=[Metric("loss", 0.25, 1_600_000_000_003, 3)],
    params=[Param("layers", "2")],
    tags=[RunTag("team", "x")],
)
client.set_tag(name, "note", "kept")
client.delete_tag(name, "note")
client.get_run(name)
client.get_metric_history(name, "loss")
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "note.txt")
    with open(path, "w") as file:
        file.write("kept")
    # Clients older than 1.23 do not know how to reach artifacts through the server.
    with contextlib.suppress(mlflow.exceptions.MlflowException):
        client.log_artifact(name, path, "notes")
with contextlib.suppress(mlflow.exceptions.MlflowException):
    client.list_artifacts(name)
    client.list_artifacts(name, "notes")
client.search_runs([number], "metrics.loss > 0 and params.rate = '0.1'", order_by=["metrics.loss"])
client.set_terminated(name)
client.delete_run(name)
client.restore_run(name)
client.create_registered_model("model", tags={"a": "b"})
version = client.create_model_version("model", f"mlflow-artifacts:/old/{name}/artifacts", name)
client.update_model_version("model", version.version, "described")
client.set_registered_model_tag("model", "c", "d")
client.set_model_version_tag("model", version.version, "c", "d")
client.delete_model_version_tag("model", version.version, "c")
client.get_model_version("model", version.version)
client.get_latest_versions("model", ["None"])
client.transition_model_version_stage("model", version.version, "Staging")
client.search_model_versions("name = 'model'")
client.get_registered_model("model")
with contextlib.suppress(mlflow.exceptions.MlflowException):
    (getattr(client, "list_registered_models", None) or client.search_registered_models)()
client.get_model_version_download_uri("model", version.version)
client.rename_registered_model("model", "renamed")
client.delete_model_version("renamed", version.version)
client.delete_registered_model("renamed")
for call in (
    lambda: client.get_run("0" * 32),
    lambda: client.create_experiment("older " + mlflow.__version__),
):
    try:
        call()
    except mlflow.exceptions.MlflowException as error:
        print(error)
client.delete_experiment(number)
client.restore_experiment(number)
