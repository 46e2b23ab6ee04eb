"""Requests are tried on a model as the scoring server would take them."""

import json

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.scoring.validate import validate_serving_input

FRAME = pd.DataFrame({"a": [0.0, 1.0]})


@pytest.fixture
def uri(tmp_path):
    model = LinearRegression().fit(FRAME, [0.0, 2.0])
    mlflow.sklearn.save_model(model, tmp_path / "m", input_example=FRAME)
    return str(tmp_path / "m")


@pytest.mark.parametrize(
    "request_body",
    [{"dataframe_split": {"columns": ["a"], "data": [[3.0]]}}, {"dataframe_records": [{"a": 3.0}]},
     {"inputs": {"a": [3.0]}}],
)  # fmt: skip
def test_requests_of_every_form(uri, request_body):
    assert validate_serving_input(uri, request_body)[0] == pytest.approx(6.0)
    assert validate_serving_input(uri, json.dumps(request_body))[0] == pytest.approx(6.0)


@pytest.mark.parametrize("request_body", [{}, "no json", {"inputs": {"b": [1]}}])
def test_what_the_server_refuses_is_refused(uri, request_body):
    with pytest.raises(MlflowException):
        validate_serving_input(uri, request_body)
