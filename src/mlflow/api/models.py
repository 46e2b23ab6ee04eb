"""The operations on logged models."""

from __future__ import annotations

from mlflow.api.messages import (
    DATASET_QUERY,
    EXPERIMENT_ID,
    EXPERIMENT_IDS,
    LOGGED_MODEL_NAME,
    LOGGED_MODEL_PARAMS,
    LOGGED_MODEL_STATUS,
    LOGGED_MODEL_TAGS,
    MODEL_ORDER,
)
from mlflow.api.messages import LOGGED_MODEL as LOGGED_MODEL_MESSAGE
from mlflow.api.op import (
    EDIT,
    EXPERIMENT,
    LOGGED_MODEL,
    MANAGE,
    READ,
    Made,
    Op,
    Page,
    Permission,
    Reply,
    Route,
)
from mlflow.api.wire import BOOL, INT32, TEXT, Field, Many

ID = Field("model_id", TEXT, required=True)
_MODEL = "logged-models/{model_id}"


def _may(action: str) -> Permission:
    return Permission(action, LOGGED_MODEL, "model_id")


OPERATIONS = (
    Op(
        "create_logged_model",
        "Make a logged model; it is pending until it is finalized.",
        Route("POST", "logged-models", since="3.0"),
        (
            Field("experiment_id", EXPERIMENT_ID, required=True),
            Field("name", LOGGED_MODEL_NAME),
            Field("model_type", TEXT),
            Field("source_run_id", TEXT),
            Field("params", LOGGED_MODEL_PARAMS),
            Field("tags", LOGGED_MODEL_TAGS),
            Field("model_id", TEXT, default=None, extension=True),
        ),
        Reply("model", LOGGED_MODEL_MESSAGE),
        Permission(EDIT, EXPERIMENT, "experiment_id"),
        makes=Made("model_id", "m-", "get_logged_model"),
    ),
    Op(
        "get_logged_model",
        "Return a logged model with tags, params and latest metrics.",
        Route("GET", _MODEL, since="3.0"),
        (ID, Field("allow_deleted", BOOL, extension=True)),
        Reply("model", LOGGED_MODEL_MESSAGE),
        _may(READ),
    ),
    Op(
        "finalize_logged_model",
        "Say that a logged model is ready or has failed.",
        Route("PATCH", _MODEL, since="3.0"),
        (ID, Field("status", LOGGED_MODEL_STATUS, required=True)),
        Reply("model", LOGGED_MODEL_MESSAGE),
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_logged_model",
        "Mark a logged model deleted.",
        Route("DELETE", _MODEL, since="3.0"),
        (ID,),
        None,
        _may(MANAGE),
    ),
    Op(
        "set_logged_model_tags",
        "Set tags of a logged model.",
        Route("PATCH", f"{_MODEL}/tags", since="3.0"),
        (ID, Field("tags", LOGGED_MODEL_TAGS)),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_logged_model_tag",
        "Remove a tag of a logged model.",
        Route("DELETE", f"{_MODEL}/tags/{{tag_key}}", since="3.0"),
        (ID, Field("tag_key", TEXT, required=True, argument="key")),
        None,
        _may(EDIT),
    ),
    Op(
        "log_logged_model_params",
        "Add params to a logged model.",
        Route("POST", f"{_MODEL}/params", since="3.0"),
        (ID, Field("params", LOGGED_MODEL_PARAMS)),
        None,
        _may(EDIT),
    ),
    Op(
        "search_logged_models",
        "Return one page of the logged models that match.",
        Route("POST", "logged-models/search", since="3.0"),
        (
            Field("experiment_ids", EXPERIMENT_IDS, required=True),
            Field("filter", TEXT, argument="filter_string"),
            Field("datasets", Many(DATASET_QUERY), default=None),
            Field("max_results", INT32),
            Field("order_by", Many(MODEL_ORDER), default=None),
            Field("page_token", TEXT),
        ),
        Page("models", LOGGED_MODEL_MESSAGE),
        Permission(READ, EXPERIMENT, "experiment_ids"),
    ),
)
