"""The tree of errors and its wire form."""

from __future__ import annotations

import json
import pickle

import pytest

from mlflow import exceptions
from mlflow.exceptions import ErrorCode, MlflowException, RestException


def test_the_wire_form_carries_code_class_and_state() -> None:
    """A refused value is reported with the keys MLflow's clients read."""
    error = exceptions.invalid("no")

    assert json.loads(error.serialize_as_json()) == {
        "error_code": "INVALID_PARAMETER_VALUE",
        "message": "no",
        "sqlstate": "KAM00",
        "error_class": "INVALID_PARAMETER_VALUE",
    }
    assert error.get_http_status_code() == 400


@pytest.mark.parametrize(("name", "number"), exceptions.ERROR_CODES.items())
def test_codes_translate_both_ways(name: str, number: int) -> None:
    """Names and numbers of codes agree, as attributes and as functions."""
    assert ErrorCode.Name(number) == name
    assert ErrorCode.Value(name) == number
    assert getattr(ErrorCode, name) == number
    assert MlflowException("x", error_code=number).error_code == name


def test_a_name_that_is_taken_is_400() -> None:
    """RESOURCE_ALREADY_EXISTS is not 409 on MLflow's wire."""
    assert exceptions.already_exists("x").get_http_status_code() == 400


def test_errors_survive_pickling() -> None:
    """Process pools send errors home; code and further keys must arrive."""
    error = MlflowException("x", error_code=exceptions.NOT_FOUND, stack_trace="t")
    again = pickle.loads(pickle.dumps(error))
    rest = pickle.loads(pickle.dumps(RestException({"error_code": "NOT_FOUND", "message": "m"})))

    assert (again.error_code, again.message, again.json_kwargs) == (
        "NOT_FOUND",
        "x",
        {"stack_trace": "t"},
    )
    assert str(rest) == "NOT_FOUND: m"


def test_a_rest_error_takes_a_status_number_for_a_code() -> None:
    """Proxies answer with numbers."""
    assert RestException({"error_code": 404, "message": "gone"}).error_code == "ENDPOINT_NOT_FOUND"
