"""A training loop that logs each step and knows nothing of outages."""

import time

import mlflow

STEPS = 400

mlflow.set_experiment("outage")
with mlflow.start_run() as run:
    for step in range(STEPS):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
        if step % 50 == 0:
            print(f"step {step}", flush=True)
        time.sleep(0.02)
print(f"finished {run.info.run_id}", flush=True)
