"""Logged models in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from mlflow.entities.experiment import LifecycleStage
from mlflow.entities.logged_models import LoggedModelStatus
from mlflow.store.backends.base import (
    LOGGED_MODEL,
    TAG,
    Backend,
    Duplicate,
    Missing,
    NotActive,
)
from mlflow.store.backends.sql.experiments import check_active as check_active_experiment
from mlflow.store.backends.sql.reading_models import logged_models_by_id
from mlflow.store.backends.sql.tables import (
    logged_model_params,
    logged_model_tags,
    logged_models,
)
from mlflow.store.backends.sql.upserts import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection

    from mlflow.entities.logged_models import LoggedModel
    from mlflow.store.backends.sql.engine import Database


class SqlLoggedModels(Backend):
    """The part that keeps logged models."""

    _database: Database

    def insert_logged_model(self, model: LoggedModel) -> None:
        def work(connection: Connection) -> None:
            number = check_active_experiment(connection, model.experiment_id)
            insert(connection, model, number)

        self._database.write(work, taken=lambda: Duplicate(LOGGED_MODEL, model.model_id))

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        has_details = self._database.has_details

        def work(connection: Connection) -> LoggedModel:
            _look(connection, model_id, allow_deleted=allow_deleted)
            return logged_models_by_id(
                connection, [model_id], has_details=has_details, strict=True
            )[0]

        return self._database.snapshot(work)

    def update_logged_model(
        self, model_id: str, status: str, status_message: str | None, time: int
    ) -> None:
        number = LoggedModelStatus(status).to_int()

        def work(connection: Connection) -> None:
            _look(connection, model_id)
            values = {"status": number, "status_message": status_message}
            _update(connection, model_id, values | {"last_updated_timestamp_ms": time})

        self._database.write(work)

    def write_logged_model(
        self,
        model_id: str,
        *,
        tags: Sequence[tuple[str, str]] = (),
        params: Sequence[tuple[str, str]] = (),
        removed_tags: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        def work(connection: Connection) -> None:
            number = _look(connection, model_id)
            mine = logged_model_tags.c.model_id == model_id
            for key in removed_tags:
                gone = delete(logged_model_tags).where(mine, logged_model_tags.c.tag_key == key)
                if not connection.execute(gone).rowcount:
                    raise Missing(TAG, key)
            kept = [pair for pair in tags if pair[0] not in removed_tags]
            _set(connection, model_id, number, kept, params)
            if time is not None:
                _update(connection, model_id, {"last_updated_timestamp_ms": time})

        self._database.write(work)

    def move_logged_model(self, model_id: str, stage: str, time: int) -> None:
        def work(connection: Connection) -> None:
            moved = connection.execute(
                update(logged_models)
                .where(logged_models.c.model_id == model_id)
                .where(logged_models.c.lifecycle_stage != stage)
                .values(lifecycle_stage=stage, last_updated_timestamp_ms=time)
            )
            if not moved.rowcount:
                _look(connection, model_id, allow_deleted=True)

        self._database.write(work)


def insert(
    connection: Connection, model: LoggedModel, number: int, stage: str = LifecycleStage.ACTIVE
) -> None:
    """Add the rows of a logged model of an experiment: its own, those of its tags and params."""
    connection.execute(
        logged_models.insert().values(
            model_id=model.model_id,
            experiment_id=number,
            name=model.name,
            artifact_location=model.artifact_location,
            creation_timestamp_ms=model.creation_timestamp,
            last_updated_timestamp_ms=model.last_updated_timestamp,
            status=model.status.to_int(),
            lifecycle_stage=stage,
            model_type=model.model_type,
            source_run_id=model.source_run_id,
            status_message=model.status_message,
        )
    )
    _set(connection, model.model_id, number, model.tags.items(), model.params.items())


def _look(connection: Connection, model_id: str, *, allow_deleted: bool = False) -> int:
    """Return the experiment of a logged model; raise `Missing` or `NotActive`."""
    row = connection.execute(
        select(logged_models.c.lifecycle_stage, logged_models.c.experiment_id).where(
            logged_models.c.model_id == model_id
        )
    ).first()
    if row is None:
        raise Missing(LOGGED_MODEL, model_id)
    if row[0] != LifecycleStage.ACTIVE and not allow_deleted:
        raise NotActive(LOGGED_MODEL, model_id)
    return int(row[1])


def _update(connection: Connection, model_id: str, values: dict[str, Any]) -> None:
    connection.execute(
        update(logged_models).where(logged_models.c.model_id == model_id).values(values)
    )


def _set(
    connection: Connection,
    model_id: str,
    number: int,
    tags: Any,
    params: Any,
) -> None:
    for table, kind, pairs in (
        (logged_model_tags, "tag", tags),
        (logged_model_params, "param", params),
    ):
        rows = [
            {
                "model_id": model_id,
                "experiment_id": number,
                f"{kind}_key": key,
                f"{kind}_value": value,
            }
            for key, value in sorted(dict(pairs).items())
        ]
        upsert(connection, table, rows, (f"{kind}_value",))
