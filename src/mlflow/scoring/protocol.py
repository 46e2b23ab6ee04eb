"""The scoring protocol as functions, under the names that other servers import."""

from __future__ import annotations

import json
from typing import Any, TextIO

from mlflow.pyfunc import load_model
from mlflow.scoring.app import ScoringApp, Settings
from mlflow.scoring.layout import Layout
from mlflow.scoring.payload import (
    CONTENT_TYPES,
    CSV,
    FORMS,
    JSON,
    PARQUET,
    PASSTHROUGH_KEYS,
    Table,
    bad_request,
    decode_json,
    encode_reply,
    parse_object,
)

CONTENT_TYPE_CSV = CSV
CONTENT_TYPE_JSON = JSON
CONTENT_TYPE_PARQUET = PARQUET
DF_SPLIT, DF_RECORDS, INSTANCES, INPUTS = FORMS
SUPPORTED_FORMATS = set(FORMS)
SERVING_PARAMS_KEY = "params"
REQUIRED_INPUT_FORMAT = (
    "The input must be a JSON dictionary with exactly one of the input fields "
    "{'dataframe_split', 'dataframe_records', 'instances', 'inputs'}"
)

__all__ = [
    "CONTENT_TYPES",
    "CONTENT_TYPE_CSV",
    "CONTENT_TYPE_JSON",
    "CONTENT_TYPE_PARQUET",
    "DF_RECORDS",
    "DF_SPLIT",
    "INPUTS",
    "INSTANCES",
    "REQUIRED_INPUT_FORMAT",
    "SERVING_PARAMS_KEY",
    "SUPPORTED_FORMATS",
    "infer_and_parse_data",
    "init",
    "is_unified_llm_input",
    "load_model",
    "parse_csv_input",
    "predictions_to_json",
    "unwrapped_predictions_to_json",
]


def init(model: Any) -> ScoringApp:
    """Return an ASGI application that serves a loaded model."""
    # Whoever mounts it says where it listens, so it cannot know which Host is right.
    return ScoringApp(model, Settings.from_environment()._replace(hosts=("*",)))


def is_unified_llm_input(json_input: dict[str, Any]) -> bool:
    """Tell whether a request goes to the model as it is."""
    return not PASSTHROUGH_KEYS.isdisjoint(json_input)


def parse_csv_input(csv_input: Any, schema: Any = None) -> Any:
    """Return CSV text as a data frame.

    Args:
        csv_input: an open text or binary file.
        schema: the inputs of the signature, which give the columns their types.

    Raises:
        MlflowException: (400) it is no clean CSV, or a value does not fit.
    """
    content = csv_input.read()
    body = content.encode() if isinstance(content, str) else content
    layout = Layout(schema)
    payload = layout.csv_payload(body)
    return layout.data(payload) if isinstance(payload, Table) else payload


def infer_and_parse_data(data: dict[str, Any], schema: Any = None) -> Any:
    """Return the data of a request as the model takes it.

    Args:
        data: a dictionary with exactly one of the input fields.
        schema: the inputs of the signature.

    Raises:
        MlflowException: (400) the request breaks the protocol or does not fit the signature.
    """
    return Layout(schema).data(parse_object(dict(data)).payload)


def _split_data_and_params(json_input: str | bytes) -> tuple[dict[str, Any], Any]:
    body = json_input.encode() if isinstance(json_input, str) else json_input
    document = decode_json(body)
    if not isinstance(document, dict):
        raise bad_request(f"Invalid input. {REQUIRED_INPUT_FORMAT}.")
    kept = {*FORMS, "columns"} if "instances" in document else set(FORMS)
    data = {key: value for key, value in document.items() if key in kept}
    return data, document.get(SERVING_PARAMS_KEY)


def _split_data_and_params_for_llm_input(
    json_input: dict[str, Any], param_schema: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    names = {item.name for item in param_schema or ()}
    data = {key: value for key, value in json_input.items() if key not in names}
    return data, {key: value for key, value in json_input.items() if key in names}


def predictions_to_json(
    raw_predictions: Any, output: TextIO, metadata: dict[str, Any] | None = None
) -> None:
    """Write predictions as the body of a reply.

    Args:
        raw_predictions: what the model returned.
        output: an open text file.
        metadata: further keys of the reply.

    Raises:
        MlflowException: a key of `metadata` is "predictions".
    """
    if metadata and "predictions" in metadata:
        raise bad_request("metadata cannot contain 'predictions' key")
    text = encode_reply(raw_predictions).decode()
    if metadata:
        text = text[:-1] + ", " + json.dumps(metadata)[1:]
    output.write(text)


def unwrapped_predictions_to_json(raw_predictions: Any, output: TextIO) -> None:
    """Write predictions without the object around them."""
    output.write(encode_reply(raw_predictions, unwrapped=True).decode())
