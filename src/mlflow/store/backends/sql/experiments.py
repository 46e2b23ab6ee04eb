"""Experiments in a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, cast, delete, func, select, update

from mlflow.entities.experiment import LifecycleStage
from mlflow.store.backends.base import EXPERIMENT, TAG, Backend, Duplicate, Missing, NotActive
from mlflow.store.backends.sql.reading import experiments as read_experiments
from mlflow.store.backends.sql.reading import experiments_by_id
from mlflow.store.backends.sql.tables import experiment_tags, experiments, runs
from mlflow.store.backends.sql.tables_own import used_numbers
from mlflow.store.backends.sql.upserts import upsert
from mlflow.store.backends.sql.urls import POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import Connection

    from mlflow.entities.experiment import Experiment
    from mlflow.store.backends.sql.engine import Database

WORKSPACE = "default"
# SQLite's columns of numbers hold the eighteen digits that file stores name experiments by, too.
_LARGEST_ID = {SQLITE: 2**63 - 1}
_LARGEST_ID_ON_SERVERS = 2**31 - 1
_CHECK = (
    select(experiments.c.lifecycle_stage)
    .where(experiments.c.experiment_id == bindparam("number"))
    .with_for_update(read=True)
)


def number_of(experiment_id: str, dialect: str) -> int:
    """Return the number that an id is in a database; -1, which none has, for other texts."""
    plain = experiment_id.isascii() and experiment_id.isdigit() and len(experiment_id) < 20
    if not plain or (experiment_id[0] == "0" and experiment_id != "0"):
        return -1
    largest = _LARGEST_ID.get(dialect, _LARGEST_ID_ON_SERVERS)
    return int(experiment_id) if int(experiment_id) <= largest else -1


def check_active(connection: Connection, experiment_id: str) -> int:
    """Return the number of an active experiment, which stays active until the transaction ends.

    Raises:
        Missing: there is none with this id.
        NotActive: it is deleted.
    """
    number = number_of(experiment_id, connection.dialect.name)
    row = connection.execute(_CHECK, {"number": number}).first()
    if row is None:
        raise Missing(EXPERIMENT, experiment_id)
    if row[0] != LifecycleStage.ACTIVE:
        raise NotActive(EXPERIMENT, experiment_id)
    return number


class SqlExperiments(Backend):
    """The part that keeps experiments."""

    _database: Database
    _root: str

    def insert_experiment(
        self,
        name: str,
        artifact_location: str | None,
        tags: Sequence[tuple[str, str]],
        time: int,
    ) -> str:
        tries = 0

        def work(connection: Connection) -> str:
            nonlocal tries
            tries += 1
            if _named(connection, name):
                raise Duplicate(EXPERIMENT, name)
            if tries > 1:
                # Rows that others put in with their numbers: PostgreSQL counts from where it was.
                count_past(connection)
            key: Any = connection.execute(
                experiments.insert().values(
                    **next_number(connection),
                    name=name,
                    artifact_location=artifact_location or "",
                    lifecycle_stage=LifecycleStage.ACTIVE,
                    creation_time=time,
                    last_update_time=time,
                    workspace=WORKSPACE,
                )
            ).inserted_primary_key
            number = key[0]
            if artifact_location is None:
                connection.execute(
                    update(experiments)
                    .where(experiments.c.experiment_id == number)
                    .values(artifact_location=f"{self._root}/{number}")
                )
            set_tags(connection, number, tags)
            return str(number)

        return self._database.write(work)

    def get_experiment(self, experiment_id: str) -> Experiment:
        number = number_of(experiment_id, self._database.dialect)
        found = self._database.run(lambda connection: experiments_by_id(connection, [number]))
        if not found:
            raise Missing(EXPERIMENT, experiment_id)
        return found[0]

    def find_experiment(self, name: str) -> Experiment | None:
        def work(connection: Connection) -> list[Experiment]:
            mine = (experiments.c.name == name) & (experiments.c.workspace == WORKSPACE)
            return read_experiments(connection, mine)

        return next((one for one in self._database.run(work) if one.name == name), None)

    def rename_experiment(self, experiment_id: str, name: str, time: int) -> None:
        def work(connection: Connection) -> None:
            number = check_active(connection, experiment_id)
            if _named(connection, name):
                raise Duplicate(EXPERIMENT, name)
            connection.execute(
                update(experiments)
                .where(experiments.c.experiment_id == number)
                .values(name=name, last_update_time=time)
            )

        self._database.write(work)

    def move_experiment(self, experiment_id: str, stage: str, time: int) -> None:
        number = number_of(experiment_id, self._database.dialect)
        deleted = stage == LifecycleStage.DELETED

        def work(connection: Connection) -> None:
            moved = connection.execute(
                update(experiments)
                .where(experiments.c.experiment_id == number)
                .where(experiments.c.lifecycle_stage != stage)
                .values(lifecycle_stage=stage, last_update_time=time)
            )
            if not moved.rowcount:
                raise Missing(EXPERIMENT, experiment_id)
            connection.execute(
                update(runs)
                .where(runs.c.experiment_id == number, runs.c.lifecycle_stage != stage)
                .values(lifecycle_stage=stage, deleted_time=time if deleted else None)
            )

        self._database.write(work)

    def write_experiment_tags(
        self,
        experiment_id: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        def work(connection: Connection) -> None:
            number = check_active(connection, experiment_id)
            mine = experiment_tags.c.experiment_id == number
            for key in removed:
                gone = delete(experiment_tags).where(mine, experiment_tags.c.key == key)
                if not connection.execute(gone).rowcount:
                    raise Missing(TAG, key)
            set_tags(connection, number, [pair for pair in tags if pair[0] not in removed])
            if time is not None:
                connection.execute(
                    update(experiments)
                    .where(experiments.c.experiment_id == number)
                    .values(last_update_time=time)
                )

        self._database.write(work)


def _named(connection: Connection, name: str) -> bool:
    statement = select(experiments.c.experiment_id).where(
        experiments.c.name == name, experiments.c.workspace == WORKSPACE
    )
    return connection.execute(statement).first() is not None


def next_number(connection: Connection) -> dict[str, int]:
    """Return the number of a new experiment, where the database does not see to it itself."""
    if connection.dialect.name != SQLITE:
        return {}
    used = select(used_numbers.c.number).where(used_numbers.c.name == EXPERIMENT)
    largest = connection.execute(select(func.max(experiments.c.experiment_id))).scalar()
    return {"experiment_id": max(largest or 0, connection.execute(used).scalar() or 0) + 1}


def count_past(connection: Connection, number: int | None = None) -> None:
    """Have PostgreSQL, which does not look at numbers that it is given, count on from a number.

    Args:
        connection: of the database; on others this does nothing.
        number: of an experiment; None for the largest there is.
    """
    if connection.dialect.name != POSTGRESQL:
        return
    # A SQLite file needs nothing of PostgreSQL's dialect.
    from sqlalchemy.dialects.postgresql import REGCLASS

    if number is None:
        number = connection.execute(select(func.max(experiments.c.experiment_id))).scalar() or 0
    counter = func.pg_get_serial_sequence(experiments.name, experiments.c.experiment_id.name)
    last = func.coalesce(func.pg_sequence_last_value(cast(counter, REGCLASS)), 0)
    connection.execute(select(func.setval(counter, number)).where(last < number))


def set_tags(connection: Connection, number: int, tags: Sequence[tuple[str, str]]) -> None:
    """Set tags of an experiment."""
    rows = [
        {"experiment_id": number, "key": key, "value": value}
        for key, value in sorted(dict(tags).items())
    ]
    upsert(connection, experiment_tags, rows, ("value",))
