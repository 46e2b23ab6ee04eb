"""The library's `Trainer`, which logs by a callback of its own, and what `autolog` adds."""

from __future__ import annotations

import pytest
from sklearn.linear_model import LinearRegression

import mlflow
from tests.interop.tiny_pipelines import LABELS, bert, tokenizer

transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed; scripts/flavors brings it"
)
pytest.importorskip("accelerate", reason="accelerate is not installed; scripts/flavors brings it")
pytestmark = pytest.mark.filterwarnings("ignore")


class Fitting(transformers.TrainerCallback):
    """Fits something of scikit-learn in the middle of the training."""

    def on_step_end(self, args, state, control, **kwargs):
        LinearRegression().fit([[0.0], [1.0]], [0, 1])


def train(folder, *callbacks):
    words = tokenizer()
    rows = [{**words(text), "labels": place % 3} for place, text in enumerate(["a b c", "one two three"] * 2)]  # fmt: skip
    arguments = transformers.TrainingArguments(
        str(folder), report_to="mlflow", max_steps=2, logging_steps=1, use_cpu=True, save_strategy="no",
        run_name="a run", per_device_train_batch_size=2, disable_tqdm=True,
    )  # fmt: skip
    trainer = transformers.Trainer(
        bert("ForSequenceClassification", **LABELS), arguments, train_dataset=rows,
        data_collator=transformers.DataCollatorWithPadding(words), callbacks=list(callbacks),
    )  # fmt: skip
    trainer.train()


def test_the_trainer_logs_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "trained")
    train(tmp_path)

    (run,) = mlflow.search_runs(experiment_names=["trained"], output_format="list")
    mlflow.end_run()
    assert run.info.run_name == "a run"
    assert run.data.params["hidden_size"] == "16"
    assert run.data.params["max_steps"] == "2"
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [metric.step for metric in history] == [1, 2]
    assert "train_runtime" in run.data.metrics


def test_other_integrations_log_nothing_inside(tmp_path):
    mlflow.sklearn.autolog(log_models=False)
    mlflow.transformers.autolog()
    try:
        train(tmp_path, Fitting)
    finally:
        mlflow.sklearn.autolog(disable=True)
        mlflow.transformers.autolog(disable=True)
        mlflow.tracking.autolog.revert_patch(transformers.Trainer, "train")

    mlflow.end_run()
    (run,) = mlflow.search_runs(output_format="list")
    assert "fit_intercept" not in run.data.params
    assert "loss" in run.data.metrics
