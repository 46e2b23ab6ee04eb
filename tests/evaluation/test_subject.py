"""What is evaluated, and what it predicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import mlflow
from mlflow.evaluation.subject import estimator_of, split_output, subject
from mlflow.exceptions import MlflowException


def test_functions_and_models(tmp_path):
    """A function predicts by being called; a model is loaded from its URI or taken as it is."""
    path = str(tmp_path / "m")
    mlflow.sklearn.save_model(Ridge().fit([[1], [2]], [1, 2]), path, pip_requirements=[])
    loaded = subject(path, "local", None)

    assert subject(len, "local", None).predict([1, 2]) == 2
    assert isinstance(loaded, mlflow.pyfunc.PyFuncModel)
    assert subject(loaded, "local", None) is loaded
    assert subject(None, "local", None) is None
    assert isinstance(estimator_of(loaded), Ridge)
    assert estimator_of(subject(len, "local", None)) is None


class Other(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input


def test_other_flavors_have_no_estimator(tmp_path):
    path = str(tmp_path / "m")
    mlflow.pyfunc.save_model(path, python_model=Other(), pip_requirements=[])

    assert estimator_of(subject(path, "local", None)) is None


@pytest.mark.parametrize(
    ("model", "environment", "code", "told"),
    [
        (3, "local", "INVALID_PARAMETER_VALUE", "not int"),
        (Ridge(), "local", "INVALID_PARAMETER_VALUE", "not Ridge"),
        (len, "x", "INVALID_PARAMETER_VALUE", "Must be one of"),
        (len, "uv", "INVALID_PARAMETER_VALUE", "must be a string URI"),
        ("models:/m/1", "uv", "NOT_IMPLEMENTED", "env_manager='uv'"),
        ("endpoints:/chat", "local", "NOT_IMPLEMENTED", "endpoint"),
    ],
)
def test_what_is_refused(model, environment, code, told):
    with pytest.raises(MlflowException, match=told) as caught:
        subject(model, environment, None)

    assert caught.value.error_code == code


@pytest.mark.parametrize(
    ("output", "column", "name"),
    [
        ([1, 2], None, "outputs"),
        ([1, 2], "p", "p"),
        (np.array([1, 2]), None, "outputs"),
        (np.array([[1], [2]]), None, "outputs"),
        (pd.Series([1, 2], index=[5, 6]), None, "outputs"),
        (pd.DataFrame({"p": [1, 2]}, index=[5, 6]), None, "p"),
        (pd.DataFrame({"p": [1, 2], "q": [3, 4]}), "p", "p"),
        ({"p": [1, 2], "q": [3, 4]}, "p", "p"),
        ([{"p": 1, "q": 3}, {"p": 2, "q": 4}], "p", "p"),
    ],
)
def test_outputs(output, column, name):
    """Predictions are rows from 0, whatever a model gives; what is beside them is kept."""
    predictions, rest, found = split_output(output, column)

    assert predictions.to_dict() == {0: 1, 1: 2}
    assert found == name
    assert (rest is None) or rest.to_dict("list") == {"q": [3, 4]}


@pytest.mark.parametrize(
    ("column", "told"), [(None, "not specified for the multi-output"), ("z", "'z' is not found")]
)
def test_several_columns(column, told):
    with pytest.raises(MlflowException, match=told):
        split_output(pd.DataFrame({"p": [1], "q": [3]}), column)
    with pytest.raises(MlflowException, match=told):
        split_output(np.ones((2, 2)), column)
