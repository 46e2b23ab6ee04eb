"""The tasks `llm/v1/…`."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.models.llm_tasks import CHAT, COMPLETIONS, EMBEDDINGS, metadata_with_task, signature_of


def test_requests_and_answers_of_each_task():
    names = {
        task: (signature_of(task).inputs.input_names(), signature_of(task).outputs.input_names())
        for task in (CHAT, COMPLETIONS, EMBEDDINGS)
    }

    assert names[EMBEDDINGS] == (["input"], ["object", "data", "usage"])
    assert names[COMPLETIONS][0] == ["prompt", "temperature", "max_tokens", "stop", "n", "stream"]
    assert names[CHAT][1] == ["id", "object", "created", "model", "choices", "usage", "custom_outputs"]  # fmt: skip
    assert signature_of(CHAT).inputs.required_input_names() == ["messages"]


def test_the_metadata_names_one_task():
    assert metadata_with_task(CHAT, {"a": 1}) == {"a": 1, "task": CHAT}
    assert metadata_with_task(CHAT, {"task": CHAT}) == {"task": CHAT}
    with pytest.raises(MlflowException, match="doesn't match the task type"):
        metadata_with_task(CHAT, {"task": EMBEDDINGS})
