import dump
import optuna
from optuna_integration.mlflow import MLflowCallback

import mlflow

callback = MLflowCallback(metric_name="value", tag_study_user_attrs=True)


@callback.track_in_mlflow()
def objective(trial):
    x = trial.suggest_float("x", -1, 1)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    mlflow.log_metric("inner", x, step=trial.number)
    return x * x + (kind == "b")


study = optuna.create_study(study_name="study", sampler=optuna.samplers.TPESampler(seed=1))
study.set_user_attr("team", "x")
study.optimize(objective, n_trials=5, callbacks=[callback])
dump.say(runs=dump.runs("study"))
