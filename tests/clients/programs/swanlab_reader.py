import subprocess

import dump
import swanlab

import mlflow

mlflow.set_experiment("read")
with mlflow.start_run(run_name="first"):
    mlflow.log_params({"rate": 0.1, "kind": "a"})
    for step in range(4):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
done = subprocess.run(
    ["swanlab", "convert", "--type", "mlflow", "--mlflow-url", mlflow.get_tracking_uri(),
     "--mlflow-exp", "read", "--mode", "offline", "--logdir", "kept", "--project", "read"],
    check=True, timeout=200, capture_output=True, text=True,
)  # fmt: skip
swanlab.sync_mlflow(mode="disabled")
mlflow.set_experiment("patched")
with mlflow.start_run(run_name="second"):
    mlflow.log_param("rate", 0.1)
    mlflow.log_metric("loss", 0.5, step=1)
    mlflow.log_metrics({"loss": 0.25, "other": 1.0}, step=2)
print(done.stdout, done.stderr)
dump.say(runs=dump.runs())
