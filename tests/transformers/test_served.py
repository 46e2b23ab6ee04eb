"""Pipelines that answer requests of `llm/v1/…`."""

from __future__ import annotations

import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.transformers.served import check_served, pipeline_task
from tests.interop.tiny_pipelines import PIPELINES, SOME, generator

pytest.importorskip(
    "transformers", reason="transformers is not installed; scripts/flavors brings it"
)
pytestmark = pytest.mark.filterwarnings("ignore")

MESSAGES = [{"role": "user", "content": "one two"}]


def saved(pipeline, task, folder):
    mlflow.transformers.save_model(pipeline, folder, task=task, model_config={"do_sample": False} if "embed" not in task else None)  # fmt: skip
    return mlflow.pyfunc.load_model(folder)


def test_chats_are_answered(tmp_path):
    model = saved(generator(), "llm/v1/chat", tmp_path / "m")

    (answer,) = model.predict({"messages": MESSAGES, "max_tokens": 3, "temperature": 0.0, "stream": False})  # fmt: skip
    assert answer["object"] == "chat.completion"
    assert answer["usage"] == {"prompt_tokens": 6, "completion_tokens": 3, "total_tokens": 9}
    (choice,) = answer["choices"]
    assert (choice["message"]["role"], choice["finish_reason"]) == ("assistant", "length")
    assert Model.load(tmp_path / "m").metadata == {"task": "llm/v1/chat"}


def test_each_prompt_is_answered_as_it_asks(tmp_path):
    model = saved(generator(), "llm/v1/completions", tmp_path / "m")
    asked = pd.DataFrame({"prompt": ["one", "two", "a"], "max_tokens": [2, 4, 2]})

    answers = model.predict(asked)

    assert [answer["usage"]["completion_tokens"] for answer in answers] == [2, 4, 2]
    alone = model.predict({"prompt": "two", "max_tokens": 4})
    assert alone[0]["choices"] == answers[1]["choices"]
    sampling = mlflow.pyfunc.load_model(tmp_path / "m", model_config={"do_sample": True})
    several = sampling.predict({"prompt": "one", "max_tokens": 2, "n": 2, "temperature": 0.5})
    assert [choice["index"] for choice in several[0]["choices"]] == [0, 1]
    with pytest.raises(MlflowException, match="not valid for pipeline"):
        model._model_impl.predict({"prompt": "a", "nonsense": 1})


def test_embeddings_are_answered(tmp_path):
    model = saved(PIPELINES["features"][0](), "llm/v1/embeddings", tmp_path / "m")

    answer = model.predict({"input": SOME})

    assert [entry["index"] for entry in answer["data"]] == [0, 1]
    assert answer["data"][0]["embedding"].shape == (16,)
    assert answer["usage"] == {"prompt_tokens": 10, "total_tokens": 10}


def test_tasks_that_a_pipeline_cannot_serve_are_refused():
    assert pipeline_task("llm/v1/chat") == "text-generation"
    assert pipeline_task("fill-mask") is None
    with pytest.raises(MlflowException, match=r"Must be one of \['llm/v1/embeddings'\]"):
        check_served("llm/v1/chat", "feature-extraction")
