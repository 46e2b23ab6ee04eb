"""What a program does with a tracking server, and what it must find; runs under any MLflow.

    python stock_client.py URI

Only what MLflow 2.6 has is used, unless the version is later.
"""

from __future__ import annotations

import math
import sys

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

IS_THREE = mlflow.__version__.startswith("3")


def code_of(call, *arguments, **options):
    """The error code that a call is refused with."""
    try:
        call(*arguments, **options)
    except MlflowException as error:
        return error.error_code
    return None


def fluent():
    """The way most programs go."""
    experiment = mlflow.set_experiment("wine")
    assert mlflow.get_experiment_by_name("wine").experiment_id == experiment.experiment_id
    with mlflow.start_run(run_name="parent") as parent:
        mlflow.log_param("alpha", 0.5)
        mlflow.log_params({"a": 1, "b": "text", "empty": ""})
        for step in range(5):
            mlflow.log_metric("rmse", 1.0 / (step + 1), step=step)
        mlflow.log_metrics({"mae": 0.25, "nan": math.nan, "inf": math.inf})
        mlflow.set_tag("team", "red")
        mlflow.set_tags({"x": "1", "ünï": "ß"})
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("rmse", 9.0)
    run = mlflow.get_run(parent.info.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "parent"
    assert run.data.params == {"alpha": "0.5", "a": "1", "b": "text", "empty": ""}
    assert run.data.metrics["rmse"] == 0.2
    assert math.isnan(run.data.metrics["nan"])
    assert run.data.metrics["inf"] > 1e300
    assert run.data.tags["ünï"] == "ß"
    found = mlflow.search_runs(
        [experiment.experiment_id],
        "metrics.rmse < 1 and params.alpha = '0.5'",
        output_format="list",
    )
    assert [one.info.run_id for one in found] == [parent.info.run_id]
    children = mlflow.search_runs(
        [experiment.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
        output_format="list",
    )  # fmt: skip
    assert [one.info.run_id for one in children] == [child.info.run_id]
    return experiment.experiment_id, parent.info.run_id


def tracking(client, experiment_id, run_id):
    """The client's operations on experiments and runs."""
    history = client.get_metric_history(run_id, "rmse")
    assert [(one.step, one.value) for one in history] == [(n, 1.0 / (n + 1)) for n in range(5)]
    run = client.create_run(experiment_id, start_time=5, tags={"k": "v"})
    other = run.info.run_id
    client.log_batch(
        other,
        [Metric("m", float(step), 10 + step, step) for step in range(1000)],
        [], [],
    )  # fmt: skip
    client.log_batch(
        other,
        [],
        [Param(f"p{n}", str(n)) for n in range(100)],
        [RunTag(f"t{n}", "x") for n in range(100)],
    )
    assert len(client.get_metric_history(other, "m")) == 1000
    kept = client.get_run(other).data
    assert (len(kept.params), kept.metrics["m"]) == (100, 999.0)
    assert code_of(client.log_param, other, "p0", "other") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.log_metric, other, "a*", 1.0) == "INVALID_PARAMETER_VALUE"
    assert code_of(client.get_run, "0" * 32) == "RESOURCE_DOES_NOT_EXIST"
    assert code_of(client.create_experiment, "wine") == "RESOURCE_ALREADY_EXISTS"
    client.delete_tag(other, "t0")
    client.update_run(other, status="FAILED", name="renamed")
    info = client.get_run(other).info
    assert (info.status, info.run_name) == ("FAILED", "renamed")
    client.delete_run(other)
    assert client.get_run(other).info.lifecycle_stage == "deleted"
    assert [
        r.info.run_id
        for r in client.search_runs([experiment_id], run_view_type=ViewType.DELETED_ONLY)
    ] == [other]
    client.restore_run(other)
    client.set_terminated(other)
    pages, token = [], None
    while True:
        page = client.search_runs(
            [experiment_id], max_results=1, order_by=["start_time DESC"], page_token=token
        )
        pages += page
        token = page.token
        if not token:
            break
    assert len(pages) == 3
    second = client.create_experiment("second", tags={"a": "b"})
    client.set_experiment_tag(second, "c", "d")
    client.rename_experiment(second, "renamed")
    assert client.get_experiment(second).name == "renamed"
    assert client.get_experiment(second).tags == {"a": "b", "c": "d"}
    client.delete_experiment(second)
    names = [
        one.name for one in client.search_experiments(view_type=ViewType.ALL, order_by=["name ASC"])
    ]
    assert names == ["Default", "renamed", "wine"]
    client.restore_experiment(second)


def registry(client, run_id):
    """Registered models, versions, stages and aliases."""
    made = client.create_registered_model("elastic", tags={"a": "b"}, description="d")
    assert made.name == "elastic"
    assert code_of(client.create_registered_model, "elastic") == "RESOURCE_ALREADY_EXISTS"
    for number in ("1", "2"):
        version = client.create_model_version(
            "elastic", "s3://bucket/model", run_id, tags={"n": number}
        )
        assert (version.version, version.status, version.run_id) == (number, "READY", run_id)
    client.set_registered_model_alias("elastic", "champion", "1")
    assert client.get_model_version_by_alias("elastic", "champion").version == "1"
    client.transition_model_version_stage("elastic", "1", "Production")
    client.transition_model_version_stage(
        "elastic", "2", "Production", archive_existing_versions=True
    )
    assert client.get_model_version("elastic", "1").current_stage == "Archived"
    assert [one.version for one in client.get_latest_versions("elastic", ["Production"])] == ["2"]
    client.set_model_version_tag("elastic", "1", "k", "v")
    client.delete_model_version_tag("elastic", "1", "k")
    client.update_model_version("elastic", "1", "words")
    assert client.get_model_version("elastic", "1").description == "words"
    assert client.get_model_version_download_uri("elastic", "1") == "s3://bucket/model"
    found = client.search_model_versions("name = 'elastic'", order_by=["version_number ASC"])
    assert [one.version for one in found] == ["1", "2"]
    assert [one.name for one in client.search_registered_models("name LIKE 'ela%'")] == ["elastic"]
    client.set_registered_model_tag("elastic", "k", "v")
    model = client.get_registered_model("elastic")
    assert (model.tags["k"], model.aliases) == ("v", {"champion": "1"})
    client.delete_registered_model_alias("elastic", "champion")
    client.rename_registered_model("elastic", "net")
    client.delete_model_version("net", "1")
    client.delete_registered_model("net")
    assert code_of(client.get_registered_model, "net") == "RESOURCE_DOES_NOT_EXIST"


def three(client, experiment_id, run_id):
    """What MLflow 3 added: logged models, inputs and outputs."""
    from mlflow.entities import LoggedModelInput, LoggedModelOutput

    model = client.create_logged_model(experiment_id, "lm", run_id, {"t": "1"}, {"p": "2"}, "kind")
    model_id = model.model_id
    client.finalize_logged_model(model_id, "READY")
    client.set_logged_model_tags(model_id, {"u": "3"})
    client.delete_logged_model_tag(model_id, "t")
    client.log_metric(run_id, "acc", 0.5, model_id=model_id)
    client.log_outputs(run_id, [LoggedModelOutput(model_id, 0)])
    client.log_inputs(run_id, models=[LoggedModelInput(model_id)])
    kept = client.get_logged_model(model_id)
    assert (str(kept.status), kept.tags["u"], kept.params) == ("READY", "3", {"p": "2"})
    assert [(one.key, one.value) for one in kept.metrics] == [("acc", 0.5)]
    found = client.search_logged_models([experiment_id], "metrics.acc > 0.1")
    assert [one.model_id for one in found] == [model_id]
    run = client.get_run(run_id)
    assert [one.model_id for one in run.outputs.model_outputs] == [model_id]
    assert [one.model_id for one in run.inputs.model_inputs] == [model_id]
    client.delete_logged_model(model_id)
    assert code_of(client.get_logged_model, model_id) == "RESOURCE_DOES_NOT_EXIST"


def main(uri):
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    experiment_id, run_id = fluent()
    tracking(client, experiment_id, run_id)
    registry(client, run_id)
    if IS_THREE:
        three(client, experiment_id, run_id)
    print("done", mlflow.__version__)


if __name__ == "__main__":
    main(sys.argv[1])
