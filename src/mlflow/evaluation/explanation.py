"""Says with shap how much each feature moves what a model predicts."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlflow.evaluation.builtin import BuiltInEvaluator
from mlflow.evaluation.result import EvaluationResult
from mlflow.evaluation.subject import estimator_of
from mlflow.exceptions import invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.metrics.base import EvaluationMetric

_ALGORITHMS = ("exact", "permutation", "partition", "kernel")
_MOST_ROWS = 2000

_logger = logging.getLogger("mlflow.models.evaluation.evaluators.shap")


class ShapEvaluator(BuiltInEvaluator):
    """Figures of Shapley values, where shap is installed."""

    @classmethod
    def can_evaluate(
        cls, *, model_type: str | None, evaluator_config: dict[str, Any], **kwargs: Any
    ) -> bool:
        wanted = evaluator_config.get("log_model_explainability", True)
        return model_type in ("classifier", "regressor") and bool(wanted)

    def evaluate(
        self, *, evaluator_config: dict[str, Any], model: Any = None, **kwargs: Any
    ) -> Any:
        """Log the figures; without shap or without a model there are none."""
        algorithm = evaluator_config.get("explainability_algorithm")
        if algorithm is not None and algorithm not in _ALGORITHMS:
            raise invalid(
                f"Specified explainer algorithm {algorithm} is unsupported. Currently only "
                f"support {','.join(_ALGORITHMS)} algorithms."
            )
        if model is None:
            return EvaluationResult({}, {}, kwargs["run_id"])
        try:
            self._shap, self._pyplot = import_module("shap"), import_module("matplotlib.pyplot")
        except ImportError as error:
            _logger.warning(
                "SHAP or matplotlib package is not installed, so model explainability insights "
                "will not be logged (%s). pip install shap matplotlib brings them.", error,
            )  # fmt: skip
            return EvaluationResult({}, {}, kwargs["run_id"])
        # The other evaluators see to metrics and artifacts of users.
        kwargs.update(extra_metrics=None, custom_artifacts=None)
        return super().evaluate(evaluator_config=evaluator_config, model=model, **kwargs)

    def compute(self, extra: list[EvaluationMetric], makers: list[Callable[..., Any]]) -> None:
        features = self.features()
        if not all(column.dtype.kind in "biuf" for _, column in features.items()):
            _logger.warning(
                "Skip logging model explainability insights because the shap explainer requires "
                "all feature values to be numeric."
            )
            return
        most = self.config.get("explainability_nsamples", _MOST_ROWS)
        rows = features.sample(n=min(most, len(features)), random_state=0)
        try:
            values = self._values(rows)
        except Exception as error:  # noqa: BLE001 - the other evaluators' results are worth having
            _logger.warning("Shap evaluation failed. Reason: %r", error)
            return
        plots = self._shap.plots
        self._log_drawn("shap_beeswarm_plot", lambda: plots.beeswarm(values, show=False))
        self._log_drawn(
            "shap_summary_plot", lambda: self._shap.summary_plot(values, rows, show=False)
        )
        self._log_drawn("shap_feature_importance_plot", lambda: plots.bar(values, show=False))

    def _values(self, rows: Any) -> Any:
        """Return the Shapley values of rows, as shap's explanation."""
        algorithm = self.config.get("explainability_algorithm")
        predict = self._predict_of(list(rows.columns))
        if algorithm == "kernel":
            link = self.config.get("explainability_kernel_link", "identity")
            explainer = self._shap.KernelExplainer(predict, self._shap.kmeans(rows, 10), link=link)
        elif algorithm is None:
            explainer = self._best(predict, rows)
        else:
            explainer = self._shap.Explainer(predict, rows, algorithm=algorithm)
        _logger.info("Shap explainer %s is used.", type(explainer).__name__)
        values = explainer(rows)
        if values.values.ndim == 3:  # a layer for each class: how far each moves any of them
            values.values = abs(values.values).mean(axis=2)
            values.base_values = values.base_values.mean(axis=-1)
        return values

    def _best(self, predict: Callable[[Any], Any], rows: Any) -> Any:
        # shap knows the inside of many estimators, and reads there what it would have to try.
        estimator = estimator_of(self.model)
        if estimator is not None:
            try:
                return self._shap.Explainer(estimator, rows)
            except Exception as error:  # noqa: BLE001 - it says so in many ways
                _logger.debug("shap does not know the estimator: %s", error)
        return self._shap.Explainer(predict, rows)

    def _predict_of(self, columns: list[Any]) -> Callable[[Any], Any]:
        import numpy as np
        import pandas as pd

        def predict(values: Any) -> Any:
            frame = pd.DataFrame(np.asarray(values), columns=columns)
            return np.asarray(self.model.predict(frame))

        return predict

    def _log_drawn(self, name: str, draw: Callable[[], Any]) -> None:
        """Log what shap draws, which it does on a figure of pyplot's."""
        figure = self._pyplot.figure()

        def drawn() -> Any:
            draw()
            return figure

        try:
            self.log_figure(name, drawn)
        finally:
            self._pyplot.close(figure)
