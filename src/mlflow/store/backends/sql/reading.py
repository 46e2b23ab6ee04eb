"""From rows to experiments and runs, many at a time: what `get` and every search return."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Text,
    and_,
    bindparam,
    cast,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

from mlflow.entities.experiment import Experiment
from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from mlflow.store.backends.base import RUN as RUN_KIND
from mlflow.store.backends.sql import tables
from mlflow.store.backends.sql.damage import read_whole
from mlflow.store.backends.sql.tables import Double
from mlflow.store.backends.sql.tables_own import metric_details
from mlflow.store.backends.sql.urls import POSTGRESQL
from mlflow.store.backends.sql.values import LARGEST, loaded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select

# Ids in one statement: below every database's limit of parameters, of which a run takes eight.
CHUNK = 1000
# What is used and made by a run, as the table `inputs` names it: source, destination.
DATASET, RUN = "DATASET", "RUN"
MODEL_INPUT = ("RUN_INPUT", "MODEL_INPUT")
MODEL_OUTPUT = ("RUN_OUTPUT", "MODEL_OUTPUT")


def chunks(ids: Sequence[Any], size: int = CHUNK) -> Iterable[Sequence[Any]]:
    """Return a sequence in pieces that fit a statement."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


# --- experiments -----------------------------------------------------------------------------


_EXPERIMENTS = select(
    tables.experiments, tables.experiment_tags.c.key, tables.experiment_tags.c.value
).outerjoin_from(
    tables.experiments,
    tables.experiment_tags,
    tables.experiment_tags.c.experiment_id == tables.experiments.c.experiment_id,
)
_BY_ID = _EXPERIMENTS.where(
    tables.experiments.c.experiment_id.in_(bindparam("ids", expanding=True))
)


def experiments(connection: Connection, condition: ColumnElement[bool]) -> list[Experiment]:
    """Return the experiments that meet a condition, in any stage."""
    found: dict[int, Experiment] = {}
    _read_experiments(connection.execute(_EXPERIMENTS.where(condition)), found)
    return list(found.values())


def experiments_by_id(connection: Connection, ids: Sequence[int]) -> list[Experiment]:
    """Return experiments in the order of their ids, without those that are not there."""
    found: dict[int, Experiment] = {}
    for some in chunks(ids):
        _read_experiments(connection.execute(_BY_ID, {"ids": list(some)}), found)
    return [found[one] for one in ids if one in found]


def _read_experiments(rows: Iterable[Any], found: dict[int, Experiment]) -> None:
    for row in rows:
        number = row.experiment_id
        if number not in found:
            found[number] = Experiment(
                str(number),
                row.name,
                row.artifact_location,
                row.lifecycle_stage,
                creation_time=row.creation_time,
                last_update_time=row.last_update_time,
                workspace=row.workspace,
            )
        if row.key is not None:
            found[number]._tags[row.key] = row.value


# --- runs ------------------------------------------------------------------------------------

# One statement reads the rows of several tables: each has a part, the run, and columns that mean
# what the part says. So a run is read as it was at one moment, in one round trip.
_INFO, _METRIC, _PARAM, _TAG, _USED, _MODEL = range(6)
_TEXTS, _NUMBERS = ("a", "b", "c", "d", "e"), ("x", "y", "z")


def _part(
    dialect: str,
    part: int,
    run: ColumnElement[Any],
    texts: Sequence[ColumnElement[Any]] = (),
    numbers: Sequence[ColumnElement[Any]] = (),
    value: ColumnElement[Any] | None = None,
    flag: ColumnElement[Any] | None = None,
) -> Select[Any]:
    def nothing(kind: Any) -> ColumnElement[Any]:
        # PostgreSQL wants to know of which type.
        return cast(null(), kind) if dialect == POSTGRESQL else null()

    columns = [literal_column(str(part)).label("part"), run.label("run")]
    for name, given, kind in (("", texts, Text), ("", numbers, BigInteger)):
        names = _TEXTS if kind is Text else _NUMBERS
        for place, name in enumerate(names):
            column = given[place] if place < len(given) else nothing(kind)
            columns.append(column.label(name))
    columns.append((nothing(Double) if value is None else value).label("value"))
    columns.append((nothing(Boolean) if flag is None else flag).label("flag"))
    return select(*columns)


def details_of(rows: Any) -> ColumnElement[bool]:
    """Return the condition that joins what MLflow's columns cannot hold to points of metrics."""
    names = ("run_uuid", "key", "timestamp", "step", "value", "is_nan")
    return and_(*(metric_details.c[name] == rows.c[name] for name in names))


@cache
def _runs_statement(dialect: str, has_details: bool) -> CompoundSelect[Any]:
    def these(column: ColumnElement[Any]) -> ColumnElement[bool]:
        return column.in_(bindparam("ids", expanding=True))

    info, point = tables.runs.c, tables.latest_metrics
    metrics = _part(
        dialect,
        _METRIC,
        point.c.run_uuid,
        [point.c.key, metric_details.c.number] if has_details else [point.c.key],
        [point.c.timestamp, point.c.step],
        point.c.value,
        point.c.is_nan,
    ).where(these(point.c.run_uuid))
    if has_details:
        odd = or_(point.c.value == 0, point.c.value >= LARGEST, point.c.value <= -LARGEST)
        metrics = metrics.outerjoin_from(point, metric_details, and_(odd, details_of(point)))
    used = tables.inputs.c
    return union_all(
        _part(
            dialect,
            _INFO,
            info.run_uuid,
            [info.name, info.user_id, info.status, info.lifecycle_stage, info.artifact_uri],
            [info.start_time, info.end_time, info.experiment_id],
        ).where(these(info.run_uuid)),
        metrics,
        *(
            _part(dialect, part, table.c.run_uuid, [table.c.key, table.c.value]).where(
                these(table.c.run_uuid)
            )
            for part, table in ((_PARAM, tables.params), (_TAG, tables.tags))
        ),
        _part(
            dialect, _USED, used.destination_id, [used.input_uuid, used.source_id], [used.step]
        ).where(
            used.source_type == DATASET,
            used.destination_type == RUN,
            these(used.destination_id),
        ),
        _part(
            dialect, _MODEL, used.source_id, [used.source_type, used.destination_id], [used.step]
        ).where(
            tuple_(used.source_type, used.destination_type).in_([MODEL_INPUT, MODEL_OUTPUT]),
            these(used.source_id),
        ),
    )


class _Parts:
    """What was read of one run."""

    __slots__ = ("info", "made", "metrics", "params", "tags", "used", "uses")

    def __init__(self) -> None:
        self.info: RunInfo | None = None
        self.metrics: list[Metric] = []
        self.params: list[Param] = []
        self.tags: list[RunTag] = []
        self.used: list[tuple[str, str]] = []  # ids of inputs and of their datasets
        self.uses: list[LoggedModelInput] = []
        self.made: list[LoggedModelOutput] = []


def runs_by_id(
    connection: Connection, ids: Sequence[str], *, has_details: bool, strict: bool = False
) -> list[Run]:
    """Return runs in the order of their ids, in any stage, without those that are not there.

    Args:
        connection: of the database.
        ids: each once.
        has_details: whether the database has the table `millstream_metric_details`.
        strict: raise for a run that cannot be read, instead of leaving it out with a warning.

    Raises:
        Corrupt: see `strict`.
    """

    def read(some: Sequence[str]) -> list[Run]:
        return _read_runs(connection, some, has_details=has_details)

    return [run for some in chunks(ids) for run in read_whole(read, RUN_KIND, some, strict=strict)]


def _read_runs(connection: Connection, ids: Sequence[str], *, has_details: bool) -> list[Run]:
    parts = {run_id: _Parts() for run_id in ids}
    statement = _runs_statement(connection.dialect.name, has_details)
    for row in connection.execute(statement, {"ids": list(ids)}):
        part, run_id, a, b, c, d, e, x, y, z, value, flag = row
        of_run = parts[run_id]
        if part == _METRIC:
            of_run.metrics.append(Metric(a, loaded(value, flag, b), x, y, run_id=run_id))
        elif part == _PARAM:
            of_run.params.append(Param(a, b))
        elif part == _TAG:
            of_run.tags.append(RunTag(a, b))
        elif part == _INFO:
            of_run.info = RunInfo(run_id, str(z), b, c, x, y, d, e, a)
        elif part == _USED:
            of_run.used.append((a, b))
        elif a == MODEL_INPUT[0]:
            of_run.uses.append(LoggedModelInput(b))
        else:
            of_run.made.append(LoggedModelOutput(b, x))
    datasets = _datasets(connection, [pair for one in parts.values() for pair in one.used])
    return [
        Run(
            one.info,
            RunData(one.metrics, one.params, one.tags),
            RunInputs(_ordered(datasets, one.used), one.uses),
            RunOutputs(one.made),
        )
        for one in parts.values()
        if one.info is not None
    ]


def _ordered(datasets: dict[str, DatasetInput], used: list[tuple[str, str]]) -> list[DatasetInput]:
    found = [datasets[one] for one, _ in used if one in datasets]
    return sorted(found, key=lambda one: (one.dataset.name, one.dataset.digest))


def _datasets(connection: Connection, used: list[tuple[str, str]]) -> dict[str, DatasetInput]:
    """Return the uses of datasets, with their tags, by the ids of the inputs."""
    if not used:
        return {}
    one, tag = tables.datasets.c, tables.input_tags.c
    datasets: dict[str, Dataset] = {}
    for some in chunks(sorted({dataset for _, dataset in used})):
        for row in connection.execute(select(tables.datasets).where(one.dataset_uuid.in_(some))):
            datasets[row.dataset_uuid] = Dataset(
                row.name,
                row.digest,
                row.dataset_source_type,
                row.dataset_source,
                row.dataset_schema,
                row.dataset_profile,
            )
    found = {
        input_id: DatasetInput(datasets[dataset])
        for input_id, dataset in used
        if dataset in datasets
    }
    for some in chunks(list(found)):
        statement = select(tag.input_uuid, tag.name, tag.value).where(tag.input_uuid.in_(some))
        for input_id, name, value in connection.execute(statement):
            found[input_id]._tags.append(InputTag(name, value))
    return found
