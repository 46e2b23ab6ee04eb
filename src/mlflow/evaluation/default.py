"""Judges models that write texts or retrieve documents, and models of no type by extra metrics."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any

from mlflow.evaluation.builtin import BuiltInEvaluator
from mlflow.exceptions import invalid
from mlflow.metrics import retrieval, scores, text
from mlflow.metrics.base import MetricValue

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.metrics.base import EvaluationMetric

_TEXTS = (
    text.token_count,
    text.toxicity,
    text.flesch_kincaid_grade_level,
    text.ari_grade_level,
)
_SUMMARIES = (text.rouge1, text.rouge2, text.rougeL, text.rougeLsum)
_RETRIEVED = (retrieval.precision_at_k, retrieval.recall_at_k, retrieval.ndcg_at_k)
_FIRST = 3  # of what is retrieved

_logger = logging.getLogger("mlflow.models.evaluation.evaluators.default")


class DefaultEvaluator(BuiltInEvaluator):
    """Metrics of texts and of retrieval, and whatever a user asks for."""

    @classmethod
    def can_evaluate(
        cls, *, model_type: str | None, evaluator_config: dict[str, Any], **kwargs: Any
    ) -> bool:
        return model_type in {
            None, "text", "question-answering", "text-summarization", "retriever",
        }  # fmt: skip

    def compute(self, extra: list[EvaluationMetric], makers: list[Callable[..., Any]]) -> None:
        self._seconds: list[float] | None = None
        asked = [one for one in extra if one.name != text.LATENCY]
        self._is_timed = len(asked) < len(extra)
        self.predict()
        if self._is_timed:
            self.values[text.LATENCY] = MetricValue(self._latencies())
        self.measure([*self._of_type(), *asked])
        self.log_custom(makers)

    def _of_type(self) -> list[EvaluationMetric]:
        """Return the metrics that the type of model calls for."""
        if self.model_type is None:
            return []
        if self.model_type == "retriever":
            k = self.config.get("retriever_k", _FIRST)
            return [make(k) for make in _RETRIEVED]
        found = [make() for make in _TEXTS]
        if self.model_type == "question-answering":
            found.append(scores.exact_match())
        elif self.model_type == "text-summarization":
            found += [make() for make in _SUMMARIES]
        return found

    def output(self) -> Any:
        """Return what the model gives; row by row where each is timed."""
        if not self._is_timed:
            return super().output()
        import pandas as pd

        features, outputs, self._seconds = self.features(), [], []
        for row in range(len(features)):
            start = perf_counter()
            outputs.append(self.model.predict(features.iloc[row : row + 1]))
            self._seconds.append(perf_counter() - start)
        if not outputs:
            raise invalid("There are no rows to predict.")
        if isinstance(outputs[0], (pd.DataFrame, pd.Series)):
            return pd.concat(outputs, ignore_index=True)
        return [one for output in outputs for one in output]

    def _latencies(self) -> list[float]:
        if self._seconds is None:
            _logger.warning(
                "Setting the latency to 0 for all entries because the model is not provided."
            )
            return [0.0] * len(self.data.predictions)
        return self._seconds
