"""Who judges: own evaluators by type of model, plug-ins by name; and with which settings."""

from __future__ import annotations

import pytest

import mlflow
from mlflow import _plugins
from mlflow.evaluation.evaluators import chosen
from mlflow.exceptions import MlflowException
from mlflow.models.evaluation import EvaluationResult, ModelEvaluator


class Own(ModelEvaluator):
    """A plug-in's: it judges models of its own type."""

    @classmethod
    def can_evaluate(cls, *, model_type, evaluator_config, **kwargs):
        return model_type in ("own", "regressor")

    def evaluate(self, *, model_type, dataset, run_id, evaluator_config, model=None, **kwargs):
        rows = len(model.predict(dataset.features_data))
        return EvaluationResult({"rows": rows, **evaluator_config}, {}, run_id)


class Silent(Own):
    """It finds nothing."""

    def evaluate(self, **kwargs):
        return None


@pytest.fixture
def plugins(monkeypatch):
    found = [("own", f"{__name__}:Own"), ("broken", f"{__name__}:nothing"),
             ("silent", f"{__name__}:Silent")]  # fmt: skip
    monkeypatch.setattr(_plugins, "entry_points", lambda group: found)
    monkeypatch.setattr(_plugins, "load", lambda target: globals()[target.rpartition(":")[2]])
    return found


def names(*arguments):
    return [one.name for one in chosen(*arguments)]


def test_by_type_of_model():
    off = {"log_model_explainability": False}
    assert mlflow.models.list_evaluators() == ["default", "classifier", "regressor", "shap"]
    assert names(None, None, "regressor") == ["regressor", "shap"]
    assert names("default", off, "classifier") == ["classifier"]
    assert names(["classifier"], None, "classifier") == ["classifier"]
    assert names(None, None, "text") == names(None, None, None) == ["default"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody", None, "text"), "Could not find a registered model evaluator for: nobody"),
        ((3, None, "text"), "a text or a list of texts, not 3"),
        (([3], None, "text"), "a text or a list of texts"),
        (("regressor", None, "classifier"), "could not be evaluated by any"),
        ((None, None, "odd"), "could not be evaluated by any"),
        ((["default"], {"average": "macro"}, "classifier"), "mapping from evaluator name"),
    ],
)
def test_what_is_refused(arguments, told):
    with pytest.raises(MlflowException, match=told):
        chosen(*arguments)


def test_settings_by_evaluator(plugins):
    plugins[1:] = []

    both = chosen(["own", "default"], {"own": {"a": 1}}, "regressor")
    assert [(one.name, one.config) for one in both] == [
        ("own", {"a": 1}), ("regressor", {}), ("shap", {}),
    ]  # fmt: skip
    assert [one.config for one in chosen("own", {"a": 1}, "own")] == [{"a": 1}]
    assert names(None, None, "own") == ["own"]


def test_a_plugin_judges(plugins):
    """Its figures stand beside those of the others; one that finds nothing adds nothing."""
    plugins.pop(1)
    result = mlflow.models.evaluate(
        lambda rows: [1] * len(rows), [[1], [2]], model_type="own", evaluator_config={"z": 3}
    )

    assert result.metrics == {"rows": 2, "z": 3}


def test_a_plugin_that_is_broken(plugins):
    with pytest.raises(MlflowException, match=r"'broken' .* cannot be used: KeyError"):
        chosen("broken", None, "own")
