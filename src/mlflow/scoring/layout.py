"""The layout that a signature gives to data: column order, exact types, frames and tensors."""

from __future__ import annotations

import csv
import importlib
import io
from typing import Any

import numpy as np

from mlflow.exceptions import MlflowException, invalid
from mlflow.scoring import cast
from mlflow.scoring.payload import (
    Columns,
    Payload,
    Raw,
    Records,
    Table,
    bad_request,
    check_depth,
    parse_csv,
)

NUMBERS = frozenset({"double", "float", "long", "integer"})
_CELL_TYPES = NUMBERS | {"boolean", "string", "binary", "datetime"}
_SHOWN_NAMES = 20


class Layout:
    """How payloads become what a model with this signature takes.

    Args:
        schema: the inputs of the signature; None for a model without one.
    """

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.tensor = schema is not None and schema.is_tensor_spec()
        self.columns: list[tuple[Any, str, bool]] = []
        if schema is not None and not self.tensor:
            self.columns = [
                (spec.name, _kind(spec.type), getattr(spec, "required", True))
                for spec in schema.inputs
            ]
        self.names: list[Any] | None = None
        if self.columns and all(name is not None for name, _, _ in self.columns):
            self.names = [name for name, _, _ in self.columns]
        self.kinds = [kind for _, kind, _ in self.columns]

    def csv_payload(self, body: bytes) -> Table | Any:
        """Return the rows of a CSV body, texts where the signature wants them; or a frame.

        Raises:
            MlflowException: (400) it is no clean CSV.
        """
        table = parse_csv(body)
        if self.schema is None:
            return _guessed_frame(table)
        if self.tensor:
            numbers = [[_csv_number(cell) for cell in row] for row in table.rows]
            return frame(table.names, [list(item) for item in zip(*numbers, strict=True)])
        kinds = dict(zip(self.names or [], self.kinds, strict=False))
        text = [kinds.get(name) in ("string", "binary") for name in table.names or []]
        rows = [
            [_csv_cell(cell, keep) for cell, keep in zip(row, text, strict=True)]
            for row in table.rows
        ]
        return Table(table.names, rows)

    # ── rows in the signature's order ────────────────────────────────────────────────────────────

    def ordered_rows(self, payload: Payload) -> list[list[Any]] | None:
        """Return the cells in the signature's order; None when the payload has no rows."""
        names = self.names or []
        if isinstance(payload, Table):
            return self._rows_of_table(payload)
        if isinstance(payload, Records):
            return self._rows_of_records(payload.rows)
        if isinstance(payload, Columns):
            values = self._columns_of(payload)
            if values is None:
                return None
            return [list(row) for row in zip(*(values[name] for name in names), strict=True)]
        return None

    def _rows_of_table(self, payload: Table) -> list[list[Any]] | None:
        if payload.names is None or payload.labels is not None:
            return None
        if payload.names == self.names:
            return payload.rows
        places = {name: place for place, name in enumerate(payload.names)}
        self._require(places)
        order = [places[name] for name in self.names or []]
        return [[row[place] for place in order] for row in payload.rows]

    def _rows_of_records(self, records: list[dict[str, Any]]) -> list[list[Any]]:
        names = self.names or []
        try:
            return [[record[name] for name in names] for record in records]
        except KeyError:
            self._require({name for record in records for name in record})
            return [[record.get(name) for name in names] for record in records]

    def _require(self, given: Any) -> None:
        missing = [name for name, _, required in self.columns if required and name not in given]
        if not missing:
            return
        known = set(self.names or [])
        extra = [name for name in given if name not in known]
        note = f" Note that there were extra inputs: {_listed(extra)}." if extra else ""
        raise MlflowException(
            f"Failed to enforce schema of the request. Error: Model is missing inputs "
            f"{_listed(missing)}.{note}",
            error_code="INVALID_PARAMETER_VALUE",
            error_class="SCHEMA_ENFORCEMENT_FAILED",
        )

    def _columns_of(self, payload: Columns) -> dict[str, list[Any]] | None:
        values = payload.values
        self._require(values)
        known = {name: values[name] for name in self.names or [] if name in values}
        nested = {name for name, kind, _ in self.columns if kind not in _CELL_TYPES}
        if all(not isinstance(item, list) or name in nested for name, item in known.items()):
            return {name: [item] for name, item in known.items()}
        lengths = {len(item) if isinstance(item, list) else -1 for item in known.values()}
        if len(lengths) > 1 or -1 in lengths:
            raise bad_request(
                "Invalid input. The length of values for each input/column name are not the same"
            )
        return known

    # ── the plain path: data frames and tensors ──────────────────────────────────────────────────

    def data(self, payload: Payload) -> Any:
        """Return a payload as the frame, array or dictionary of arrays that the model takes."""
        if self.schema is None:
            return _unchecked(payload)
        if self.tensor:
            return self._tensors(payload)
        if self.names is None:
            return self._positional(payload)
        if isinstance(payload, Raw):
            return self._raw_list(payload)
        if isinstance(payload, Table) and payload.names is None:
            self._require(set(range(len(payload.rows[0]) if payload.rows else 0)))
            payload = payload._replace(names=list(range(len(payload.rows[0]))))
        columns = self._typed_columns(payload)
        index = payload.labels if isinstance(payload, Table) else None
        return frame(list(columns), list(columns.values()), index)

    def _raw_list(self, payload: Raw) -> Any:
        value = payload.value
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
            return self.data(Records(value, payload.form))
        self._require(set(range(len(value[0]) if _is_matrix(value) else 1)))
        if not _is_matrix(value):
            raise bad_request("Invalid input. Rows must be lists of the same length.")
        return self.data(Table(list(range(len(value[0]))), value))

    def _typed_columns(self, payload: Payload) -> dict[Any, Any]:
        if isinstance(payload, Columns):
            given: dict[Any, list[Any]] = dict(self._columns_of(payload) or {})
        elif isinstance(payload, Records):
            keys = {name for record in payload.rows for name in record}
            self._require(keys)
            given = {
                name: [record.get(name) for record in payload.rows]
                for name in self.names or []
                if name in keys
            }
        elif isinstance(payload, Table):
            places = {name: place for place, name in enumerate(payload.names or [])}
            self._require(places)
            given = {
                name: [row[places[name]] for row in payload.rows]
                for name in self.names or []
                if name in places
            }
        else:
            raise bad_request("Invalid input. Rows with named columns are expected.")
        return {
            name: self._typed(given[name], kind, name, required)
            for name, kind, required in self.columns
            if name in given
        }

    def _typed(self, values: list[Any], kind: str, name: Any, required: bool) -> Any:
        if not required and all(value is None for value in values):
            return values
        if kind not in _CELL_TYPES:
            check_depth(values)
            return values
        return cast.column(values, kind, name)

    def _positional(self, payload: Payload) -> Any:
        if isinstance(payload, Table):
            rows = payload.rows
        elif isinstance(payload, Raw) and _is_matrix(payload.value):
            rows = payload.value
        elif isinstance(payload, Raw):
            value = payload.value
            rows = [[item] for item in value] if isinstance(value, list) else [[value]]
        else:
            return _unchecked(payload)
        width = len(rows[0]) if rows else 0
        values = [[row[place] for row in rows] for place in range(width)]
        typed = [
            cast.column(item, self.kinds[place], place)
            if place < len(self.kinds) and self.kinds[place] in _CELL_TYPES
            else item
            for place, item in enumerate(values)
        ]
        return frame(list(range(width)), typed)

    def _tensors(self, payload: Payload) -> Any:
        specs = {spec.name: spec for spec in self.schema.inputs}
        if isinstance(payload, Table):
            columns = [list(item) for item in zip(*payload.rows, strict=True)]
            names = payload.names or list(range(len(columns)))
            return frame(names, columns, payload.labels)
        if isinstance(payload, Records) and payload.form == "dataframe_records":
            names = list(payload.rows[0])
            return frame(names, [[row.get(name) for row in payload.rows] for name in names])
        if isinstance(payload, Records):
            values = {name: [row[name] for row in payload.rows] for name in payload.rows[0]}
            return self._named_tensors(values, specs)
        if isinstance(payload, Columns):
            return self._named_tensors(payload.values, specs)
        if None not in specs:
            raise bad_request(
                "Invalid input. The model's signature names its tensors; send an object with "
                f"{_listed(list(specs))}."
            )
        return cast.tensor(payload.value, np.dtype(specs[None].type), None)

    def _named_tensors(self, values: dict[str, Any], specs: dict[Any, Any]) -> Any:
        if None in specs:
            raise bad_request(
                "Invalid input. This model contains an un-named model signature which expects a "
                "single n-dimensional array as input, however, an object was sent."
            )
        return {
            name: cast.tensor(value, np.dtype(specs[name].type), name)
            if name in specs
            else np.array(value, dtype=object)
            for name, value in values.items()
        }


def _kind(declared: Any) -> str:
    name = getattr(declared, "name", None)
    return name if isinstance(name, str) and name in _CELL_TYPES else "nested"


def _listed(names: list[Any]) -> str:
    shown = [str(name)[: _SHOWN_NAMES * 4] for name in names[:_SHOWN_NAMES]]
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return f"{shown}{more}"


def _is_matrix(value: Any) -> bool:
    if not isinstance(value, list) or not value or not isinstance(value[0], list):
        return False
    width = len(value[0])
    return all(isinstance(row, list) and len(row) == width for row in value)


def inputs_only(payload: Payload) -> Any:
    """Return what lies under `inputs`, for models that take what their type hint says."""
    if isinstance(payload, Columns):
        return payload.values
    if isinstance(payload, Raw) and payload.form == "inputs":
        check_depth(payload.value)
        return payload.value
    raise bad_request(
        "Invalid input. The model's signature comes from type hints: send its data under 'inputs'."
    )


def pandas() -> Any:
    """Return the module pandas, which requests for models of arrays do without.

    Raises:
        MlflowException: (501) it is not installed.
    """
    try:
        return importlib.import_module("pandas")
    except ImportError:
        raise MlflowException(
            "The model takes this request as a data frame, and pandas is not installed where it "
            "is served: pip install pandas",
            error_code="NOT_IMPLEMENTED",
        ) from None


def frame(names: list[Any] | None, columns: list[Any], index: list[Any] | None = None) -> Any:
    """Return columns as a data frame; text and objects stay objects."""
    pd = pandas()
    labels = names if names is not None else list(range(len(columns)))
    series = {place: _object_series(item, pd) for place, item in enumerate(columns)}
    out = pd.DataFrame(series)
    out.columns = pd.Index(labels, tupleize_cols=False)
    if index is not None:
        out.index = pd.Index(index)
    return out


def _object_series(values: Any, pd: Any) -> Any:
    if isinstance(values, np.ndarray):
        return values
    if all(isinstance(value, (str, bytes, list, dict)) or value is None for value in values):
        return pd.Series(values, dtype=object)
    return pd.Series(values)


def _unchecked(payload: Payload) -> Any:
    """Return the data for a model that has no signature, as MLflow gives it."""
    if isinstance(payload, Table):
        columns = [list(item) for item in zip(*payload.rows, strict=True)]
        return frame(payload.names, columns, payload.labels)
    if isinstance(payload, Records) and payload.form == "dataframe_records":
        names = list(dict.fromkeys(name for row in payload.rows for name in row))
        return frame(names, [[row.get(name) for row in payload.rows] for name in names])
    if isinstance(payload, Records):
        first = payload.rows[0]
        return {name: _array([row[name] for row in payload.rows]) for name in first}
    if isinstance(payload, Columns):
        return {name: _array(value) for name, value in payload.values.items()}
    return _array(payload.value)


def _array(value: Any) -> Any:
    try:
        return np.array(value)
    except (ValueError, OverflowError):
        raise bad_request("Invalid input. The nested lists are ragged.") from None


def _csv_cell(cell: str, keep: bool) -> Any:
    if cell == "" or (not keep and cell.lower() in ("nan", "na", "n/a", "null", "none", "<na>")):
        return None
    return cell


def _csv_number(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        raise invalid(f"Invalid input. {cell[:80]!r} is not a number.") from None


def _guessed_frame(table: Table) -> Any:
    """Return a frame whose types are guessed, for models that declare none."""
    pd = pandas()
    text = io.StringIO()
    csv.writer(text).writerows([table.names or [], *table.rows])
    text.seek(0)
    # From 3.1 on the default is exact, and saying so is deprecated.
    release = tuple(int(part) for part in pd.__version__.split(".")[:2])
    precision: Any = None if release >= (3, 1) else "round_trip"
    return pd.read_csv(text, float_precision=precision, index_col=False)
