"""PostgreSQL's way of the writes that are made all the time: each is one statement.

A statement is a transaction of its own here, and what it is made of sees the same moment. So one
round trip checks the run and writes all tables or none. A param that has another value is given no
value, which the table refuses: also when the other one came in between, as an index entry that is
not yet committed is waited for.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import psycopg

    from mlflow.store.backends.sql.batch import Batch

_ACTIVE = (
    "ok AS (SELECT experiment_id FROM runs "
    "WHERE run_uuid = %(run)s AND lifecycle_stage = 'active'{models})"
)
_MODELS = (
    " AND NOT EXISTS (SELECT 1 FROM unnest(%(models)s::text[]) AS wanted (id) WHERE NOT EXISTS "
    "(SELECT 1 FROM logged_models WHERE model_id = wanted.id AND lifecycle_stage = 'active'))"
)
_NEWER = (
    " ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value, "
    "timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan "
    "WHERE (excluded.step, excluded.timestamp, NOT excluded.is_nan, excluded.value) "
    "> (latest_metrics.step, latest_metrics.timestamp, NOT latest_metrics.is_nan, "
    "latest_metrics.value)"
)
_APPEND = (
    "WITH "
    + _ACTIVE.format(models="")
    + ", point AS (INSERT INTO metrics (run_uuid, key, value, timestamp, step, is_nan) "
    "SELECT %(run)s, %(key)s, %(value)s, %(timestamp)s, %(step)s, false FROM ok "
    "ON CONFLICT DO NOTHING), "
    "latest AS (INSERT INTO latest_metrics (run_uuid, key, value, timestamp, step, is_nan) "
    "SELECT %(run)s, %(key)s, %(value)s, %(timestamp)s, %(step)s, false FROM ok"
    + _NEWER
    + ") SELECT 1 FROM ok"
)
# Name of the rows in `Batch`: where they go, their columns with types, beside the run, and what is
# done about rows that are there. Arrays are sent one a column.
_ROWS: dict[str, tuple[str, tuple[tuple[str, str], ...], str]] = {
    "points": (
        "metrics",
        (("key", "text"), ("value", "float8"), ("timestamp", "int8"), ("step", "int8"),
         ("is_nan", "bool")),
        " ON CONFLICT DO NOTHING",
    ),
    "latest": (
        "latest_metrics",
        (("key", "text"), ("value", "float8"), ("timestamp", "int8"), ("step", "int8"),
         ("is_nan", "bool")),
        _NEWER,
    ),
    "details": (
        "millstream_metric_details",
        (("key", "text"), ("timestamp", "int8"), ("step", "int8"), ("value", "float8"),
         ("is_nan", "bool"), ("number", "text"), ("dataset_name", "text"),
         ("dataset_digest", "text")),
        " ON CONFLICT DO NOTHING",
    ),
    "of_models": (
        "logged_model_metrics",
        (("model_id", "text"), ("metric_name", "text"), ("metric_timestamp_ms", "int8"),
         ("metric_step", "int8"), ("metric_value", "float8"), ("dataset_name", "text"),
         ("dataset_digest", "text")),
        " ON CONFLICT DO NOTHING",
    ),
    "params": (
        "params",
        (("key", "text"), ("value", "text")),
        " ON CONFLICT (key, run_uuid) DO UPDATE SET value = NULL WHERE params.value <> excluded.value",
    ),
    "tags": (
        "tags",
        (("key", "text"), ("value", "text")),
        " ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value",
    ),
}  # fmt: skip


def append(
    raw: psycopg.Connection[Any], run_id: str, key: str, value: float, timestamp: int, step: int
) -> bool:
    """Add a point whose value is plain; return False when there is no such active run."""
    row = {"run": run_id, "key": key, "value": value, "timestamp": timestamp, "step": step}
    return raw.execute(_APPEND, row).fetchone() is not None


def write(raw: psycopg.Connection[Any], batch: Batch) -> bool:
    """Write a batch; return False when it was refused, and nothing is written."""
    from psycopg.errors import NotNullViolation

    kinds = tuple(kind for kind in _ROWS if getattr(batch, kind))
    values: dict[str, Any] = {"run": batch.run_id, "models": batch.models}
    for kind in kinds:
        for (name, _), column in zip(
            _ROWS[kind][1], zip(*getattr(batch, kind), strict=True), strict=True
        ):
            values[f"{kind}_{name}"] = list(column)
    statement = _statement(kinds, bool(batch.models))
    try:
        return raw.execute(statement, values).fetchone() is not None
    except NotNullViolation:
        return False


@cache
def _statement(kinds: Sequence[str], has_models: bool) -> str:
    parts = [_ACTIVE.format(models=_MODELS if has_models else "")]
    for kind in kinds:
        table, columns, conflict = _ROWS[kind]
        names = ", ".join(name for name, _ in columns)
        arrays = ", ".join(f"%({kind}_{name})s::{type_}[]" for name, type_ in columns)
        run, of_run = "run_uuid", "%(run)s"
        if kind == "of_models":
            run, of_run = "run_id, experiment_id", "%(run)s, ok.experiment_id"
        parts.append(
            f"{kind}_rows AS (INSERT INTO {table} ({run}, {names}) SELECT {of_run}, sent.* "
            f"FROM ok, unnest({arrays}) AS sent{conflict})"
        )
    return f"WITH {', '.join(parts)} SELECT 1 FROM ok"
