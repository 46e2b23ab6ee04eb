"""What MLflow's own evaluators share: predictions, further metrics, artifacts, tables, logging."""

from __future__ import annotations

import logging
import os
import tempfile
from time import time
from typing import TYPE_CHECKING, Any

from mlflow.evaluation.artifacts import KINDS, EvaluationArtifact, written
from mlflow.evaluation.evaluators import ModelEvaluator
from mlflow.evaluation.measuring import Data, check, figures, frame_of, measure
from mlflow.evaluation.result import EvaluationResult
from mlflow.evaluation.subject import estimator_of, split_output
from mlflow.exceptions import invalid
from mlflow.metrics.base import MetricValue
from mlflow.metrics.text import LATENCY, TOKEN_COUNT
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.values import metrics_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.data.evaluation_dataset import EvaluationDataset
    from mlflow.metrics.base import EvaluationMetric

TABLE = "eval_results_table"

_logger = logging.getLogger("mlflow.models.evaluation.default_evaluator")


class BuiltInEvaluator(ModelEvaluator):
    """An evaluation from predictions to what a run holds; subclasses say what is computed."""

    model: Any
    dataset: EvaluationDataset
    config: dict[str, Any]
    data: Data

    def evaluate(
        self,
        *,
        model_type: str | None,
        dataset: EvaluationDataset,
        run_id: str,
        evaluator_config: dict[str, Any],
        model: Any = None,
        extra_metrics: list[Any] | None = None,
        custom_artifacts: list[Any] | None = None,
        predictions: str | None = None,
        model_id: str | None = None,
        **kwargs: Any,
    ) -> EvaluationResult:
        if model is None and not dataset.has_predictions:
            raise invalid(
                "Either a model or set of predictions must be specified in order to use the "
                "default evaluator. Either specify the `model` parameter, the `predictions` "
                "parameter, an MLflow dataset containing the `predictions` column name (via the "
                "`data` parameter), or a different evaluator (via the `evaluators` parameter)."
            )
        self.model_type, self.dataset, self.run_id = model_type, dataset, run_id
        self.config, self.model, self.model_id = evaluator_config, model, model_id
        self.output_column = predictions
        self.prefix = str(evaluator_config.get("metric_prefix") or "")
        self.weights = evaluator_config.get("sample_weights")
        self.values: dict[str, MetricValue] = {}
        self.artifacts: dict[str, EvaluationArtifact] = {}
        self.client = MlflowClient()
        extra = check(extra_metrics)
        with tempfile.TemporaryDirectory() as folder:
            self.folder = folder
            self.compute(extra, check_functions(custom_artifacts))
        found = figures(self.values, self.prefix)
        self._log(found)
        return EvaluationResult(found, self.artifacts, run_id)

    def compute(self, extra: list[EvaluationMetric], makers: list[Callable[..., Any]]) -> None:
        """Compute and log everything; metrics are kept for later.

        Args:
            extra: further metrics.
            makers: functions that make further artifacts.
        """
        raise NotImplementedError

    # -------------------------------------------------------------- predictions

    def features(self) -> Any:
        """Return the features as a data frame of its own, which models may change."""
        import pandas as pd

        data = self.dataset.features_data
        if isinstance(data, pd.DataFrame):
            return data.copy()
        return pd.DataFrame(data, columns=self.dataset.feature_names, copy=True)

    def predict(self) -> Any:
        """Predict, or take the predictions that the data holds; return them as a series."""
        import pandas as pd

        dataset, rest = self.dataset, None
        if self.model is None:
            predictions = pd.Series(dataset.predictions_data)
            name = dataset.predictions_name or self.output_column or "outputs"
        else:
            predictions, rest, name = split_output(self.output(), self.output_column)
        rows = len(dataset.features_data)
        if len(predictions) != rows:
            raise invalid(f"The model gave {len(predictions)} predictions for {rows} rows.")
        inputs = self.features().reset_index(drop=True)
        targets = None
        if dataset.has_targets:
            labels = dataset.labels_data
            labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
            targets = pd.Series(labels if labels.ndim == 1 else list(labels))
            inputs[dataset.targets_name or "target"] = targets
        self.data = Data(predictions, targets, inputs, rest, name, self.config)
        return predictions

    def output(self) -> Any:
        """Return what the model gives for the features."""
        return self.model.predict(self.features())

    def targets(self) -> Any:
        """Return the targets.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: there are none.
        """
        if self.data.targets is None:
            raise invalid(f"The targets argument must be specified for {self.model_type} models.")
        return self.data.targets

    # -------------------------------------------------------------- metrics

    def add(self, found: dict[str, Any]) -> None:
        """Keep figures by name."""
        for name, value in found.items():
            self.values[name] = MetricValue(aggregate_results={name: value})

    def add_own_score(self) -> None:
        """Keep what an estimator says of itself as `score`."""
        estimator = estimator_of(self.model)
        if estimator is None or not hasattr(estimator, "score"):
            return
        weights = {} if self.weights is None else {"sample_weight": self.weights}
        try:
            self.add({"score": estimator.score(self.features(), self.targets(), **weights)})
        except Exception as error:  # noqa: BLE001 - the other metrics are worth having
            _logger.warning("Computing sklearn model score failed: %r. It is left out.", error)

    def measure(self, metrics: list[EvaluationMetric]) -> None:
        """Compute metrics, and log the table of their scores."""
        self.values = measure(metrics, self.data, self.values)
        self._log_table()

    def _log(self, found: dict[str, Any]) -> None:
        entity = (self.dataset.name, self.dataset.digest)
        points = metrics_of(found, int(time() * 1000), 0, self.model_id, entity)
        if points:
            self.client.log_batch(self.run_id, metrics=points)

    def _log_table(self) -> None:
        """Log the data beside predictions and scores, where there are scores."""
        columns = {}
        for name, value in self.values.items():
            if value.scores is not None:
                plain = name in (LATENCY, TOKEN_COUNT)
                columns[name if plain else f"{self.prefix}{name}/score"] = value.scores
            if value.justifications is not None:
                columns[f"{self.prefix}{name}/justification"] = value.justifications
        if not columns:
            return
        import pandas as pd

        table = self.data.inputs.copy()
        table[self.data.output_name] = self.data.predictions
        if self.data.outputs is not None:
            table = pd.concat([table, self.data.outputs], axis=1)
        file = f"{self.prefix}{TABLE}.json"
        self.client.log_table(self.run_id, table.assign(**columns), file)
        self.artifacts[TABLE] = KINDS[".json"](self._uri(file))

    # -------------------------------------------------------------- artifacts

    def log_custom(self, makers: list[Callable[..., Any]]) -> None:
        """Log what users' functions make."""
        for index, make in enumerate(makers):
            name = getattr(make, "__name__", type(make).__name__)
            about = f"'{name}' at index {index} in the `custom_artifacts` parameter"
            folder = tempfile.mkdtemp(dir=self.folder)
            found: Any = make(frame_of(self.data), dict(self.values), folder)
            if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
                did = "returned None" if found is None else (
                    "did not return artifacts as a dictionary of string artifact names with their "
                    "corresponding objects"
                )  # fmt: skip
                _logger.warning("Custom artifact function %s %s.", about, did)
                continue
            for key, value in found.items():
                self._log_made(key, value, folder, about)

    def _log_made(self, name: str, value: Any, folder: str, about: str) -> None:
        path, artifact = written(name, value, folder, about)
        if path.endswith(".pickle"):
            _logger.warning(
                "Custom artifact function %s produced an artifact '%s' with type '%s' that is "
                "logged as a pickle artifact.", about, name, type(value),
            )  # fmt: skip
        self.client.log_artifact(self.run_id, path)
        uri = self._uri(os.path.basename(path))
        self.artifacts[name] = type(artifact)(uri, artifact._content)

    def log_figure(self, name: str, draw: Callable[[], Any]) -> None:
        """Log a figure; where it cannot be drawn, the evaluation goes on without it.

        Args:
            name: the artifact's name.
            draw: returns the figure.
        """
        file = f"{self.prefix}{name}.png"
        path = os.path.join(self.folder, file)
        try:
            draw().savefig(path)
        except Exception as error:  # noqa: BLE001 - as said above
            _logger.warning("Failed to log image artifact '%s': %r", name, error)
            return
        self.client.log_artifact(self.run_id, path)
        self.artifacts[name] = KINDS[".png"](self._uri(file))

    def log_frame(self, name: str, frame: Any) -> None:
        """Log a data frame as comma-separated values.

        Args:
            name: the artifact's name.
            frame: the frame.
        """
        path = os.path.join(self.folder, f"{name}.csv")
        frame.to_csv(path, index=False)
        self.client.log_artifact(self.run_id, path)
        self.artifacts[name] = KINDS[".csv"](self._uri(f"{name}.csv"), frame)

    def _uri(self, file: str) -> str:
        root = self.client.get_run(self.run_id).info.artifact_uri
        return f"{str(root).rstrip('/')}/{file}"


def check_functions(makers: Any) -> list[Callable[..., Any]]:
    """Return functions that make artifacts.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: some are no functions.
    """
    if makers is None:
        return []
    if not isinstance(makers, (list, tuple)) or not all(callable(one) for one in makers):
        raise invalid(f"custom_artifacts is a list of functions, not {makers!r:.200}")
    return list(makers)
