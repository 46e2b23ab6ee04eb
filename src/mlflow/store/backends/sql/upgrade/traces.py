"""Traces in an upgrade: what was in tags, metadata and side tables moves to columns.

MLflow 3.16 brought columns for the name, session, tokens and costs of traces, for models and costs
of spans, and for the numbers of assessments. What fits goes there; what does not fit, or would be
lost on the way, stays where it was.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from sqlalchemy import (
    and_,
    bindparam,
    column,
    delete,
    func,
    inspect,
    or_,
    select,
    table,
    tuple_,
    update,
)

from mlflow.exceptions import INVALID_STATE, MlflowException
from mlflow.store.backends.sql.tables_traces import (
    assessments,
    span_metrics,
    spans,
    trace_info,
    trace_metrics,
    trace_request_metadata,
    trace_tags,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from sqlalchemy import Connection, Row, Table
    from sqlalchemy.sql.expression import ColumnElement

_BATCH = 500
_NAME = "mlflow.traceName"
_SESSION = "mlflow.trace.session"
_TOKENS = "mlflow.trace.tokenUsage"
_COST = "mlflow.trace.cost"
_TOKEN_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_input_tokens_above_1hr",
)
_COST_COLUMNS = ("input_cost", "output_cost", "total_cost")
_MODEL, _PROVIDER = "mlflow.llm.model", "mlflow.llm.provider"
_LONGEST_NAME, _LONGEST_SESSION, _LONGEST_MODEL = 4096, 250, 500
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_ANSWERS = {"yes": 1.0, "no": 0.0}

# A column that was there for a few versions; what it held is in columns of its own now.
_dimensions = table("spans", column("trace_id"), column("span_id"), column("dimension_attributes"))


def fill_traces(connection: Connection) -> None:
    """Fill the columns; can be repeated.

    Raises:
        MlflowException: INVALID_STATE when a span has attributes that no column is for, so that
            dropping them would lose something.
    """
    for ids in _keys(connection, trace_info, trace_info.c.request_id):
        _fill_traces(connection, [one for (one,) in ids])
    _fill_models(connection)
    _fill_span_costs(connection)
    _fill_assessments(connection)


def _keys(connection: Connection, of: Table, *key: ColumnElement[Any]) -> Iterator[list[Row[Any]]]:
    """Yield the keys of a table in batches, in order."""
    last: Any = None
    while True:
        wanted = select(*key).order_by(*key).limit(_BATCH)
        if last is not None:
            wanted = wanted.where(key[0] > last[0] if len(key) == 1 else tuple_(*key) > tuple(last))
        rows = list(connection.execute(wanted))
        if not rows:
            return
        yield rows
        last = rows[-1]


# --- traces --------------------------------------------------------------------------------------


def _fill_traces(connection: Connection, ids: list[str]) -> None:
    values: dict[str, dict[str, Any]] = {one: {} for one in ids}
    done: dict[Table, list[dict[str, str]]] = {}
    for one in _pairs(connection, trace_request_metadata, ids, (_SESSION, _TOKENS, _COST)):
        moved, whole = _of_metadata(one.key, one.value)
        values[one.request_id] |= moved
        if whole:
            gone = {"of_id": one.request_id, "of_key": one.key}
            done.setdefault(trace_request_metadata, []).append(gone)
    for one in _pairs(connection, trace_tags, ids, (_NAME,)):
        values[one.request_id]["trace_name"] = _cut(one.value, _LONGEST_NAME)
        if one.value is None or len(one.value) <= _LONGEST_NAME:
            done.setdefault(trace_tags, []).append({"of_id": one.request_id, "of_key": one.key})
    for one in _pairs(connection, trace_metrics, ids, _TOKEN_COLUMNS):
        number = _whole(one.value)
        if number is not None:
            values[one.request_id][one.key] = number
            done.setdefault(trace_metrics, []).append({"of_id": one.request_id, "of_key": one.key})
    names = ("trace_name", "session_id", *_TOKEN_COLUMNS, *_COST_COLUMNS)
    _update(connection, trace_info, ("request_id",), names, [
        {"request_id": one, **row} for one, row in values.items() if row
    ])  # fmt: skip
    for where, rows in done.items():
        connection.execute(
            delete(where).where(
                where.c.request_id == bindparam("of_id"), where.c.key == bindparam("of_key")
            ),
            rows,
        )


def _pairs(
    connection: Connection, of: Table, ids: Sequence[str], keys: Iterable[str]
) -> Sequence[Any]:
    wanted = select(of.c.request_id, of.c.key, of.c.value)
    return connection.execute(
        wanted.where(of.c.request_id.in_(ids), of.c.key.in_(list(keys)))
    ).all()


def _of_metadata(key: str, value: str | None) -> tuple[dict[str, Any], bool]:
    """Return (values by column, whether they say everything that the metadata did)."""
    if value is None:
        return {}, True
    if key == _SESSION:
        return {"session_id": _cut(value, _LONGEST_SESSION)}, len(value) <= _LONGEST_SESSION
    columns = _TOKEN_COLUMNS if key == _TOKENS else _COST_COLUMNS
    read = _whole if key == _TOKENS else _finite
    parsed = _parsed(value)
    if not isinstance(parsed, dict):
        return {}, False
    moved = {name: read(parsed[name]) for name in columns if name in parsed}
    whole = all(
        name in moved and (moved[name] is not None or given is None)
        for name, given in parsed.items()
    )
    return {name: number for name, number in moved.items() if number is not None}, whole


# --- spans ---------------------------------------------------------------------------------------


def _fill_models(connection: Connection) -> None:
    present = {one["name"] for one in inspect(connection).get_columns("spans")}
    if "dimension_attributes" not in present:
        return
    of = _dimensions.c
    for keys in _keys(connection, spans, spans.c.trace_id, spans.c.span_id):
        first, last = keys[0], keys[-1]
        found = connection.execute(
            select(of.trace_id, of.span_id, of.dimension_attributes).where(
                tuple_(of.trace_id, of.span_id) >= tuple(first),
                tuple_(of.trace_id, of.span_id) <= tuple(last),
                of.dimension_attributes.is_not(None),
            )
        )
        rows = []
        for trace_id, span_id, attributes in found:
            model, provider = _models_of(attributes, trace_id, span_id)
            if model is not None or provider is not None:
                rows.append({
                    "trace_id": trace_id, "span_id": span_id,
                    "model_name": model, "model_provider": provider,
                })  # fmt: skip
        _update(connection, spans, ("trace_id", "span_id"), ("model_name", "model_provider"), rows)


def _models_of(attributes: Any, trace_id: str, span_id: str) -> tuple[str | None, str | None]:
    found = _parsed(attributes) if isinstance(attributes, str) else attributes
    if found is None and attributes not in (None, "null"):
        found = attributes
    known = found is None or (
        isinstance(found, dict)
        and set(found) <= {_MODEL, _PROVIDER}
        and all(value is None or isinstance(value, str) for value in found.values())
    )
    if not known:
        raise MlflowException(
            f"The span {span_id!r} of the trace {trace_id!r} has attributes that no column of the "
            f"new schema is for: {str(attributes)[:200]!r}. Empty its column dimension_attributes "
            "first, if they are not needed.",
            INVALID_STATE,
        )
    model, provider = (found or {}).get(_MODEL), (found or {}).get(_PROVIDER)
    return _cut(model, _LONGEST_MODEL), _cut(provider, _LONGEST_MODEL)


def _fill_span_costs(connection: Connection) -> None:
    of = span_metrics.c
    names = (of.trace_id, of.span_id, of.key)
    for keys in _keys(connection, span_metrics, *names):
        costs = [tuple(one) for one in keys if one.key in _COST_COLUMNS]
        wanted = select(*names, of.value).where(tuple_(*names).in_(costs))
        rows = [one for one in connection.execute(wanted) if _finite(one.value) is not None]
        values: dict[tuple[str, str], dict[str, Any]] = {}
        for one in rows:
            values.setdefault((one.trace_id, one.span_id), {})[one.key] = one.value
        _update(connection, spans, ("trace_id", "span_id"), _COST_COLUMNS, [
            {"trace_id": trace, "span_id": span, **row} for (trace, span), row in values.items()
        ])  # fmt: skip
        gone = [
            {"of_trace": one.trace_id, "of_span": one.span_id, "of_key": one.key} for one in rows
        ]
        if gone:
            here = (of.trace_id == bindparam("of_trace"), of.span_id == bindparam("of_span"))
            statement = delete(span_metrics).where(*here, of.key == bindparam("of_key"))
            connection.execute(statement, gone)


# --- assessments ---------------------------------------------------------------------------------


def _fill_assessments(connection: Connection) -> None:
    of = assessments.c
    of_trace = select(trace_info.c.experiment_id).where(trace_info.c.request_id == of.trace_id)
    at = select(trace_info.c.timestamp_ms).where(trace_info.c.request_id == of.trace_id)
    connection.execute(
        update(assessments)
        .where(or_(of.experiment_id.is_(None), of.trace_timestamp_ms.is_(None)))
        .values(experiment_id=of_trace.scalar_subquery(), trace_timestamp_ms=at.scalar_subquery())
    )
    for keys in _keys(connection, assessments, of.assessment_id):
        found = connection.execute(
            select(of.assessment_id, of.value).where(
                of.assessment_id.in_([one for (one,) in keys]), of.aggregate_value.is_(None)
            )
        )
        rows = []
        for assessment_id, value in found:
            number, numeric = _of_assessment(value)
            if number is not None:
                rows.append({
                    "assessment_id": assessment_id, "aggregate_value": number,
                    "is_numeric_value": numeric,
                })  # fmt: skip
        names = ("aggregate_value", "is_numeric_value")
        _update(connection, assessments, ("assessment_id",), names, rows)


def _of_assessment(value: str) -> tuple[float | None, bool]:
    """Return (the number that an assessment counts as, whether it is one)."""
    parsed = _parsed(value, value)
    if isinstance(parsed, bool):
        return float(parsed), False
    if isinstance(parsed, str):
        return _ANSWERS.get(parsed.strip().lower()), False
    number = _finite(parsed)
    return number, number is not None


# --- values --------------------------------------------------------------------------------------


def _update(
    connection: Connection,
    of: Table,
    key: tuple[str, ...],
    names: Sequence[str],
    rows: list[dict[str, Any]],
) -> None:
    """Set columns of rows; what a row does not name stays."""
    if not rows:
        return
    statement = update(of).where(and_(*(of.c[name] == bindparam(f"of_{name}") for name in key)))
    statement = statement.values(
        {
            name: func.coalesce(bindparam(f"to_{name}", type_=of.c[name].type), of.c[name])
            for name in names
        }
    )
    connection.execute(
        statement,
        [
            {f"of_{name}": row[name] for name in key}
            | {f"to_{name}": row.get(name) for name in names}
            for row in rows
        ],
    )


def _parsed(text: str, otherwise: Any = None) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return otherwise


def _cut(text: str | None, longest: int) -> str | None:
    return None if text is None else text[:longest]


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return float(value)
        except ValueError:
            return None
    return value


def _whole(value: Any) -> int | None:
    """Return a value as a 64-bit integer, or None."""
    number = _number(value)
    if number is None or (isinstance(number, float) and not number.is_integer()):
        return None
    return int(number) if _SMALLEST <= number <= _LARGEST else None


def _finite(value: Any) -> float | None:
    """Return a value as a finite float, or None."""
    number = _number(value)
    try:
        return float(number) if number is not None and math.isfinite(number) else None
    except OverflowError:
        return None
