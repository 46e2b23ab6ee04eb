"""The model registry: registered models, their versions, stages, tags and aliases."""

from __future__ import annotations

from mlflow.entities.base import Entity, KeyValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.entities.logged_models import LoggedModelParameter
    from mlflow.entities.run import Metric

STAGE_NONE = "None"
STAGE_STAGING = "Staging"
STAGE_PRODUCTION = "Production"
STAGE_ARCHIVED = "Archived"
# What stores write for a version that was deleted: its number is never used again.
STAGE_DELETED_INTERNAL = "Deleted_Internal"

ALL_STAGES = [STAGE_NONE, STAGE_STAGING, STAGE_PRODUCTION, STAGE_ARCHIVED]
DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS = [STAGE_STAGING, STAGE_PRODUCTION]
CANONICAL_STAGES = {stage.lower(): stage for stage in ALL_STAGES}


class ModelVersionStatus:
    """The states of a model version; unlike those of runs they are kept as text."""

    PENDING_REGISTRATION = "PENDING_REGISTRATION"
    FAILED_REGISTRATION = "FAILED_REGISTRATION"
    READY = "READY"

    @staticmethod
    def from_string(status_str: str) -> str:
        """Return the status of a name; raise ValueError for names that are not one."""
        if status_str not in ModelVersionStatus.all_status():
            known = ModelVersionStatus.all_status()
            msg = f"Could not get model version status corresponding to string {status_str}. "
            raise ValueError(f"{msg}Valid status strings: {known}")
        return status_str

    @staticmethod
    def to_string(status: str | int) -> str:
        """Return the name of a status or of its number; raise ValueError for others."""
        names = ModelVersionStatus.all_status()
        if isinstance(status, int) and 1 <= status <= len(names):
            return names[status - 1]
        return ModelVersionStatus.from_string(str(status))

    @staticmethod
    def all_status() -> list[str]:
        """Return all states."""
        return ["PENDING_REGISTRATION", "FAILED_REGISTRATION", "READY"]


class RegisteredModelTag(KeyValue):
    """A tag of a registered model."""


class ModelVersionTag(KeyValue):
    """A tag of a model version."""


class RegisteredModelAlias(Entity):
    """A name for one version of a registered model."""

    _fields = (
        "alias",
        "version",
    )

    def __init__(
        self,
        alias: str,
        version: str,
    ) -> None:
        self._alias = alias
        self._version = version

    @property
    def alias(self) -> str:
        """The name."""
        return self._alias

    @property
    def version(self) -> str:
        """The version it points to."""
        return self._version


class ModelVersion(Entity):
    """One version of a registered model. Times are milliseconds since the epoch."""

    _fields = (
        "aliases",
        "creation_timestamp",
        "current_stage",
        "deployment_job_state",
        "description",
        "last_updated_timestamp",
        "metrics",
        "model_id",
        "name",
        "params",
        "run_id",
        "run_link",
        "source",
        "status",
        "status_message",
        "tags",
        "user_id",
        "version",
        "workspace",
    )

    def __init__(
        self,
        name: str,
        version: str,
        creation_timestamp: int,
        last_updated_timestamp: int | None = None,
        description: str | None = None,
        user_id: str | None = None,
        current_stage: str | None = None,
        source: str | None = None,
        run_id: str | None = None,
        status: str = "READY",
        status_message: str | None = None,
        tags: list[ModelVersionTag] | None = None,
        run_link: str | None = None,
        aliases: list[str] | None = None,
        model_id: str | None = None,
        params: list[LoggedModelParameter] | None = None,
        metrics: list[Metric] | None = None,
        deployment_job_state: Any | None = None,
        workspace: str | None = None,
    ) -> None:
        self._name = name
        self._version = str(version)
        self._creation_time = creation_timestamp
        self._last_updated_timestamp = last_updated_timestamp
        self._description = description
        self._user_id = user_id
        self._current_stage = current_stage
        self._source = source
        self._run_id = run_id
        self._status = status
        self._status_message = status_message
        self._tags = {tag.key: tag.value for tag in tags or ()}
        self._run_link = run_link
        self._aliases = aliases or []
        self._model_id = model_id
        self._params = params
        self._metrics = metrics
        self._deployment_job_state = deployment_job_state
        self._workspace = workspace or "default"

    @property
    def name(self) -> str:
        """The registered model."""
        return self._name

    @property
    def version(self) -> str:
        """The number, as text."""
        return self._version

    @property
    def creation_timestamp(self) -> int:
        """When it was made, ms."""
        return self._creation_time

    @property
    def last_updated_timestamp(self) -> int | None:
        """When it last changed, ms."""
        return self._last_updated_timestamp

    @property
    def description(self) -> str | None:
        """Free text."""
        return self._description

    @property
    def user_id(self) -> str | None:
        """Who made it."""
        return self._user_id

    @property
    def current_stage(self) -> str | None:
        """One of `ALL_STAGES`."""
        return self._current_stage

    @property
    def source(self) -> str | None:
        """The URI of the model it was made from."""
        return self._source

    @property
    def run_id(self) -> str | None:
        """The run that produced the model."""
        return self._run_id

    @property
    def status(self) -> str:
        """See `ModelVersionStatus`."""
        return self._status

    @property
    def status_message(self) -> str | None:
        """Why it has this status."""
        return self._status_message

    @property
    def tags(self) -> dict[str, str]:
        """Tag values by key."""
        return self._tags

    @property
    def run_link(self) -> str | None:
        """A link to the run, elsewhere."""
        return self._run_link

    @property
    def aliases(self) -> list[str]:
        """The aliases that point here."""
        return self._aliases

    @property
    def model_id(self) -> str | None:
        """The logged model it was made from."""
        return self._model_id

    @property
    def params(self) -> list[LoggedModelParameter] | None:
        """Params of that model."""
        return self._params

    @property
    def metrics(self) -> list[Metric] | None:
        """Metrics of that model."""
        return self._metrics

    @property
    def deployment_job_state(self) -> Any | None:
        """State of a deployment job, where the store has them."""
        return self._deployment_job_state

    @property
    def workspace(self) -> str:
        """The workspace it belongs to."""
        return self._workspace


class RegisteredModel(Entity):
    """A name under which versions of a model are kept. Times are milliseconds."""

    _fields = (
        "aliases",
        "creation_timestamp",
        "deployment_job_id",
        "deployment_job_state",
        "description",
        "last_updated_timestamp",
        "latest_versions",
        "name",
        "tags",
        "workspace",
    )

    def __init__(
        self,
        name: str,
        creation_timestamp: int | None = None,
        last_updated_timestamp: int | None = None,
        description: str | None = None,
        latest_versions: list[ModelVersion] | None = None,
        tags: list[RegisteredModelTag] | None = None,
        aliases: list[RegisteredModelAlias] | None = None,
        deployment_job_id: str | None = None,
        deployment_job_state: Any | None = None,
        workspace: str | None = None,
    ) -> None:
        self._name = name
        self._creation_time = creation_timestamp
        self._last_updated_timestamp = last_updated_timestamp
        self._description = description
        self._latest_version = latest_versions
        self._tags = {tag.key: tag.value for tag in tags or ()}
        self._aliases = {one.alias: one.version for one in aliases or ()}
        self._deployment_job_id = deployment_job_id
        self._deployment_job_state = deployment_job_state
        self._workspace = workspace or "default"

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def creation_timestamp(self) -> int | None:
        """When it was made, ms."""
        return self._creation_time

    @property
    def last_updated_timestamp(self) -> int | None:
        """When it last changed, ms."""
        return self._last_updated_timestamp

    @property
    def description(self) -> str | None:
        """Free text."""
        return self._description

    @property
    def latest_versions(self) -> list[ModelVersion] | None:
        """The newest version of each stage."""
        return self._latest_version

    @property
    def tags(self) -> dict[str, str]:
        """Tag values by key."""
        return self._tags

    @property
    def aliases(self) -> dict[str, str]:
        """Version numbers by alias."""
        return self._aliases

    @property
    def deployment_job_id(self) -> str | None:
        """The deployment job, where the store has them."""
        return self._deployment_job_id

    @property
    def deployment_job_state(self) -> Any | None:
        """The state of that job."""
        return self._deployment_job_state

    @property
    def workspace(self) -> str:
        """The workspace it belongs to."""
        return self._workspace
