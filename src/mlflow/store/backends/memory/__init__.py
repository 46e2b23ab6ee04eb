"""The backend that keeps records in dicts: the executable specification of the others."""

from __future__ import annotations

import os
import threading
import weakref

from mlflow.store.backends.base import EXPERIMENT, LOGGED_MODEL, RUN, Missing
from mlflow.store.backends.memory.copying import MemoryCopying
from mlflow.store.backends.memory.models import MemoryModels
from mlflow.store.backends.memory.records import (
    DELETED,
    ExperimentRecord,
    LoggedModelRecord,
    RegisteredRecord,
    RunRecord,
)
from mlflow.store.backends.memory.runs import MemoryRuns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_BACKENDS: weakref.WeakSet[MemoryBackend] = weakref.WeakSet()


def _renew_locks() -> None:
    # A thread that held a lock does not exist in a forked child.
    for backend in _BACKENDS:
        backend._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


class MemoryBackend(MemoryRuns, MemoryModels):
    """Records in this process's memory; they end with it, and a forked child has its own copy.

    Args:
        uri: the URI of the store.
        artifact_root: the URI below which experiments get their artifact locations; that of the
            store when None.
    """

    def __init__(self, uri: str = "memory:/", artifact_root: str | None = None) -> None:
        self._root = (artifact_root or uri).rstrip("/")
        self._lock = threading.RLock()
        self._experiments: dict[str, ExperimentRecord] = {}
        self._runs: dict[str, RunRecord] = {}
        self._logged: dict[str, LoggedModelRecord] = {}
        self._registered: dict[str, RegisteredRecord] = {}
        self._next_experiment = 0
        self.insert_experiment("Default", None, (), 0)
        _BACKENDS.add(self)

    @property
    def place(self) -> str | None:
        return None

    @property
    def address(self) -> str:
        return ""

    def __repr__(self) -> str:
        return f"MemoryBackend({self._root!r})"

    def copying(self) -> MemoryCopying:
        return MemoryCopying(self)

    # --- maintenance -------------------------------------------------------------------------

    def list_deleted(self, kind: str, before: int) -> list[str]:
        with self._lock:
            if kind == RUN:
                return [
                    run_id
                    for run_id, run in self._runs.items()
                    if run.info.lifecycle_stage == DELETED and run.deleted_at <= before
                ]
            kept: dict[str, Any] = self._experiments if kind == EXPERIMENT else self._logged
            return [
                key
                for key, one in kept.items()
                if one.stage == DELETED and one.deleted_at <= before
            ]

    def purge(self, kind: str, ids: Iterable[str]) -> None:
        with self._lock:
            chosen = list(ids)
            deleted = frozenset(self.list_deleted(kind, 2**63))
            for one in chosen:
                if one not in deleted:
                    raise Missing(kind, one)
            for one in chosen:
                self._purge(kind, one)

    def _purge(self, kind: str, one: str) -> None:
        if kind == RUN:
            del self._runs[one]
        elif kind == LOGGED_MODEL:
            del self._logged[one]
        else:
            del self._experiments[one]
            for run_id, run in list(self._runs.items()):
                if run.info.experiment_id == one:
                    del self._runs[run_id]
            for model_id, model in list(self._logged.items()):
                if model.fields["experiment_id"] == one:
                    del self._logged[model_id]

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""
