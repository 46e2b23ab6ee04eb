import time

import dump
import spacy
import spacy_loggers.mlflow

import mlflow

pipeline = spacy.blank("en")
setup = spacy_loggers.mlflow.mlflow_logger_v1(
    experiment_id="0", run_name="first", tags={"team": "x"}
)
log_step, finish = setup(pipeline)
for step in range(3):
    # Points of one millisecond have no order.
    time.sleep(0.005)
    log_step(
        {"score": step / 4, "losses": {"tagger": 1.0 - step / 4}, "other_scores": {"tag_acc": 0.5},
         "epoch": step, "step": step, "output_path": None}
    )  # fmt: skip
log_step(None)
finish()
dump.say(runs=dump.runs(), ended=mlflow.active_run() is None)
