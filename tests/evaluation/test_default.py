"""Models that write or retrieve, and models of no type."""

from __future__ import annotations

import logging

import pandas as pd
import pytest

import mlflow
from mlflow.metrics import exact_match, latency, token_count

TEXTS = pd.DataFrame({"question": ["a?", "b?"], "answer": ["A", "B"], "said": ["A", "C"]})
DOCS = pd.DataFrame({"wanted": [["a"], ["b"]], "found": [["a", "x"], ["x", "b"]]})


def metrics_of(kind, data=TEXTS, targets="answer", predictions="said", **more):
    return mlflow.models.evaluate(
        data=data, targets=targets, predictions=predictions, model_type=kind, **more
    ).metrics


def test_answers(caplog):
    """What needs no library is computed; of the rest each lacking one is named."""
    with caplog.at_level(logging.WARNING, "mlflow"):
        found = metrics_of("question-answering")

    assert found["exact_match/v1"] == 0.5
    for name in ("toxicity", "ari_grade_level"):
        assert f"Did not log metric '{name}'" in caplog.text


@pytest.mark.parametrize(
    ("kind", "named"), [("text", "flesch_kincaid_grade_level"), ("text-summarization", "rougeLsum")]
)
def test_texts(kind, named, caplog):
    with caplog.at_level(logging.WARNING, "mlflow"):
        assert "exact_match/v1" not in metrics_of(kind)

    assert f"Did not log metric '{named}'" in caplog.text


def test_documents():
    found = metrics_of("retriever", DOCS, "wanted", "found", evaluator_config={"retriever_k": 1})

    assert found["precision_at_1/mean"] == found["recall_at_1/mean"] == 0.5
    assert found["ndcg_at_1/p90"] == pytest.approx(0.9)


def test_each_row_is_timed():
    """The model is asked row by row; what it gives is what it gives for all at once."""
    sizes = []

    def model(frame):
        sizes.append(len(frame))
        return frame.question

    result = mlflow.models.evaluate(
        model, TEXTS.drop(columns="said"), targets="answer",
        extra_metrics=[latency(), exact_match()],
    )  # fmt: skip

    table = result.tables["eval_results_table"]
    assert sizes == [1, 1]
    assert table.outputs.tolist() == ["a?", "b?"]
    assert list(table.columns) == ["question", "answer", "outputs", "latency"]
    assert result.metrics["latency/mean"] == pytest.approx(table.latency.mean())


@pytest.mark.parametrize("output", [list, pd.DataFrame, lambda column: column.to_numpy()])
def test_rows_of_other_kinds(output):
    result = mlflow.models.evaluate(
        lambda frame: output(frame.question), TEXTS, extra_metrics=[latency()]
    )

    assert len(result.tables["eval_results_table"]) == 2


def test_predictions_take_no_time(caplog):
    found = metrics_of(None, extra_metrics=[latency(), token_count()])

    assert found["latency/mean"] == 0
    assert "Setting the latency to 0" in caplog.text


def test_no_rows():
    with pytest.raises(mlflow.MlflowException, match="no rows"):
        mlflow.models.evaluate(len, TEXTS[:0], extra_metrics=[latency()])
