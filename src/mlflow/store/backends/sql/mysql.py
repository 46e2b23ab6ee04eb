"""MySQL's way of the writes that are made all the time: several statements, sent as one request.

The first one fails when the run is not active, and so ends the others. A param that has another
value is given no value, which the table refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import pymysql

    from mlflow.store.backends.sql.batch import Batch

# "Subquery returns more than 1 row", which is how the check answers; "Column cannot be null".
REFUSALS = (1242, 1048)

_CHECK = (
    "START TRANSACTION; SELECT IF((SELECT COUNT(*) FROM runs WHERE run_uuid = %s "
    "AND lifecycle_stage = 'active') = 1{models}, 1, (SELECT 1 UNION ALL SELECT 2)); "
)
_MODELS = (
    " AND (SELECT COUNT(*) FROM logged_models WHERE model_id IN ({marks}) "
    "AND lifecycle_stage = 'active') = {count}"
)
_POINT = (
    "INSERT INTO metrics (run_uuid, `key`, value, timestamp, step, is_nan) VALUES {rows} "
    "ON DUPLICATE KEY UPDATE is_nan = metrics.is_nan; "
)
# Assignments see those before them. Once the value is the new one, "not older" says whether the
# point is newer, down to the step, which decides first and is replaced last.
_NEW = "(VALUES(step), VALUES(timestamp), NOT VALUES(is_nan), VALUES(value))"
_OLD = (
    "(latest_metrics.step, latest_metrics.timestamp, NOT latest_metrics.is_nan, "
    "latest_metrics.value)"
)
_NEWER = f"value = IF({_NEW} > {_OLD}, VALUES(value), latest_metrics.value), " + ", ".join(
    f"{name} = IF({_NEW} >= {_OLD}, VALUES({name}), latest_metrics.{name})"
    for name in ("is_nan", "timestamp", "step")
)
_LATEST = (
    "INSERT INTO latest_metrics (run_uuid, `key`, value, timestamp, step, is_nan) VALUES {rows} "
    "ON DUPLICATE KEY UPDATE " + _NEWER + "; "
)
_DETAIL = (
    "INSERT INTO millstream_metric_details (run_uuid, `key`, timestamp, step, value, is_nan, "
    "number, dataset_name, dataset_digest) VALUES {rows} "
    "ON DUPLICATE KEY UPDATE number = millstream_metric_details.number; "
)
_OF_MODEL = (
    "INSERT INTO logged_model_metrics (run_id, model_id, metric_name, metric_timestamp_ms, "
    "metric_step, metric_value, dataset_name, dataset_digest, experiment_id) VALUES {rows} "
    "ON DUPLICATE KEY UPDATE metric_value = logged_model_metrics.metric_value; "
)
# A collation may take two keys for one, which are no params of the same name.
_PARAM = (
    "INSERT INTO params (run_uuid, `key`, value) VALUES {rows} ON DUPLICATE KEY UPDATE "
    "value = IF(BINARY params.value = BINARY VALUES(value) "
    "AND BINARY params.`key` = BINARY VALUES(`key`), params.value, NULL); "
)
_TAG = (
    "INSERT INTO tags (run_uuid, `key`, value) VALUES {rows} "
    "ON DUPLICATE KEY UPDATE value = VALUES(value); "
)
_ROW = "(%s, %s, %s, %s, %s, %s)"
_APPEND = _CHECK.format(models="") + _POINT.format(rows=_ROW) + _LATEST.format(rows=_ROW) + "COMMIT"


def append(
    raw: pymysql.Connection[Any], run_id: str, key: str, value: float, timestamp: int, step: int
) -> bool:
    """Add a point whose value is plain; return False when there is no such active run."""
    row = (run_id, key, value, timestamp, step, 0)
    return _send(raw, _APPEND, [run_id, *row, *row])


def write(raw: pymysql.Connection[Any], batch: Batch) -> bool:
    """Write a batch; return False when it was refused, and nothing is written."""
    run_id, models = batch.run_id, batch.models
    check = ""
    if models:
        check = _MODELS.format(marks=", ".join(["%s"] * len(models)), count=len(models))
    statements = [_CHECK.format(models=check)]
    values: list[Any] = [run_id, *models]

    def add(statement: str, rows: Sequence[Sequence[Any]], experiment: str = "") -> None:
        if rows:
            marks = "(" + ", ".join(["%s"] * (len(rows[0]) + 1)) + experiment + ")"
            statements.append(statement.format(rows=", ".join([marks] * len(rows))))
            for row in rows:
                values.append(run_id)
                values.extend(row)

    add(_POINT, batch.points)
    add(_LATEST, batch.latest)
    add(_DETAIL, batch.details)
    for of_model in batch.of_models:
        statements.append(
            _OF_MODEL.format(
                rows="(%s, %s, %s, %s, %s, %s, %s, %s, "
                "(SELECT experiment_id FROM runs WHERE run_uuid = %s))"
            )
        )
        values += [run_id, *of_model, run_id]
    add(_PARAM, batch.params)
    add(_TAG, batch.tags)
    return _send(raw, "".join(statements) + "COMMIT", values)


def _send(raw: pymysql.Connection[Any], statements: str, values: list[Any]) -> bool:
    """Send statements in one request and read all of their answers."""
    from pymysql.err import IntegrityError, OperationalError

    try:
        with raw.cursor() as cursor:
            cursor.execute(statements, values)
            while cursor.nextset():
                pass
    except (IntegrityError, OperationalError) as error:
        if error.args[0] not in REFUSALS:
            raise
        raw.query("ROLLBACK")
        return False
    return True
