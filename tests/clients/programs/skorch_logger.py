import dump
import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import MlflowLogger

import mlflow

torch.manual_seed(1)
x = np.linspace(-1, 1, 40, dtype="float32").reshape(20, 2)
y = (x[:, 0] > 0).astype("int64")
client = mlflow.MlflowClient()
run = client.create_run("0", run_name="first")
net = NeuralNetClassifier(
    torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Softmax(dim=-1)), max_epochs=3, verbose=0,
    callbacks=[MlflowLogger(run=run, client=client, terminate_after_train=True)],
)  # fmt: skip
net.fit(x, y)
runs = dump.runs()
for found in runs:
    found["metrics"].pop("dur")
    found["points"].pop("dur")
dump.say(runs=runs)
