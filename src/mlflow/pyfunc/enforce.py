"""Checks what a model is called with, and tells failures the way callers of `predict` know them."""

from __future__ import annotations

from typing import Any

from mlflow.environment_variables import MLFLOW_DISABLE_SCHEMA_DETAILS
from mlflow.exceptions import MlflowException
from mlflow.types.enforce import enforce_params, enforce_schema
from mlflow.types.schema import Schema

__all__ = ["enforce_inputs", "enforce_params", "enforce_schema", "validate_schema"]

_SHOWN_CHARACTERS = 2000


def enforce_inputs(
    data: Any, schema: Schema, flavor: str | None = None, *, is_read_only: bool = False
) -> Any:
    """Do what `enforce_schema` does, and tell a failure the way callers of `predict` know it.

    Args:
        data: whatever `predict` was called with.
        schema: the model's input schema.
        flavor: the model's flavor.
        is_read_only: whether the model never writes into what it is given.

    Raises:
        MlflowException: the data does not fit (error class SCHEMA_ENFORCEMENT_FAILED).
    """
    try:
        return enforce_schema(data, schema, flavor, is_read_only=is_read_only)
    except Exception as error:
        if MLFLOW_DISABLE_SCHEMA_DETAILS.get():
            message = "Failed to enforce model input schema. Please check your input data."
        else:
            shown = _shortened(str(data))
            message = (
                f"Failed to enforce schema of data '{shown}' with schema '{schema}'. Error: {error}"
            )
        raise MlflowException.invalid_parameter_value(
            message, error_class="SCHEMA_ENFORCEMENT_FAILED"
        ) from error


def _shortened(text: str) -> str:
    # A list of a million rows would be a message of megabytes, in logs and in answers.
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]}… ({len(text)} characters)"


def validate_schema(data: Any, expected_schema: Schema) -> None:
    """Refuse data that does not fit a schema.

    Args:
        data: what is checked.
        expected_schema: what it must fit.

    Raises:
        MlflowException: it does not.
    """
    enforce_schema(data, expected_schema)
