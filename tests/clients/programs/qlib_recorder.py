import dump
import qlib
from qlib.config import C
from qlib.workflow import R

import mlflow

qlib.init(
    exp_manager={
        "class": "MLflowExpManager", "module_path": "qlib.workflow.expm",
        "kwargs": {"uri": mlflow.get_tracking_uri(), "default_exp_name": "Experiment"},
    },
    provider_uri="data", skip_if_reg=True, mount_path={"__DEFAULT_FREQ": "data"},
)  # fmt: skip
with R.start(experiment_name="lines", recorder_name="first"):
    R.log_params(rate=0.1, kind="a")
    for step in range(3):
        R.log_metrics(loss=1 / (step + 1), step=step)
    R.set_tags(team="x")
    R.save_objects(**{"answer.pkl": {"answer": 42}})
    recorder = R.get_recorder()
    loaded = R.load_object("answer.pkl")
found = R.list_recorders(experiment_name="lines")
runs = dump.runs()
for run in runs:
    run["params"] = {k: v for k, v in run["params"].items() if not k.startswith("cmd")}
dump.say(
    loaded=loaded,
    found=[one.name for one in found.values()],
    runs=runs,
    provider=bool(C.registered),
)
