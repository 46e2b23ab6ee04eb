import os

import dump
import torch
import transformers

os.environ |= {
    "HF_MLFLOW_LOG_ARTIFACTS": "1", "MLFLOW_EXPERIMENT_NAME": "texts",
    "MLFLOW_TAGS": '{"team": "x"}', "MLFLOW_FLATTEN_PARAMS": "1", "MLFLOW_MAX_LOG_PARAMS": "150",
}  # fmt: skip
transformers.set_seed(1)
config = transformers.BertConfig(
    vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
)
rows = [
    {"input_ids": torch.tensor([1, 2 + i, 3]), "attention_mask": torch.ones(3, dtype=torch.long),
     "labels": torch.tensor(i % 2)}
    for i in range(8)
]  # fmt: skip
arguments = transformers.TrainingArguments(
    "kept", report_to="mlflow", max_steps=4, logging_steps=1, save_steps=2, use_cpu=True,
    disable_tqdm=True, run_name="first", per_device_train_batch_size=4,
)  # fmt: skip
trainer = transformers.Trainer(
    transformers.BertForSequenceClassification(config), arguments, train_dataset=rows
)
trainer.train()
transformers.integrations.MLflowCallback.__del__(
    next(
        one
        for one in trainer.callback_handler.callbacks
        if isinstance(one, transformers.integrations.MLflowCallback)
    )
)
runs = dump.runs()
for run in runs:
    for key in [key for key in run["metrics"] if "runtime" in key or "per_second" in key]:
        run["metrics"].pop(key)
        run["points"].pop(key)
dump.say(runs=runs)
