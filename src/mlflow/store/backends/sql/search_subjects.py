"""Where what each noun is searched by lies: its table, its columns, the tables beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Float, and_, case, false, func, literal, not_, null, or_, select

from mlflow.entities.logged_models import LoggedModelStatus
from mlflow.store.backends.sql import tables
from mlflow.store.backends.sql.search_fields import (
    Field,
    IdField,
    NumberedField,
    RealField,
    TextField,
    WholeField,
)
from mlflow.store.backends.sql.values import LARGEST
from mlflow.tags import MLFLOW_DATASET_CONTEXT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlalchemy import ColumnElement, FromClause, Select, Table

    from mlflow.search.nodes import Scope
    from mlflow.store.backends.sql.search_dialects import Dialect

    Condition = ColumnElement[bool]
    # The columns of a thing's identity, by name, in whichever table they are read.
    Anchor = Mapping[str, ColumnElement[Any]]


class Side:
    """A table beside a noun's own, with at most one row for each thing and key.

    Args:
        table: the table.
        links: the columns that say whose row it is; the noun's own are called the same.
        key: its column of keys.
        value: its column of values.
        nan: its column that tells a NaN; None where values are text.
        indexed: whether an index of ours has the first characters of the values.
    """

    def __init__(
        self,
        table: Table,
        links: tuple[str, ...],
        key: str = "key",
        value: str = "value",
        *,
        nan: str | None = None,
        indexed: bool = False,
    ) -> None:
        self.table = table
        self._links = links
        self._key = key
        self._value = value
        self._nan = nan
        self._indexed = indexed
        self._aliases: dict[str, FromClause] = {}

    def rows(self, part: str) -> FromClause:
        """Return the table under a name of its own.

        Args:
            part: what it is in a statement; a subquery may use the name of another one.
        """
        # Making one takes SQLAlchemy longer than the search of a small store takes.
        if part not in self._aliases:
            self._aliases[part] = self.table.alias(f"{self.table.name}_{part}")
        return self._aliases[part]

    def field(self, rows: FromClause) -> Field:
        """Return the value in some rows of the table."""
        column = rows.c[self._value]
        if self._nan is not None:
            return RealField(column, rows.c[self._nan])
        return TextField(column, nullable=bool(column.nullable), indexed=self._indexed)

    def of_key(self, rows: FromClause, dialect: Dialect, key: str) -> Condition:
        """Return the condition that rows are those of a key, and have a value."""
        named = _is(rows.c[self._key], key, dialect)
        value = rows.c[self._value]
        return and_(named, value.is_not(None)) if value.nullable else named

    def linked(self, rows: FromClause, anchor: Anchor) -> Condition:
        """Return the condition that rows belong to a thing."""
        return and_(*(rows.c[name] == anchor[name] for name in self._links))

    def identity(self, rows: FromClause) -> Anchor:
        """Return whose rows they are."""
        return {name: rows.c[name] for name in self._links}


class Subject:
    """One noun.

    Args:
        noun: as in `mlflow.search`.
        table: one row for each thing.
        identity: the names of the columns that tell things apart.
        attributes: the fields, by their canonical names.
        sides: the tables beside it, by the kind of condition.
    """

    def __init__(
        self,
        noun: str,
        table: Table,
        identity: tuple[str, ...],
        attributes: dict[str, Field],
        sides: dict[str, Side],
    ) -> None:
        self.noun = noun
        self.table = table
        self.identity = identity
        self.attributes = attributes
        self.sides = sides

    def anchor(self) -> Anchor:
        """Return the columns of the identity in the noun's own table."""
        return {name: self.table.c[name] for name in self.identity}


def _text(column: ColumnElement[Any], *, nullable: bool = False) -> TextField:
    return TextField(column, nullable=nullable)


def _whole(column: ColumnElement[Any], *, nullable: bool = False) -> WholeField:
    return WholeField(column, nullable=nullable)


_runs = tables.runs.c
_experiments = tables.experiments.c
_registered = tables.registered_models.c
_versions = tables.model_versions.c
_logged = tables.logged_models.c

SUBJECTS = {
    subject.noun: subject
    for subject in (
        Subject(
            "runs",
            tables.runs,
            ("run_uuid",),
            {
                "run_id": _text(_runs.run_uuid),
                "run_name": _text(_runs.name, nullable=True),
                "status": _text(_runs.status, nullable=True),
                "artifact_uri": _text(_runs.artifact_uri, nullable=True),
                "user_id": _text(_runs.user_id, nullable=True),
                "start_time": _whole(_runs.start_time, nullable=True),
                "end_time": _whole(_runs.end_time, nullable=True),
            },
            {
                "metric": Side(tables.latest_metrics, ("run_uuid",), nan="is_nan"),
                "param": Side(tables.params, ("run_uuid",), indexed=True),
                "tag": Side(tables.tags, ("run_uuid",), indexed=True),
            },
        ),
        Subject(
            "experiments",
            tables.experiments,
            ("experiment_id",),
            {
                "name": _text(_experiments.name),
                "experiment_id": IdField(_experiments.experiment_id),
                "creation_time": _whole(_experiments.creation_time, nullable=True),
                "last_update_time": _whole(_experiments.last_update_time, nullable=True),
            },
            {"tag": Side(tables.experiment_tags, ("experiment_id",))},
        ),
        Subject(
            "registered_models",
            tables.registered_models,
            ("workspace", "name"),
            {
                "name": _text(_registered.name),
                "creation_timestamp": _whole(_registered.creation_time, nullable=True),
                "last_updated_timestamp": _whole(_registered.last_updated_time, nullable=True),
            },
            {"tag": Side(tables.registered_model_tags, ("workspace", "name"))},
        ),
        Subject(
            "model_versions",
            tables.model_versions,
            ("workspace", "name", "version"),
            {
                "name": _text(_versions.name),
                # Versions that came from no run have an empty id in some stores.
                "run_id": _text(func.nullif(_versions.run_id, ""), nullable=True),
                "source_path": _text(_versions.source, nullable=True),
                "version_number": _whole(_versions.version),
                "creation_timestamp": _whole(_versions.creation_time, nullable=True),
                "last_updated_timestamp": _whole(_versions.last_updated_time, nullable=True),
            },
            {"tag": Side(tables.model_version_tags, ("workspace", "name", "version"))},
        ),
        Subject(
            "logged_models",
            tables.logged_models,
            ("model_id",),
            {
                "name": _text(_logged.name),
                "model_id": _text(_logged.model_id),
                "model_type": _text(_logged.model_type, nullable=True),
                "status": NumberedField(
                    _logged.status, {status.to_int(): status.name for status in LoggedModelStatus}
                ),
                "source_run_id": _text(_logged.source_run_id, nullable=True),
                "creation_timestamp": _whole(_logged.creation_timestamp_ms),
                "last_updated_timestamp": _whole(_logged.last_updated_timestamp_ms),
            },
            {
                "param": Side(tables.logged_model_params, ("model_id",), "param_key", "param_value"),
                "tag": Side(tables.logged_model_tags, ("model_id",), "tag_key", "tag_value"),
            },
        ),
    )
}  # fmt: skip


# ── what a thing may have several of ──


def datasets_of(
    anchor: Anchor, key: str, dialect: Dialect
) -> tuple[Select[*tuple[Any, ...]], Field]:
    """Return the datasets of a run, and the field of theirs that a condition is about.

    Args:
        anchor: the run.
        key: `name`, `digest` or `context`.
        dialect: of the database.
    """
    inputs, datasets, tags = tables.inputs, tables.datasets, tables.input_tags
    joined: FromClause = inputs.join(datasets, datasets.c.dataset_uuid == inputs.c.source_id)
    column: ColumnElement[Any]
    if key == "context":
        named = dialect.equals(tags.c.name, MLFLOW_DATASET_CONTEXT, indexed=False)
        joined = joined.join(tags, and_(tags.c.input_uuid == inputs.c.input_uuid, named))
        column = tags.c.value
    else:
        column = datasets.c[key]
    found = (
        select(literal(1))
        .select_from(joined)
        .where(
            inputs.c.source_type == "DATASET",
            inputs.c.destination_type == "RUN",
            inputs.c.destination_id == anchor["run_uuid"],
        )
        .correlate_except(inputs, datasets, tags)
    )
    return found, TextField(column)


def model_metrics(
    key: str, scope: tuple[Scope, ...] | None, dialect: Dialect, *, one: bool
) -> FromClause:
    """Return the metrics of logged models: `model_id`, `value` (NULL is NaN) and `place`.

    A model has one for each key and dataset: its latest point, which has place 1.

    Args:
        key: of the metric; empty for all.
        scope: the datasets one of which it must belong to; None for all metrics.
        dialect: of the database.
        one: count the places of a model's points all together, so that a model has one metric.
    """
    rows = tables.logged_model_metrics
    value = _null_for_nan(rows, dialect)
    whose = [rows.c.model_id] if one else [
        rows.c.model_id, rows.c.metric_name, rows.c.dataset_name, rows.c.dataset_digest,
    ]  # fmt: skip
    place = func.row_number().over(
        partition_by=whose,
        order_by=[
            rows.c.metric_step.desc(),
            rows.c.metric_timestamp_ms.desc(),
            value.is_(None),
            value.desc(),
        ],
    )
    found = select(rows.c.model_id, value.label("value"), place.label("place"))
    if key:
        found = found.where(_is(rows.c.metric_name, key, dialect))
    if scope is not None:
        found = found.where(or_(false(), *(_belongs(rows, one_of, dialect) for one_of in scope)))
    return found.subquery("model_metric")


def _belongs(rows: Table, scope: Scope, dialect: Dialect) -> Condition:
    name, digest = scope
    named = _is(rows.c.dataset_name, name, dialect)
    return named if digest is None else and_(named, _is(rows.c.dataset_digest, digest, dialect))


def _is(column: ColumnElement[Any], wanted: object, dialect: Dialect) -> Condition:
    if not isinstance(wanted, str) or not dialect.can_hold(wanted):
        return false()
    return dialect.equals(column, wanted, indexed=False)


def _null_for_nan(rows: Table, dialect: Dialect) -> ColumnElement[Any]:
    """Return the values of metrics of logged models with NULL for NaN.

    The table has no place for NaN, which is 0 there; the point of the run that it came with knows
    better.
    """
    point = HISTORY.rows("beside")

    def is_beside(*, nan: bool) -> Condition:
        same = select(literal(1)).where(
            point.c.run_uuid == rows.c.run_id,
            point.c.key == rows.c.metric_name,
            point.c.timestamp == rows.c.metric_timestamp_ms,
            point.c.step == rows.c.metric_step,
            point.c.value == _number(0.0),
            point.c.is_nan if nan else not_(point.c.is_nan),
        )
        return same.correlate_except(point).exists()

    value = rows.c.metric_value
    odd = and_(value == _number(0.0), is_beside(nan=True), not_(is_beside(nan=False)))
    known = func.nullif(value, _number(math.nan)) if dialect.has_nan else value
    return case((odd, null()), else_=known)


# ── histories ──

# All points, not one for each key.
HISTORY = Side(tables.metrics, ("run_uuid",), nan="is_nan")

# From here on numbers are added up in smaller units, lest the sum be too large for a float.
_LARGE, _UNIT = 1e290, 2.0**64
# Below this, PostgreSQL calls a quotient an error.
_TINY = 1e-290


def aggregate_of(
    anchor: Anchor, key: str, aggregate: str, dialect: Dialect
) -> tuple[RealField, Condition]:
    """Return an aggregate of the history of a run's metric, and the condition that there is one.

    Args:
        anchor: the run.
        key: of the metric.
        aggregate: one of `mlflow.search.nodes.AGGREGATES`.
        dialect: of the database.
    """
    points = HISTORY.rows("point")
    mine = and_(
        HISTORY.linked(points, anchor),
        HISTORY.of_key(points, dialect, key),
        # Always so; without it SQLite reads the whole key, of all runs, from another index.
        points.c.step >= literal(-(2**63), BigInteger()),
    )
    value = case((not_(points.c.is_nan), points.c.value))
    found: Select[*tuple[Any, ...]]
    if aggregate == "count":
        found = select(func.count())
    elif aggregate in ("first", "last"):
        order = [points.c.step, points.c.timestamp, not_(points.c.is_nan), points.c.value]
        down = aggregate == "last"
        found = select(value).order_by(*(one.desc() if down else one for one in order)).limit(1)
    elif aggregate == "mean":
        found = select(_mean(value))
    else:
        found = select(func.min(value) if aggregate == "min" else func.max(value))
    column = found.select_from(points).where(mine).correlate_except(points).scalar_subquery()
    there = select(literal(1)).select_from(points).where(mine).correlate_except(points).exists()
    return RealField(column), there


def _mean(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the mean of a column without overflow; NULL when it is NaN."""
    count = func.count(value)
    highest, lowest = func.max(value), func.min(value)
    plain = func.sum(case((func.abs(value) < _number(_LARGE), value), else_=_number(0.0)))
    large = func.sum(case((func.abs(value) >= _number(_LARGE), value / _number(_UNIT))))
    small_part = case((func.abs(plain) < _number(_TINY), _number(0.0)), else_=plain / count)
    most = LARGEST / _UNIT * (1 - 2.0**-40)
    large_part = case(
        (large / count > _number(most), _number(most)),
        (large / count < _number(-most), _number(-most)),
        else_=large / count,
    )
    return case(
        (and_(highest >= _number(LARGEST), lowest <= _number(-LARGEST)), null()),
        (highest >= _number(LARGEST), highest),
        (lowest <= _number(-LARGEST), lowest),
        (large.is_(None), small_part),
        else_=large_part * _number(_UNIT) + small_part,
    )


def _number(number: float) -> ColumnElement[Any]:
    return literal(number, Float(53))
