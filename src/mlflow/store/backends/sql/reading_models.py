"""From rows to logged models, registered models and versions, many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, null, or_, select, tuple_

from mlflow.entities.logged_models import LoggedModel
from mlflow.entities.registry import (
    ALL_STAGES,
    STAGE_DELETED_INTERNAL,
    ModelVersion,
    RegisteredModel,
)
from mlflow.entities.run import Metric
from mlflow.store.backends.base import LOGGED_MODEL, MODEL_VERSION, REGISTERED_MODEL
from mlflow.store.backends.sql import tables
from mlflow.store.backends.sql.damage import read_whole
from mlflow.store.backends.sql.reading import chunks, details_of
from mlflow.store.backends.sql.tables_own import metric_details
from mlflow.store.backends.sql.values import LARGEST, loaded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, Connection

# Things of other workspaces are not shown.
WORKSPACE = "default"
MODEL_URI = "models:/m-"


# --- logged models ---------------------------------------------------------------------------


def logged_models_by_id(
    connection: Connection, ids: Sequence[str], *, has_details: bool, strict: bool = False
) -> list[LoggedModel]:
    """Return logged models in the order of their ids, without those that are not there.

    Args:
        connection: of the database, showing one moment.
        ids: each once.
        has_details: as in `runs_by_id`.
        strict: as in `runs_by_id`.

    Raises:
        Corrupt: see `strict`.
    """

    def read(some: Sequence[str]) -> list[LoggedModel]:
        found: dict[str, LoggedModel] = {}
        _read_logged_models(connection, some, found)
        for point in logged_model_points(
            connection, tables.logged_model_metrics.c.model_id.in_(some), has_details=has_details
        ):
            if point.model_id in found:
                _add_latest(found[point.model_id], point)
        return [found[one] for one in some if one in found]

    return [
        model
        for some in chunks(ids)
        for model in read_whole(read, LOGGED_MODEL, some, strict=strict)
    ]


def _read_logged_models(
    connection: Connection, ids: Sequence[str], found: dict[str, LoggedModel]
) -> None:
    one, tag, param = tables.logged_models, tables.logged_model_tags, tables.logged_model_params
    for row in connection.execute(select(one).where(one.c.model_id.in_(ids))):
        found[row.model_id] = LoggedModel(
            str(row.experiment_id),
            row.model_id,
            row.name,
            row.artifact_location,
            row.creation_timestamp_ms,
            row.last_updated_timestamp_ms,
            row.model_type,
            row.source_run_id,
            row.status,
            row.status_message,
            {},
            {},
            [],
        )
    for row in connection.execute(
        select(tag.c.model_id, tag.c.tag_key, tag.c.tag_value).where(tag.c.model_id.in_(ids))
    ):
        found[row.model_id]._tags[row.tag_key] = row.tag_value
    for row in connection.execute(
        select(param.c.model_id, param.c.param_key, param.c.param_value).where(
            param.c.model_id.in_(ids)
        )
    ):
        found[row.model_id]._params[row.param_key] = row.param_value


def logged_model_points(
    connection: Connection, condition: ColumnElement[bool], *, has_details: bool
) -> Iterable[Metric]:
    """Return points of logged models, oldest step first.

    The table has no place for NaN, which is 0 there, as in MLflow; the point of the run that it
    came with knows better.
    """
    point, of_run = tables.logged_model_metrics, tables.metrics
    odd = or_(
        point.c.metric_value == 0,
        point.c.metric_value >= LARGEST,
        point.c.metric_value <= -LARGEST,
    )
    same = and_(
        odd,
        of_run.c.run_uuid == point.c.run_id,
        of_run.c.key == point.c.metric_name,
        of_run.c.timestamp == point.c.metric_timestamp_ms,
        of_run.c.step == point.c.metric_step,
        of_run.c.value == point.c.metric_value,
    )
    number = metric_details.c.number if has_details else null()
    joined: Any = point.outerjoin(of_run, same)
    if has_details:
        joined = joined.outerjoin(metric_details, details_of(of_run))
    statement = (
        select(point, of_run.c.is_nan, number.label("number"))
        .select_from(joined)
        .where(condition)
        .order_by(
            point.c.model_id,
            point.c.metric_name,
            point.c.metric_step,
            point.c.metric_timestamp_ms,
            point.c.run_id,
        )
    )
    for row in connection.execute(statement):
        yield Metric(
            row.metric_name,
            loaded(row.metric_value, row.is_nan or row.metric_value is None, row.number),
            row.metric_timestamp_ms,
            row.metric_step,
            row.model_id,
            row.dataset_name,
            row.dataset_digest,
            row.run_id,
        )


def _add_latest(model: LoggedModel, point: Metric) -> None:
    """Add a point, or put it in the place of an older one of the same series and dataset."""
    metrics = model._metrics
    assert metrics is not None  # noqa: S101 - given above
    for place in range(len(metrics) - 1, -1, -1):
        other = metrics[place]
        if other.key != point.key:
            break
        same = other.dataset_name == point.dataset_name
        if same and other.dataset_digest == point.dataset_digest:
            if latest_rank(point) > latest_rank(other):
                metrics[place] = point
            return
    metrics.append(point)


def latest_rank(point: Metric) -> tuple[int, int, bool, float]:
    """Return what the latest point of a series is the largest by."""
    value = point._value
    return point._step, point._timestamp, value == value, value  # noqa: PLR0124 - NaN is the least


# --- the registry ----------------------------------------------------------------------------


def registered_models_by_name(
    connection: Connection, names: Sequence[str], *, strict: bool = False
) -> list[RegisteredModel]:
    """Return registered models in the order of their names, without those that are not there.

    Each has its tags, its aliases and the newest version of every stage.

    Args:
        connection: of the database, showing one moment.
        names: each once.
        strict: as in `runs_by_id`.

    Raises:
        Corrupt: see `strict`.
    """

    def read(some: Sequence[str]) -> list[RegisteredModel]:
        found: dict[str, RegisteredModel] = {}
        _read_registered_models(connection, some, found)
        return [found[one] for one in some if one in found]

    return [
        model
        for some in chunks(names)
        for model in read_whole(read, REGISTERED_MODEL, some, strict=strict)
    ]


def _read_registered_models(
    connection: Connection, names: Sequence[str], found: dict[str, RegisteredModel]
) -> None:
    one, tag = tables.registered_models, tables.registered_model_tags
    alias, version = tables.registered_model_aliases, tables.model_versions
    rows = connection.execute(
        select(one).where(one.c.workspace == WORKSPACE, one.c.name.in_(names))
    ).all()
    for row in rows:
        found[row.name] = RegisteredModel(
            row.name,
            row.creation_time,
            row.last_updated_time,
            row.description,
            [],
            workspace=row.workspace,
        )
    for row in connection.execute(
        select(tag.c.name, tag.c.key, tag.c.value).where(
            tag.c.workspace == WORKSPACE, tag.c.name.in_(names)
        )
    ):
        found[row.name]._tags[row.key] = row.value
    for row in connection.execute(
        select(alias.c.name, alias.c.alias, alias.c.version).where(
            alias.c.workspace == WORKSPACE, alias.c.name.in_(names)
        )
    ):
        found[row.name]._aliases[row.alias] = str(row.version)
    newest: dict[tuple[str, str], int] = {}
    for row in connection.execute(
        select(version.c.name, version.c.current_stage, version.c.version)
        .where(version.c.workspace == WORKSPACE, version.c.name.in_(names))
        .where(version.c.current_stage.in_(ALL_STAGES))
    ):
        place = (row.name, row.current_stage)
        newest[place] = max(newest.get(place, 0), row.version)
    keys = [
        (name, newest[name, stage])
        for name in found
        for stage in ALL_STAGES
        if (name, stage) in newest
    ]
    for shown in model_versions_by_key(connection, keys):
        latest = found[shown.name]._latest_version
        assert latest is not None  # noqa: S101 - given above
        latest.append(shown)


def model_versions_by_key(
    connection: Connection, keys: Sequence[tuple[str, int]], *, strict: bool = False
) -> list[ModelVersion]:
    """Return model versions in the order of their keys; deleted ones are not there.

    Args:
        connection: of the database, showing one moment.
        keys: pairs of name and number, each once.
        strict: as in `runs_by_id`.

    Raises:
        Corrupt: see `strict`.
    """

    def read(some: Sequence[tuple[str, int]]) -> list[ModelVersion]:
        found: dict[tuple[str, int], ModelVersion] = {}
        _read_model_versions(connection, some, found)
        return [found[one] for one in some if one in found]

    return [
        version
        for some in chunks(keys)
        for version in read_whole(read, MODEL_VERSION, some, strict=strict)
    ]


def _read_model_versions(
    connection: Connection,
    keys: Sequence[tuple[str, int]],
    found: dict[tuple[str, int], ModelVersion],
) -> None:
    if not keys:
        return

    def these(table: Any) -> ColumnElement[bool]:
        return and_(
            table.c.workspace == WORKSPACE, tuple_(table.c.name, table.c.version).in_(list(keys))
        )

    one, tag, alias = (
        tables.model_versions,
        tables.model_version_tags,
        tables.registered_model_aliases,
    )
    for row in connection.execute(
        select(one).where(these(one), one.c.current_stage != STAGE_DELETED_INTERNAL)
    ):
        found[row.name, row.version] = version_of(row)
    for row in connection.execute(
        select(tag.c.name, tag.c.version, tag.c.key, tag.c.value).where(these(tag))
    ):
        if (row.name, row.version) in found:
            found[row.name, row.version]._tags[row.key] = row.value
    for row in connection.execute(
        select(alias.c.name, alias.c.version, alias.c.alias).where(these(alias))
    ):
        if (row.name, row.version) in found:
            found[row.name, row.version]._aliases.append(row.alias)


def version_of(row: Any) -> ModelVersion:
    """Return the version of a row of `model_versions`, without tags and aliases."""
    source = row.source
    # The table has no column for the logged model; a source that is one names it.
    model_id = source.removeprefix("models:/") if source and source.startswith(MODEL_URI) else None
    return ModelVersion(
        row.name,
        str(row.version),
        row.creation_time,
        row.last_updated_time,
        row.description,
        row.user_id,
        row.current_stage,
        source,
        row.run_id,
        row.status,
        row.status_message,
        run_link=row.run_link,
        aliases=[],
        model_id=model_id,
        workspace=row.workspace,
    )
