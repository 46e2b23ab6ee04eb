"""`mlflow.evaluate`: a model, data and evaluators brought together in a run."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from mlflow.data.conversion import convert_data_to_mlflow_dataset
from mlflow.data.dataset import Dataset
from mlflow.entities.run import LoggedModelInput
from mlflow.evaluation.evaluators import Chosen, chosen
from mlflow.evaluation.result import EvaluationResult
from mlflow.evaluation.subject import subject
from mlflow.exceptions import invalid
from mlflow.pyfunc.loaded import PyFuncModel
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import active_run, start_run
from mlflow.tracking.inputs import log_input
from mlflow.tracking.logged import set_active_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.data.evaluation_dataset import EvaluationDataset
    from mlflow.metrics.base import EvaluationMetric

_NEEDS_TARGETS = ("classifier", "regressor")


def evaluate(
    model: str | PyFuncModel | Callable[[Any], Any] | None = None,
    data: Any = None,
    *,
    model_type: str | None = None,
    targets: Any = None,
    predictions: str | None = None,
    dataset_path: str | None = None,
    feature_names: list[str] | None = None,
    evaluators: str | list[str] | None = None,
    evaluator_config: dict[str, Any] | None = None,
    extra_metrics: list[EvaluationMetric] | None = None,
    custom_artifacts: list[Callable[..., Any]] | None = None,
    env_manager: str = "local",
    model_config: dict[str, Any] | None = None,
    inference_params: dict[str, Any] | None = None,
    model_id: str | None = None,
    _called_from_genai_evaluate: bool = False,
) -> EvaluationResult:
    """Judge a model on data, and log what is found to the active run, which is started if need be.

    Args:
        model: a URI, a loaded pyfunc model, a function of a data frame; None where the data holds
            predictions.
        data: a data frame, an array, a list, or a dataset of `mlflow.data`.
        model_type: `classifier`, `regressor`, `question-answering`, `text-summarization`, `text`,
            `retriever`, or what an evaluator of a plug-in knows; None for extra metrics alone.
        targets: the column of a frame, or the values beside an array.
        predictions: without a model the column of predictions in the data; with one, the column of
            its output.
        dataset_path: where the data came from, for the record.
        feature_names: which columns are features, or what columns of an array are called.
        evaluators: who judges, by name; all that suit when None.
        evaluator_config: settings, or a dict of settings by evaluator. The own evaluators know
            `pos_label`, `average`, `label_list`, `sample_weights`, `metric_prefix`, `col_mapping`,
            `calibration_n_bins`, `max_classes_for_multiclass_roc_pr`, `retriever_k`,
            `log_model_explainability` and `explainability_algorithm`.
        extra_metrics: further metrics, see `mlflow.models.make_metric`.
        custom_artifacts: functions `(eval_df, metrics, artifacts_dir)` that return a dict of
            further artifacts.
        env_manager: where the model runs; only `local` is here.
        model_config: values that replace those of the model's saved configuration.
        inference_params: parameters of an endpoint.
        model_id: the logged model that predictions or a function belong to.

    Returns:
        Metrics and artifacts.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: arguments do not go together, an evaluator is
            unknown, or the model or a metric fails.
    """
    if data is None:
        raise invalid("The data argument cannot be None.")
    if inference_params is not None:
        raise invalid(
            "The inference_params argument can only be specified when the model is an MLflow "
            "Deployments endpoint URI like `endpoints:/my-chat`"
        )
    if model_type is None and not extra_metrics:
        raise invalid("The extra_metrics argument must be specified model_type is None.")
    predictor = subject(model, env_manager, model_config)
    dataset = _dataset(data, targets, predictions if model is None else None, model)
    seen = _seen_by_evaluators(dataset, dataset_path, feature_names)
    if model_type in _NEEDS_TARGETS and not seen.has_targets:
        raise invalid(f"The targets argument must be specified for {model_type} models.")
    judges = chosen(evaluators, evaluator_config, model_type)
    known = _model_id(predictor, model_id)
    before = active_run()
    with start_run() if before is None else nullcontext(before) as run:
        run_id = run.info.run_id
        used = None if known is None else LoggedModelInput(known)
        # MLflow takes the prefix for what the data is used for.
        context = next(filter(None, (one.config.get("metric_prefix") for one in judges)), None)
        log_input(dataset, context=context, model=used)
        if isinstance(predictor, PyFuncModel) and predictor.metadata.model_uuid:
            seen._log_dataset_tag(MlflowClient(), run_id, str(predictor.metadata.model_uuid))
        # What an evaluator of a plug-in logs by itself describes the model, too.
        with set_active_model(model_id=known) if known else nullcontext():
            return _judged(
                judges, run_id,
                model=predictor, model_type=model_type, model_id=known, dataset=seen,
                extra_metrics=extra_metrics, custom_artifacts=custom_artifacts,
                predictions=predictions,
            )  # fmt: skip


def _judged(judges: list[Chosen], run_id: str, **arguments: Any) -> EvaluationResult:
    metrics: dict[str, Any] = {}
    artifacts: dict[str, Any] = {}
    for judge in judges:
        found = judge.evaluator.evaluate(run_id=run_id, evaluator_config=judge.config, **arguments)
        if found is not None:
            metrics.update(found.metrics)
            artifacts.update(found.artifacts)
    return EvaluationResult(metrics, artifacts, run_id)


def _dataset(data: Any, targets: Any, predictions: str | None, model: Any) -> Dataset:
    if not isinstance(data, Dataset):
        return convert_data_to_mlflow_dataset(data, targets, predictions)
    if targets is not None:
        raise invalid(
            "The top-level targets parameter should not be specified since a Dataset is used. "
            "Please only specify the targets column name in the Dataset. For example: `data = "
            "mlflow.data.from_pandas(df=X.assign(y=y), targets='y')`."
        )
    if model is not None and getattr(data, "predictions", None) is not None:
        raise invalid(
            "The predictions parameter should not be specified in the Dataset since a model is "
            "specified. Please remove the predictions column from the Dataset."
        )
    return data


def _seen_by_evaluators(
    dataset: Dataset, path: str | None, feature_names: list[str] | None
) -> EvaluationDataset:
    convert = getattr(dataset, "to_evaluation_dataset", None)
    if convert is None:
        raise invalid(
            f"A dataset of type {type(dataset).__name__} has no `to_evaluation_dataset`; evaluate "
            "on one of a data frame or of arrays."
        )
    found: EvaluationDataset = convert(path=path, feature_names=feature_names)
    return found


def _model_id(predictor: Any, model_id: str | None) -> str | None:
    own = predictor.model_id if isinstance(predictor, PyFuncModel) else None
    if own is not None and model_id is not None and own != model_id:
        raise invalid(
            f"The specified value of the 'model_id' parameter '{model_id}' contradicts the "
            f"model_id '{own}' associated with the model. Please ensure they match or omit the "
            "'model_id' parameter."
        )
    return own or model_id
