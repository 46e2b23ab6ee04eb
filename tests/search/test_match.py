"""Filtering, ordering and paging of entities: the plain path that the others must equal."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.entities.experiment import Experiment, ExperimentTag
from mlflow.entities.logged_models import LoggedModel
from mlflow.entities.registry import ModelVersion, ModelVersionTag, RegisteredModel
from mlflow.entities.run import Metric, Param, Run, RunData, RunInfo, RunTag
from mlflow.exceptions import MlflowException
from mlflow.search.match import page, predicate
from mlflow.search.parse import parse_filter, parse_order_by

INF, NAN = math.inf, math.nan


def run(run_id, start=0, metrics=(), params=(), tags=(), end=None, status="RUNNING"):
    return Run(
        RunInfo(str(run_id), "0", "u", status, start, end, "active", "uri", f"Run-{run_id}"),
        RunData(
            [Metric(key, value, 1, 1) for key, value in dict(metrics).items()],
            [Param(key, value) for key, value in dict(params).items()],
            [RunTag(key, value) for key, value in dict(tags).items()],
        ),
    )


VALUES = [1.0, NAN, None, INF, -INF, 2.0, 1.0, -3.5]
PARAMS = ["10", "9", "a", "B", None, ".", "%", "a_b"]
RUNS = [
    run(
        i,
        start=1000 + i % 3,
        metrics={} if value is None else {"a": value},
        params={} if PARAMS[i] is None else {"p": PARAMS[i]},
        tags={"t": f"V{i % 3}"} | ({"line": "a\nb"} if i == 2 else {}),
        end=2000 - i if i in (1, 5) else None,
        status="FINISHED" if i in (1, 5) else "RUNNING",
    )
    for i, value in enumerate(VALUES)
]
ALL = [2, 5, 1, 4, 7, 0, 3, 6]


def found(text=None, order_by=None, rows=RUNS, **options):
    rows, _ = page(
        "runs", rows, parse_filter("runs", text), parse_order_by("runs", order_by), 100, **options
    )
    return [int(row.info.run_id) for row in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ALL),
        ("metrics.a = 1", [0, 6]),
        ("metrics.a != 1", [5, 1, 4, 7, 3]),
        ("metrics.a >= -3.5", [5, 7, 0, 3, 6]),
        ("metrics.a <= 100000", [5, 4, 7, 0, 6]),
        ("metrics.a > 1e400", []),
        ("not metrics.a > 0", [2, 1, 4, 7]),
        ("metrics.a is null", [2]),
        ("metrics.a is not null", [5, 1, 4, 7, 0, 3, 6]),
        ("metrics.a between 1 and 2", [5, 0, 6]),
        ("metrics.a not between 1 and 2", [4, 7, 3]),
        ("metrics.a in (1, 2)", [5, 0, 6]),
        ("metrics.a not in (1, 2)", [1, 4, 7, 3]),
        ("params.p != '10'", [2, 5, 1, 7, 3, 6]),
        ("not params.p = '10'", [2, 5, 1, 4, 7, 3, 6]),
        ("params.p like 'a%'", [2, 7]),
        ("params.p like 'A%'", []),
        ("params.p ilike 'A%'", [2, 7]),
        ("params.p not like 'a%'", [5, 1, 0, 3, 6]),
        ("params.p like 'a_b'", [7]),
        ("params.p like '_'", [2, 5, 1, 3, 6]),
        ("params.p is null", [4]),
        ("params.p in ('9', 'B')", [1, 3]),
        ("tags.line like 'a%b'", [2]),
        ("tags.t = 'v1'", []),
        ("status = 'FINISHED'", [5, 1]),
        ("status ilike 'run%'", [2, 4, 7, 0, 3, 6]),
        ("end_time > 1", [5, 1]),
        ("end_time is null", [2, 4, 7, 0, 3, 6]),
        ("start_time >= 1000.5", [2, 5, 1, 4, 7]),
        ("start_time < 99999999999999999999", ALL),
        ("run_id not in ('0', '3')", [2, 5, 1, 4, 7, 6]),
        ("datasets.name != 'd'", []),
        ("metrics.a > 0 and params.p is not null", [5, 0, 3, 6]),
        ("metrics.a = 2 or tags.t = 'V0' and params.p = 'B'", [5, 3]),
    ],
)
def test_filters_of_runs(text, expected):
    """A missing key never matches, not even `!=`; NaN compares as IEEE 754 says."""
    assert expected == found(text)


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        (["metrics.a"], [4, 7, 0, 6, 5, 3, 1, 2]),
        (["metrics.a DESC"], [3, 5, 0, 6, 7, 4, 1, 2]),
        (["params.p"], [6, 5, 0, 1, 3, 2, 7, 4]),
        (["params.p DESC"], [7, 2, 3, 1, 0, 5, 6, 4]),
        (["tags.t", "params.p desc"], [3, 0, 6, 7, 1, 4, 2, 5]),
        (["start_time"], [0, 3, 6, 1, 4, 7, 2, 5]),
        (["end_time"], [5, 1, 2, 4, 7, 0, 3, 6]),
        (["end_time desc"], [1, 5, 2, 4, 7, 0, 3, 6]),
        (["metrics.nope"], ALL),
        (["run_name desc"], [7, 6, 5, 4, 3, 2, 1, 0]),
    ],
)
def test_orders_of_runs(order_by, expected):
    """NaN then missing come last in both directions; newer runs first, then by id."""
    assert expected == found(order_by=order_by)


HISTORY = {"0": [3.0, 1.0], "3": [2.0], "5": [NAN]}


def _history(of, key):
    values = HISTORY.get(of.info.run_id, ()) if key == "h" else ()
    return [Metric(key, value, step, step) for step, value in enumerate(values)]


@pytest.mark.parametrize(
    ("text", "order_by", "expected"),
    [
        ("min(metrics.h) < 2", None, [0]),
        ("metrics.`h`.count = 1", None, [5, 3]),
        ("metrics.`h`.first >= 2", None, [0, 3]),
        ("metrics.`h`.max is null", None, [2, 1, 4, 7, 6]),
        (None, ["max(metrics.h) desc"], [0, 3, 5, 2, 1, 4, 7, 6]),
        ("metrics.`h`.max is not null", ["last(metrics.h)"], [0, 3, 5]),
    ],
)
def test_aggregates_use_the_history(text, order_by, expected):
    """Aggregates are filtered and ordered by like any number."""
    assert expected == found(text, order_by, history=_history)


def test_aggregates_without_a_history_are_refused():
    """A store that has none says so."""
    with pytest.raises(MlflowException, match="cannot search by") as error:
        predicate("runs", parse_filter("runs", "min(metrics.a) > 1"))
    assert "NOT_IMPLEMENTED" == error.value.error_code


def _names(noun, rows, text=None, order_by=None, key=lambda row: row.name):
    rows, _ = page(noun, rows, parse_filter(noun, text), parse_order_by(noun, order_by), 100)
    return [key(row) for row in rows]


EXPERIMENTS = [
    Experiment("0", "Default", "", "active", [], 10, 10),
    Experiment("10", "E1", "", "active", [ExperimentTag("t", "A")], 30, 40),
    Experiment("9", "e2", "", "active", [ExperimentTag("t", "b")], 30, None),
]


@pytest.mark.parametrize(
    ("text", "order_by", "expected"),
    [
        (None, None, ["e2", "E1", "Default"]),
        ("name ilike 'e%'", ["name"], ["E1", "e2"]),
        ("tags.t is null", None, ["Default"]),
        ("tags.t != 'A'", None, ["e2"]),
        (None, ["experiment_id"], ["Default", "e2", "E1"]),
        (None, ["last_update_time desc"], ["E1", "Default", "e2"]),
        ("experiment_id in ('10', '0')", None, ["E1", "Default"]),
    ],
)
def test_experiments(text, order_by, expected):
    """Newest first, then by the number of the id; missing times last."""
    assert expected == _names("experiments", EXPERIMENTS, text, order_by)


def _prompt(name):
    model = RegisteredModel(name, 5, 5)
    model._tags["mlflow.prompt.is_prompt"] = "true"
    return model


MODELS = [RegisteredModel("m2", 2, 9), RegisteredModel("M1", 3, 9), _prompt("pr")]


@pytest.mark.parametrize(
    ("text", "order_by", "expected"),
    [
        (None, None, ["M1", "m2"]),
        ("name ilike 'M%'", ["name desc"], ["m2", "M1"]),
        (None, ["timestamp"], ["M1", "m2"]),
        (None, ["creation_timestamp"], ["m2", "M1"]),
        ("tags.`mlflow.prompt.is_prompt` = 'true'", None, ["pr"]),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", None, ["M1", "m2"]),
        ("name = 'pr'", None, []),
    ],
)
def test_registered_models(text, order_by, expected):
    """By name; prompts only when asked for."""
    assert expected == _names("registered_models", MODELS, text, order_by)


VERSIONS = [
    ModelVersion("m", str(number), 1, 5, source=f"/s/{number}", run_id="r" if number == 2 else "",
                 tags=[ModelVersionTag("k", "v")] if number == 10 else [])
    for number in (1, 2, 10)
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "order_by", "expected"),
    [
        (None, None, ["10", "2", "1"]),
        (None, ["version_number"], ["1", "2", "10"]),
        (None, ["creation_timestamp"], ["10", "2", "1"]),
        ("version_number > 1.5", None, ["10", "2"]),
        ("version_number = '2'", None, ["2"]),
        ("version_number in (1, 10)", None, ["10", "1"]),
        ("run_id != 'x'", None, ["2"]),
        ("run_id is null", None, ["10", "1"]),
        ("source_path like '%/1_'", None, ["10"]),
        ("tags.k = 'v'", None, ["10"]),
    ],
)
def test_model_versions(text, order_by, expected):
    """Latest update first, then name, then the highest number."""
    names = _names("model_versions", VERSIONS, text, order_by, lambda row: row.version)

    assert expected == names


LOGGED = [
    LoggedModel("0", f"m-{i}", f"lm{i % 2}", "uri", 100 + i, 100, metrics=[
        Metric("acc", value, 1, 0, dataset_name="d" if i else None, dataset_digest="1")
        for value in values
    ])
    for i, values in enumerate([[0.5], [NAN], [2.0, 9.0], []])
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "order_by", "datasets", "expected"),
    [
        (None, None, None, ["m-3", "m-2", "m-1", "m-0"]),
        ("metrics.acc < 3", None, None, ["m-2", "m-0"]),
        ("metrics.acc > 0", None, [{"dataset_name": "d"}], ["m-2"]),
        (None, None, [{"dataset_name": "d", "dataset_digest": "1"}], ["m-2", "m-1"]),
        (None, [{"field_name": "metrics.acc"}], None, ["m-0", "m-2", "m-1", "m-3"]),
        (None, ["name", "metrics.acc desc"], None, ["m-2", "m-0", "m-1", "m-3"]),
        ("status = 'READY' and name = 'lm1'", None, None, ["m-3", "m-1"]),
    ],
)
def test_logged_models(text, order_by, datasets, expected):
    """One of the metrics of a key suffices; the latest is ordered by."""
    where = parse_filter("logged_models", text, datasets)
    rows, _ = page("logged_models", LOGGED, where, parse_order_by("logged_models", order_by), 9)

    assert expected == [row.model_id for row in rows]


# ── paging ──

CELLS = st.sampled_from([None, NAN, INF, -INF, 0.0, -0.0, 1.0, 2.5])
ROWS = st.lists(
    st.tuples(
        CELLS, st.sampled_from([None, "", "a", "é", "B"]), st.integers(0, 2), st.none() | st.just(7)
    ),
    max_size=25,
).map(
    lambda rows: [
        run(
            i,
            start=start,
            end=end,
            metrics={} if value is None else {"a": value},
            params={} if text is None else {"p": text},
        )
        for i, (value, text, start, end) in enumerate(rows)
    ]
)
ORDERS = st.lists(
    st.sampled_from(["metrics.a", "params.p", "end_time", "start_time", "run_id", "status"]),
    unique=True,
    max_size=3,
).flatmap(lambda keys: st.tuples(*(st.sampled_from([f"{key} ASC", f"{key} DESC"]) for key in keys)))


def _pages(rows, order_by, size):
    where, order = parse_filter("runs", "run_id != '3'"), parse_order_by("runs", list(order_by))
    result, token = [], None
    while True:
        part, token = page("runs", rows, where, order, size, token)
        assert len(part) <= size
        result += [row.info.run_id for row in part]
        if token is None:
            return result


@given(ROWS, ORDERS, st.integers(1, 7), st.randoms())
def test_pages_make_up_the_whole(rows, order_by, size, chance):
    """However the rows come and however small the pages, the order is one and the same."""
    shuffled = list(rows)
    chance.shuffle(shuffled)

    whole = _pages(rows, order_by, 1000)
    assert len(whole) == len(set(whole)) == len([r for r in rows if r.info.run_id != "3"])
    assert whole == _pages(shuffled, order_by, size)


def test_keyset_pages_do_not_shift():
    """A run that arrives at the front does not make the next page repeat a row."""
    order = parse_order_by("runs", None)
    first, token = page("runs", RUNS, None, order, 3)
    second, _ = page("runs", [run(99, start=5000), *RUNS], None, order, 3, token)

    ids = [int(row.info.run_id) for row in (*first, *second)]
    assert ALL[:6] == ids


def test_stock_offsets_are_followed():
    """A token of stock MLflow skips rows, and the next token is ours."""
    order = parse_order_by("runs", None)
    rows, token = page("runs", RUNS, None, order, 2, "eyJvZmZzZXQiOiAzfQ==")
    rest, end = page("runs", RUNS, None, order, 100, token)

    assert ALL[3:] == [int(row.info.run_id) for row in (*rows, *rest)]
    assert end is None


def test_tokens_are_bound_to_the_search():
    """Another filter, order, noun or set of experiments refuses the token; no size does."""
    order = parse_order_by("runs", None)
    _, token = page("runs", RUNS, None, order, 2, query=(["0"], 1))

    assert 6 == len(page("runs", RUNS, None, order, 9, token, query=(["0"], 1))[0])
    for where, by, query in (
        (parse_filter("runs", "end_time > 1"), order, (["0"], 1)),
        (None, parse_order_by("runs", "start_time"), (["0"], 1)),
        (None, order, (["1"], 1)),
        (None, order, (["0"], 3)),
    ):
        with pytest.raises(MlflowException, match="Invalid page token"):
            page("runs", RUNS, where, by, 2, token, query=query)


def test_no_size_is_everything():
    """None asks for all rows; the last page has no token."""
    rows, token = page("runs", RUNS, None, parse_order_by("runs", None), None)

    assert (ALL, None) == ([int(row.info.run_id) for row in rows], token)
    assert page("runs", RUNS, None, parse_order_by("runs", None), len(RUNS))[1] is None
