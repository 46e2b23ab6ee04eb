"""Logged models and the registry in memory."""

from __future__ import annotations

import threading

from mlflow.entities.logged_models import LoggedModel, LoggedModelStatus
from mlflow.entities.paged_list import PagedList
from mlflow.entities.registry import (
    ALL_STAGES,
    STAGE_ARCHIVED,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)
from mlflow.entities.run import (
    Metric,
)
from mlflow.store.backends.base import (
    LOGGED_MODEL,
    MODEL_VERSION,
    REGISTERED_MODEL,
    Backend,
    Duplicate,
    Missing,
    NotActive,
    Query,
)
from mlflow.store.backends.memory.records import (
    ACTIVE,
    ExperimentRecord,
    LoggedModelRecord,
    RegisteredRecord,
    VersionRecord,
    latest_of,
    page_of,
    write_tags,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class MemoryModels(Backend):
    """The part that keeps logged models and registered ones."""

    _lock: threading.RLock
    _logged: dict[str, LoggedModelRecord]
    _registered: dict[str, RegisteredRecord]
    _experiment: Callable[..., ExperimentRecord]

    # --- logged models -----------------------------------------------------------------------

    def insert_logged_model(self, model: LoggedModel) -> None:
        with self._lock:
            self._experiment(model.experiment_id, active=True)
            if model.model_id in self._logged:
                raise Duplicate(LOGGED_MODEL, model.model_id)
            self._logged[model.model_id] = LoggedModelRecord(model)

    def _logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModelRecord:
        found = self._logged.get(model_id)
        if found is None:
            raise Missing(LOGGED_MODEL, model_id)
        if found.stage != ACTIVE and not allow_deleted:
            raise NotActive(LOGGED_MODEL, model_id)
        return found

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        with self._lock:
            return _logged_entity(self._logged_model(model_id, allow_deleted=allow_deleted))

    def update_logged_model(
        self, model_id: str, status: str, status_message: str | None, time: int
    ) -> None:
        with self._lock:
            model = self._logged_model(model_id)
            model.fields |= {
                "status": LoggedModelStatus(status),
                "status_message": status_message,
                "last_updated_timestamp": time,
            }

    def write_logged_model(
        self,
        model_id: str,
        *,
        tags: Sequence[tuple[str, str]] = (),
        params: Sequence[tuple[str, str]] = (),
        removed_tags: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        with self._lock:
            model = self._logged_model(model_id)
            write_tags(model.tags, tags, removed_tags)
            model.params.update(params)
            if time is not None:
                model.fields["last_updated_timestamp"] = time

    def move_logged_model(self, model_id: str, stage: str, time: int) -> None:
        with self._lock:
            model = self._logged_model(model_id, allow_deleted=True)
            if model.stage != stage:
                model.stage, model.deleted_at = stage, time
                model.fields["last_updated_timestamp"] = time

    def search_logged_models(
        self, experiment_ids: Sequence[str], query: Query
    ) -> PagedList[LoggedModel]:
        wanted = frozenset(experiment_ids)
        with self._lock:
            rows = [
                _logged_entity(one)
                for one in self._logged.values()
                if one.fields["experiment_id"] in wanted and one.stage == ACTIVE
            ]
        return page_of("logged_models", rows, query, (sorted(wanted),))

    # --- registry ----------------------------------------------------------------------------

    def insert_registered_model(self, model: RegisteredModel) -> None:
        with self._lock:
            if model.name in self._registered:
                raise Duplicate(REGISTERED_MODEL, model.name)
            self._registered[model.name] = RegisteredRecord(model)

    def _model(self, name: str) -> RegisteredRecord:
        found = self._registered.get(name)
        if found is None:
            raise Missing(REGISTERED_MODEL, name)
        return found

    def get_registered_model(self, name: str) -> RegisteredModel:
        with self._lock:
            return _registered_entity(self._model(name))

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None, time: int
    ) -> None:
        with self._lock:
            model = self._model(name)
            model.fields |= {"description": description, "last_updated_timestamp": time}
            if deployment_job_id is not None:
                model.fields["deployment_job_id"] = deployment_job_id

    def rename_registered_model(self, name: str, new_name: str, time: int) -> None:
        with self._lock:
            model = self._model(name)
            if new_name in self._registered:
                raise Duplicate(REGISTERED_MODEL, new_name)
            model.fields |= {"name": new_name, "last_updated_timestamp": time}
            for version in model.versions.values():
                version.fields |= {"name": new_name, "last_updated_timestamp": time}
            self._registered[new_name] = self._registered.pop(name)

    def delete_registered_model(self, name: str) -> None:
        with self._lock:
            self._model(name)
            del self._registered[name]

    def write_registered_model_tags(
        self,
        name: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        with self._lock:
            model = self._model(name)
            model.tags.update(tags)
            for key in removed:
                model.tags.pop(key, None)
            if time is not None:
                model.fields["last_updated_timestamp"] = time

    def search_registered_models(self, query: Query) -> PagedList[RegisteredModel]:
        with self._lock:
            rows = [_registered_entity(one) for one in self._registered.values()]
        return page_of("registered_models", rows, query, ())

    def set_alias(self, name: str, alias: str, version: str, time: int) -> None:
        with self._lock:
            model = self._model(name)
            self._version(name, version)
            model.aliases[alias] = version
            model.fields["last_updated_timestamp"] = time

    def delete_alias(self, name: str, alias: str, time: int) -> None:
        with self._lock:
            model = self._model(name)
            if model.aliases.pop(alias, None) is not None:
                model.fields["last_updated_timestamp"] = time

    def insert_model_version(self, version: ModelVersion, storage_location: str | None) -> str:
        with self._lock:
            model = self._model(version.name)
            model.last_number += 1
            number = str(model.last_number)
            model.versions[number] = VersionRecord(version, number, storage_location)
            model.fields["last_updated_timestamp"] = version.creation_timestamp
            return number

    def _version(self, name: str, version: str) -> VersionRecord:
        model = self._registered.get(name)
        found = model.versions.get(version) if model else None
        if found is None:
            raise Missing(MODEL_VERSION, (name, version))
        return found

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        with self._lock:
            found = self._version(name, version)
            return _version_entity(self._model(name), found)

    def model_version_location(self, name: str, version: str) -> str | None:
        with self._lock:
            found = self._version(name, version)
            source: str | None = found.fields["source"]
            return found.location or source

    def update_model_version(
        self, name: str, version: str, description: str | None, time: int
    ) -> None:
        with self._lock:
            found = self._version(name, version)
            found.fields |= {"description": description, "last_updated_timestamp": time}

    def move_model_version(
        self, name: str, version: str, stage: str, *, archive_existing: bool, time: int
    ) -> None:
        with self._lock:
            moved = self._version(name, version)
            for other in self._model(name).versions.values():
                here = other.fields["current_stage"] == stage
                if archive_existing and other is not moved and here:
                    other.fields["current_stage"] = STAGE_ARCHIVED
                    other.fields["last_updated_timestamp"] = time
            moved.fields |= {"current_stage": stage, "last_updated_timestamp": time}
            self._model(name).fields["last_updated_timestamp"] = time

    def delete_model_version(self, name: str, version: str, time: int) -> None:
        with self._lock:
            self._version(name, version)
            model = self._model(name)
            del model.versions[version]
            kept = {alias: number for alias, number in model.aliases.items() if number != version}
            model.aliases = kept
            model.fields["last_updated_timestamp"] = time

    def write_model_version_tags(
        self,
        name: str,
        version: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        with self._lock:
            found = self._version(name, version)
            found.tags.update(tags)
            for key in removed:
                found.tags.pop(key, None)
            if time is not None:
                self._model(name).fields["last_updated_timestamp"] = time

    def search_model_versions(self, query: Query) -> PagedList[ModelVersion]:
        with self._lock:
            rows = [
                _version_entity(model, version)
                for model in self._registered.values()
                for version in model.versions.values()
            ]
        return page_of("model_versions", rows, query, ())


def _logged_entity(kept: LoggedModelRecord) -> LoggedModel:
    series: dict[tuple[object, ...], list[Metric]] = {}
    for point in kept.metrics:
        key = (point.key, point.dataset_name, point.dataset_digest)
        series.setdefault(key, []).append(point)
    fields = kept.fields | {
        "metrics": [latest_of(points) for points in series.values()],
        "tags": dict(kept.tags),
        "params": dict(kept.params),
    }
    return LoggedModel(**fields)


def _version_entity(model: RegisteredRecord, kept: VersionRecord) -> ModelVersion:
    number = kept.fields["version"]
    fields = kept.fields | {
        "tags": [ModelVersionTag(key, value) for key, value in kept.tags.items()],
        "aliases": [alias for alias, version in model.aliases.items() if version == number],
    }
    return ModelVersion(**fields)


def _registered_entity(kept: RegisteredRecord) -> RegisteredModel:
    newest: dict[str, VersionRecord] = {}
    for version in kept.versions.values():
        newest[version.fields["current_stage"]] = version  # numbers only grow
    fields = kept.fields | {
        "tags": [RegisteredModelTag(key, value) for key, value in kept.tags.items()],
        "aliases": [RegisteredModelAlias(alias, to) for alias, to in kept.aliases.items()],
        "latest_versions": [
            _version_entity(kept, newest[stage]) for stage in ALL_STAGES if stage in newest
        ],
    }
    return RegisteredModel(**fields)
