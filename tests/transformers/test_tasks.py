"""What pyfunc makes of rows and of the answers of pipelines."""

from __future__ import annotations

import base64
import json

import numpy as np
import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.transformers.tasks import TASKS, prompted, rows_of, task_of, texts_of


class Recording:
    """Stands for a pipeline: notes what it is asked and answers what it was told to."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def __call__(self, *data, **arguments):
        self.asked.append((data, arguments))
        return self.answer


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        (np.array(["a", "b"]), ["a", "b"]),
        (pd.DataFrame({0: ["a", "b"]}), ["a", "b"]),
        (pd.DataFrame({"x": ["a"], "y": ["b"]}), [{"x": "a", "y": "b"}]),
        (pd.Series(["a"]), ["a"]),
        ({"x": "a"}, [{"x": "a"}]),
        ({"x": ["a", "b"], "y": ["c", "d"]}, [{"x": "a", "y": "c"}, {"x": "b", "y": "d"}]),
        ({"x": ["a", "b"], "y": ["c"]}, [{"x": ["a", "b"], "y": ["c"]}]),
        (3, [3]),
    ],
)
def test_rows_of_whatever_predict_is_called_with(data, rows):
    assert rows_of(data) == rows


def test_rows_with_columns_give_their_first_as_text():
    assert texts_of(["a", {"x": "b", "y": "c"}]) == ["a", "b"]
    with pytest.raises(MlflowException, match="incorrect type"):
        texts_of([3])
    assert prompted(["a"], "<{prompt}>") == ["<a>"]
    assert prompted([3], None) == [3]


def run(name, rows, answer, **arguments):
    pipeline = Recording(answer)
    return TASKS[name].predict(pipeline, rows, arguments), pipeline.asked


def test_several_masks_give_several_words():
    one = [{"token_str": "a"}, {"token_str": "b"}]
    assert run("FillMaskPipeline", ["x"], one)[0] == ["a"]
    assert run("FillMaskPipeline", ["x"], [one, one])[0] == ["a", "a"]
    assert run("FillMaskPipeline", ["x", "y"], [[one, one], one])[0] == [["a", "a"], "a"]


def test_tokens_are_named_by_their_groups_where_there_are_groups():
    answers = [[{"entity": "A"}, {"entity": "B"}], [{"entity_group": "C"}]]
    assert run("TokenClassificationPipeline", ["x", "y"], answers)[0] == ["A,B", "C"]


def test_rows_that_ask_for_other_choices_are_asked_apart():
    row = {"sequences": "a", "candidate_labels": '["x", "y"]', "hypothesis_template": "{}"}
    answer = {"sequence": "a", "labels": ["x"], "scores": [1.0]}
    found, asked = run("ZeroShotClassificationPipeline", [row, row, {**row, "candidate_labels": "x,y"}],
                       [answer])  # fmt: skip

    assert [(call["sequences"], call["candidate_labels"]) for _, call in asked] == [
        (["a", "a"], ["x", "y"]), (["a"], "x,y"),
    ]  # fmt: skip
    assert list(found.columns) == ["sequence", "labels", "scores"]
    with pytest.raises(MlflowException, match="Choices are rows"):
        run("ZeroShotClassificationPipeline", ["a"], [])


def test_answers_of_all_questions_are_one_list():
    row = {"question": "a", "context": "b"}
    found, asked = run("QuestionAnsweringPipeline", [row, row], [[{"answer": "x"}, {"answer": "y"}], {"answer": "z"}])  # fmt: skip

    assert found == ["x", "y", "z"]
    assert asked == [((), {"question": ["a", "a"], "context": ["b", "b"]})]
    with pytest.raises(MlflowException, match="Questions are rows"):
        run("QuestionAnsweringPipeline", [{"question": "a"}], [])


def test_texts_with_names_are_labelled():
    found, asked = run("Text2TextGenerationPipeline", [{"answer": "a", "context": "b"}, "c"], [{"generated_text": " x"}] * 2)  # fmt: skip

    assert found == ["x", "x"]
    assert asked == [((["answer: a context: b", "c"],), {})]


def test_only_texts_and_pairs_are_classified():
    with pytest.raises(MlflowException, match="'text', 'text_pair'"):
        run("TextClassificationPipeline", [{"x": "a"}], [])


def test_arguments_of_mlflow_s_own_are_kept_from_pipelines():
    _, asked = run("TextGenerationPipeline", ["a"], [[{"generated_text": "b"}]], include_prompt=False, top_k=2)  # fmt: skip

    assert asked == [((["a"],), {"top_k": 2})]


def test_sounds_come_as_numbers_and_as_content(tmp_path):
    content = base64.b64encode(b"sound").decode()
    (tmp_path / "a.wav").write_bytes(b"x")
    rows = [np.zeros(3), {"x": b"\x80sound"}, content, str(tmp_path / "a.wav")]

    found, asked = run("AutomaticSpeechRecognitionPipeline", rows, {"text": "a"})

    assert found == ["a"] * 4
    assert [data[0] for data, _ in asked[1:]] == [b"\x80sound", b"sound", str(tmp_path / "a.wav")]
    timed, _ = run("AutomaticSpeechRecognitionPipeline", [0.0, 1.0], {"text": "a", "chunks": []}, return_timestamps="word")  # fmt: skip
    assert timed == [json.dumps({"text": "a", "chunks": []})]


@pytest.mark.parametrize("value", ["https://example.org/a.png", "file:///etc/passwd", "no such"])
def test_nothing_is_fetched(value):
    for name in ("ImageClassificationPipeline", "AudioClassificationPipeline"):
        with pytest.raises(MlflowException, match=r"not fetched|invalid string input"):
            run(name, [value], [])


def test_pipelines_of_other_tasks_are_none_of_ours():
    assert task_of(object()) is None
    assert all(task.signature.inputs for task in TASKS.values())
