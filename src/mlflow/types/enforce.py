"""Checks input data and parameters against a schema, whatever kind of data and schema it is."""

from __future__ import annotations

import logging
from typing import Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.types.columns import enforce_columns
from mlflow.types.duck import is_spark_frame
from mlflow.types.params import check_range
from mlflow.types.schema import ParamSchema, ParamSpec, Schema
from mlflow.types.tensors import enforce_tensors

_logger = logging.getLogger("mlflow.models.utils")
# Rows of a Spark DataFrame that are looked at; the rest is the cluster's.
_SPARK_SAMPLE = 10


def enforce_schema(
    data: Any, schema: Schema, flavor: str | None = None, *, is_read_only: bool = False
) -> Any:
    """Return the data as the schema describes it, converted only where no value changes.

    Args:
        data: whatever `predict` was called with.
        schema: the model's input schema.
        flavor: the model's flavor; no rule depends on it.
        is_read_only: whether the model never writes into what it is given.

    Returns:
        A DataFrame for columns, an array or a dictionary of arrays for tensors. Data that conforms
        already is passed on without a look at its values.

    Raises:
        MlflowException: the data does not fit; the message says where.
    """
    if is_spark_frame(data):
        enforce_columns(data.limit(_SPARK_SAMPLE).toPandas(), schema)
        return data
    if schema.is_tensor_spec():
        return enforce_tensors(data, schema)
    return enforce_columns(data, schema, is_read_only=is_read_only)


def enforce_params(params: Any, schema: ParamSchema | None) -> dict[str, Any] | None:
    """Return the parameters a model is called with: those given, checked, and the defaults.

    Args:
        params: what the caller gave, or None.
        schema: the model's parameters, or None for a model that has none.

    Returns:
        One value for each parameter of the schema; None where nothing was given to a model
        without parameters, and an empty dictionary where something was.

    Raises:
        MlflowException: a value has another type or shape, or is out of range; all are told.
    """
    if schema is None:
        if params is None:
            return None
        names = list(params) if isinstance(params, dict) else params
        _logger.warning(
            "`params` can only be specified at inference time if the model signature defines a "
            "params schema. This model does not define a params schema. Ignoring provided params: "
            "%s",
            names,
        )
        return {}
    if params is not None and not isinstance(params, dict):
        raise invalid(f"Parameters must be a dictionary. Got type '{type(params).__name__}'.")
    # JSON and MLmodel know text keys only.
    given = {str(key): value for key, value in (params or {}).items()}
    specs = {spec.name: spec for spec in schema}
    unknown = [name for name in given if name not in specs]
    if unknown:
        _logger.warning(
            "Unrecognized params %s are ignored for inference. Supported params are: %s. "
            "To enable them, please add corresponding schema in ModelSignature.",
            unknown,
            set(specs),
        )
    values, failures = {}, []
    for name, spec in specs.items():
        if name not in given:
            values[name] = spec.default
            continue
        try:
            values[name] = _enforce_param(given[name], spec)
        except MlflowException as error:
            failures.append((name, error.message))
    if failures:
        told = ", ".join(repr(failure) for failure in failures)
        raise invalid(f"Invalid parameters found: {{{told}}}")
    return values


def _enforce_param(value: Any, spec: ParamSpec) -> Any:
    converted = ParamSpec.validate_param_spec(value, spec)
    try:
        check_range(converted, spec.dtype)
    except MlflowException as error:
        raise invalid(
            f"Failed to validate type and shape for {spec}, error: {error.message}"
        ) from error
    return converted
