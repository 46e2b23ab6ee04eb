"""The shap flavor."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LogisticRegression, Ridge

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE

shap = pytest.importorskip("shap", reason="shap is not installed; scripts/flavors brings it")
# Keras, in other tests of the same process, seeds what shap draws from.
pytestmark = pytest.mark.filterwarnings("ignore:The NumPy global RNG was seeded:FutureWarning")

FRAME = pd.DataFrame(np.random.default_rng(0).random((30, 2)), columns=list("ab"))
MODEL = Ridge().fit(FRAME, FRAME.a * 2)


def explainers():
    return {
        "predict": shap.Explainer(MODEL.predict, FRAME, algorithm="exact"),
        "linear": shap.LinearExplainer(MODEL, FRAME),
    }


@pytest.mark.parametrize(
    ("kind", "by_mlflow", "flavor"),
    [
        ("predict", True, "sklearn"),
        ("predict", False, None),
        ("linear", True, "unknown"),
        ("linear", False, None),
    ],
)
def test_saved_and_loaded(tmp_path, kind, by_mlflow, flavor):
    explainer, path = explainers()[kind], str(tmp_path / "m")
    mlflow.shap.save_explainer(explainer, path, by_mlflow, pip_requirements=[])

    expected = explainer(FRAME.head(3)).values
    assert np.allclose(mlflow.shap.load_explainer(path)(FRAME.head(3)).values, expected)
    assert np.allclose(mlflow.pyfunc.load_model(path).predict(FRAME.head(3)), expected)
    with open(os.path.join(path, "MLmodel")) as file:
        assert yaml.safe_load(file)["flavors"]["shap"] == {
            "code": None,
            "serialized_explainer": "explainer.shap",
            "shap_version": shap.__version__,
            "underlying_model_flavor": flavor,
        }


def test_logged():
    with mlflow.start_run():
        info = mlflow.shap.log_explainer(explainers()["linear"], name="e", pip_requirements=[])

    assert isinstance(mlflow.shap.load_explainer(info.model_uri), shap.LinearExplainer)


@pytest.mark.parametrize("function", [MODEL.predict, LogisticRegression().fit(
    FRAME, (FRAME.a * 3).astype(int)).predict_proba])  # fmt: skip
def test_explanations_are_logged(function):
    """Values of each row and feature, the value without any, and a figure."""
    with mlflow.start_run() as run:
        uri = mlflow.shap.log_explanation(function, FRAME)

    files = mlflow.MlflowClient().list_artifacts(run.info.run_id, "model_explanations_shap")
    assert {os.path.basename(one.path) for one in files} == {
        "base_values.npy", "shap_values.npy", "summary_bar_plot.png",
    }  # fmt: skip
    place = mlflow.artifacts.download_artifacts(uri)
    values = np.load(os.path.join(place, "shap_values.npy"))
    base = np.load(os.path.join(place, "base_values.npy"))
    assert np.allclose(base + values.sum(axis=1), function(FRAME), atol=1e-6)


def test_what_is_refused(tmp_path, monkeypatch):
    path = str(tmp_path / "m")
    with pytest.raises(MlflowException, match="no explainer of shap"):
        mlflow.shap.save_explainer(MODEL, path)
    mlflow.shap.save_explainer(explainers()["linear"], path, pip_requirements=[])
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="is a pickle"):
        mlflow.shap.load_explainer(path)


def test_a_model_of_an_unknown_flavor(tmp_path):
    path = str(tmp_path / "m")
    mlflow.shap.save_explainer(explainers()["linear"], path, pip_requirements=[])
    file = tmp_path / "m" / "MLmodel"
    conf = yaml.safe_load(file.read_text())
    conf["flavors"]["shap"]["underlying_model_flavor"] = "os"
    file.write_text(json.dumps(conf))

    with pytest.raises(MlflowException, match="the flavor 'os', which is not here"):
        mlflow.shap.load_explainer(path)


def test_evaluations_are_explained():
    """Figures of the features' weight stand beside the metrics."""
    result = mlflow.models.evaluate(
        lambda frame: frame.a, FRAME.assign(y=FRAME.a), targets="y", model_type="regressor",
        evaluator_config={"metric_prefix": "v_"},
    )  # fmt: skip

    files = {one.path for one in mlflow.MlflowClient().list_artifacts(result.run_id)}
    assert files == {
        "v_shap_beeswarm_plot.png", "v_shap_summary_plot.png", "v_shap_feature_importance_plot.png",
    }  # fmt: skip
