import dump
import numpy as np
import torch
from ignite.engine import Engine
from monai.handlers import MLFlowHandler

import mlflow


def step(engine, batch):
    return {"loss": float(engine.state.iteration)}


engine = Engine(step)
handler = MLFlowHandler(
    tracking_uri=mlflow.get_tracking_uri(), experiment_name="scans", run_name="first",
    experiment_param={"rate": 0.1}, output_transform=lambda output: output["loss"],
    dataset_dict={"training": [{"image": f"{i}.nii"} for i in range(3)]}, close_on_complete=True,
    iteration_log=True,
)  # fmt: skip
handler.attach(engine)
engine.state.metrics = {"dice": 0.5}
engine.run([torch.zeros(1), np.ones(1)], max_epochs=2)
client = mlflow.MlflowClient()
[run] = client.search_runs([client.get_experiment_by_name("scans").experiment_id])
dump.say(
    runs=dump.runs(),
    inputs=[(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs],
)
