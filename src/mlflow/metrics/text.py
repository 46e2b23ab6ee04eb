"""Metrics of texts: how hard they are to read, how close to their targets, how long."""

from __future__ import annotations

import logging
from importlib import import_module

from mlflow.metrics.base import EvaluationMetric, MetricValue, make_metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

LATENCY, TOKEN_COUNT = "latency", "token_count"
_TOXICITY_MODEL = "roberta-hate-speech-dynabench-r4"

_logger = logging.getLogger("mlflow.metrics.metric_definitions")


def ari_grade_level() -> EvaluationMetric:
    """Return the metric "automated readability index", which needs `textstat`."""
    return _readability(
        "ari_grade_level", "automated_readability_index", "ari",
        "automated_readability_index_grade_level",
    )  # fmt: skip


def flesch_kincaid_grade_level() -> EvaluationMetric:
    """Return the metric "Flesch-Kincaid grade level", which needs `textstat`."""
    return _readability(
        "flesch_kincaid_grade_level", "flesch_kincaid_grade", "flesch_kincaid",
        "flesch_kincaid_grade_level",
    )  # fmt: skip


def rouge1() -> EvaluationMetric:
    """Return the metric ROUGE-1 (single words), which needs `rouge-score`."""
    return _rouge("rouge1")


def rouge2() -> EvaluationMetric:
    """Return the metric ROUGE-2 (pairs of words), which needs `rouge-score`."""
    return _rouge("rouge2")


def rougeL() -> EvaluationMetric:
    """Return the metric ROUGE-L (the longest common sequence), which needs `rouge-score`."""
    return _rouge("rougeL")


def rougeLsum() -> EvaluationMetric:
    """Return the metric ROUGE-Lsum (ROUGE-L line by line), which needs `rouge-score`."""
    return _rouge("rougeLsum")


def bleu() -> EvaluationMetric:
    """Return the metric BLEU of each row, which needs `sacrebleu`."""

    def evaluate(predictions: Any, targets: Any = None, metrics: Any = None) -> Any:
        if not _are_texts("bleu", "targets", targets):
            return None
        if not _are_texts("bleu", "predictions", predictions):
            return None
        sacrebleu = _library("bleu", "sacrebleu")
        if sacrebleu is None:
            return None
        scorer = sacrebleu.BLEU(smooth_method="none")
        pairs = zip(predictions, targets, strict=True)
        return MetricValue([scorer.corpus_score([one], [[of]]).score / 100 for one, of in pairs])

    return make_metric(eval_fn=evaluate, greater_is_better=True, name="bleu", version="v1")


def toxicity() -> EvaluationMetric:
    """Return the metric "toxicity", whose model has to be on this machine; see `transformers`."""

    def evaluate(predictions: Any, targets: Any = None, metrics: Any = None) -> Any:
        if not _are_texts("toxicity", "predictions", predictions):
            return None
        transformers = _library("toxicity", "transformers")
        if transformers is None:
            return None
        judge = _offline("toxicity", lambda: transformers.pipeline(
            "text-classification", f"facebook/{_TOXICITY_MODEL}", top_k=None, truncation=True,
            model_kwargs={"local_files_only": True},
        ))  # fmt: skip
        if judge is None:
            return None
        scores = [_share_of_hate(found) for found in judge(list(predictions))]
        toxic = sum(score > 0.5 for score in scores) / len(scores)
        value = MetricValue(scores)
        return MetricValue(scores, None, {**(value.aggregate_results or {}), "ratio": toxic})

    return make_metric(
        eval_fn=evaluate, greater_is_better=False, name="toxicity", version="v1",
        long_name=f"toxicity/{_TOXICITY_MODEL}",
    )  # fmt: skip


def token_count(encoding: str = "cl100k_base") -> EvaluationMetric:
    """Return the metric "number of tokens", which needs `tiktoken` and its table of the encoding.

    Args:
        encoding: which table.
    """

    def evaluate(predictions: Any, targets: Any = None, metrics: Any = None) -> Any:
        tiktoken = _library(TOKEN_COUNT, "tiktoken")
        if tiktoken is None:
            return None
        table = _offline(TOKEN_COUNT, lambda: tiktoken.get_encoding(encoding))
        if table is None:
            return None
        counts: list[Any] = [
            len(table.encode(text)) if isinstance(text, str) else 0 for text in predictions
        ]
        return MetricValue(counts)

    return make_metric(eval_fn=evaluate, greater_is_better=True, name=TOKEN_COUNT)


def latency() -> EvaluationMetric:
    """Return the metric "seconds a row", which the evaluator measures where it is asked for."""
    return make_metric(eval_fn=lambda x: MetricValue(), greater_is_better=False, name=LATENCY)


def _readability(name: str, function: str, short: str, long_name: str) -> EvaluationMetric:
    def evaluate(predictions: Any, targets: Any = None, metrics: Any = None) -> Any:
        if not _are_texts(short, "predictions", predictions):
            return None
        textstat = _library(name, "textstat")
        if textstat is None:
            return None
        grade: Callable[[str], float] = getattr(textstat.textstat, function)
        scores = _offline(name, lambda: [grade(text) for text in predictions])
        return None if scores is None else MetricValue(scores)

    return make_metric(
        eval_fn=evaluate, greater_is_better=False, name=name, long_name=long_name, version="v1"
    )


def _rouge(kind: str) -> EvaluationMetric:
    def evaluate(predictions: Any, targets: Any = None, metrics: Any = None) -> Any:
        if not _are_texts(kind, "targets", targets):
            return None
        if not _are_texts(kind, "predictions", predictions):
            return None
        rouge = _library(kind, "rouge_score.rouge_scorer", "rouge-score")
        if rouge is None:
            return None
        scorer = rouge.RougeScorer([kind])
        pairs = zip(predictions, targets, strict=True)
        return MetricValue([scorer.score(of, one)[kind].fmeasure for one, of in pairs])

    return make_metric(eval_fn=evaluate, greater_is_better=True, name=kind, version="v1")


def _are_texts(metric: str, role: str, rows: Sequence[Any] | None) -> bool:
    column = f"the column specified by the `{role}` parameter"
    if role == "predictions":
        column += " or the model output column"
    if rows is None or not len(rows):
        _logger.warning(
            "Cannot calculate %s for empty inputs: %s is empty or the parameter is not specified. "
            "Skipping metric logging.", metric, column,
        )  # fmt: skip
        return False
    for number, row in enumerate(rows):
        if not isinstance(row, str):
            _logger.warning(
                "Cannot calculate %s for non-string inputs. Non-string found for %s on row %d. "
                "Skipping metric logging.", metric, column, number,
            )  # fmt: skip
            return False
    return True


def _library(metric: str, module: str, package: str | None = None) -> Any:
    """Return a library; None, and a warning, where it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        _logger.warning(
            "Failed to import %s for %s metric (error: %r), skipping metric logging. Please "
            "install it: pip install %s", module, metric, error, package or module,
        )  # fmt: skip
        return None


def _offline(metric: str, act: Callable[[], Any]) -> Any:
    """Return what an act gives; None, and a warning, where it needs data that is not here."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - each library says in its own way what it lacks
        _logger.warning(
            "Failed to load '%s' metric (error: %r), skipping metric logging.", metric, error
        )
        return None


def _share_of_hate(found: list[dict[str, Any]]) -> float:
    return float(next(one["score"] for one in found if one["label"] == "hate"))
