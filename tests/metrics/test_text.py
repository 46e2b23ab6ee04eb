"""Metrics of texts: what each library is asked for, and what is said where it is not there."""

from __future__ import annotations

import logging
import sys
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest

from mlflow import metrics

TEXTS, OTHERS = pd.Series(["one two", "three"]), pd.Series(["one 2", "three"])


@pytest.fixture
def library(monkeypatch):
    """Puts a stand-in in the place of a library; None for one that is not installed."""

    def put(name, **content):
        module = ModuleType(name) if content else None
        if module is not None:
            vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)

    return put


def test_readability(library):
    """Each text is graded; the name in results has a version."""
    library("textstat", textstat=SimpleNamespace(
        automated_readability_index=len, flesch_kincaid_grade=lambda text: -len(text)
    ))  # fmt: skip

    assert metrics.ari_grade_level().eval_fn(TEXTS).scores == [7, 5]
    assert metrics.flesch_kincaid_grade_level().eval_fn(TEXTS).scores == [-7, -5]
    assert metrics.ari_grade_level().version == "v1"


@pytest.mark.parametrize("kind", ["rouge1", "rouge2", "rougeL", "rougeLsum"])
def test_rouge(library, kind):
    """The target is the reference, and the F-measure counts."""

    class Scorer:
        def __init__(self, kinds):
            self.kinds = kinds

        def score(self, target, prediction):
            same = float(target == prediction)
            return {one: SimpleNamespace(fmeasure=same) for one in self.kinds}

    library("rouge_score", __path__=[])
    library("rouge_score.rouge_scorer", RougeScorer=Scorer)

    assert getattr(metrics, kind)().eval_fn(TEXTS, OTHERS).scores == [0.0, 1.0]


def test_bleu(library):
    class Bleu:
        def __init__(self, smooth_method):
            assert smooth_method == "none"

        def corpus_score(self, predictions, references):
            return SimpleNamespace(score=100.0 * ([predictions] == references))

    library("sacrebleu", BLEU=Bleu)

    assert metrics.bleu().eval_fn(TEXTS, OTHERS).scores == [0.0, 1.0]


def test_tokens(library):
    library("tiktoken", get_encoding=lambda name: SimpleNamespace(encode=str.split))

    assert metrics.token_count().eval_fn(pd.Series(["one two", 3])).scores == [2, 0]


def test_tokens_without_their_table(library, caplog):
    """A table that would have to be fetched costs its metric, not the evaluation."""

    def fetch(name):
        raise OSError("no network")

    library("tiktoken", get_encoding=fetch)

    assert metrics.token_count().eval_fn(TEXTS) is None
    assert "Failed to load 'token_count' metric" in caplog.text


def test_toxicity(library):
    """The share of texts that are taken for toxic is among the figures."""
    chances = iter([0.9, 0.2])

    def pipeline(task, model, **options):
        assert options["model_kwargs"] == {"local_files_only": True}
        return lambda texts: [
            [{"label": "nothate", "score": 0.0}, {"label": "hate", "score": next(chances)}]
            for _ in texts
        ]

    library("transformers", pipeline=pipeline)

    value = metrics.toxicity().eval_fn(TEXTS)

    assert value.scores == [0.9, 0.2]
    assert value.aggregate_results["ratio"] == 0.5


@pytest.mark.parametrize(
    ("metric", "module", "package"),
    [
        ("ari_grade_level", "textstat", "textstat"),
        ("rouge1", "rouge_score.rouge_scorer", "rouge-score"),
        ("bleu", "sacrebleu", "sacrebleu"),
        ("toxicity", "transformers", "transformers"),
        ("token_count", "tiktoken", "tiktoken"),
    ],
)
def test_a_library_that_is_missing(library, caplog, metric, module, package):
    library(module)

    with caplog.at_level(logging.WARNING, "mlflow"):
        assert getattr(metrics, metric)().eval_fn(TEXTS, OTHERS) is None

    assert f"pip install {package}" in caplog.text


@pytest.mark.parametrize(
    ("texts", "told"), [([], "empty"), (None, "empty"), (["a", 1], "on row 1")]
)
def test_what_is_no_text(texts, told, caplog):
    assert metrics.flesch_kincaid_grade_level().eval_fn(texts) is None
    assert metrics.rouge1().eval_fn(["a", "b"], texts) is None
    assert metrics.bleu().eval_fn(["a", "b"], texts) is None
    assert told in caplog.text


def test_latency_is_left_to_the_evaluator():
    assert metrics.latency().name == "latency"
    assert metrics.latency().eval_fn(1).scores is None
