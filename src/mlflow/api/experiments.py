"""The operations on experiments."""

from __future__ import annotations

from mlflow.api.messages import EXPERIMENT as EXPERIMENT_MESSAGE
from mlflow.api.messages import EXPERIMENT_ID, EXPERIMENT_TAGS, VIEW_TYPE
from mlflow.api.op import (
    CREATE,
    EDIT,
    EXPERIMENT,
    MANAGE,
    READ,
    STORE,
    Op,
    Page,
    Permission,
    Reply,
    Route,
    Whole,
)
from mlflow.api.wire import INT64, TEXT, Field, Many

ID = Field("experiment_id", EXPERIMENT_ID, required=True)
# What `experiments/list` of MLflow 1.x answers when it is not told how many.
_ALL = 50_000


def _may(action: str) -> Permission:
    return Permission(action, EXPERIMENT, "experiment_id")


OPERATIONS = (
    Op(
        "create_experiment",
        "Make an experiment.",
        Route("POST", "experiments/create"),
        (
            Field("name", TEXT, required=True),
            Field("artifact_location", TEXT),
            Field("tags", EXPERIMENT_TAGS),
        ),
        Reply("experiment_id", TEXT),
        Permission(CREATE, STORE),
    ),
    Op(
        "get_experiment",
        "Return an experiment, deleted ones too.",
        Route("GET", "experiments/get"),
        (ID,),
        Reply("experiment", EXPERIMENT_MESSAGE),
        _may(READ),
    ),
    Op(
        "get_experiment_by_name",
        "Return the experiment of a name, deleted ones too.",
        Route("GET", "experiments/get-by-name", since="1.2"),
        (Field("experiment_name", TEXT, required=True),),
        Reply(
            "experiment",
            EXPERIMENT_MESSAGE,
            absent="Could not find experiment with name '{experiment_name}'",
        ),
        Permission(READ, EXPERIMENT, "experiment_name"),
    ),
    Op(
        "search_experiments",
        "Return one page of the experiments that match.",
        (
            Route("POST", "experiments/search", since="1.28"),
            Route("GET", "experiments/search", since="1.28"),
            Route("GET", "experiments/list", until="1.30", defaults={"max_results": _ALL}),
        ),
        (
            Field("max_results", INT64, default=0),
            Field("page_token", TEXT),
            Field("filter", TEXT, argument="filter_string"),
            Field("order_by", Many(TEXT)),
            Field("view_type", VIEW_TYPE),
        ),
        Page("experiments", EXPERIMENT_MESSAGE),
        Permission(READ, STORE),
    ),
    Op(
        "rename_experiment",
        "Change the name of an experiment.",
        Route("POST", "experiments/update"),
        (ID, Field("new_name", TEXT, required=True)),
        None,
        _may(EDIT),
    ),
    Op(
        "delete_experiment",
        "Mark an experiment and its runs deleted.",
        Route("POST", "experiments/delete"),
        (ID,),
        None,
        _may(MANAGE),
    ),
    Op(
        "restore_experiment",
        "Make a deleted experiment and its runs active again.",
        Route("POST", "experiments/restore"),
        (ID,),
        None,
        _may(MANAGE),
    ),
    Op(
        "set_experiment_tag",
        "Set a tag of an experiment.",
        Route("POST", "experiments/set-experiment-tag"),
        (ID, Whole("tag", EXPERIMENT_TAGS.item)),
        None,
        _may(EDIT),
        repeats=True,
    ),
    Op(
        "delete_experiment_tag",
        "Remove a tag of an experiment.",
        Route("POST", "experiments/delete-experiment-tag", since="3.0"),
        (ID, Field("key", TEXT, required=True)),
        None,
        _may(EDIT),
    ),
)
