"""Exact copies out of and into databases, each in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from mlflow.entities.experiment import LifecycleStage
from mlflow.entities.registry import STAGE_DELETED_INTERNAL, ModelVersion
from mlflow.entities.run import RunTag
from mlflow.store.backends.base import (
    EXPERIMENT,
    LOGGED_MODEL,
    REGISTERED_MODEL,
    RUN,
    Duplicate,
    Missing,
)
from mlflow.store.backends.copying import (
    DEPLOYMENT_JOBS,
    MODEL_POINTS,
    POINT_DATASETS,
    CannotHold,
    Copying,
)
from mlflow.store.backends.sql import experiments as of_experiments
from mlflow.store.backends.sql import logged_models as of_models
from mlflow.store.backends.sql import registry as of_registry
from mlflow.store.backends.sql import runs as of_runs
from mlflow.store.backends.sql import tables, tables_gateway, tables_traces
from mlflow.store.backends.sql.batch import Batch
from mlflow.store.backends.sql.reading import MODEL_INPUT, MODEL_OUTPUT, chunks
from mlflow.store.backends.sql.reading_models import WORKSPACE, logged_model_points
from mlflow.store.backends.sql.rows import copy_rest
from mlflow.store.backends.sql.tables_own import metric_details
from mlflow.store.backends.sql.upserts import upsert
from mlflow.store.backends.sql.values import stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from sqlalchemy import Connection, Table

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.registry import RegisteredModel
    from mlflow.entities.run import Metric, Run
    from mlflow.store.backends.sql.engine import Database

# What stores give no access to yet, by noun.
BEYOND: dict[str, Table] = {
    "traces": tables_traces.trace_info,
    "assessments": tables_traces.assessments,
    "associations": tables_traces.entity_associations,
    "evaluation datasets": tables_traces.evaluation_datasets,
    "issues": tables_traces.issues,
    "label schemas": tables_traces.label_schemas,
    "review queues": tables_traces.review_queues,
    "scorers": tables_traces.scorers,
    "budget policies": tables_gateway.budget_policies,
    "gateway endpoints": tables_gateway.endpoints,
    "gateway models": tables_gateway.model_definitions,
    "gateway secrets": tables_gateway.secrets,
    "guardrails": tables_gateway.guardrails,
    "jobs": tables_gateway.jobs,
    "MCP servers": tables_gateway.mcp_servers,
    "webhooks": tables_gateway.webhooks,
}


class SqlCopying(Copying):
    """See `Copying`.

    Args:
        database: whose records are copied.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        without = () if self._database.has_details else (POINT_DATASETS,)
        self.leaves_out = frozenset({DEPLOYMENT_JOBS, *without})

    # --- out ---------------------------------------------------------------------------------

    def run_deletion_time(self, run_id: str) -> int | None:
        of = tables.runs.c
        statement = select(of.lifecycle_stage, of.deleted_time).where(of.run_uuid == run_id)
        row = self._database.run(lambda connection: connection.execute(statement).first())
        if row is None:
            raise Missing(RUN, run_id)
        return row.deleted_time if row.lifecycle_stage == LifecycleStage.DELETED else None

    def logged_model_points(self, model_id: str) -> list[Metric]:
        def work(connection: Connection) -> list[Metric]:
            of = tables.logged_models.c.model_id
            if connection.execute(select(of).where(of == model_id)).first() is None:
                raise Missing(LOGGED_MODEL, model_id)
            mine = tables.logged_model_metrics.c.model_id == model_id
            details = self._database.has_details
            return list(logged_model_points(connection, mine, has_details=details))

        return self._database.snapshot(work)

    def last_version_number(self, name: str) -> int:
        model, version = tables.registered_models.c, tables.model_versions.c
        is_there = select(model.name).where(model.workspace == WORKSPACE, model.name == name)
        last = select(func.max(version.version)).where(
            version.workspace == WORKSPACE, version.name == name
        )

        def work(connection: Connection) -> int:
            if connection.execute(is_there).first() is None:
                raise Missing(REGISTERED_MODEL, name)
            return connection.execute(last).scalar() or 0

        return self._database.snapshot(work)

    def counts(self) -> dict[str, int]:
        kept = {
            EXPERIMENT: tables.experiments,
            RUN: tables.runs,
            LOGGED_MODEL: tables.logged_models,
            REGISTERED_MODEL: tables.registered_models,
        }
        return self._database.snapshot(
            lambda connection: {kind: _count(connection, table) for kind, table in kept.items()}
        )

    def beyond_contract(self) -> dict[str, int]:
        def work(connection: Connection) -> dict[str, int]:
            counts = {noun: _count(connection, table) for noun, table in BEYOND.items()}
            counts |= _of_other_workspaces(connection)
            return {noun: count for noun, count in counts.items() if count}

        return self._database.snapshot(work)

    # --- in ----------------------------------------------------------------------------------

    def import_experiment(self, experiment: Experiment) -> str:
        wanted = experiment.experiment_id
        number = of_experiments.number_of(wanted, self._database.dialect) if wanted else None
        if number == -1:
            raise CannotHold(
                f"the id {wanted!r} is no number that {self._database.dialect} keeps for experiments"
            )

        def work(connection: Connection) -> str:
            made = _place_of(connection, number, experiment.name)
            values = {
                "name": experiment.name,
                "artifact_location": experiment.artifact_location,
                "lifecycle_stage": experiment.lifecycle_stage,
                "creation_time": experiment.creation_time,
                "last_update_time": experiment.last_update_time,
                "workspace": WORKSPACE,
            }
            table = tables.experiments
            if made is None:
                kept = (
                    of_experiments.next_number(connection)
                    if number is None
                    else {"experiment_id": number}
                )
                key: Any = connection.execute(table.insert().values(**kept, **values))
                made = int(key.inserted_primary_key[0])
                if number is not None:
                    of_experiments.count_past(connection, made)
            else:
                here = table.c.experiment_id == made
                connection.execute(update(table).where(here).values(values))
            of_experiments.set_tags(connection, made, list(experiment.tags.items()))
            return str(made)

        return self._database.write(work, taken=lambda: Duplicate(EXPERIMENT, wanted))

    def import_run(
        self,
        run: Run,
        points: Callable[[], Iterable[Sequence[Metric]]],
        deletion_time: int | None,
    ) -> dict[str, int]:
        info, run_id = run.info, run.info.run_id

        def work(connection: Connection) -> dict[str, int]:
            number = self._experiment(connection, info.experiment_id)
            row = of_runs.row_of(info, number) | {"deleted_time": deletion_time}
            connection.execute(tables.runs.insert().values(row))
            pairs = [RunTag(key, value) for key, value in run.data.tags.items()]
            of_runs.set_tags(connection, run_id, pairs)
            upsert(connection, tables.params, [
                {"run_uuid": run_id, "key": key, "value": value}
                for key, value in sorted(run.data.params.items())
            ])  # fmt: skip
            if run.inputs:
                of_runs.use_datasets(connection, run_id, number, run.inputs.dataset_inputs)
                used = [(one.model_id, 0) for one in run.inputs.model_inputs]
                of_runs.link(connection, MODEL_INPUT, run_id, used)
            if run.outputs:
                made = [(one.model_id, one.step) for one in run.outputs.model_outputs]
                of_runs.link(connection, MODEL_OUTPUT, run_id, made)
            return self._add_points(connection, run_id, points())

        return self._database.write(work, taken=lambda: Duplicate(RUN, run_id))

    def _experiment(self, connection: Connection, experiment_id: str) -> int:
        """Return the number of an experiment in any stage; raise `Missing`."""
        number = of_experiments.number_of(experiment_id, self._database.dialect)
        of = tables.experiments.c.experiment_id
        if connection.execute(select(of).where(of == number)).first() is None:
            raise Missing(EXPERIMENT, experiment_id)
        return number

    def _add_points(
        self, connection: Connection, run_id: str, pieces: Iterable[Sequence[Metric]]
    ) -> dict[str, int]:
        latest: dict[str, tuple[tuple[int, int, bool, float], dict[str, Any]]] = {}
        lost = 0
        for piece in pieces:
            batch = Batch(run_id, piece, (), ())
            upsert(connection, tables.metrics, [_point(run_id, one) for one in batch.points])
            if self._database.has_details:
                names = (
                    "key", "timestamp", "step", "value", "is_nan", "number", "dataset_name",
                    "dataset_digest",
                )  # fmt: skip
                rows = [dict(zip(names, one, strict=True)) for one in batch.details]
                upsert(connection, metric_details, [one | {"run_uuid": run_id} for one in rows])
            else:
                lost += sum(one[6] is not None for one in batch.details)
            for point in batch.latest:
                key, value, timestamp, step, is_nan = point
                rank = (step, timestamp, not is_nan, value)
                if key not in latest or rank > latest[key][0]:
                    latest[key] = (rank, _point(run_id, point))
        rows = [row for _, row in latest.values()]
        for some in chunks(rows):
            upsert(connection, tables.latest_metrics, some)
        return {POINT_DATASETS: lost} if lost else {}

    def import_logged_model(
        self, model: LoggedModel, points: Sequence[Metric], stage: str
    ) -> dict[str, int]:
        def work(connection: Connection) -> dict[str, int]:
            number = self._experiment(connection, model.experiment_id)
            of_models.insert(connection, model, number, stage)
            rows = {(one.key, one.timestamp, one.step, one.run_id): one for one in points}
            known = _present(connection, sorted({str(one.run_id) for one in points}))
            kept = [one for one in rows.values() if one.run_id in known]
            for some in chunks(kept):
                upsert(connection, tables.logged_model_metrics, [
                    _model_point(model.model_id, number, one) for one in some
                ])  # fmt: skip
            distinct = {(*key, repr(one.value), one.dataset_name, one.dataset_digest)
                        for key, one in ((_key(one), one) for one in points)}  # fmt: skip
            lost = len(distinct) - len(kept)
            return {MODEL_POINTS: lost} if lost else {}

        return self._database.write(work, taken=lambda: Duplicate(LOGGED_MODEL, model.model_id))

    def import_registered_model(
        self,
        model: RegisteredModel,
        versions: Sequence[tuple[ModelVersion, str | None]],
        last_number: int,
    ) -> dict[str, int]:
        name = model.name

        def work(connection: Connection) -> None:
            of_registry.insert_model(connection, model)
            for version, location in versions:
                of_registry.insert_version(connection, version, int(version.version), location)
            if last_number > max((int(one.version) for one, _ in versions), default=0):
                gone = ModelVersion(name, str(last_number), 0, current_stage=STAGE_DELETED_INTERNAL)
                of_registry.insert_version(connection, gone, last_number, None)
                of = tables.model_versions.c
                here = (of.workspace == WORKSPACE, of.name == name, of.version == last_number)
                values = of_registry.REDACTED
                connection.execute(update(tables.model_versions).where(*here).values(values))
            upsert(connection, tables.registered_model_aliases, [
                {"workspace": WORKSPACE, "name": name, "alias": alias, "version": int(number)}
                for alias, number in sorted(model.aliases.items())
            ])  # fmt: skip

        self._database.write(work, taken=lambda: Duplicate(REGISTERED_MODEL, name))
        return {DEPLOYMENT_JOBS: 1} if model.deployment_job_id else {}

    def import_rest(self, source: Copying) -> dict[str, int]:
        if not isinstance(source, SqlCopying):
            return source.beyond_contract()
        copy_rest(source._database, self._database)
        elsewhere = source._database.snapshot(_of_other_workspaces)
        return {noun: count for noun, count in elsewhere.items() if count}


def _count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _of_other_workspaces(connection: Connection) -> dict[str, int]:
    counts = {}
    for table in (tables.experiments, tables.registered_models):
        statement = select(func.count()).where(table.c.workspace != WORKSPACE)
        noun = f"{table.name.replace('_', ' ')} of other workspaces"
        counts[noun] = connection.execute(statement).scalar_one()
    return counts


def _place_of(connection: Connection, number: int | None, name: str) -> int | None:
    """Return the number of the empty `Default` that an experiment takes the place of, or None.

    Raises:
        Duplicate: the number or the name is taken.
    """
    of = tables.experiments.c
    named = select(of.experiment_id).where(of.name == name, of.workspace == WORKSPACE)
    taken = connection.execute(named).scalar()
    if taken is not None and taken != number:
        raise Duplicate(EXPERIMENT, name)
    statement = select(of.name).where(of.experiment_id == number)
    kept = connection.execute(statement).scalar() if number is not None else None
    if kept is None:
        return None
    below = (tables.experiment_tags, tables.runs, tables.logged_models)
    if number != 0 or kept != "Default" or any(_is_used(connection, one) for one in below):
        raise Duplicate(EXPERIMENT, str(number))
    return number


def _is_used(connection: Connection, table: Table) -> bool:
    of = table.c.experiment_id
    return connection.execute(select(of).where(of == 0).limit(1)).first() is not None


def _present(connection: Connection, run_ids: Sequence[str]) -> set[str]:
    of = tables.runs.c.run_uuid
    return {
        one
        for some in chunks(run_ids)
        for one in connection.execute(select(of).where(of.in_(some))).scalars()
    }


def _key(one: Metric) -> tuple[Any, ...]:
    return (one.key, one.timestamp, one.step, one.run_id)


def _point(run_id: str, point: tuple[str, float, int, int, bool]) -> dict[str, Any]:
    key, value, timestamp, step, is_nan = point
    return {
        "run_uuid": run_id,
        "key": key,
        "value": value,
        "timestamp": timestamp,
        "step": step,
        "is_nan": is_nan,
    }


def _model_point(model_id: str, number: int, one: Metric) -> dict[str, Any]:
    return {
        "model_id": model_id,
        "metric_name": one.key,
        "metric_timestamp_ms": one.timestamp,
        "metric_step": one.step,
        "metric_value": stored(one.value)[0],
        "experiment_id": number,
        "run_id": one.run_id,
        "dataset_name": one.dataset_name,
        "dataset_digest": one.dataset_digest,
    }
