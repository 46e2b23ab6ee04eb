import subprocess

import dump

import mlflow

mlflow.set_experiment("read")
with mlflow.start_run(run_name="first", description="a note") as run:
    mlflow.log_params({"rate": 0.1, "kind": "a"})
    for step in range(4):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.set_tag("team", "x")
    mlflow.log_text("kept", "notes/note.txt")
subprocess.run(["aim", "init", "--yes"], check=True)
subprocess.run(
    ["aim", "convert", "mlflow", "--tracking_uri", mlflow.get_tracking_uri(), "--experiment", "read"],
    check=True, timeout=200,
)  # fmt: skip
from aim import Repo, Run  # noqa: E402 - after the repository is there

[found] = Repo(".").list_all_runs()
read = Run(found, repo=".")
dump.say(
    experiment=read.experiment, note=read.description,
    points={
        metric.name: [(step, round(value, 6)) for step, (value, *_) in metric.data.items()]
        for metric in read.metrics()
        if not metric.name.startswith("__system__")
    },
    content={key: read[key] for key in ("params", "tags")}, run=read["mlflow_run_name"],
)  # fmt: skip
