"""The scoring functions that other servers import from `mlflow.pyfunc.scoring_server`."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from mlflow.exceptions import MlflowException
from mlflow.pyfunc import scoring_server as s
from mlflow.types.schema import ColSpec, Schema

from .asgi import get
from .served import answers

SCHEMA = Schema([ColSpec("double", "a"), ColSpec("string", "s")])


def test_names():
    """The constants are MLflow's."""
    assert ["text/csv", "application/json", "application/vnd.apache.parquet"] == s.CONTENT_TYPES
    assert ("text/csv", "application/json") == (s.CONTENT_TYPE_CSV, s.CONTENT_TYPE_JSON)


def test_split_data_and_params():
    """A body is data and parameters; other keys are dropped."""
    assert ({"inputs": [1]}, {"a": 1}) == s._split_data_and_params(
        '{"inputs": [1], "params": {"a": 1}, "columns": [1]}'
    )
    assert {"columns": ["a"], "instances": [[1]]} == s._split_data_and_params(
        '{"instances": [[1]], "columns": ["a"]}'
    )[0]
    with pytest.raises(MlflowException):
        s._split_data_and_params("[1]")


def test_infer_and_parse_data():
    """Data become what the model takes."""
    data = {"dataframe_records": [{"a": 1, "s": "007"}]}

    assert [1.0, "007"] == s.infer_and_parse_data(data, SCHEMA).iloc[0].tolist()
    assert np.array_equal(np.array([1, 2]), s.infer_and_parse_data({"inputs": [1, 2]}))


@pytest.mark.parametrize("make", [io.StringIO, lambda text: io.BytesIO(text.encode())])
def test_parse_csv_input(make):
    """CSV becomes a data frame, typed by the schema."""
    assert [1.0, "007"] == s.parse_csv_input(make("a,s\n1,007\n"), SCHEMA).iloc[0].tolist()
    assert 7 == s.parse_csv_input(make("a,s\n1,007\n"))["s"][0]


def test_predictions_to_json():
    """Replies are valid JSON, with further keys beside the predictions."""
    out = io.StringIO()
    s.predictions_to_json(np.array([1.0, np.nan]), out, {"id": "x"})

    assert {"predictions": [1.0, None], "id": "x"} == json.loads(out.getvalue())
    with pytest.raises(MlflowException):
        s.predictions_to_json([1], io.StringIO(), {"predictions": 1})


def test_unwrapped_predictions_to_json():
    """Pass-through replies are written bare."""
    out = io.StringIO()
    s.unwrapped_predictions_to_json({"a": 1}, out)

    assert {"a": 1} == json.loads(out.getvalue())
    assert s.is_unified_llm_input({"messages": []})


def test_split_for_language_models():
    """Declared parameters are split off."""
    data, params = s._split_data_and_params_for_llm_input({"messages": [], "k": 1}, None)

    assert ({"messages": [], "k": 1}, {}) == (data, params)


def test_init():
    """An application for any host."""
    assert get(s.init(answers(1)), "/ping", ("Host", "any.example")).status == 200
