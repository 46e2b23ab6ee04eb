"""The operations on registered models and their versions."""

from __future__ import annotations

from mlflow.api.messages import (
    MODEL_VERSION,
    MODEL_VERSION_TAGS,
    REGISTERED_MODEL_TAGS,
    VERSION_NUMBER,
)
from mlflow.api.messages import REGISTERED_MODEL as MODEL_MESSAGE
from mlflow.api.op import (
    CREATE,
    EDIT,
    MANAGE,
    READ,
    REGISTERED_MODEL,
    STORE,
    Op,
    Page,
    Permission,
    Reply,
    Route,
    Whole,
)
from mlflow.api.wire import BOOL, INT64, TEXT, Field, Many

NAME = Field("name", TEXT, required=True)
VERSION = Field("version", VERSION_NUMBER, required=True)
_KEY = Field("key", TEXT, required=True)
_ALIAS = Field("alias", TEXT, required=True)
_SEARCH = (
    Field("filter", TEXT, argument="filter_string"),
    Field("max_results", INT64),
    Field("order_by", Many(TEXT)),
    Field("page_token", TEXT),
)
_MODEL = Reply("registered_model", MODEL_MESSAGE)
_VERSION = Reply("model_version", MODEL_VERSION)


def _may(action: str) -> Permission:
    return Permission(action, REGISTERED_MODEL, "name")


OPERATIONS = (
    Op(
        "create_registered_model",
        "Make a registered model.",
        Route("POST", "registered-models/create"),
        (
            NAME,
            Field("tags", REGISTERED_MODEL_TAGS),
            Field("description", TEXT),
            Field("deployment_job_id", TEXT),
        ),
        _MODEL,
        Permission(CREATE, STORE),
    ),
    Op(
        "get_registered_model",
        "Return a registered model with tags, aliases and the newest version of each stage.",
        Route("GET", "registered-models/get"),
        (NAME,),
        _MODEL,
        _may(READ),
    ),
    Op(
        "update_registered_model",
        "Change the description of a registered model.",
        Route("PATCH", "registered-models/update"),
        (NAME, Field("description", TEXT, default=None), Field("deployment_job_id", TEXT)),
        _MODEL,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "rename_registered_model",
        "Change the name of a registered model.",
        Route("POST", "registered-models/rename"),
        (NAME, Field("new_name", TEXT, required=True)),
        _MODEL,
        _may(MANAGE),
    ),
    Op(
        "delete_registered_model",
        "Remove a registered model with all its versions.",
        Route("DELETE", "registered-models/delete"),
        (NAME,),
        None,
        _may(MANAGE),
    ),
    Op(
        "search_registered_models",
        "Return one page of the registered models that match.",
        (
            Route("GET", "registered-models/search"),
            Route("GET", "registered-models/list", until="1.30"),
        ),
        _SEARCH,
        Page("registered_models", MODEL_MESSAGE),
        Permission(READ, STORE),
    ),
    Op(
        "get_latest_versions",
        "Return the newest version of each stage.",
        (
            Route("POST", "registered-models/get-latest-versions"),
            Route("GET", "registered-models/get-latest-versions"),
        ),
        (NAME, Field("stages", Many(TEXT))),
        Reply("model_versions", Many(MODEL_VERSION)),
        _may(READ),
    ),
    Op(
        "set_registered_model_tag",
        "Set a tag of a registered model.",
        Route("POST", "registered-models/set-tag"),
        (NAME, Whole("tag", REGISTERED_MODEL_TAGS.item)),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_registered_model_tag",
        "Remove a tag of a registered model.",
        Route("DELETE", "registered-models/delete-tag"),
        (NAME, _KEY),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "set_registered_model_alias",
        "Point an alias at a version.",
        Route("POST", "registered-models/alias", since="2.3"),
        (NAME, _ALIAS, VERSION),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_registered_model_alias",
        "Remove an alias.",
        Route("DELETE", "registered-models/alias", since="2.3"),
        (NAME, _ALIAS),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "get_model_version_by_alias",
        "Return the version that an alias points at.",
        Route("GET", "registered-models/alias", since="2.3"),
        (NAME, _ALIAS),
        _VERSION,
        _may(READ),
    ),
    Op(
        "create_model_version",
        "Make the next version of a registered model.",
        Route("POST", "model-versions/create"),
        (
            NAME,
            Field("source", TEXT, required=True),
            Field("run_id", TEXT, blank=True),
            Field("tags", MODEL_VERSION_TAGS),
            Field("run_link", TEXT, blank=True),
            Field("description", TEXT),
            Field("model_id", TEXT, blank=True),
        ),
        _VERSION,
        _may(EDIT),
    ),
    Op(
        "get_model_version",
        "Return a version.",
        Route("GET", "model-versions/get"),
        (NAME, VERSION),
        _VERSION,
        _may(READ),
    ),
    Op(
        "get_model_version_download_uri",
        "Return where the files of a version are.",
        Route("GET", "model-versions/get-download-uri"),
        (NAME, VERSION),
        Reply("artifact_uri", TEXT),
        _may(READ),
    ),
    Op(
        "update_model_version",
        "Change the description of a version.",
        Route("PATCH", "model-versions/update"),
        (NAME, VERSION, Field("description", TEXT, default=None)),
        _VERSION,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "transition_model_version_stage",
        "Put a version in a stage.",
        Route("POST", "model-versions/transition-stage"),
        (
            NAME,
            VERSION,
            Field("stage", TEXT, required=True),
            Field("archive_existing_versions", BOOL, default=False),
        ),
        _VERSION,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_model_version",
        "Delete a version; its number is not used again.",
        Route("DELETE", "model-versions/delete"),
        (NAME, VERSION),
        None,
        _may(MANAGE),
    ),
    Op(
        "search_model_versions",
        "Return one page of the versions that match.",
        Route("GET", "model-versions/search"),
        _SEARCH,
        Page("model_versions", MODEL_VERSION),
        Permission(READ, STORE),
    ),
    Op(
        "set_model_version_tag",
        "Set a tag of a version.",
        Route("POST", "model-versions/set-tag"),
        (NAME, VERSION, Whole("tag", MODEL_VERSION_TAGS.item)),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_model_version_tag",
        "Remove a tag of a version.",
        Route("DELETE", "model-versions/delete-tag"),
        (NAME, VERSION, _KEY),
        None,
        _may(EDIT),
        repeats=True,
    ),
)
