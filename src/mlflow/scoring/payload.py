"""The bodies of the scoring protocol: content types, the JSON and CSV forms, and the reply."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import decimal
import io
import json
import re
import sys
from typing import Any, NamedTuple

import msgspec

from mlflow.exceptions import BAD_REQUEST, MlflowException

CSV = "text/csv"
JSON = "application/json"
PARQUET = "application/vnd.apache.parquet"
CONTENT_TYPES = [CSV, JSON, PARQUET]
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
PASSTHROUGH_KEYS = frozenset({"messages", "prompt", "input"})
MAX_DEPTH = 100
MAX_ROWS = 1_000_000
MAX_COLUMNS = 20_000

_SHOWN = 200
# A number that float() would turn into infinity without a word has one of these shapes.
_MAY_OVERFLOW = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{309}")


class Unsupported(Exception):
    """The body's type, charset or encoding is not one this server reads (415)."""


class Table(NamedTuple):
    """Rows of cells; `names` is None when the request does not name its columns."""

    names: list[Any] | None
    rows: list[list[Any]]
    labels: list[Any] | None = None


class Records(NamedTuple):
    """Rows as objects."""

    rows: list[dict[str, Any]]
    form: str


class Columns(NamedTuple):
    """Columns by name."""

    values: dict[str, Any]


class Raw(NamedTuple):
    """Anything without rows and columns: tensors, scalars, lists for models without a signature."""

    value: Any
    form: str


Payload = Table | Records | Columns | Raw


class Parsed(NamedTuple):
    """One request: what to predict on, the parameters, and whether the reply stays unwrapped."""

    payload: Payload
    params: Any = None
    unwrapped: bool = False


def bad_request(message: str) -> MlflowException:
    """Return the 400 for a body that does not follow the protocol."""
    return MlflowException(message, error_code=BAD_REQUEST)


def media_type(header: str | None) -> str:
    """Return the media type of a Content-Type header, in lower case.

    Raises:
        Unsupported: another type, a charset other than UTF-8, or further parameters.
    """
    kind, *rest = (header or "").split(";")
    kind = kind.strip().lower()
    for item in rest:
        key, _, value = item.strip().partition("=")
        if not key:
            continue
        if key.strip().lower() != "charset":
            msg = f"Unrecognized content type parameters: {key[:_SHOWN]}."
            raise Unsupported(msg)
        if value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            msg = "The scoring server only supports UTF-8"
            raise Unsupported(msg)
    if kind not in CONTENT_TYPES:
        msg = (
            "This predictor only supports the following content types: "
            f"Types: {CONTENT_TYPES}. Got '{kind[:_SHOWN]}'."
        )
        raise Unsupported(msg)
    return kind


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                msg = f"the key {key[:_SHOWN]!r} is given twice"
                raise ValueError(msg)
            seen.add(key)
    return out


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        msg = f"the number {text[:40]} is too large for a double"
        raise ValueError(msg)
    return number


_decode = json.JSONDecoder(object_pairs_hook=_object).decode
_decode_checked = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite).decode


def decode_json(body: bytes) -> Any:
    """Return the value of a JSON body, strictly: UTF-8, no repeated keys, no silent overflow.

    Raises:
        MlflowException: (400) the body is not such JSON, or is nested too deeply.
    """
    try:
        text = body.decode("utf-8")
        if _MAY_OVERFLOW.search(body):
            return _decode_checked(text)
        return _decode(text)
    except RecursionError:
        reason = "the values are nested too deeply"
    except UnicodeDecodeError:
        reason = "the body is not UTF-8"
    except ValueError as error:
        reason = str(error)
    raise bad_request(
        "Invalid input. Ensure that input is a valid JSON formatted string. "
        f"Error: '{reason[:_SHOWN]}'"
    )


def check_depth(value: Any) -> None:
    """Refuse (400) a value nested more than `MAX_DEPTH` deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        if not deeper:
            return
        level = deeper
    raise bad_request(f"Invalid input. Values may be nested {MAX_DEPTH} deep, not deeper.")


def parse_json(body: bytes, param_names: frozenset[str] = frozenset()) -> Parsed:
    """Return what a JSON body asks for.

    Args:
        body: the request's bytes.
        param_names: names of the model's parameters, split off pass-through requests.

    Raises:
        MlflowException: (400) the body breaks the protocol.
    """
    return parse_object(decode_json(body), param_names)


def parse_object(document: Any, param_names: frozenset[str] = frozenset()) -> Parsed:
    """Return what a decoded JSON document asks for; see `parse_json`."""
    if not isinstance(document, dict):
        fields = "{'dataframe_split', 'dataframe_records', 'instances', 'inputs'}"
        if isinstance(document, list):
            raise bad_request(
                "Invalid input. The input must be a JSON dictionary with exactly one of the "
                f"input fields {fields}. Received a list."
            )
        raise bad_request(
            f"Invalid input. Received unexpected input type '{type(document)}'. The input must "
            f"be a JSON dictionary with exactly one of the input fields {fields}."
        )
    if not PASSTHROUGH_KEYS.isdisjoint(document):
        check_depth(document)
        params = {key: document.pop(key) for key in list(document) if key in param_names}
        return Parsed(Raw(document, "passthrough"), params or None, unwrapped=True)
    forms = [key for key in FORMS if key in document]
    if len(forms) != 1:
        raise bad_request(
            "Invalid input. The input must be a JSON dictionary with exactly one of the input "
            "fields {'dataframe_split', 'dataframe_records', 'instances', 'inputs'}. Received "
            f"dictionary with input fields: {[str(key)[:_SHOWN] for key in list(document)[:20]]}."
        )
    form = forms[0]
    value = document[form]
    asked = document.get("params")
    if form == "dataframe_split":
        return Parsed(_split(value), asked)
    if form == "dataframe_records":
        return Parsed(_records(value), asked)
    if form == "instances":
        return Parsed(_instances(value, document.get("columns")), asked)
    if isinstance(value, dict):
        check_depth(value)
        return Parsed(Columns(value), asked)
    return Parsed(Raw(value, form), asked)


def _split(value: Any) -> Table:
    if not isinstance(value, dict):
        kind = "list" if isinstance(value, list) else type(value).__name__
        raise bad_request(
            f"Invalid input. Dataframe split format must be a dictionary. Got {kind}."
        )
    if "data" not in value or not {"columns", "index", "data"}.issuperset(value):
        raise bad_request(
            "Invalid input. Dataframe split format must have 'data' field and optionally "
            f"'columns' and 'index' fields. Got {[str(key)[:_SHOWN] for key in list(value)[:20]]}."
        )
    rows = value["data"]
    if not isinstance(rows, list):
        raise bad_request("Invalid input. The 'data' of dataframe_split must be a list of rows.")
    rows = [row if isinstance(row, list) else [row] for row in rows]
    names = value.get("columns")
    index = value.get("index")
    if names is not None:
        _check_names(names)
    if index is not None and (not isinstance(index, list) or len(index) != len(rows)):
        raise bad_request(
            "Invalid input. The 'index' of dataframe_split must have one entry for each row."
        )
    return _table(names, rows, index)


def _check_names(names: Any) -> None:
    if not isinstance(names, list):
        raise bad_request("Invalid input. 'columns' must be a list of names.")
    seen = set()
    for name in names:
        if not isinstance(name, (str, int)) or isinstance(name, bool):
            raise bad_request(
                f"Invalid input. A column name must be a string or a number, not {name!r:.80}."
            )
        if name in seen:
            raise bad_request(f"Invalid input. The column {name!r:.80} is named twice.")
        seen.add(name)


def _table(names: list[Any] | None, rows: list[list[Any]], index: list[Any] | None) -> Table:
    _check_size(len(rows), len(names) if names is not None else 0)
    width = len(names) if names is not None else (len(rows[0]) if rows else 0)
    for number, row in enumerate(rows):
        if len(row) != width:
            raise bad_request(
                f"Invalid input. Row {number} has {len(row)} values; {width} are expected."
            )
    return Table(names, rows, index)


def _check_size(rows: int, columns: int) -> None:
    if rows > MAX_ROWS:
        raise bad_request(f"Invalid input. {rows} rows were sent; {MAX_ROWS} are allowed.")
    if columns > MAX_COLUMNS:
        raise bad_request(f"Invalid input. {columns} columns were sent; {MAX_COLUMNS} are allowed.")


def _records(value: Any) -> Records:
    if not isinstance(value, list):
        kind = "dictionary" if isinstance(value, dict) else type(value).__name__
        raise bad_request(
            f"Invalid input. Dataframe records format must be a list of records. Got {kind}."
        )
    if not value:
        raise bad_request("Invalid input. Dataframe records format must hold a record at least.")
    for number, record in enumerate(value):
        if not isinstance(record, dict):
            raise bad_request(
                "Invalid input. Dataframe records format must be a list of records. "
                f"Row {number} is a {type(record).__name__}."
            )
    _check_size(len(value), len(value[0]))
    return Records(value, "dataframe_records")


def _instances(value: Any, names: Any) -> Payload:
    if not isinstance(value, list):
        raise bad_request("Invalid input. 'instances' must be a list, one item for each row.")
    if not value:
        raise bad_request("Invalid input. 'instances' must hold a row at least.")
    _check_size(len(value), 0)
    if isinstance(value[0], dict):
        keys = value[0].keys()
        for row in value:
            if not isinstance(row, dict) or row.keys() != keys:
                raise bad_request(
                    "Invalid input. The length of values for each input/column name are not the "
                    "same: every instance must have the same names."
                )
        return Records(value, "instances")
    if names is not None and isinstance(value[0], list):
        # The document that this product follows sends its columns beside the instances.
        _check_names(names)
        for number, row in enumerate(value):
            if not isinstance(row, list):
                raise bad_request(f"Invalid input. Row {number} of 'instances' is not a list.")
        return _table(names, value, None)
    return Raw(value, "instances")


def parse_csv(body: bytes) -> Table:
    """Return the rows of a CSV body as text, checked for shape.

    Raises:
        MlflowException: (400) not UTF-8, NUL bytes, unbalanced quotes, ragged rows, repeated names.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _bad_csv("the body is not UTF-8") from None
    if "\0" in text:
        raise _bad_csv("it holds a NUL character")
    csv.field_size_limit(max(len(text), csv.field_size_limit()))
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise _bad_csv(str(error)) from None
    if not lines:
        raise _bad_csv("no columns to parse")
    names, rows = lines[0], lines[1:]
    if len(set(names)) != len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise _bad_csv(f"the column {double[:_SHOWN]!r} is named twice")
    return _table(names, rows, None)


def _bad_csv(reason: str) -> MlflowException:
    return bad_request(
        "Failed to parse input as a Pandas DataFrame. Ensure that the input is a valid "
        "CSV-formatted Pandas DataFrame produced using the `pandas.DataFrame.to_csv()` method. "
        f"Error: '{reason}'"
    )


def encode_reply(predictions: Any, *, unwrapped: bool = False) -> bytes:
    """Return the body of a reply: valid JSON, with NaN and infinities as null.

    Raises:
        TypeError: the model returned something JSON cannot hold.
    """
    body = msgspec.json.encode(plain(predictions), enc_hook=_refuse_object)
    return body if unwrapped else b'{"predictions": ' + body + b"}"


def _refuse_object(value: Any) -> Any:
    msg = f"an object of type {type(value).__name__} has no JSON form"
    raise TypeError(msg)


def plain(value: Any) -> Any:
    """Return a model's output as lists, objects, strings, numbers and None."""
    kind = type(value)
    if value is None or kind in (str, int, float, bool):
        return value
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.encodebytes(value).decode("ascii")
    if isinstance(value, (dt.date, dt.time)):
        # pandas' NaT counts as a date.
        return value.isoformat() if value == value else None  # noqa: PLR0124
    if isinstance(value, decimal.Decimal):
        return float(value)
    return _plain_numeric(value)


def _plain_numeric(value: Any) -> Any:
    # The libraries are looked up, not imported: an output of theirs means that they are loaded.
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if isinstance(value, numpy.ndarray):
            return _plain_array(value, numpy)
        if isinstance(value, numpy.generic):
            return _plain_array(numpy.asarray(value), numpy)
    pandas = sys.modules.get("pandas")
    if pandas is not None:
        if value is pandas.NaT or value is pandas.NA:
            return None
        if isinstance(value, pandas.DataFrame):
            columns = {
                str(name): _plain_series(value.iloc[:, i]) for i, name in enumerate(value.columns)
            }
            return [
                dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
            ]
        if isinstance(value, pandas.Series):
            name = "0" if value.name is None else str(value.name)
            return [{name: item} for item in _plain_series(value)]
        if isinstance(value, pandas.Index):
            return plain(value.tolist())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return value


def _plain_array(value: Any, numpy: Any) -> Any:
    if value.dtype.kind in "fiub":
        return value.tolist()
    if value.dtype.kind == "M":
        text = numpy.datetime_as_string(value.astype("datetime64[us]"))
        return numpy.where(numpy.isnat(value), None, text.astype(object)).tolist()
    return plain(value.tolist())


def _plain_series(series: Any) -> list[Any]:
    return [plain(item) for item in series.tolist()]
