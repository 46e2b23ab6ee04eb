"""Runs: identity and state, metrics, params, tags, and what went in and came out."""

from __future__ import annotations

from mlflow.entities.base import Entity, KeyValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RunStatus:
    """The states of a run, as numbers; `RunInfo.status` holds the name."""

    RUNNING, SCHEDULED, FINISHED, FAILED, KILLED = 1, 2, 3, 4, 5
    _STRING_TO_STATUS = {
        "RUNNING": RUNNING,
        "SCHEDULED": SCHEDULED,
        "FINISHED": FINISHED,
        "FAILED": FAILED,
        "KILLED": KILLED,
    }
    _STATUS_TO_STRING = {number: name for name, number in _STRING_TO_STATUS.items()}
    _TERMINATED_STATUSES = frozenset({FINISHED, FAILED, KILLED})

    @staticmethod
    def from_string(status_str: str) -> int:
        """Return the number of a status name; raise for names that are not one."""
        if status_str not in RunStatus._STRING_TO_STATUS:
            known = list(RunStatus._STRING_TO_STATUS)
            msg = f"Could not get run status corresponding to string {status_str}. "
            raise Exception(f"{msg}Valid run status strings: {known}")  # noqa: TRY002 - as MLflow
        return RunStatus._STRING_TO_STATUS[status_str]

    @staticmethod
    def to_string(status: int) -> str:
        """Return the name of a status number; raise for numbers that are not one."""
        if status not in RunStatus._STATUS_TO_STRING:
            known = list(RunStatus._STATUS_TO_STRING)
            msg = f"Could not get string corresponding to run status {status}. "
            raise Exception(f"{msg}Valid run statuses: {known}")  # noqa: TRY002 - as MLflow
        return RunStatus._STATUS_TO_STRING[status]

    @staticmethod
    def is_terminated(status: int) -> bool:
        """Tell whether a run in this state has ended."""
        return status in RunStatus._TERMINATED_STATUSES

    @staticmethod
    def all_status() -> list[int]:
        """Return the numbers of all states."""
        return list(RunStatus._STATUS_TO_STRING)


class SourceType:
    """What kind of program started a run."""

    NOTEBOOK, JOB, PROJECT, LOCAL, UNKNOWN = 1, 2, 3, 4, 5
    _STRING_TO_SOURCETYPE = {
        "NOTEBOOK": NOTEBOOK,
        "JOB": JOB,
        "PROJECT": PROJECT,
        "LOCAL": LOCAL,
        "UNKNOWN": UNKNOWN,
    }
    SOURCETYPE_TO_STRING = {number: name for name, number in _STRING_TO_SOURCETYPE.items()}

    @staticmethod
    def from_string(status_str: str) -> int:
        """Return the number of a source type name; raise for names that are not one."""
        if status_str not in SourceType._STRING_TO_SOURCETYPE:
            known = list(SourceType._STRING_TO_SOURCETYPE)
            msg = f"Could not get source type corresponding to string {status_str}. "
            raise Exception(f"{msg}Valid source types: {known}")  # noqa: TRY002 - as MLflow
        return SourceType._STRING_TO_SOURCETYPE[status_str]

    @staticmethod
    def to_string(status: int) -> str:
        """Return the name of a source type number; raise for numbers that are not one."""
        if status not in SourceType.SOURCETYPE_TO_STRING:
            known = list(SourceType.SOURCETYPE_TO_STRING)
            msg = f"Could not get string corresponding to source type {status}. "
            raise Exception(f"{msg}Valid source types: {known}")  # noqa: TRY002 - as MLflow
        return SourceType.SOURCETYPE_TO_STRING[status]


class Param(KeyValue):
    """An input setting of a run."""


class RunTag(KeyValue):
    """A tag of a run."""


class InputTag(KeyValue):
    """A tag on the use of a dataset by a run, such as its context."""


class Metric(Entity):
    """One point of a series of numbers.

    `timestamp` is in milliseconds since the epoch; `step` orders the points. Where the point
    belongs to a logged model or was measured on a dataset, these are named too.
    """

    _fields = (
        "dataset_digest",
        "dataset_name",
        "key",
        "model_id",
        "run_id",
        "step",
        "timestamp",
        "value",
    )

    def __init__(
        self,
        key: str,
        value: float,
        timestamp: int,
        step: int,
        model_id: str | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        run_id: str | None = None,
    ) -> None:
        self._key = key
        self._value = value
        self._timestamp = timestamp
        self._step = step
        self._model_id = model_id
        self._dataset_name = dataset_name
        self._dataset_digest = dataset_digest
        self._run_id = run_id

    @property
    def key(self) -> str:
        """The name of the series."""
        return self._key

    @property
    def value(self) -> float:
        """The number; NaN and infinities are allowed."""
        return self._value

    @property
    def timestamp(self) -> int:
        """When it was measured, ms."""
        return self._timestamp

    @property
    def step(self) -> int:
        """Its place in the series."""
        return self._step

    @property
    def model_id(self) -> str | None:
        """The logged model it describes."""
        return self._model_id

    @property
    def dataset_name(self) -> str | None:
        """The dataset it was measured on."""
        return self._dataset_name

    @property
    def dataset_digest(self) -> str | None:
        """The digest of that dataset."""
        return self._dataset_digest

    @property
    def run_id(self) -> str | None:
        """The run that measured it, where the store returns it."""
        return self._run_id

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return {
            "key": self._key,
            "value": self._value,
            "timestamp": self._timestamp,
            "step": self._step,
            "model_id": self._model_id,
            "dataset_name": self._dataset_name,
            "dataset_digest": self._dataset_digest,
            "run_id": self._run_id,
        }

    @classmethod
    def from_dictionary(cls, metric_dict: dict[str, Any]) -> Metric:
        """Build a metric from its fields; keys that are not fields are ignored."""
        return cls(**{key: value for key, value in metric_dict.items() if key in cls._fields})

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((self._key, self._value, self._step, self._timestamp))


class RunInfo(Entity):
    """Identity and state of a run. Times are milliseconds since the epoch."""

    _fields = (
        "artifact_uri",
        "end_time",
        "experiment_id",
        "lifecycle_stage",
        "run_id",
        "run_name",
        "start_time",
        "status",
        "user_id",
    )

    def __init__(
        self,
        run_id: str,
        experiment_id: str,
        user_id: str,
        status: str,
        start_time: int | None,
        end_time: int | None,
        lifecycle_stage: str,
        artifact_uri: str | None = None,
        run_name: str | None = None,
    ) -> None:
        self._run_id = run_id
        self._experiment_id = experiment_id
        self._user_id = user_id
        self._status = status
        self._start_time = start_time
        self._end_time = end_time
        self._lifecycle_stage = lifecycle_stage
        self._artifact_uri = artifact_uri
        self._run_name = run_name

    @property
    def run_id(self) -> str:
        """The id, 32 hexadecimal digits."""
        return self._run_id

    @property
    def experiment_id(self) -> str:
        """The experiment it belongs to."""
        return self._experiment_id

    @property
    def user_id(self) -> str:
        """Who started it."""
        return self._user_id

    @property
    def status(self) -> str:
        """The name of its state, see `RunStatus`."""
        return self._status

    @property
    def start_time(self) -> int | None:
        """When it started, ms."""
        return self._start_time

    @property
    def end_time(self) -> int | None:
        """When it ended, ms; None while it runs."""
        return self._end_time

    @property
    def lifecycle_stage(self) -> str:
        """`active` or `deleted`."""
        return self._lifecycle_stage

    @property
    def artifact_uri(self) -> str | None:
        """The root of its artifacts."""
        return self._artifact_uri

    @property
    def run_name(self) -> str | None:
        """Its name; names need not be unique."""
        return self._run_name

    def _copy_with_overrides(
        self,
        status: str | None = None,
        end_time: int | None = None,
        lifecycle_stage: str | None = None,
        run_name: str | None = None,
    ) -> RunInfo:
        """Return a copy in which the given fields are replaced."""
        return RunInfo(
            self._run_id,
            self._experiment_id,
            self._user_id,
            status or self._status,
            self._start_time,
            end_time or self._end_time,
            lifecycle_stage or self._lifecycle_stage,
            self._artifact_uri,
            run_name or self._run_name,
        )


class RunData(Entity):
    """The latest metrics, the params and the tags of a run, as dicts.

    `_metric_objs` keeps the latest metrics as entities, with step and time.
    """

    _fields = ("metrics", "params", "tags")

    def __init__(
        self,
        metrics: list[Metric] | None = None,
        params: list[Param] | None = None,
        tags: list[RunTag] | None = None,
    ) -> None:
        self._metric_objs = metrics or []
        self._metrics = {metric.key: metric.value for metric in self._metric_objs}
        self._params = {param.key: param.value for param in params or ()}
        self._tags = {tag.key: tag.value for tag in tags or ()}

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(RunData)  # the dicts may change, and equal ones need the same hash

    @property
    def metrics(self) -> dict[str, float]:
        """The latest value of each metric."""
        return self._metrics

    @property
    def params(self) -> dict[str, str]:
        """Param values by key."""
        return self._params

    @property
    def tags(self) -> dict[str, str]:
        """Tag values by key."""
        return self._tags

    def to_dictionary(self) -> dict[str, Any]:
        """Return the three dicts in one."""
        return {"metrics": self._metrics, "params": self._params, "tags": self._tags}


class Dataset(Entity):
    """What is known of a dataset a run used; schema, source and profile are JSON text."""

    _fields = ("digest", "name", "profile", "schema", "source", "source_type")

    def __init__(
        self,
        name: str,
        digest: str,
        source_type: str,
        source: str,
        schema: str | None = None,
        profile: str | None = None,
    ) -> None:
        self._name = name
        self._digest = digest
        self._source_type = source_type
        self._source = source
        self._schema = schema
        self._profile = profile

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def digest(self) -> str:
        """A short fingerprint of the content."""
        return self._digest

    @property
    def source_type(self) -> str:
        """What kind of source it came from."""
        return self._source_type

    @property
    def source(self) -> str:
        """Where it came from, JSON text."""
        return self._source

    @property
    def schema(self) -> str | None:
        """Its columns or tensors, JSON text."""
        return self._schema

    @property
    def profile(self) -> str | None:
        """Summary figures, JSON text."""
        return self._profile

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return {
            "name": self._name,
            "digest": self._digest,
            "source_type": self._source_type,
            "source": self._source,
            "schema": self._schema,
            "profile": self._profile,
        }


class DatasetInput(Entity):
    """The use of a dataset by a run."""

    _fields = ("dataset", "tags")

    def __init__(self, dataset: Dataset, tags: list[InputTag] | None = None) -> None:
        self._dataset = dataset
        self._tags = tags or []

    @property
    def dataset(self) -> Dataset:
        """The dataset."""
        return self._dataset

    @property
    def tags(self) -> list[InputTag]:
        """Tags on this use."""
        return self._tags

    def to_dictionary(self) -> dict[str, Any]:
        """Return dataset and tags as plain dicts."""
        return {
            "dataset": self._dataset.to_dictionary(),
            "tags": {tag.key: tag.value for tag in self._tags},
        }


class LoggedModelInput(Entity):
    """The use of a logged model by a run."""

    _fields = ("model_id",)

    def __init__(self, model_id: str) -> None:
        self._model_id = model_id

    @property
    def model_id(self) -> str:
        """The model."""
        return self._model_id

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return dict(self)


class LoggedModelOutput(Entity):
    """A logged model that a run produced at a step."""

    _fields = ("model_id", "step")

    def __init__(self, model_id: str, step: int) -> None:
        self._model_id = model_id
        self._step = step

    @property
    def model_id(self) -> str:
        """The model."""
        return self._model_id

    @property
    def step(self) -> int:
        """The step at which it was produced."""
        return self._step

    def to_dictionary(self) -> dict[str, Any]:
        """Return the fields as a dict."""
        return {"model_id": self._model_id, "step": self._step}


class RunInputs(Entity):
    """Datasets and models that went into a run."""

    _fields = ("dataset_inputs", "model_inputs")

    def __init__(
        self,
        dataset_inputs: list[DatasetInput],
        model_inputs: list[LoggedModelInput] | None = None,
    ) -> None:
        self._dataset_inputs = dataset_inputs
        self._model_inputs = model_inputs or []

    @property
    def dataset_inputs(self) -> list[DatasetInput]:
        """The datasets."""
        return self._dataset_inputs

    @property
    def model_inputs(self) -> list[LoggedModelInput]:
        """The models."""
        return self._model_inputs

    def to_dictionary(self) -> dict[str, Any]:
        """Return the inputs as plain dicts."""
        return {
            "model_inputs": [one.to_dictionary() for one in self._model_inputs],
            "dataset_inputs": [one.to_dictionary() for one in self._dataset_inputs],
        }


class RunOutputs(Entity):
    """Models that came out of a run."""

    _fields = ("model_outputs",)

    def __init__(self, model_outputs: list[LoggedModelOutput]) -> None:
        self._model_outputs = model_outputs

    @property
    def model_outputs(self) -> list[LoggedModelOutput]:
        """The models."""
        return self._model_outputs

    def to_dictionary(self) -> dict[str, Any]:
        """Return the outputs as plain dicts."""
        return {"model_outputs": [one.to_dictionary() for one in self._model_outputs]}


class Run(Entity):
    """A run: `info`, `data`, and, where the store gives them, `inputs` and `outputs`."""

    _fields = ("data", "info", "inputs", "outputs")

    def __init__(
        self,
        run_info: RunInfo,
        run_data: RunData | None,
        run_inputs: RunInputs | None = None,
        run_outputs: RunOutputs | None = None,
    ) -> None:
        self._info = run_info
        # None where only the state was asked for.
        self._data: RunData = run_data  # type: ignore[assignment]
        self._inputs = run_inputs
        self._outputs = run_outputs

    def __hash__(self) -> int:  # type: ignore[override]
        return hash((Run, self._info.run_id))

    @property
    def info(self) -> RunInfo:
        """Identity and state."""
        return self._info

    @property
    def data(self) -> RunData:
        """Latest metrics, params and tags."""
        return self._data

    @property
    def inputs(self) -> RunInputs | None:
        """What went in."""
        return self._inputs

    @property
    def outputs(self) -> RunOutputs | None:
        """What came out."""
        return self._outputs

    def to_dictionary(self) -> dict[str, Any]:
        """Return the run as plain dicts."""
        whole: dict[str, Any] = {"info": dict(self._info)}
        if self._data is not None:
            whole["data"] = self._data.to_dictionary()
        if self._inputs:
            whole["inputs"] = self._inputs.to_dictionary()
        if self._outputs:
            whole["outputs"] = self._outputs.to_dictionary()
        return whole
