"""The backend of databases: the parts of this package behind one contract."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlflow.store.artifact.uris import scheme_of
from mlflow.store.backends.sql.copying import SqlCopying
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.experiments import SqlExperiments
from mlflow.store.backends.sql.indexes import open_indexes, refresh_statistics
from mlflow.store.backends.sql.logged_models import SqlLoggedModels
from mlflow.store.backends.sql.metrics import SqlMetrics
from mlflow.store.backends.sql.purge import SqlMaintenance
from mlflow.store.backends.sql.registry import SqlRegistry
from mlflow.store.backends.sql.runs import SqlRuns
from mlflow.store.backends.sql.schema import prepare
from mlflow.store.backends.sql.search import SqlSearch
from mlflow.store.backends.sql.series import SqlSeries

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

DEFAULT_ARTIFACT_ROOT = "./mlruns"


class SqlBackend(
    SqlExperiments,
    SqlRuns,
    SqlMetrics,
    SqlLoggedModels,
    SqlRegistry,
    SqlMaintenance,
    SqlSearch,
    SqlSeries,
):
    """A store in a database.

    Args:
        uri: its address, such as `sqlite:///mlflow.db` or `postgresql://user@host/name`.
        durability: `os`: what was logged survives the death of any process; `disk`: also a power
            cut. None takes it from `MILLSTREAM_DURABILITY`. Servers have a setting of their own.
        artifact_root: the path or URI below which experiments get their artifact locations; None
            for `./mlruns` in the working folder, as in MLflow.
    """

    def __init__(
        self, uri: str, durability: str | None = None, artifact_root: str | None = None
    ) -> None:
        root = artifact_root or DEFAULT_ARTIFACT_ROOT
        self._root = root.rstrip("/") if scheme_of(root) else os.path.abspath(root)
        self._database = Database(uri, durability, self._prepare)

    def _prepare(self, database: Database) -> None:
        prepare(database, self._root)
        open_indexes(database)

    @property
    def address(self) -> str:
        return self._database.place

    def __repr__(self) -> str:
        return f"SqlBackend({self._database.place!r})"

    def together(self) -> AbstractContextManager[None]:
        return self._database.together()

    def copying(self) -> SqlCopying:
        return SqlCopying(self._database)

    def close(self) -> None:
        self._database.close(refresh_statistics)
