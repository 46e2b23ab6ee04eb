import dump
import ray
from ray import tune
from ray.air.integrations.mlflow import MLflowLoggerCallback, setup_mlflow

import mlflow

uri = mlflow.get_tracking_uri()


def train(config):
    for step in range(3):
        tune.report({"loss": config["rate"] * step})


def train_by_itself(config):
    module = setup_mlflow(config, experiment_name="inside", tracking_uri=uri)
    for step in range(3):
        module.log_metrics({"loss": config["rate"] * step}, step=step)
    tune.report({"loss": 0.0})
    module.end_run()


ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
callback = MLflowLoggerCallback(
    tracking_uri=uri, experiment_name="outside", tags={"team": "x"}, save_artifact=False
)
space = {"rate": tune.grid_search([0.5, 1.0])}
tune.Tuner(
    train, param_space=space, run_config=tune.RunConfig(callbacks=[callback], verbose=0)
).fit()
tune.Tuner(train_by_itself, param_space=space, run_config=tune.RunConfig(verbose=0)).fit()
ray.shutdown()
runs = dump.runs()
for run in runs:
    for kind in ("metrics", "points"):
        run[kind] = {key: one for key, one in run[kind].items() if key == "loss"}
    run["tags"].pop("trial_name", None)
dump.say(runs=runs)
