"""Runs in a database: their state, their tags, what they used and made."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select, update

from mlflow.entities.experiment import LifecycleStage
from mlflow.entities.run import RunInfo
from mlflow.store.backends.base import RUN, TAG, Backend, Duplicate, Missing, NotActive
from mlflow.store.backends.sql.experiments import check_active as check_active_experiment
from mlflow.store.backends.sql.reading import (
    DATASET,
    MODEL_INPUT,
    MODEL_OUTPUT,
    chunks,
    runs_by_id,
)
from mlflow.store.backends.sql.reading import RUN as USED_BY_RUN
from mlflow.store.backends.sql.tables import datasets as dataset_table
from mlflow.store.backends.sql.tables import input_tags, inputs, runs
from mlflow.store.backends.sql.tables import tags as tag_table
from mlflow.store.backends.sql.upserts import upsert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection

    from mlflow.entities.run import (
        DatasetInput,
        LoggedModelInput,
        LoggedModelOutput,
        Run,
        RunTag,
    )
    from mlflow.store.backends.sql.engine import Database

_INFO = (
    runs.c.run_uuid,
    runs.c.experiment_id,
    runs.c.user_id,
    runs.c.status,
    runs.c.start_time,
    runs.c.end_time,
    runs.c.lifecycle_stage,
    runs.c.artifact_uri,
    runs.c.name,
)


# Statements of every run, made once.
_INSERT = runs.insert()
_READ_INFO = select(*_INFO).where(runs.c.run_uuid == bindparam("run"))
_CHECK = (
    select(runs.c.lifecycle_stage, runs.c.experiment_id)
    .where(runs.c.run_uuid == bindparam("run"))
    .with_for_update(key_share=True)
)


class SqlRuns(Backend):
    """The part that keeps runs, without what they log."""

    _database: Database

    def insert_run(self, info: RunInfo, tags: Sequence[RunTag]) -> None:
        def work(connection: Connection) -> None:
            number = check_active_experiment(connection, info.experiment_id)
            connection.execute(_INSERT, row_of(info, number))
            set_tags(connection, info.run_id, tags)

        self._database.write(work, taken=lambda: Duplicate(RUN, info.run_id))

    def get_run(self, run_id: str) -> Run:
        has_details = self._database.has_details
        found = self._database.run(
            lambda connection: runs_by_id(
                connection, [run_id], has_details=has_details, strict=True
            )
        )
        if not found:
            raise Missing(RUN, run_id)
        return found[0]

    def get_run_info(self, run_id: str) -> RunInfo:
        return self._database.run(lambda connection: _info(connection, run_id))

    def update_run(
        self,
        run_id: str,
        *,
        status: str | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
        tags: Sequence[RunTag] = (),
    ) -> RunInfo:
        given = {"status": status, "end_time": end_time, "name": run_name}
        values = {name: value for name, value in given.items() if value is not None}

        def work(connection: Connection) -> RunInfo:
            check_active(connection, run_id)
            if values:
                connection.execute(update(runs).where(runs.c.run_uuid == run_id).values(values))
            set_tags(connection, run_id, tags)
            return _info(connection, run_id)

        return self._database.write(work)

    def move_run(self, run_id: str, stage: str, time: int) -> None:
        deleted = stage == LifecycleStage.DELETED

        def work(connection: Connection) -> None:
            moved = connection.execute(
                update(runs)
                .where(runs.c.run_uuid == run_id, runs.c.lifecycle_stage != stage)
                .values(lifecycle_stage=stage, deleted_time=time if deleted else None)
            )
            if not moved.rowcount:
                _info(connection, run_id)

        self._database.write(work)

    def delete_run_tag(self, run_id: str, key: str) -> None:
        def work(connection: Connection) -> None:
            check_active(connection, run_id)
            gone = delete(tag_table).where(tag_table.c.run_uuid == run_id, tag_table.c.key == key)
            if not connection.execute(gone).rowcount:
                raise Missing(TAG, key)

        self._database.write(work)

    # --- what goes in and comes out ------------------------------------------------------------

    def write_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput],
        models: Sequence[LoggedModelInput],
    ) -> None:
        def work(connection: Connection) -> None:
            number = check_active(connection, run_id)
            use_datasets(connection, run_id, number, datasets)
            link(connection, MODEL_INPUT, run_id, [(one.model_id, 0) for one in models])

        self._database.write(work)

    def write_outputs(self, run_id: str, models: Sequence[LoggedModelOutput]) -> None:
        def work(connection: Connection) -> None:
            check_active(connection, run_id)
            made = [(one.model_id, one.step) for one in models]
            link(connection, MODEL_OUTPUT, run_id, made)

        self._database.write(work)


def row_of(info: RunInfo, experiment: int) -> dict[str, Any]:
    """Return the row of a run, by column."""
    return {
        "run_uuid": info.run_id,
        "name": info.run_name,
        # Columns of MLflow 1, for whoever still reads them.
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "source_version": "",
        "user_id": info.user_id,
        "status": info.status,
        "start_time": info.start_time,
        "end_time": info.end_time,
        "lifecycle_stage": info.lifecycle_stage,
        "artifact_uri": info.artifact_uri,
        "experiment_id": experiment,
    }


def _info(connection: Connection, run_id: str) -> RunInfo:
    row = connection.execute(_READ_INFO, {"run": run_id}).first()
    if row is None:
        raise Missing(RUN, run_id)
    run, experiment_id, *rest = row
    return RunInfo(run, str(experiment_id), *rest)


def check_active(connection: Connection, run_id: str) -> int:
    """Return the experiment of an active run, which stays active until the transaction ends.

    Raises:
        Missing: there is no such run.
        NotActive: it is deleted.
    """
    row = connection.execute(_CHECK, {"run": run_id}).first()
    if row is None:
        raise Missing(RUN, run_id)
    if row[0] != LifecycleStage.ACTIVE:
        raise NotActive(RUN, run_id)
    return int(row[1])


def set_tags(connection: Connection, run_id: str, tags: Sequence[RunTag]) -> None:
    """Set tags of a run; of several with one key the last counts."""
    pairs = sorted({tag.key: tag.value for tag in tags}.items())
    rows = [{"run_uuid": run_id, "key": key, "value": value} for key, value in pairs]
    upsert(connection, tag_table, rows, ("value",))


def _new_id() -> str:
    return uuid.uuid4().hex


def link(
    connection: Connection,
    kind: tuple[str, str],
    run_id: str,
    models: Sequence[tuple[str, int]],
) -> None:
    """Note models that a run used or made; those that are noted stay as they are."""
    steps: dict[str, int] = {}
    for model, step in models:
        steps.setdefault(model, step)
    rows = [
        {
            "input_uuid": _new_id(),
            "source_type": kind[0],
            "source_id": run_id,
            "destination_type": kind[1],
            "destination_id": model,
            "step": step,
        }
        for model, step in sorted(steps.items())
    ]
    upsert(connection, inputs, rows)


def use_datasets(
    connection: Connection, run_id: str, number: int, datasets: Sequence[DatasetInput]
) -> None:
    """Note datasets that a run of an experiment used; those that are noted stay as they are."""
    used: dict[tuple[str, str], DatasetInput] = {}
    for one in datasets:
        used.setdefault((one.dataset.name, one.dataset.digest), one)
    ids = _known_datasets(connection, number, used)
    known = {
        row.source_id
        for some in chunks(list(ids.values()))
        for row in connection.execute(
            select(inputs.c.source_id).where(
                inputs.c.source_type == DATASET,
                inputs.c.source_id.in_(some),
                inputs.c.destination_type == USED_BY_RUN,
                inputs.c.destination_id == run_id,
            )
        )
    }
    for key, one in sorted(used.items()):
        if ids[key] in known:
            continue
        input_id = _new_id()
        connection.execute(
            inputs.insert().values(
                input_uuid=input_id,
                source_type=DATASET,
                source_id=ids[key],
                destination_type=USED_BY_RUN,
                destination_id=run_id,
                step=0,
            )
        )
        pairs = sorted({tag.key: tag.value for tag in one.tags}.items())
        rows = [{"input_uuid": input_id, "name": name, "value": value} for name, value in pairs]
        upsert(connection, input_tags, rows)


def _known_datasets(
    connection: Connection, number: int, used: dict[tuple[str, str], DatasetInput]
) -> dict[tuple[str, str], str]:
    """Return the ids of datasets of an experiment, which knows them afterwards."""
    table = dataset_table
    rows: list[dict[str, Any]] = [
        {
            "dataset_uuid": _new_id(),
            "experiment_id": number,
            "name": name,
            "digest": digest,
            "dataset_source_type": one.dataset.source_type,
            "dataset_source": one.dataset.source,
            "dataset_schema": one.dataset.schema,
            "dataset_profile": one.dataset.profile,
        }
        for (name, digest), one in sorted(used.items())
    ]
    upsert(connection, table, rows)
    found: dict[tuple[str, str], str] = {}
    for name, digest in used:
        statement = select(table.c.dataset_uuid).where(
            table.c.experiment_id == number, table.c.name == name, table.c.digest == digest
        )
        found[name, digest] = connection.execute(statement).scalar_one()
    return found
