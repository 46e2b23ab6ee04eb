"""The model registry in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from mlflow.entities.registry import STAGE_ARCHIVED, STAGE_DELETED_INTERNAL
from mlflow.store.backends.base import (
    MODEL_VERSION,
    REGISTERED_MODEL,
    Backend,
    Duplicate,
    Missing,
)
from mlflow.store.backends.sql.reading_models import (
    WORKSPACE,
    model_versions_by_key,
    registered_models_by_name,
)
from mlflow.store.backends.sql.tables import (
    model_version_tags,
    model_versions,
    registered_model_aliases,
    registered_model_tags,
    registered_models,
)
from mlflow.store.backends.sql.upserts import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Connection, Table

    from mlflow.entities.registry import ModelVersion, RegisteredModel
    from mlflow.store.backends.sql.engine import Database

_MAX_NUMBER = 2**31 - 1
# What MLflow leaves of a deleted version: its number.
REDACTED = {
    "current_stage": STAGE_DELETED_INTERNAL,
    "description": None,
    "user_id": None,
    "source": "REDACTED-SOURCE-PATH",
    "run_id": "REDACTED-RUN-ID",
    "run_link": "REDACTED-RUN-LINK",
    "status_message": None,
}


class SqlRegistry(Backend):
    """The part that keeps registered models and their versions."""

    _database: Database

    def insert_registered_model(self, model: RegisteredModel) -> None:
        def work(connection: Connection) -> None:
            insert_model(connection, model)

        self._database.write(work, taken=lambda: Duplicate(REGISTERED_MODEL, model.name))

    def get_registered_model(self, name: str) -> RegisteredModel:
        found = self._database.snapshot(
            lambda connection: registered_models_by_name(connection, [name], strict=True)
        )
        if not found:
            raise Missing(REGISTERED_MODEL, name)
        return found[0]

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None, time: int
    ) -> None:
        # MLflow's schema has no column for deployment jobs.
        self._database.write(
            lambda connection: _update(connection, name, time, description=description)
        )

    def rename_registered_model(self, name: str, new_name: str, time: int) -> None:
        def work(connection: Connection) -> None:
            _lock(connection, name)
            if _exists(connection, new_name):
                raise Duplicate(REGISTERED_MODEL, new_name)
            # Versions, tags and aliases follow: their keys are updated in cascade.
            _update(connection, name, time, name=new_name)
            connection.execute(
                update(model_versions)
                .where(_is(model_versions, new_name))
                .where(model_versions.c.current_stage != STAGE_DELETED_INTERNAL)
                .values(last_updated_time=time)
            )

        self._database.write(work, taken=lambda: Duplicate(REGISTERED_MODEL, new_name))

    def delete_registered_model(self, name: str) -> None:
        def work(connection: Connection) -> None:
            _lock(connection, name)
            for table in (
                registered_model_aliases,
                model_version_tags,
                model_versions,
                registered_model_tags,
                registered_models,
            ):
                connection.execute(delete(table).where(_is(table, name)))

        self._database.write(work)

    def write_registered_model_tags(
        self,
        name: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        def work(connection: Connection) -> None:
            _lock(connection, name)
            _set_tags(connection, registered_model_tags, {"name": name}, tags, removed)
            if time is not None:
                _update(connection, name, time)

        self._database.write(work)

    # --- aliases -----------------------------------------------------------------------------

    def set_alias(self, name: str, alias: str, version: str, time: int) -> None:
        def work(connection: Connection) -> None:
            _lock(connection, name)
            number = _version(connection, name, version)
            row = {"workspace": WORKSPACE, "name": name, "alias": alias, "version": number}
            upsert(connection, registered_model_aliases, [row], ("version",))
            _update(connection, name, time)

        self._database.write(work)

    def delete_alias(self, name: str, alias: str, time: int) -> None:
        def work(connection: Connection) -> None:
            _lock(connection, name)
            table = registered_model_aliases
            gone = delete(table).where(_is(table, name), table.c.alias == alias)
            if connection.execute(gone).rowcount:
                _update(connection, name, time)

        self._database.write(work)

    # --- versions ----------------------------------------------------------------------------

    def insert_model_version(self, version: ModelVersion, storage_location: str | None) -> str:
        name = version.name

        def work(connection: Connection) -> str:
            # Whoever adds a version holds the model's row, so numbers are given out in turn.
            _update(connection, name, version.creation_timestamp)
            last = connection.execute(
                select(func.max(model_versions.c.version)).where(_is(model_versions, name))
            ).scalar()
            number = (last or 0) + 1
            insert_version(connection, version, number, storage_location)
            return str(number)

        return self._database.write(work)

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        number = _number(version)
        found = self._database.snapshot(
            lambda connection: model_versions_by_key(connection, [(name, number)], strict=True)
        )
        if not found:
            raise Missing(MODEL_VERSION, (name, version))
        return found[0]

    def model_version_location(self, name: str, version: str) -> str | None:
        columns = (model_versions.c.storage_location, model_versions.c.source)

        def work(connection: Connection) -> Any:
            return connection.execute(select(*columns).where(*_shown(name, version))).first()

        row = self._database.run(work)
        if row is None:
            raise Missing(MODEL_VERSION, (name, version))
        location: str | None = row[0] or row[1]
        return location

    def update_model_version(
        self, name: str, version: str, description: str | None, time: int
    ) -> None:
        def work(connection: Connection) -> None:
            _version(connection, name, version)
            _update_version(connection, name, version, time, description=description)

        self._database.write(work)

    def move_model_version(
        self, name: str, version: str, stage: str, *, archive_existing: bool, time: int
    ) -> None:
        def work(connection: Connection) -> None:
            _update_if_there(connection, name, time)
            number = _version(connection, name, version)
            if archive_existing:
                connection.execute(
                    update(model_versions)
                    .where(_is(model_versions, name), model_versions.c.version != number)
                    .where(model_versions.c.current_stage == stage)
                    .values(current_stage=STAGE_ARCHIVED, last_updated_time=time)
                )
            _update_version(connection, name, version, time, current_stage=stage)

        self._database.write(work)

    def delete_model_version(self, name: str, version: str, time: int) -> None:
        def work(connection: Connection) -> None:
            _update_if_there(connection, name, time)
            number = _version(connection, name, version)
            _update_version(connection, name, version, time, **REDACTED)
            aliases = registered_model_aliases
            connection.execute(
                delete(aliases).where(_is(aliases, name), aliases.c.version == number)
            )

        self._database.write(work)

    def write_model_version_tags(
        self,
        name: str,
        version: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        def work(connection: Connection) -> None:
            _lock_if_there(connection, name)
            number = _version(connection, name, version)
            mine = {"name": name, "version": number}
            _set_tags(connection, model_version_tags, mine, tags, removed)
            if time is not None:
                _update(connection, name, time)

        self._database.write(work)


def insert_model(connection: Connection, model: RegisteredModel) -> None:
    """Add the rows of a registered model and of its tags."""
    connection.execute(
        registered_models.insert().values(
            workspace=WORKSPACE,
            name=model.name,
            creation_time=model.creation_timestamp,
            last_updated_time=model.last_updated_timestamp,
            description=model.description,
        )
    )
    _set_tags(connection, registered_model_tags, {"name": model.name}, model.tags.items())


def insert_version(
    connection: Connection, version: ModelVersion, number: int, location: str | None
) -> None:
    """Add the rows of a version and of its tags, under a number."""
    connection.execute(
        model_versions.insert().values(
            workspace=WORKSPACE,
            name=version.name,
            version=number,
            creation_time=version.creation_timestamp,
            last_updated_time=version.last_updated_timestamp,
            description=version.description,
            user_id=version.user_id,
            current_stage=version.current_stage,
            source=version.source,
            storage_location=location or version.source,
            run_id=version.run_id,
            run_link=version.run_link,
            status=version.status,
            status_message=version.status_message,
        )
    )
    mine = {"name": version.name, "version": number}
    _set_tags(connection, model_version_tags, mine, version.tags.items())


def _is(table: Table, name: str) -> ColumnElement[bool]:
    return (table.c.workspace == WORKSPACE) & (table.c.name == name)


def _exists(connection: Connection, name: str) -> bool:
    statement = select(registered_models.c.name).where(_is(registered_models, name))
    return connection.execute(statement).first() is not None


def _lock_if_there(connection: Connection, name: str) -> bool:
    statement = select(registered_models.c.name).where(_is(registered_models, name))
    return connection.execute(statement.with_for_update(key_share=True)).first() is not None


def _lock(connection: Connection, name: str) -> None:
    """Keep a registered model and what belongs to it as they are until the transaction ends.

    Raises:
        Missing: there is none of this name.
    """
    if not _lock_if_there(connection, name):
        raise Missing(REGISTERED_MODEL, name)


def _update_if_there(connection: Connection, model: str, time: int, **values: Any) -> bool:
    statement = update(registered_models).where(_is(registered_models, model))
    return bool(connection.execute(statement.values(last_updated_time=time, **values)).rowcount)


def _update(connection: Connection, model: str, time: int, **values: Any) -> None:
    """Change a registered model, which is then held until the transaction ends.

    Raises:
        Missing: there is none of this name.
    """
    if not _update_if_there(connection, model, time, **values):
        raise Missing(REGISTERED_MODEL, model)


def _number(version: str) -> int:
    """Return the number of a version; 0, which none has, for what is none."""
    plain = version.isascii() and version.isdigit()
    return int(version) if plain and int(version) <= _MAX_NUMBER else 0


def _shown(name: str, version: str) -> tuple[ColumnElement[bool], ...]:
    return (
        _is(model_versions, name),
        model_versions.c.version == _number(version),
        model_versions.c.current_stage != STAGE_DELETED_INTERNAL,
    )


def _version(connection: Connection, name: str, version: str) -> int:
    """Return the number of a version that is there.

    Raises:
        Missing: there is none, or it was deleted.
    """
    statement = select(model_versions.c.version).where(*_shown(name, version))
    number = connection.execute(statement).scalar()
    if number is None:
        raise Missing(MODEL_VERSION, (name, version))
    return int(number)


def _update_version(
    connection: Connection, name: str, version: str, time: int, **values: Any
) -> None:
    connection.execute(
        update(model_versions)
        .where(*_shown(name, version))
        .values(last_updated_time=time, **values)
    )


def _set_tags(
    connection: Connection,
    table: Table,
    mine: dict[str, Any],
    tags: Any,
    removed: Sequence[str] = (),
) -> None:
    kept = {key: value for key, value in tags if key not in removed}
    rows = [
        {"workspace": WORKSPACE, **mine, "key": key, "value": value}
        for key, value in sorted(kept.items())
    ]
    upsert(connection, table, rows, ("value",))
    if removed:
        gone = delete(table).where(table.c.workspace == WORKSPACE, table.c.key.in_(removed))
        for name, value in mine.items():
            gone = gone.where(table.c[name] == value)
        connection.execute(gone)
