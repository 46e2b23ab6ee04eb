"""The searching part of a SQL backend: which rows each noun's search is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, func, literal, select

from mlflow.entities.experiment import LifecycleStage
from mlflow.entities.registry import STAGE_DELETED_INTERNAL
from mlflow.store.backends.base import Backend
from mlflow.store.backends.sql import tables
from mlflow.store.backends.sql.experiments import number_of
from mlflow.store.backends.sql.reading import experiments_by_id, runs_by_id
from mlflow.store.backends.sql.reading_models import (
    WORKSPACE,
    logged_models_by_id,
    model_versions_by_key,
    registered_models_by_name,
)
from mlflow.store.backends.sql.search_page import Search
from mlflow.store.backends.sql.urls import POSTGRESQL, SQLITE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from mlflow.entities.experiment import Experiment
    from mlflow.entities.logged_models import LoggedModel
    from mlflow.entities.paged_list import PagedList
    from mlflow.entities.registry import ModelVersion, RegisteredModel
    from mlflow.entities.run import Run
    from mlflow.store.backends.base import Query
    from mlflow.store.backends.sql.engine import Database

    Condition = ColumnElement[bool]

# More experiments than these are bound as one value, where there is a type for that.
_MANY = 1000


class SqlSearch(Backend):
    """The part that searches."""

    _database: Database

    def search_experiments(self, view_type: int, query: Query) -> PagedList[Experiment]:
        columns = tables.experiments.c
        scope = [columns.workspace == WORKSPACE, _in_stages(columns.lifecycle_stage, view_type)]
        search = Search("experiments", query, (view_type,), scope, self._database.dialect)

        def read(connection: Connection, found: Sequence[Any]) -> dict[Any, Experiment]:
            things = experiments_by_id(connection, [number for (number,) in found])
            return {(int(one.experiment_id),): one for one in things}

        return self._database.snapshot(lambda connection: search.page(connection, read))

    def search_runs(
        self, experiment_ids: Sequence[str], view_type: int, query: Query
    ) -> PagedList[Run]:
        wanted, columns = sorted(set(experiment_ids)), tables.runs.c
        database, dialect = self._database, self._database.dialect
        scope = [
            _in_experiments(columns.experiment_id, wanted, dialect),
            _in_stages(columns.lifecycle_stage, view_type),
        ]
        # The index of start times begins with the experiment.
        walked = "start_time" if len(wanted) == 1 else None
        search = Search("runs", query, (wanted, view_type), scope, dialect, walked)

        def read(connection: Connection, found: Sequence[Any]) -> dict[Any, Run]:
            ids = [run_id for (run_id,) in found]
            things = runs_by_id(connection, ids, has_details=database.has_details)
            return {(one.info.run_id,): one for one in things}

        return self._database.snapshot(lambda connection: search.page(connection, read))

    def search_logged_models(
        self, experiment_ids: Sequence[str], query: Query
    ) -> PagedList[LoggedModel]:
        wanted, columns = sorted(set(experiment_ids)), tables.logged_models.c
        database, dialect = self._database, self._database.dialect
        scope = [
            _in_experiments(columns.experiment_id, wanted, dialect),
            columns.lifecycle_stage == LifecycleStage.ACTIVE,
        ]
        search = Search("logged_models", query, (wanted,), scope, dialect)

        def read(connection: Connection, found: Sequence[Any]) -> dict[Any, LoggedModel]:
            ids = [model_id for (model_id,) in found]
            things = logged_models_by_id(connection, ids, has_details=database.has_details)
            return {(one.model_id,): one for one in things}

        return self._database.snapshot(lambda connection: search.page(connection, read))

    def search_registered_models(self, query: Query) -> PagedList[RegisteredModel]:
        scope = [tables.registered_models.c.workspace == WORKSPACE]
        search = Search("registered_models", query, (), scope, self._database.dialect)

        def read(connection: Connection, found: Sequence[Any]) -> dict[Any, RegisteredModel]:
            things = registered_models_by_name(connection, [name for _, name in found])
            return {(WORKSPACE, one.name): one for one in things}

        return self._database.snapshot(lambda connection: search.page(connection, read))

    def search_model_versions(self, query: Query) -> PagedList[ModelVersion]:
        columns = tables.model_versions.c
        # Of deleted versions a row stays, so that their numbers are not used again.
        scope = [columns.workspace == WORKSPACE, columns.current_stage != STAGE_DELETED_INTERNAL]
        search = Search("model_versions", query, (), scope, self._database.dialect)

        def read(connection: Connection, found: Sequence[Any]) -> dict[Any, ModelVersion]:
            things = model_versions_by_key(
                connection, [(name, number) for _, name, number in found]
            )
            return {(WORKSPACE, one.name, int(one.version)): one for one in things}

        return self._database.snapshot(lambda connection: search.page(connection, read))


def _in_stages(column: ColumnElement[Any], view_type: int) -> Condition:
    stages = LifecycleStage.view_type_to_stages(view_type)
    return column == stages[0] if len(stages) == 1 else column.in_(stages)


def _in_experiments(column: ColumnElement[Any], ids: Sequence[str], dialect: str) -> Condition:
    numbers = [number for one in ids if (number := number_of(one, dialect)) >= 0]
    if len(numbers) == 1:
        return column == literal(numbers[0], BigInteger())
    if len(numbers) > _MANY and dialect == SQLITE:
        return column.in_(select(func.json_each(str(numbers)).table_valued("value").c.value))
    if len(numbers) > _MANY and dialect == POSTGRESQL:
        return column == any_(literal(numbers, ARRAY(BigInteger())))
    return column.in_(bindparam(None, numbers, BigInteger(), expanding=True, unique=True))
