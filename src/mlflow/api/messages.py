"""The messages of the wire: how each entity is written as JSON and read back."""

from __future__ import annotations

import math

from mlflow.api import rules
from mlflow.api.wire import (
    BOOL,
    DOUBLE,
    INT64,
    TEXT,
    Choice,
    Field,
    Kind,
    Many,
    Message,
    Pair,
    Pairs,
    Text,
    UnreadableError,
)
from mlflow.entities.artifacts import FileInfo
from mlflow.entities.experiment import Experiment, ExperimentTag, ViewType
from mlflow.entities.logged_models import (
    LoggedModel,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
)
from mlflow.entities.registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)
from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    RunTag,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Id(Kind):
    """The id of an experiment; a number counts as its digits, as in stores."""

    name = "string"

    def read(self, value: Any) -> str:
        return TEXT.read(str(value) if value.__class__ is int else value)

    def write(self, value: Any) -> str:
        return rules.experiment_id(value)


class Ids(Many):
    """Experiment ids; one bare id counts as a list of it, as in stores."""

    def __init__(self) -> None:
        super().__init__(Id())

    def write(self, value: Any) -> list[Any]:
        return list(rules.experiment_ids(value))


class Number(Text):
    """The number of a model version, as text; programs hold integers too."""

    def write(self, value: Any) -> str:
        return rules.version_number(value)


class LoggedModelName(Text):
    """The name of a logged model."""

    def write(self, value: Any) -> str:
        return rules.logged_model_name(value)


class VersionTag(Pair):
    """A tag of a model version, whose value stores do not take to be empty when it is None."""

    def write(self, value: ModelVersionTag) -> dict[str, Any]:
        rules.version_tag_value(value.value)
        return super().write(value)


class Points(Message):
    """A metric; the usual point goes a short way, of which there are thousands in a batch."""

    def __init__(self, name: str, fields: tuple[Field, ...]) -> None:
        super().__init__(name, Metric, fields)
        # Of a message that names no run, the run's own id beside it is nothing.
        self._has_run = any(field.name == "run_id" for field in fields)

    def read(self, value: Any) -> Metric:
        try:
            key, number, timestamp = value["key"], value["value"], value["timestamp"]
            step = value.get("step", 0)
        except (KeyError, TypeError, AttributeError):
            return super().read(value)  # type: ignore[no-any-return]
        if (
            # Nothing else is said.
            len(value) == 3 + ("step" in value) + ("run_id" in value and not self._has_run)
            and key.__class__ is str
            and key
            and number.__class__ is float
            and timestamp.__class__ is int
            and step.__class__ is int
            and rules.MIN_INT64 <= timestamp <= rules.MAX_INT64
            and rules.MIN_INT64 <= step <= rules.MAX_INT64
        ):
            return Metric(key, number, timestamp, step)
        return super().read(value)  # type: ignore[no-any-return]

    def write(self, value: Metric) -> dict[str, Any]:
        if value._step is None:
            raise UnreadableError().below("step")
        if (
            value._model_id is None
            and value._dataset_name is None
            and value._dataset_digest is None
            and value._value.__class__ is float
            and math.isfinite(value._value)
            and value._timestamp.__class__ is int
            and value._step.__class__ is int
            and value._key.__class__ is str
            and not (self._has_run and value._run_id is not None)
        ):
            return {
                "key": value._key,
                "value": value._value,
                "timestamp": value._timestamp,
                "step": value._step,
            }
        return super().write(value)


class Runs(Message):
    """A run, of which MLflow always says what went in, if only that nothing did."""

    def read(self, value: Any) -> Run:
        run: Run = super().read(value)
        if run._inputs is None:
            run._inputs = RunInputs([])
        if run._outputs is None:
            run._outputs = RunOutputs([])
        return run

    def write(self, value: Run) -> dict[str, Any]:
        made = super().write(value)
        made.setdefault("inputs", {})
        return made


class Record(Message):
    """A message that stores take as a dict; what it does not say is left out."""

    def __init__(self, name: str, fields: tuple[Field, ...]) -> None:
        super().__init__(name, dict, fields)

    def read(self, value: Any) -> dict[str, Any]:
        return {key: one for key, one in self.arguments(value).items() if one is not None}

    def write(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UnreadableError(value)
        made = {}
        for field in self.fields:
            if value.get(field.argument) is not None:
                made[field.name] = field.kind.write(value[field.argument])
        return made


class _History:
    """What `record_logged_model` needs of a model: the dict it is noted as."""

    def __init__(self, tags: dict[str, Any]) -> None:
        self._tags = tags

    def get_tags_dict(self) -> dict[str, Any]:
        """Return the dict."""
        return self._tags


class ModelJson(Kind):
    """What a run notes of an MLflow model, as a JSON object in text."""

    name = "string"
    _NEEDED = ("run_id", "artifact_path", "utc_time_created", "flavors")

    def read(self, value: Any) -> _History:
        import json

        try:
            tags = json.loads(value)
        except (TypeError, ValueError, RecursionError):
            reason = f"Malformed model info. \n {value} \n is not a valid JSON."
            raise UnreadableError(value, reason=reason) from None
        absent = [name for name in self._NEEDED if not isinstance(tags, dict) or name not in tags]
        if absent:
            reason = f"Model json is missing mandatory fields: {absent}"
            raise UnreadableError(value, reason=reason)
        return _History(tags)

    def write(self, value: Any) -> str:
        import json

        return json.dumps(value.get_tags_dict())


EXPERIMENT_ID, EXPERIMENT_IDS = Id(), Ids()
VERSION_NUMBER, LOGGED_MODEL_NAME = Number(), LoggedModelName()
MODEL_JSON = ModelJson()

# --- choices -------------------------------------------------------------------------------------

VIEW_TYPE = Choice("ViewType", {"ACTIVE_ONLY": 1, "DELETED_ONLY": 2, "ALL": ViewType.ALL})
RUN_STATUS = Choice("RunStatus", RunStatus._STRING_TO_STATUS)
# An entity holds the name of its status, a store's method takes the number.
RUN_STATUS_NAME = Choice(
    "RunStatus", RunStatus._STRING_TO_STATUS, {name: name for name in RunStatus._STRING_TO_STATUS}
)
LOGGED_MODEL_STATUS = Choice(
    "LoggedModelStatus",
    {
        "LOGGED_MODEL_STATUS_UNSPECIFIED": 0,
        "LOGGED_MODEL_PENDING": 1,
        "LOGGED_MODEL_READY": 2,
        "LOGGED_MODEL_UPLOAD_FAILED": 3,
    },
    {
        "LOGGED_MODEL_STATUS_UNSPECIFIED": LoggedModelStatus.UNSPECIFIED,
        "LOGGED_MODEL_PENDING": LoggedModelStatus.PENDING,
        "LOGGED_MODEL_READY": LoggedModelStatus.READY,
        "LOGGED_MODEL_UPLOAD_FAILED": LoggedModelStatus.FAILED,
    },
)
VERSION_STATUS = Choice(
    "ModelVersionStatus",
    {"PENDING_REGISTRATION": 1, "FAILED_REGISTRATION": 2, "READY": 3},
    {name: name for name in ("PENDING_REGISTRATION", "FAILED_REGISTRATION", "READY")},
)

# --- pairs ---------------------------------------------------------------------------------------

EXPERIMENT_TAGS = Pairs(Pair("ExperimentTag", ExperimentTag))
RUN_TAGS = Pairs(Pair("RunTag", RunTag))
PARAMS = Pairs(Pair("Param", Param))
INPUT_TAGS = Pairs(Pair("InputTag", InputTag))
LOGGED_MODEL_TAGS = Pairs(Pair("LoggedModelTag", LoggedModelTag))
LOGGED_MODEL_PARAMS = Pairs(Pair("LoggedModelParameter", LoggedModelParameter))
REGISTERED_MODEL_TAGS = Pairs(Pair("RegisteredModelTag", RegisteredModelTag))
MODEL_VERSION_TAGS = Pairs(VersionTag("ModelVersionTag", ModelVersionTag))
MODEL_PARAMS = Pairs(Pair("ModelParam", LoggedModelParameter, key="name"))
ALIASES = Pairs(
    Pair("RegisteredModelAlias", RegisteredModelAlias, "alias", "version", ("alias", "version"))
)

# --- experiments and runs ------------------------------------------------------------------------

EXPERIMENT = Message(
    "Experiment",
    Experiment,
    (
        Field("experiment_id", TEXT),
        Field("name", TEXT),
        Field("artifact_location", TEXT),
        Field("lifecycle_stage", TEXT),
        Field("last_update_time", INT64),
        Field("creation_time", INT64),
        Field("tags", EXPERIMENT_TAGS),
        Field("effective_trace_archival_retention", TEXT),
        Field("workspace", TEXT),
    ),
)
_POINT = (
    Field("key", TEXT, required=True),
    Field("value", DOUBLE, required=True),
    Field("timestamp", INT64, required=True),
    Field("step", INT64, default=0),
    Field("dataset_name", TEXT),
    Field("dataset_digest", TEXT),
    Field("model_id", TEXT),
)
# Points of a run need not repeat which; those of a model, and those that are logged, may say which
# run measured them.
METRIC = Points("Metric", _POINT)
MODEL_METRIC = Points("ModelMetric", (*_POINT, Field("run_id", TEXT)))
RUN_INFO = Message(
    "RunInfo",
    RunInfo,
    (
        # The name of old clients; both hold the id.
        Field("run_uuid", TEXT, argument="run_id"),
        Field("experiment_id", TEXT),
        Field("run_name", TEXT),
        Field("user_id", TEXT),
        Field("status", RUN_STATUS_NAME),
        Field("start_time", INT64),
        Field("end_time", INT64),
        Field("artifact_uri", TEXT),
        Field("lifecycle_stage", TEXT),
        Field("run_id", TEXT, aliases=("run_uuid",)),
    ),
)
DATASET = Message(
    "Dataset",
    Dataset,
    (
        Field("name", TEXT, required=True),
        Field("digest", TEXT, required=True),
        Field("source_type", TEXT, required=True),
        Field("source", TEXT, required=True),
        Field("schema", TEXT),
        Field("profile", TEXT),
    ),
)
DATASET_INPUT = Message(
    "DatasetInput",
    DatasetInput,
    (Field("tags", INPUT_TAGS), Field("dataset", DATASET, required=True)),
)
MODEL_INPUT = Message("ModelInput", LoggedModelInput, (Field("model_id", TEXT, required=True),))
MODEL_OUTPUT = Message(
    "ModelOutput",
    LoggedModelOutput,
    (Field("model_id", TEXT, required=True), Field("step", INT64, default=0)),
)
RUN_DATA = Message(
    "RunData",
    RunData,
    (
        Field("metrics", Many(METRIC), attribute="_metric_objs"),
        Field("params", PARAMS),
        Field("tags", RUN_TAGS),
    ),
)
RUN_INPUTS = Message(
    "RunInputs",
    RunInputs,
    (
        Field("dataset_inputs", Many(DATASET_INPUT)),
        Field("model_inputs", Many(MODEL_INPUT)),
    ),
)
RUN_OUTPUTS = Message("RunOutputs", RunOutputs, (Field("model_outputs", Many(MODEL_OUTPUT)),))
RUN = Runs(
    "Run",
    Run,
    (
        Field("info", RUN_INFO, argument="run_info", attribute="info"),
        Field("data", RUN_DATA, argument="run_data", attribute="data"),
        Field("inputs", RUN_INPUTS, argument="run_inputs", attribute="inputs"),
        Field("outputs", RUN_OUTPUTS, argument="run_outputs", attribute="outputs"),
    ),
)
FILE_INFO = Message(
    "FileInfo",
    FileInfo,
    (Field("path", TEXT), Field("is_dir", BOOL), Field("file_size", INT64)),
)

# --- logged models -------------------------------------------------------------------------------

LOGGED_MODEL = Message(
    "LoggedModel",
    LoggedModel,
    (
        Field(
            "info",
            Message(
                "LoggedModelInfo",
                LoggedModel,
                (
                    Field("model_id", TEXT),
                    Field("experiment_id", TEXT),
                    Field("name", TEXT),
                    Field("creation_timestamp_ms", INT64, argument="creation_timestamp"),
                    Field("last_updated_timestamp_ms", INT64, argument="last_updated_timestamp"),
                    Field("artifact_uri", TEXT, argument="artifact_location"),
                    Field("status", LOGGED_MODEL_STATUS, default=LoggedModelStatus.UNSPECIFIED),
                    Field("model_type", TEXT, blank=True),
                    Field("source_run_id", TEXT, blank=True),
                    Field("status_message", TEXT),
                    Field("tags", LOGGED_MODEL_TAGS),
                ),
            ),
            flat=True,
        ),
        Field(
            "data",
            Message(
                "LoggedModelData",
                LoggedModel,
                (Field("params", LOGGED_MODEL_PARAMS), Field("metrics", Many(MODEL_METRIC))),
            ),
            flat=True,
        ),
    ),
)
DATASET_QUERY = Record(
    "SearchLoggedModels.Dataset",
    (Field("dataset_name", TEXT), Field("dataset_digest", TEXT)),
)
MODEL_ORDER = Record(
    "SearchLoggedModels.OrderBy",
    (
        Field("field_name", TEXT),
        Field("ascending", BOOL),
        Field("dataset_name", TEXT),
        Field("dataset_digest", TEXT),
    ),
)

# --- registry ------------------------------------------------------------------------------------

MODEL_VERSION = Message(
    "ModelVersion",
    ModelVersion,
    (
        Field("name", TEXT),
        Field("version", TEXT),
        Field("creation_timestamp", INT64),
        Field("last_updated_timestamp", INT64),
        Field("user_id", TEXT),
        Field("current_stage", TEXT),
        Field("description", TEXT),
        Field("source", TEXT, blank=True),
        Field("run_id", TEXT, blank=True),
        Field("status", VERSION_STATUS, default="READY"),
        Field("status_message", TEXT),
        Field("tags", MODEL_VERSION_TAGS),
        Field("run_link", TEXT, blank=True),
        Field("aliases", Many(TEXT)),
        Field("model_id", TEXT),
        Field("model_params", MODEL_PARAMS, argument="params", default=None),
        Field("model_metrics", Many(MODEL_METRIC), argument="metrics", default=None),
    ),
)
REGISTERED_MODEL = Message(
    "RegisteredModel",
    RegisteredModel,
    (
        Field("name", TEXT),
        Field("creation_timestamp", INT64),
        Field("last_updated_timestamp", INT64),
        Field("description", TEXT),
        Field("latest_versions", Many(MODEL_VERSION)),
        Field("tags", REGISTERED_MODEL_TAGS),
        Field("aliases", ALIASES),
        Field("deployment_job_id", TEXT),
    ),
)
