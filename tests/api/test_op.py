"""One declaration serves both ends: what a client writes, a server reads."""

from __future__ import annotations

import pytest

from mlflow.api.op import CREATE, READ, STORE, Op, Page, Permission, Reply, Route, Whole
from mlflow.api.table import OPERATIONS
from mlflow.api.wire import INT64, TEXT, Field, Many, Pair, Pairs, UnreadableError
from mlflow.entities.paged_list import PagedList
from mlflow.entities.run import Metric, RunTag
from mlflow.exceptions import MlflowException

BY_NAME = {op.name: op for op in OPERATIONS}
TAG = Pairs(Pair("RunTag", RunTag))
OP = Op(
    "do",
    "Do it.",
    Route("POST", "do/{run_id}"),
    (
        Field("run_id", TEXT, required=True),
        Whole("tag", TAG.item),
        Field("filter", TEXT, argument="filter_string"),
        Field("max_results", INT64, default=7),
        Field("end", INT64, default=None),
    ),
    Page("runs", TEXT),
    Permission(READ, STORE),
)


def test_arguments_of_a_request():
    """Fields become arguments; those that are absent get what is declared, or are left out."""
    found = OP.arguments({"run_id": "r", "key": "k", "value": "v", "maxResults": "3"})

    assert {"run_id": "r", "tag": RunTag("k", "v"), "max_results": 3, "end": None} == found
    assert 7 == OP.arguments({"run_id": "r", "key": "k"})["max_results"]


def test_a_request_of_arguments():
    """None is left out; several fields come of one argument."""
    made = OP.request({"run_id": "r", "tag": RunTag("k", "v"), "filter_string": "f", "end": None})

    assert {"run_id": "r", "key": "k", "value": "v", "filter": "f"} == made


def test_refusals_name_the_field():
    """On both ends."""
    with pytest.raises(MlflowException, match="parameter 'key'") as caught:
        OP.arguments({"run_id": "r"})
    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code
    with pytest.raises(MlflowException, match="parameter 'max_results'"):
        OP.request({"run_id": "r", "tag": RunTag("k", "v"), "max_results": "x"})
    with pytest.raises(MlflowException, match="parameter 'value'"):
        BY_NAME["log_metric"].request({"run_id": "r", "metric": Metric("m", "1.5", 1, 0)})
    with pytest.raises(MlflowException, match=r"parameter 'metrics\[1\].value'"):
        BY_NAME["log_batch"].request(
            {"run_id": "r", "metrics": [Metric("m", 1.0, 1, 0), Metric("m", True, 1, 0)]}
        )


def test_pages():
    """A page has a token unless it is the last."""
    assert {"runs": ["a"], "next_page_token": "t"} == OP.answer(PagedList(["a"], "t"), {})
    assert {} == OP.answer(PagedList([], None), {})
    page = OP.result({"runs": ["a"], "next_page_token": "t"})
    assert (["a"], "t") == (list(page), page.token)
    assert ([], None) == (list(OP.result({})), OP.result({"next_page_token": ""}).token)


def test_what_is_not_there():
    """A result of None is an error where it stands for an absent thing."""
    reply = Reply("experiment", TEXT, absent="no '{name}'")
    with pytest.raises(MlflowException, match="no 'x'") as caught:
        reply.write(None, {"name": "x"})

    assert "RESOURCE_DOES_NOT_EXIST" == caught.value.error_code


def test_an_answer_that_is_none():
    """What a server must say and does not is seen."""
    with pytest.raises(UnreadableError):
        Reply("run", TEXT).read({})
    with pytest.raises(UnreadableError) as caught:
        Reply("runs", Many(TEXT)).read({"runs": ["a", 3]})
    assert "runs[1]" == caught.value.path


def test_permissions_and_routes():
    """What is read changes nothing; a route knows the names in its path."""
    assert not OP.writes
    assert Permission(CREATE, STORE).writes
    assert ("run_id",) == OP.routes[0].names
    assert "POST do/{run_id}" == repr(OP.routes[0])
    assert "Permission('read', 'store', None)" == repr(OP.permission)
