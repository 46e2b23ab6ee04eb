"""What was deleted, and its removal for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, or_, select

from mlflow.entities.experiment import LifecycleStage
from mlflow.store.backends.base import EXPERIMENT, LOGGED_MODEL, RUN, Backend, Missing
from mlflow.store.backends.sql import tables
from mlflow.store.backends.sql.experiments import number_of
from mlflow.store.backends.sql.reading import chunks
from mlflow.store.backends.sql.tables_own import metric_details, used_numbers
from mlflow.store.backends.sql.upserts import upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Connection, Table

    from mlflow.store.backends.sql.engine import Database

# Where each kind is: its table, its id, and when it was deleted.
_KINDS: dict[str, tuple[Table, ColumnElement[Any], ColumnElement[Any]]] = {
    RUN: (tables.runs, tables.runs.c.run_uuid, tables.runs.c.deleted_time),
    EXPERIMENT: (
        tables.experiments,
        tables.experiments.c.experiment_id,
        tables.experiments.c.last_update_time,
    ),
    LOGGED_MODEL: (
        tables.logged_models,
        tables.logged_models.c.model_id,
        tables.logged_models.c.last_updated_timestamp_ms,
    ),
}


class SqlMaintenance(Backend):
    """The part that removes what was deleted."""

    _database: Database

    def list_deleted(self, kind: str, before: int) -> list[str]:
        table, one, time = _KINDS[kind]
        statement = (
            select(one)
            .where(table.c.lifecycle_stage == LifecycleStage.DELETED)
            .where(or_(time.is_(None), time <= min(before, 2**63 - 1)))
            .order_by(one)
        )
        return self._database.run(
            lambda connection: [str(found) for found in connection.execute(statement).scalars()]
        )

    def purge(self, kind: str, ids: Iterable[str]) -> None:
        chosen = list(dict.fromkeys(ids))

        def work(connection: Connection) -> None:
            _check(connection, kind, chosen)
            for some in chunks(chosen):
                _PURGES[kind](connection, some)

        self._database.write(work)


def _check(connection: Connection, kind: str, ids: Sequence[str]) -> None:
    table, one, _ = _KINDS[kind]
    dialect = connection.dialect.name
    numbers = [number_of(each, dialect) for each in ids]
    wanted: list[Any] = numbers if kind == EXPERIMENT else list(ids)
    found: set[Any] = set()
    for some in chunks(wanted):
        found.update(
            connection.execute(
                select(one)
                .where(one.in_(some), table.c.lifecycle_stage == LifecycleStage.DELETED)
                .with_for_update()
            ).scalars()
        )
    for each, key in zip(ids, wanted, strict=True):
        if key not in found:
            raise Missing(kind, each)


def _purge_runs(connection: Connection, ids: Sequence[str]) -> None:
    inputs, tags = tables.inputs, tables.input_tags
    mine = or_(
        and_(inputs.c.destination_type == "RUN", inputs.c.destination_id.in_(ids)),
        and_(inputs.c.source_type.in_(("RUN_INPUT", "RUN_OUTPUT")), inputs.c.source_id.in_(ids)),
    )
    used = connection.execute(select(inputs.c.input_uuid).where(mine)).scalars().all()
    for some in chunks(used):
        connection.execute(delete(tags).where(tags.c.input_uuid.in_(some)))
    connection.execute(delete(inputs).where(mine))
    for table, column in (
        (tables.latest_metrics, "run_uuid"),
        (metric_details, "run_uuid"),
        (tables.metrics, "run_uuid"),
        (tables.params, "run_uuid"),
        (tables.tags, "run_uuid"),
        (tables.logged_model_metrics, "run_id"),
        (tables.runs, "run_uuid"),
    ):
        connection.execute(delete(table).where(table.c[column].in_(ids)))


def _purge_logged_models(connection: Connection, ids: Sequence[str]) -> None:
    inputs = tables.inputs
    linked = inputs.c.destination_type.in_(("MODEL_INPUT", "MODEL_OUTPUT"))
    connection.execute(delete(inputs).where(linked, inputs.c.destination_id.in_(ids)))
    for table in (
        tables.logged_model_metrics,
        tables.logged_model_params,
        tables.logged_model_tags,
        tables.logged_models,
    ):
        connection.execute(delete(table).where(table.c.model_id.in_(ids)))


def _purge_experiments(connection: Connection, ids: Sequence[str]) -> None:
    numbers = [number_of(each, connection.dialect.name) for each in ids]
    for table, purge in (
        (tables.logged_models, _purge_logged_models),
        (tables.runs, _purge_runs),
    ):
        (key,) = table.primary_key.columns
        below = select(key).where(table.c.experiment_id.in_(numbers))
        for some in chunks(connection.execute(below).scalars().all()):
            purge(connection, some)
    for table in (tables.datasets, tables.experiment_tags):
        connection.execute(delete(table).where(table.c.experiment_id.in_(numbers)))
    # SQLite would give the largest number out again.
    largest = connection.execute(select(func.max(tables.experiments.c.experiment_id))).scalar()
    if largest in numbers:
        upsert(connection, used_numbers, [{"name": EXPERIMENT, "number": largest}], ("number",))
    connection.execute(
        delete(tables.experiments).where(tables.experiments.c.experiment_id.in_(numbers))
    )


_PURGES = {
    RUN: _purge_runs,
    EXPERIMENT: _purge_experiments,
    LOGGED_MODEL: _purge_logged_models,
}
