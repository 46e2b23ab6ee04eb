"""Experiments, their tags, and which lifecycle stages a view shows."""

from __future__ import annotations

from mlflow.entities.base import Entity, KeyValue


class LifecycleStage:
    """Whether a thing is in use or has been deleted (and can be restored)."""

    ACTIVE = "active"
    DELETED = "deleted"
    _VALID_STAGES = frozenset({ACTIVE, DELETED})

    @classmethod
    def is_valid(cls, lifecycle_stage: str) -> bool:
        """Tell whether the text names a stage."""
        return lifecycle_stage in cls._VALID_STAGES

    @classmethod
    def view_type_to_stages(cls, view_type: int = 3) -> list[str]:
        """Return the stages that a `ViewType` shows: none for a number that is not one."""
        if view_type == ViewType.ACTIVE_ONLY:
            return [cls.ACTIVE]
        if view_type == ViewType.DELETED_ONLY:
            return [cls.DELETED]
        return [cls.ACTIVE, cls.DELETED] if view_type == ViewType.ALL else []

    @classmethod
    def matches_view_type(cls, view_type: int, lifecycle_stage: str) -> bool:
        """Tell whether a thing in this stage is shown in this view."""
        return lifecycle_stage in cls.view_type_to_stages(view_type)


class ViewType:
    """Which lifecycle stages a search shows."""

    ACTIVE_ONLY, DELETED_ONLY, ALL = 1, 2, 3
    _VIEW_TO_STRING = {ACTIVE_ONLY: "active_only", DELETED_ONLY: "deleted_only", ALL: "all"}
    _STRING_TO_VIEW = {text: view for view, text in _VIEW_TO_STRING.items()}

    @classmethod
    def from_string(cls, view_str: str) -> int:
        """Return the view of a name such as `active_only`; raise ValueError for others."""
        if view_str not in cls._STRING_TO_VIEW:
            msg = f"Could not get valid view type corresponding to string {view_str}. "
            raise ValueError(f"{msg}Valid view types are {list(cls._STRING_TO_VIEW)}")
        return cls._STRING_TO_VIEW[view_str]

    @classmethod
    def to_string(cls, view_type: int) -> str:
        """Return the name of a view; raise ValueError for numbers that are not one."""
        if view_type not in cls._VIEW_TO_STRING:
            msg = f"Could not get valid view type corresponding to string {view_type}. "
            raise ValueError(f"{msg}Valid view types are {list(cls._VIEW_TO_STRING)}")
        return cls._VIEW_TO_STRING[view_type]


class ExperimentTag(KeyValue):
    """A tag of an experiment."""


class Experiment(Entity):
    """A group of runs.

    Times are milliseconds since the epoch. `tags` is a plain dict.
    """

    DEFAULT_EXPERIMENT_NAME = "Default"
    _fields = (
        "artifact_location",
        "creation_time",
        "effective_trace_archival_retention",
        "experiment_id",
        "last_update_time",
        "lifecycle_stage",
        "name",
        "tags",
        "trace_location",
        "workspace",
    )

    def __init__(
        self,
        experiment_id: str,
        name: str,
        artifact_location: str,
        lifecycle_stage: str,
        tags: list[ExperimentTag] | None = None,
        creation_time: int | None = None,
        last_update_time: int | None = None,
        workspace: str | None = None,
        trace_location: object | None = None,
        effective_trace_archival_retention: str | None = None,
    ) -> None:
        self._experiment_id = experiment_id
        self._name = name
        self._artifact_location = artifact_location
        self._lifecycle_stage = lifecycle_stage
        self._tags = {tag.key: tag.value for tag in tags or ()}
        self._creation_time = creation_time
        self._last_update_time = last_update_time
        self._workspace = workspace or "default"
        self._trace_location = trace_location
        self._effective_trace_archival_retention = effective_trace_archival_retention

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((Experiment, self._experiment_id))

    @property
    def experiment_id(self) -> str:
        """The id, text of digits."""
        return self._experiment_id

    @property
    def name(self) -> str:
        """The name, unique in the store."""
        return self._name

    @property
    def artifact_location(self) -> str:
        """The URI below which the artifacts of new runs are kept."""
        return self._artifact_location

    @property
    def lifecycle_stage(self) -> str:
        """`active` or `deleted`."""
        return self._lifecycle_stage

    @property
    def tags(self) -> dict[str, str]:
        """Tag values by key."""
        return self._tags

    @property
    def creation_time(self) -> int | None:
        """When it was made, ms; None in stores older than that field."""
        return self._creation_time

    @property
    def last_update_time(self) -> int | None:
        """When name, stage or tags last changed, ms."""
        return self._last_update_time

    @property
    def workspace(self) -> str:
        """The workspace it belongs to."""
        return self._workspace

    @property
    def trace_location(self) -> object | None:
        """Where its traces are kept, when elsewhere."""
        return self._trace_location

    @property
    def effective_trace_archival_retention(self) -> str | None:
        """The retention in force for archived traces."""
        return self._effective_trace_archival_retention
