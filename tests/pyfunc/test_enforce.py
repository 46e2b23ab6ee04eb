"""What callers of `predict` are told when their input does not fit."""

from __future__ import annotations

import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.pyfunc.enforce import enforce_inputs, enforce_params, enforce_schema, validate_schema
from mlflow.types.schema import ColSpec, Schema

LONG = Schema([ColSpec("long", "a")])
GOOD = pd.DataFrame({"a": [1]})
BAD = pd.DataFrame({"a": [1.5]})


def test_what_fits_is_passed_on():
    for enforce in (enforce_inputs, enforce_schema):
        pd.testing.assert_frame_equal(enforce(GOOD, LONG), GOOD)
    assert validate_schema(GOOD, LONG) is None
    assert enforce_params(None, None) is None


def test_what_does_not_fit_is_told_with_the_data_and_the_schema():
    with pytest.raises(MlflowException) as caught:
        enforce_inputs(BAD, LONG)
    assert caught.value.message == (
        f"Failed to enforce schema of data '{BAD}' with schema '['a': long (required)]'. "
        "Error: Incompatible input types for column a. Can not safely convert float64 to int64."
    )
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert caught.value.error_class == "SCHEMA_ENFORCEMENT_FAILED"
    assert caught.value.sqlstate == "KAM01"
    assert caught.value.get_http_status_code() == 400


def test_the_data_is_not_told_where_details_are_off(monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_SCHEMA_DETAILS", "true")
    with pytest.raises(MlflowException) as caught:
        enforce_inputs(BAD, LONG)
    assert caught.value.message == (
        "Failed to enforce model input schema. Please check your input data."
    )


def test_validating_tells_the_reason_alone():
    with pytest.raises(MlflowException) as caught:
        validate_schema(BAD, LONG)
    assert caught.value.message.startswith("Incompatible input types for column a.")


def test_of_long_data_only_the_beginning_is_told():
    with pytest.raises(MlflowException) as caught:
        enforce_inputs([[1.5]] * 100_000, Schema([ColSpec("long")]))
    assert len(caught.value.message) < 2500
    assert "[[1.5], [1.5]" in caught.value.message
    assert "characters)" in caught.value.message
