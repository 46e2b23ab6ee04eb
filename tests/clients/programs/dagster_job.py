import dagster
import dump
from dagster_mlflow import end_mlflow_on_run_finished, mlflow_tracking

import mlflow


@dagster.op(required_resource_keys={"mlflow"})
def train(context):
    context.resources.mlflow.log_params({"alpha": 0.5})
    context.resources.mlflow.log_metric("loss", 0.25)
    context.resources.mlflow.set_tag("t", "v")


@end_mlflow_on_run_finished
@dagster.job(resource_defs={"mlflow": mlflow_tracking})
def job():
    train()


resource = {
    "config": {
        "experiment_name": "jobs",
        "mlflow_tracking_uri": mlflow.get_tracking_uri(),
        "extra_tags": {"team": "x"},
    }
}
result = job.execute_in_process(run_config={"resources": {"mlflow": resource}})
found = dump.runs("jobs")
for run in found:
    run["tags"] = {k: v for k, v in run["tags"].items() if not k.startswith("dagster")}
dump.say(success=result.success, runs=found)
