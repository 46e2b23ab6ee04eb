"""The operations on runs: their state, what they log, what goes in and comes out."""

from __future__ import annotations

from mlflow.api.messages import (
    DATASET_INPUT,
    EXPERIMENT_ID,
    EXPERIMENT_IDS,
    METRIC,
    MODEL_INPUT,
    MODEL_JSON,
    MODEL_METRIC,
    MODEL_OUTPUT,
    PARAMS,
    RUN_INFO,
    RUN_STATUS,
    RUN_TAGS,
    VIEW_TYPE,
)
from mlflow.api.messages import RUN as RUN_MESSAGE
from mlflow.api.op import (
    EDIT,
    EXPERIMENT,
    MANAGE,
    READ,
    RUN,
    Made,
    Op,
    Page,
    Permission,
    Reply,
    Route,
    Whole,
)
from mlflow.api.wire import INT32, INT64, TEXT, Field, Many

ID = Field("run_id", TEXT, required=True, aliases=("run_uuid",))
_KEY = Field("key", TEXT, required=True)


def _may(action: str) -> Permission:
    return Permission(action, RUN, "run_id")


OPERATIONS = (
    Op(
        "create_run",
        "Start a run.",
        Route("POST", "runs/create"),
        (
            Field("experiment_id", EXPERIMENT_ID, required=True),
            Field("user_id", TEXT, default=None),
            Field("run_name", TEXT, default=None),
            Field("start_time", INT64, default=None),
            Field("tags", RUN_TAGS),
            Field("run_id", TEXT, default=None, extension=True),
        ),
        Reply("run", RUN_MESSAGE),
        Permission(EDIT, EXPERIMENT, "experiment_id"),
        makes=Made("run_id", "", "get_run"),
    ),
    Op(
        "get_run",
        "Return a run with its latest metrics, params, tags, inputs and outputs.",
        Route("GET", "runs/get"),
        (ID,),
        Reply("run", RUN_MESSAGE),
        _may(READ),
    ),
    Op(
        "update_run_info",
        "Change status, end time or name of a run.",
        Route("POST", "runs/update"),
        (
            ID,
            Field("status", RUN_STATUS, argument="run_status", default=None),
            Field("end_time", INT64, default=None),
            Field("run_name", TEXT, default=None),
        ),
        Reply("run_info", RUN_INFO),
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_run",
        "Mark a run deleted.",
        Route("POST", "runs/delete"),
        (ID,),
        None,
        _may(MANAGE),
        repeats=True,
    ),
    Op(
        "restore_run",
        "Make a deleted run active again.",
        Route("POST", "runs/restore"),
        (ID,),
        None,
        _may(MANAGE),
    ),
    Op(
        "log_metric",
        "Add a point to a series of a run.",
        Route("POST", "runs/log-metric"),
        (ID, Whole("metric", METRIC)),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "log_param",
        "Keep a param of a run.",
        Route("POST", "runs/log-parameter"),
        (ID, Whole("param", PARAMS.item)),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "set_tag",
        "Set a tag of a run.",
        Route("POST", "runs/set-tag"),
        (ID, Whole("tag", RUN_TAGS.item)),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_tag",
        "Remove a tag of a run.",
        Route("POST", "runs/delete-tag", since="1.3"),
        (ID, _KEY),
        None,
        _may(EDIT),
    ),
    Op(
        "log_batch",
        "Write metrics, params and tags of a run at once.",
        Route("POST", "runs/log-batch"),
        (
            ID,
            Field("metrics", Many(MODEL_METRIC)),
            Field("params", PARAMS),
            Field("tags", RUN_TAGS),
        ),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "get_metric_history",
        "Return the points of a series of a run.",
        Route("GET", "metrics/get-history"),
        (
            ID,
            Field("metric_key", TEXT, required=True),
            Field("page_token", TEXT),
            Field("max_results", INT32),
        ),
        Page("metrics", METRIC),
        _may(READ),
    ),
    Op(
        "search_runs",
        "Return one page of the runs that match.",
        Route("POST", "runs/search"),
        (
            Field("experiment_ids", EXPERIMENT_IDS),
            Field("filter", TEXT, argument="filter_string", default=None),
            Field("run_view_type", VIEW_TYPE, default=1),
            Field("max_results", INT32),
            Field("order_by", Many(TEXT)),
            Field("page_token", TEXT),
        ),
        Page("runs", RUN_MESSAGE),
        Permission(READ, EXPERIMENT, "experiment_ids"),
    ),
    Op(
        "log_inputs",
        "Add datasets and logged models that went into a run.",
        Route("POST", "runs/log-inputs", since="2.4"),
        (
            ID,
            Field("datasets", Many(DATASET_INPUT)),
            Field("models", Many(MODEL_INPUT)),
        ),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "log_outputs",
        "Add logged models that came out of a run.",
        Route("POST", "runs/outputs", since="3.0"),
        (ID, Field("models", Many(MODEL_OUTPUT), required=True)),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "record_logged_model",
        "Note an MLflow model in the tags of a run.",
        Route("POST", "runs/log-model"),
        (ID, Field("model_json", MODEL_JSON, required=True, argument="mlflow_model")),
        None,
        _may(EDIT),
    ),
)
