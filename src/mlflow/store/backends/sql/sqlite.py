"""SQLite's way of the writes that are made all the time: on the driver, text that never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from typing import Any

    from mlflow.store.backends.sql.batch import Batch

_ACTIVE = "SELECT experiment_id FROM runs WHERE run_uuid = ? AND lifecycle_stage = 'active'"
_POINT = (
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
# NaN, kept as 0 with a flag, is less than every number.
_LATEST = (
    "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key, run_uuid) DO UPDATE SET "
    "value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, "
    "is_nan = excluded.is_nan "
    "WHERE (excluded.step, excluded.timestamp, NOT excluded.is_nan, excluded.value) "
    "> (step, timestamp, NOT is_nan, value)"
)
_PARAM = "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_TAG = (
    "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?) "
    "ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value"
)
_DETAIL = (
    "INSERT INTO millstream_metric_details (key, timestamp, step, value, is_nan, number, "
    "dataset_name, dataset_digest, run_uuid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)
_OF_MODEL = (
    "INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, "
    "metric_value, dataset_name, dataset_digest, run_id, experiment_id) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_PIECE = 500  # parameters of one statement


def append(
    raw: sqlite3.Connection, run_id: str, key: str, value: float, timestamp: int, step: int
) -> bool:
    """Add a point whose value is plain; return False when there is no such active run."""
    execute = raw.execute
    execute("BEGIN IMMEDIATE")
    if execute(_ACTIVE, (run_id,)).fetchone() is None:
        execute("ROLLBACK")
        return False
    row = (key, value, timestamp, run_id, step, 0)
    execute(_POINT, row)
    execute(_LATEST, row)
    execute("COMMIT")
    return True


def write(raw: sqlite3.Connection, batch: Batch) -> bool:
    """Write a batch in one transaction; return False when it was refused, and nothing is written."""
    run_id = batch.run_id
    raw.execute("BEGIN IMMEDIATE")
    run = raw.execute(_ACTIVE, (run_id,)).fetchone()
    if run is None or not _has_models(raw, batch) or not _agrees(raw, batch):
        raw.execute("ROLLBACK")
        return False
    if batch.points:
        raw.executemany(_POINT, [(k, v, t, run_id, s, n) for k, v, t, s, n in batch.points])
        raw.executemany(_LATEST, [(k, v, t, run_id, s, n) for k, v, t, s, n in batch.latest])
    if batch.details:
        raw.executemany(_DETAIL, [(*row, run_id) for row in batch.details])
    if batch.of_models:
        raw.executemany(_OF_MODEL, [(*row, run_id, run[0]) for row in batch.of_models])
    if batch.params:
        raw.executemany(_PARAM, [(key, value, run_id) for key, value in batch.params])
    if batch.tags:
        raw.executemany(_TAG, [(key, value, run_id) for key, value in batch.tags])
    raw.execute("COMMIT")
    return True


def _has_models(raw: sqlite3.Connection, batch: Batch) -> bool:
    statement = "SELECT 1 FROM logged_models WHERE model_id = ? AND lifecycle_stage = 'active'"
    return all(raw.execute(statement, (model,)).fetchone() for model in batch.models)


def _agrees(raw: sqlite3.Connection, batch: Batch) -> bool:
    """Tell whether no param has another value already."""
    wanted = dict(batch.params)
    for start in range(0, len(batch.params), _PIECE):
        keys: list[Any] = [key for key, _ in batch.params[start : start + _PIECE]]
        marks = ", ".join("?" * len(keys))
        statement = f"SELECT key, value FROM params WHERE run_uuid = ? AND key IN ({marks})"
        for key, value in raw.execute(statement, (batch.run_id, *keys)):
            if value != wanted[key]:
                return False
    return True
