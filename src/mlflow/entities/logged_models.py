"""Logged models: what a run produced and where it is kept."""

from __future__ import annotations

from enum import Enum

from mlflow.entities.base import Entity, KeyValue
from mlflow.exceptions import MlflowException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.entities.run import Metric


class LoggedModelStatus(str, Enum):
    """The states of a logged model."""

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"

    def __str__(self) -> str:
        return self.value

    @staticmethod
    def from_int(status_int: int) -> LoggedModelStatus:
        """Return the status of a stored number.

        Raises:
            MlflowException: it is not one.
        """
        for status, number in _NUMBERS.items():
            if number == status_int:
                return status
        known = sorted(_NUMBERS.values())
        raise MlflowException(f"Unknown model status: {status_int!r}. Known: {known}")

    @staticmethod
    def is_finalized(status: LoggedModelStatus | str) -> bool:
        """Tell whether the status is final."""
        return str(status) in ("READY", "FAILED")

    def to_int(self) -> int:
        """Return the number stores keep."""
        return _NUMBERS[self]


_NUMBERS = {
    LoggedModelStatus.UNSPECIFIED: 0,
    LoggedModelStatus.PENDING: 1,
    LoggedModelStatus.READY: 2,
    LoggedModelStatus.FAILED: 3,
}


class LoggedModelTag(KeyValue):
    """A tag of a logged model."""


class LoggedModelParameter(KeyValue):
    """A param of a logged model."""


class LoggedModel(Entity):
    """A model as one run produced it. Times are milliseconds since the epoch."""

    _fields = (
        "artifact_location",
        "creation_timestamp",
        "experiment_id",
        "last_updated_timestamp",
        "metrics",
        "model_id",
        "model_type",
        "name",
        "params",
        "source_run_id",
        "status",
        "status_message",
        "tags",
    )

    def __init__(
        self,
        experiment_id: str,
        model_id: str,
        name: str,
        artifact_location: str,
        creation_timestamp: int,
        last_updated_timestamp: int,
        model_type: str | None = None,
        source_run_id: str | None = None,
        status: LoggedModelStatus | int | str = LoggedModelStatus.READY,
        status_message: str | None = None,
        tags: list[LoggedModelTag] | dict[str, str] | None = None,
        params: list[LoggedModelParameter] | dict[str, str] | None = None,
        metrics: list[Metric] | None = None,
    ) -> None:
        self._experiment_id = experiment_id
        self._model_id = model_id
        self._model_uri = f"models:/{model_id}"
        self._name = name
        self._artifact_location = artifact_location
        self._creation_time = creation_timestamp
        self._last_updated_timestamp = last_updated_timestamp
        self._model_type = model_type
        self._source_run_id = source_run_id
        self._status = _status_of(status)
        self._status_message = status_message
        self._tags = _as_dict(tags)
        self._params = _as_dict(params)
        self._metrics = metrics

    def __repr__(self) -> str:
        # Without what can be long.
        shown = {*self._fields, "model_uri"} - {"metrics", "params", "tags"}
        return f"{type(self).__name__}({self._shown(tuple(sorted(shown)))})"

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((LoggedModel, self._model_id))

    @property
    def experiment_id(self) -> str:
        """The experiment it belongs to."""
        return self._experiment_id

    @property
    def model_id(self) -> str:
        """The id, `m-` and 32 hexadecimal digits."""
        return self._model_id

    @property
    def name(self) -> str:
        """The name it was logged under."""
        return self._name

    @property
    def artifact_location(self) -> str:
        """The URI of its folder."""
        return self._artifact_location

    @property
    def creation_timestamp(self) -> int:
        """When it was made, ms."""
        return self._creation_time

    @property
    def last_updated_timestamp(self) -> int:
        """When it last changed, ms."""
        return self._last_updated_timestamp

    @property
    def model_type(self) -> str | None:
        """A free description of its kind."""
        return self._model_type

    @property
    def source_run_id(self) -> str | None:
        """The run that produced it."""
        return self._source_run_id

    @property
    def status(self) -> LoggedModelStatus:
        """Whether it is complete."""
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
    def params(self) -> dict[str, str]:
        """Param values by key."""
        return self._params

    @property
    def metrics(self) -> list[Metric] | None:
        """The latest metrics that describe it."""
        return self._metrics

    @property
    def model_uri(self) -> str:
        """The URI that loads it."""
        return self._model_uri

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields as a dict; the status is its stored number."""
        whole = dict(self)
        whole["status"] = self._status.to_int()
        metrics = self._metrics
        whole["metrics"] = None if metrics is None else [one.to_dictionary() for one in metrics]
        return whole


def _status_of(status: LoggedModelStatus | int | str) -> LoggedModelStatus:
    if isinstance(status, int):
        return LoggedModelStatus.from_int(status)
    try:
        return LoggedModelStatus(status)
    except ValueError:
        known = [str(one) for one in LoggedModelStatus]
        raise MlflowException(f"Unknown model status: {status!r}. Known: {known}") from None


def _as_dict(pairs: list[Any] | dict[str, str] | None) -> dict[str, str]:
    if isinstance(pairs, dict):
        return pairs
    return {pair.key: pair.value for pair in pairs or ()}
