"""The contract of evaluators, which there are, and which of them a user asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow import _plugins
from mlflow.exceptions import MlflowException, invalid

if TYPE_CHECKING:
    from mlflow.data.evaluation_dataset import EvaluationDataset
    from mlflow.evaluation.result import EvaluationResult

GROUP = "mlflow.model_evaluator"
# Name → where it is; `default` stands for whichever of the others suit the type of model.
_BUILT_IN = {
    "default": "mlflow.evaluation.default:DefaultEvaluator",
    "classifier": "mlflow.evaluation.classifier:ClassifierEvaluator",
    "regressor": "mlflow.evaluation.regressor:RegressorEvaluator",
    "shap": "mlflow.evaluation.explanation:ShapEvaluator",
}


class ModelEvaluator(ABC):
    """Judges a model on data."""

    @classmethod
    @abstractmethod
    def can_evaluate(
        cls, *, model_type: str | None, evaluator_config: dict[str, Any], **kwargs: Any
    ) -> bool:
        """Tell whether it judges models of a type.

        Args:
            model_type: such as `regressor`.
            evaluator_config: its settings.
            kwargs: what later versions say.
        """

    @abstractmethod
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
        **kwargs: Any,
    ) -> EvaluationResult:
        """Judge a model, and log what is found to a run.

        Args:
            model_type: such as `regressor`.
            dataset: the data.
            run_id: the run.
            evaluator_config: its settings.
            model: what predicts; None where the data holds predictions.
            extra_metrics: further metrics.
            custom_artifacts: functions that make further artifacts.
            predictions: the column of predictions in what the model gives.
            kwargs: what later versions say.
        """


class Chosen(NamedTuple):
    """An evaluator and its settings."""

    name: str
    evaluator: ModelEvaluator
    config: dict[str, Any]


def list_evaluators() -> list[str]:
    """Return the names of the evaluators: MLflow's own, and those of installed plug-ins."""
    return [*_BUILT_IN, *(name for name, _ in _plugins.entry_points(GROUP))]


def chosen(evaluators: Any, config: dict[str, Any] | None, model_type: str | None) -> list[Chosen]:
    """Return the evaluators that a user asks for, `default` as those that it stands for.

    Args:
        evaluators: a name, a list of names, or None for all that suit.
        config: settings of one evaluator, or a dict of settings by name.
        model_type: the type of model.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: a name is unknown, the config does not fit the
            names, or no evaluator suits.
    """
    settings: Any = config or {}
    if not isinstance(settings, dict):
        raise invalid(f"evaluator_config must be a dict, not {config!r:.200}")
    if evaluators is None:
        names = ["default", *(name for name, _ in _plugins.entry_points(GROUP))]
    elif isinstance(evaluators, str):
        names = [evaluators]
    elif isinstance(evaluators, list) and all(isinstance(one, str) for one in evaluators):
        names = list(dict.fromkeys(evaluators))
    else:
        raise invalid(
            "Invalid `evaluators` and `evaluator_config` arguments: evaluators are named by a "
            f"text or a list of texts, not {evaluators!r:.200}"
        )
    by_name = _by_name(names, settings, is_list=isinstance(evaluators, list))
    found = [one for name in names for one in _resolved(name, by_name.get(name, {}), model_type)]
    suiting = [
        one
        for one in found
        if one.evaluator.can_evaluate(model_type=model_type, evaluator_config=one.config)
    ]
    if not suiting:
        raise invalid(
            "The model could not be evaluated by any of the registered evaluators, please verify "
            "that the model type and other configs are set correctly."
        )
    return suiting


def _by_name(names: list[str], config: dict[str, Any], is_list: bool) -> dict[str, Any]:
    known = set(list_evaluators())
    is_nested = config.keys() <= known and all(isinstance(one, dict) for one in config.values())
    if is_nested:
        return config
    if is_list:
        raise invalid(
            "If `evaluators` argument is an evaluator name list, evaluator_config must be a dict "
            "containing mapping from evaluator name to individual evaluator config dict."
        )
    return dict.fromkeys(names, config)


def _resolved(name: str, config: dict[str, Any], model_type: str | None) -> list[Chosen]:
    if name == "default" and model_type in ("classifier", "regressor"):
        return [Chosen(one, _made(one), config) for one in (model_type, "shap")]
    return [Chosen(name, _made(name), config)]


def _made(name: str) -> ModelEvaluator:
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        evaluator: ModelEvaluator = getattr(import_module(module), attribute)()
        return evaluator
    for known, target in _plugins.entry_points(GROUP):
        if known == name:
            return _made_by_plugin(name, target)
    raise invalid(
        f"Could not find a registered model evaluator for: {name}. Currently registered evaluator "
        f"names are: {list_evaluators()}"
    )


def _made_by_plugin(name: str, target: str) -> ModelEvaluator:
    try:
        evaluator: ModelEvaluator = _plugins.load(target)()
    except Exception as error:
        raise MlflowException(
            f"The evaluator '{name}' ({target}) of an installed plug-in cannot be used: "
            f"{type(error).__name__}: {error}"
        ) from error
    return evaluator
