"""Rules for names, lengths and numbers: every check and its message, once.

A check returns the value in the form that stores keep, or raises `MlflowException` with the code
INVALID_PARAMETER_VALUE. `path` is how the message calls the parameter.
"""

from __future__ import annotations

import os
import posixpath

from mlflow.entities.registry import ALL_STAGES, CANONICAL_STAGES
from mlflow.environment_variables import (
    MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH,
    MLFLOW_TRUNCATE_LONG_VALUES,
)
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from mlflow.exceptions import MlflowException

MAX_ENTITY_KEY_LENGTH = 250
MAX_PARAM_VAL_LENGTH = 6000
MAX_TAG_VAL_LENGTH = 8000
MAX_EXPERIMENT_NAME_LENGTH = 500
MAX_EXPERIMENT_TAG_KEY_LENGTH = 250
MAX_EXPERIMENT_TAG_VAL_LENGTH = 20_000
MAX_MODEL_NAME_LENGTH = 256
MAX_MODEL_REGISTRY_TAG_KEY_LENGTH = 250
MAX_MODEL_REGISTRY_TAG_VALUE_LENGTH = 100_000
MAX_REGISTERED_MODEL_ALIAS_LENGTH = 255
MAX_RUN_ID_LENGTH = 256
MAX_EXPERIMENT_ID_LENGTH = 64

MAX_PARAMS_TAGS_PER_BATCH = 100
MAX_METRICS_PER_BATCH = 1000
MAX_ENTITIES_PER_BATCH = 1000
MAX_BATCH_LOG_REQUEST_SIZE = 1_000_000

MAX_DATASET_NAME_SIZE = 500
MAX_DATASET_DIGEST_SIZE = 36
MAX_DATASET_SOURCE_SIZE = 65_535
MAX_DATASET_SCHEMA_SIZE = 1_048_575
MAX_DATASET_PROFILE_SIZE = 16_777_215
MAX_INPUT_TAG_KEY_SIZE = 255
MAX_INPUT_TAG_VALUE_SIZE = 500

SEARCH_MAX_RESULTS_DEFAULT = 1000
SEARCH_MAX_RESULTS_THRESHOLD = 50_000
SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT = 100
SEARCH_REGISTERED_MODEL_MAX_RESULTS_THRESHOLD = 1000
SEARCH_MODEL_VERSION_MAX_RESULTS_DEFAULT = 10_000
SEARCH_MODEL_VERSION_MAX_RESULTS_THRESHOLD = 200_000
SEARCH_LOGGED_MODEL_MAX_RESULTS_DEFAULT = 100

MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1

DEFAULT_EXPERIMENT_ID = "0"

_KEY_CHARACTERS = frozenset("_/.- :" if os.name != "nt" else "_/.- ")
# A text of these alone is known to pass without a look at each character.
_PLAIN_IN_KEYS = _KEY_CHARACTERS | frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)
_LOGGED_MODEL_NAME_REFUSED = frozenset(":%\"'\\\0\n\r")
_WORDS_SHOWN = 100
_HEX_DIGITS = "0123456789abcdef"


# --- messages ----------------------------------------------------------------------------------


def missing_value(path: str) -> MlflowException:
    """Return the error for a required parameter that is None or empty."""
    return invalid(f"Missing value for required parameter '{path}'.")


def invalid_value(path: str, value: object, reason: str = "") -> MlflowException:
    """Return the error for a parameter with a value that is not allowed."""
    import json

    shown = json.dumps(value, sort_keys=True, default=str)
    tail = f": {reason}" if reason else "."
    return invalid(f"Invalid value {shown} for parameter '{path}' supplied{tail}")


def length(path: str, limit: int, value: str) -> str:
    """Return a text that is not longer than the limit."""
    if len(value) > limit:
        raise invalid(f"'{path}' exceeds the maximum length of {limit} characters")
    return value


def cut(path: str, limit: int, value: str) -> str:
    """Return a text cut to the limit, with a warning, unless the user chose to be refused."""
    if len(value) <= limit:
        return value
    if not MLFLOW_TRUNCATE_LONG_VALUES.get():
        return length(path, limit, value)
    import logging

    logging.getLogger(__name__).warning(
        "%s '%s...' (%d characters) is truncated to %d characters to meet the length limit.",
        path,
        value[:_WORDS_SHOWN],
        len(value),
        limit,
    )
    return value[:limit]


def encodable(path: str, value: str) -> str:
    """Return a text that can be written as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise invalid_value(
            path, value[:_WORDS_SHOWN], f"It is not valid Unicode: {error}"
        ) from error
    return value


# --- ids ---------------------------------------------------------------------------------------


def _is_id(value: str, limit: int) -> bool:
    return len(value) <= limit and value[:1].isascii() and value[:1].isalnum() and _is_word(value)


def _is_word(value: str) -> bool:
    """Tell whether a text is of letters, digits, `_` and `-` only."""
    rest = value.replace("_", "").replace("-", "")
    return rest == "" or rest.isalnum()


def free_texts(**named: object) -> None:
    """Check texts that may be anything, or absent, but have to be Unicode to be kept."""
    for path, value in named.items():
        if isinstance(value, str):
            encodable(path, value)


def run_id(value: object, path: str = "run_id") -> str:
    """Return a run id: letters, digits, `_` and `-`, at most 256 characters."""
    if not isinstance(value, str) or not _is_id(value, MAX_RUN_ID_LENGTH):
        raise invalid_value(path, value)
    return value


def chosen_id(value: object, path: str, prefix: str = "") -> str:
    """Return an id that a client made: a prefix and 32 hexadecimal digits, as ours are."""
    digits = value.removeprefix(prefix) if isinstance(value, str) else ""
    if prefix + digits != value or len(digits) != 32 or set(digits) - set(_HEX_DIGITS):
        form = f"an id that is chosen has the form of '{prefix}{_HEX_DIGITS * 2}'"
        raise invalid_value(path, value, form)
    return value


def experiment_id(value: object) -> str:
    """Return an experiment id; numbers are taken as their digits, None as the default one."""
    if value is None:
        return DEFAULT_EXPERIMENT_ID
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _is_id(value, MAX_EXPERIMENT_ID_LENGTH):
        raise invalid(f"Invalid experiment ID: {value!r}")
    return value


def experiment_ids(value: object) -> list[str]:
    """Return experiment ids, each once; one bare id counts as a list of it."""
    if isinstance(value, (str, int)) or value is None:
        value = [] if value is None else [value]
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise invalid(f"Invalid experiment ids: {value!r}. Expects a list of ids.")
    return list(dict.fromkeys(experiment_id(one) for one in value))


def model_id(value: object) -> str:
    """Return the id of a logged model: letters, digits, `_` and `-`."""
    if not isinstance(value, str) or not _is_id(value, MAX_RUN_ID_LENGTH):
        raise invalid_value("model_id", value)
    return value


def version_number(value: object) -> str:
    """Return the number of a model version as plain digits."""
    try:
        return str(int(value))  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise invalid(f"Parameter 'version' must be an integer, got '{value}'.") from None


# --- keys of metrics, params and tags ------------------------------------------------------------


def entity_key(path: str, value: object) -> str:
    """Return a key that is also a relative path: stores keep one file for each."""
    if not isinstance(value, str):
        raise invalid_value(path, value, "A key must be a string.")
    if not _PLAIN_IN_KEYS.issuperset(value) and not all(
        one.isalnum() or one in _KEY_CHARACTERS for one in value
    ):
        colon = ", colon(:)" if ":" in _KEY_CHARACTERS else ""
        reason = (
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), "
            f"spaces ( ){colon} and slashes (/)."
        )
        raise invalid_value(path, value, reason)
    normal = posixpath.normpath(value)
    if normal != value or normal == "." or normal.startswith(("..", "/")):
        raise _names_another(path, value)
    return encodable(path, value)


def _names_another(path: str, value: str) -> MlflowException:
    """Return the error for a name that is another one as a path."""
    reason = (
        "Names may be treated as files in certain cases, and must not resolve to other names when "
        f"treated as such. This name would resolve to {posixpath.normpath(value)!r}"
    )
    return invalid_value(path, value, reason)


def metric_key(value: object, path: str = "name") -> str:
    """Return the key of a metric."""
    if value is None:
        raise invalid_value(path, value, "Metric name cannot be None. A key name must be provided.")
    return length("Metric name", MAX_ENTITY_KEY_LENGTH, entity_key(path, value))


def param_key(value: object, path: str = "key") -> str:
    """Return the key of a param."""
    if value is None:
        raise invalid_value(path, "", "A key name must be provided.")
    return length("Param key", MAX_ENTITY_KEY_LENGTH, entity_key(path, value))


def tag_key(value: object, path: str = "key") -> str:
    """Return the key of a tag, whatever the tag is on."""
    if value is None:
        raise missing_value(path)
    return length(path, MAX_ENTITY_KEY_LENGTH, entity_key(path, value))


# --- values --------------------------------------------------------------------------------------


def text(value: object) -> str:
    """Return a value as text; None is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)


def param_value(value: object, path: str = "Param value") -> str:
    """Return the text of a param, cut to what stores keep."""
    return encodable(path, cut(path, MAX_PARAM_VAL_LENGTH, text(value)))


def tag_value(value: object, path: str = "value") -> str:
    """Return the text of a tag of a run or logged model, cut to what stores keep."""
    return encodable(path, cut(path, MAX_TAG_VAL_LENGTH, text(value)))


def experiment_tag_value(value: object) -> str:
    """Return the text of a tag of an experiment."""
    return encodable("value", length("value", MAX_EXPERIMENT_TAG_VAL_LENGTH, text(value)))


def registry_tag_value(value: object) -> str:
    """Return the text of a tag of a registered model or version."""
    return encodable("value", length("value", MAX_MODEL_REGISTRY_TAG_VALUE_LENGTH, text(value)))


def version_tag_value(value: object) -> str:
    """Return the text of a tag of a model version, which must have one."""
    if value is None:
        raise invalid("Tag value cannot be None")
    return registry_tag_value(value)


def metric_value(value: Any, timestamp: object, path: str = "value") -> float:
    """Return the number of a metric as a float; NaN and infinities pass, bools do not."""
    if type(value) is float:
        return value
    if value is None:
        raise missing_value(path)
    # numpy's bool is no subclass of bool and converts to a number.
    flag = type(value).__name__ in ("bool", "bool_")
    if not flag and not isinstance(value, (str, bytes, bytearray)):
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            pass
    reason = (
        f"(timestamp={timestamp}). Please specify value as a valid double (64-bit floating point)"
    )
    raise invalid_value(path, value, reason)


def _int64(value: Any, low: int) -> int | None:
    if isinstance(value, (bool, str, bytes, bytearray)) or value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == value and low <= number <= MAX_INT64 else None


def metric_timestamp(value: object, metric: str, number: object, path: str = "timestamp") -> int:
    """Return the time of a metric, ms: a 64-bit integer from 0."""
    found = _int64(value, 0)
    if found is None:
        what = f"metric '{metric}' (value={number})"
        reason = f"{what}. Timestamp must be a nonnegative long (64-bit integer) "
        raise invalid_value(path, value, reason)
    return found


def metric_step(value: object, metric: str, number: object, path: str = "step") -> int:
    """Return the step of a metric: a 64-bit integer."""
    found = _int64(value, MIN_INT64)
    if found is None:
        what = f"metric '{metric}' (value={number})"
        raise invalid_value(path, value, f"{what}. Step must be a valid long (64-bit integer).")
    return found


# --- batches -------------------------------------------------------------------------------------


def batch_size(metrics: int, params: int, tags: int) -> None:
    """Check how many metrics, params and tags come in one call."""
    for what, count, limit in (
        ("metrics", metrics, MAX_METRICS_PER_BATCH),
        ("params", params, MAX_PARAMS_TAGS_PER_BATCH),
        ("tags", tags, MAX_PARAMS_TAGS_PER_BATCH),
        ("metrics, params, and tags", metrics + params + tags, MAX_ENTITIES_PER_BATCH),
    ):
        if count > limit:
            message = (
                f"A batch logging request can contain at most {limit} {what}. Got {count} {what}. "
                f"Please split up {what} across multiple requests and try again."
            )
            raise invalid(message)


def distinct_params(keys: Sequence[str]) -> None:
    """Check that no param comes twice in one call."""
    if len(set(keys)) == len(keys):
        return
    twice = sorted({key for key in keys if keys.count(key) > 1})
    message = (
        f"Duplicate parameter keys have been submitted: {twice}. Please ensure the request "
        "contains only one param value per param key."
    )
    raise invalid(message)


# --- experiments ---------------------------------------------------------------------------------


def experiment_name(value: object) -> str:
    """Return the name of an experiment: any text of 1 to 500 characters."""
    if value is None or value == "":
        raise invalid(f"Invalid experiment name: '{value}'")
    if not isinstance(value, str):
        raise invalid(f"Invalid experiment name: {value}. Expects a string.")
    return encodable("name", length("name", MAX_EXPERIMENT_NAME_LENGTH, value))


def artifact_location(value: str | None) -> str | None:
    """Return the artifact root of an experiment; empty means that the store chooses."""
    if not value:
        return None
    limit = MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH.get()
    if len(value) > limit:
        message = (
            "Invalid artifact path length. The length of the artifact path cannot be greater "
            f"than {limit} characters. To configure this limit, please set the "
            "MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable."
        )
        raise invalid(message)
    if value.startswith("runs:"):
        raise invalid(f"Artifact location cannot be a runs:/ URI. Given: '{value}'")
    return encodable("artifact_location", value)


# --- models --------------------------------------------------------------------------------------


def registered_model_name(value: object) -> str:
    """Return the name of a registered model: one path segment without `:` and `%`."""
    if value is None or (isinstance(value, str) and not value.strip()):
        raise missing_value("name")
    if not isinstance(value, str):
        raise invalid_value("name", value, "A model name must be a string.")
    if "/" in value or ":" in value:
        raise invalid(f"Invalid model name '{value}'. Names cannot contain '/' or ':'.")
    if "%" in value:
        raise invalid(
            f"Invalid name: '{value}'. Registered model name cannot contain '%' character"
        )
    if value in (".", "..") or "\0" in value or (os.name == "nt" and "\\" in value):
        raise _names_another("name", value)
    return encodable("name", length("name", MAX_MODEL_NAME_LENGTH, value))


def logged_model_name(value: object) -> str:
    r"""Return the name of a logged model: a relative path without ``: % " ' \``.

    MLflow 3 also refuses `.` and `/`; here names such as `alpha_0.2` are folders of the run.
    """
    if (
        not isinstance(value, str)
        or not value.strip()
        or not _LOGGED_MODEL_NAME_REFUSED.isdisjoint(value)
        or posixpath.normpath(value) != value
        or value == "."
        or value.startswith(("..", "/"))
    ):
        message = (
            f"Invalid model name ({value!r}) provided. Model name must be a non-empty string, a "
            "relative path without '..', and cannot contain the following characters: "
            "(':', '%', '\"', \"'\", '\\')"
        )
        raise invalid(message)
    return encodable("name", length("name", MAX_EXPERIMENT_NAME_LENGTH, value))


def alias_name(value: object) -> str:
    """Return an alias as it may be asked for: letters, digits, `_` and `-`."""
    if value is None or value == "":
        raise invalid("Registered model alias name cannot be empty.")
    if not isinstance(value, str) or not _is_word(value):
        message = (
            f"Invalid alias name: '{value}'. Names may only contain alphanumerics, "
            "underscores (_), and dashes (-)."
        )
        raise invalid(message)
    path = "Registered model alias name"
    return encodable(path, length(path, MAX_REGISTERED_MODEL_ALIAS_LENGTH, value))


def new_alias_name(value: object) -> str:
    """Return an alias as it may be set: not `latest`, and not like a version (`v1`)."""
    name = alias_name(value)
    if name.lower() == "latest":
        raise invalid("'latest' alias name (case insensitive) is reserved.")
    if name[0] in "vV" and name[1:].isdecimal():
        raise invalid(f"Version alias name '{name}' is reserved.")
    return name


def stage_name(value: object) -> str:
    """Return the name of a stage, given in any case, in its canonical spelling."""
    found = CANONICAL_STAGES.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        known = ", ".join(ALL_STAGES)
        raise invalid(f"Invalid Model Version stage: {value}. Value must be one of {known}.")
    return found


def archivable_stage(value: str) -> None:
    """Check that existing versions may be archived when one enters this stage."""
    if value not in ("Staging", "Production"):
        message = (
            "Model version transition cannot archive existing model versions because "
            f"'{value}' is not an Active stage. Valid stages are ['Staging', 'Production']"
        )
        raise invalid(message)


# --- datasets ------------------------------------------------------------------------------------


def dataset_field(name: str, value: object, limit: int, *, required: bool) -> None:
    """Check one field of a dataset or of a tag on its use."""
    if value is None and not required:
        return
    if not isinstance(value, str):
        raise missing_value(name)
    if len(value) > limit:
        raise invalid(f"{name} exceeds the maximum length of {limit}")
    encodable(name, value)


# --- searches ------------------------------------------------------------------------------------


def max_results(value: object, limit: int | None = None, default: int | None = None) -> int:
    """Return the size of a page; None is the default, where there is one.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE when it is not a positive integer or too large.
    """
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or value < 1:
        message = (
            f"Invalid value {value} for parameter 'max_results' supplied. "
            f"It must be a positive integer, but got {value}"
        )
        raise invalid(message)
    if limit is not None and value > limit:
        message = (
            f"Invalid value {value} for parameter 'max_results' supplied. "
            f"It must be at most {limit}, but got value {value}"
        )
        raise invalid(message)
    return int(value)


def view_type(value: object) -> int:
    """Return a `ViewType`."""
    if not isinstance(value, int) or value not in (1, 2, 3):
        raise invalid(f"Invalid view type '{value}'")
    return value
