import functools

import dump
import flaml
from sklearn.datasets import load_iris

import mlflow

# Stock MLflow refuses FLAML's model unless told how to keep it: skops cannot.
mlflow.sklearn.log_model = functools.partial(
    mlflow.sklearn.log_model, serialization_format="cloudpickle"
)
x, y = load_iris(return_X_y=True, as_frame=True)


def search(name, is_logged):
    mlflow.set_experiment(name)
    if is_logged:
        mlflow.autolog(silent=True)
    else:
        mlflow.autolog(disable=True, silent=True)
    automl = flaml.AutoML()
    with mlflow.start_run(run_name="search"):
        automl.fit(
            x, y, task="classification", max_iter=3, time_budget=-1, estimator_list=["lgbm"],
            verbose=0, seed=1, n_jobs=1, log_file_name="",
        )  # fmt: skip
    return automl.best_config


best = [search("plain", False), search("logged", True)]
runs = dump.runs()
for run in runs:
    for kind in ("metrics", "points"):
        run[kind] = {key: one for key, one in run[kind].items() if "time" not in key}
dump.say(best=best, runs=runs)
