"""Searches on real databases: pages and tokens, limits, and text that means harm."""

from __future__ import annotations

import base64
import itertools
import json
import math

import pytest
from sqlalchemy import event

from mlflow.entities.run import Dataset, DatasetInput, InputTag, Metric, Param, RunInfo, RunTag
from mlflow.exceptions import MlflowException
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store.backends.base import Query
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.sql import SqlBackend
from tests.databases import on_every_database

pytestmark = on_every_database

COUNT = 12
LOSSES = [1.0, math.nan, 0.5, None, math.inf, -math.inf, 0.5, 2.0, None, -0.25, 1.0, 1e308]


@pytest.fixture
def backend(sql_uri):
    backend = SqlBackend(sql_uri)
    yield backend
    backend.close()


def fill(backend):
    """Put the same runs, with the same ids, in a store."""
    for number in range(COUNT):
        run_id = f"{number:032x}"
        end = None if number % 3 else 50 - number
        info = RunInfo(
            run_id, "0", "ada", "RUNNING", 10 + number % 4, end, "active", "/a", f"Run {number}"
        )
        backend.insert_run(info, [RunTag("t", f"v{number % 5}")])
        loss = LOSSES[number]
        points = (
            [] if loss is None else [Metric("loss", loss, 1, 0), Metric("n", float(number), 2, 1)]
        )
        backend.write_batch(run_id, points, [Param("p", "xyz"[number % 3])], [])
    return backend


def query(text=None, order_by=None, size=1000, token=None):
    return Query(parse_filter("runs", text), parse_order_by("runs", order_by), size, token)


def found(backend, text=None, order_by=None, **options):
    page = backend.search_runs(["0"], 1, query(text, order_by, **options))
    return [int(run.info.run_id, 16) for run in page]


SEARCHES = [
    (None, None),
    (None, ["metrics.loss"]),
    (None, ["metrics.loss DESC"]),
    (None, ["params.p DESC", "metrics.n"]),
    (None, ["end_time"]),
    (None, ["end_time DESC"]),
    (None, ["tags.t", "start_time ASC"]),
    (None, ["count(metrics.loss)", "run_name"]),
    ("metrics.loss > 0 and params.p != 'y'", ["metrics.loss"]),
    ("tags.t ILIKE 'V_' and not params.p = 'x'", ["metrics.nope"]),
]


def test_the_tokens_are_those_of_other_stores(backend):
    """Page by page the memory store has the same runs and the same token, whoever wrote it."""
    fill(backend)
    memory = fill(MemoryBackend())
    for text, order_by in SEARCHES:
        _same_pages(backend, memory, text, order_by)


def _same_pages(backend, memory, text, order_by):
    token, pages = None, 0
    while pages == 0 or token:
        asked = query(text, order_by, size=5, token=token)
        ours = backend.search_runs(["0"], 1, asked)
        theirs = memory.search_runs(["0"], 1, asked)
        assert [run.info.run_id for run in theirs] == [run.info.run_id for run in ours]
        assert theirs.token == ours.token
        token, pages = ours.token, pages + 1


def offset(number):
    return base64.b64encode(json.dumps({"offset": number}).encode()).decode()


def test_tokens_of_stock_are_followed(backend):
    """`{"offset": N}` leaves out N runs, those included that have no value or NaN."""
    fill(backend)
    for text, order_by in SEARCHES:
        everything = found(backend, text, order_by)
        for number in (0, 4, 9, 11, 12, 2**53):
            page = found(backend, text, order_by, size=3, token=offset(number))
            assert everything[number : number + 3] == page


CELLS = [
    [0, 2**80], [0, -(2**80)], [0, 1e300], [0, 1.5], [0, True], [0, "\0"], [0, "\ud800"], [0, "x" * 9000],
    [1, None], [2, None], [0, None], [3, None], [0, []], "x", [0, float("inf")], [0, "-1"],
]  # fmt: skip


def test_forged_tokens_are_data(backend):
    """Whatever a token says, it is refused or starts a page of the same runs somewhere."""
    fill(backend)
    for order_by in (["metrics.loss"], ["params.p", "end_time DESC"], ["run_name"]):
        everything = set(found(backend, None, order_by))
        token = backend.search_runs(["0"], 1, query(None, order_by, size=2)).token
        content = json.loads(base64.urlsafe_b64decode(token))
        for place, cell in itertools.product(range(len(content["after"])), CELLS):
            cells = [*content["after"]]
            cells[place] = cell
            forged = base64.urlsafe_b64encode(json.dumps({**content, "after": cells}).encode())
            try:
                assert set(found(backend, None, order_by, token=forged.decode())) <= everything
            except MlflowException as error:
                assert error.error_code == "INVALID_PARAMETER_VALUE"


# ── limits of the grammar, and of databases ──


def test_the_largest_filters(backend):
    """As many conditions, as deep and with as long lists as the grammar allows."""
    fill(backend)
    names = ["metrics.loss > 5e307", "params.p = 'y'", "tags.t != 'v1'", "start_time > 12"]
    many = " OR ".join(f"tags.t{n} = 'x' OR {names[n % 4]}" for n in range(100))
    deep = "(" * 60 + "params.p = 'y'" + " OR tags.t = 'v1') AND tags.t != 'v2')" * 30
    nots = "NOT (" * 30 + "params.p = 'y'" + " OR metrics.loss > 0)" * 30
    texts = ", ".join(f"'v{place}'" for place in range(9000))
    numbers = ",".join(str(place) for place in range(10_000))
    long = f"params.p = '{'x' * 250_000}' OR params.p LIKE '%{'x%' * 3000}'"
    lists = " AND ".join([f"metrics.n IN ({numbers})"] * 5)
    # Databases that join all of these take hours to choose in which order.
    keys = " AND ".join(f"metrics.m{n} > 0 AND dataset.name LIKE 'd{n}%'" for n in range(100))
    memory = fill(MemoryBackend())
    for text in (
        many, deep, nots, f"tags.t IN ({texts})", f"NOT tags.t IN ({texts})", long, lists, keys,
    ):  # fmt: skip
        assert found(memory, text) == found(backend, text)


def test_many_experiments(backend):
    """More than a statement may bind, some of them no ids at all."""
    fill(backend)
    ids = [str(number) for number in range(40_000)] + ["x", "", "-1", "00", "9" * 40, "٣"]
    page = backend.search_runs(ids, 1, query("params.p = 'y'"))
    assert {number for number in range(COUNT) if number % 3 == 1} == {
        int(run.info.run_id, 16) for run in page
    }
    assert [] == backend.search_logged_models(
        ids, Query(None, parse_order_by("logged_models", None), 5)
    )


# ── text that means harm ──

MARK = "zqxj"
NASTY = [
    "'", '"', "`", "\\", "%", "_", "'; DROP TABLE runs; --", "/* x */", "-- x", "?", ":a", "%s", "%(a)s",
    "\0", "\ud800", "x" * 60_000, "' OR '1'='1", "\\'", "$1", "{}", "\n", "\u2028",
]  # fmt: skip


class Seen:
    """The statements that a backend sends, and what it binds."""

    def __init__(self, backend):
        self.statements = []
        event.listen(backend._database.engine, "before_cursor_execute", self._see)

    def _see(self, connection, cursor, statement, parameters, context, many):
        self.statements.append(statement)


def quoted(text):
    """A value as the grammar writes it; None where it cannot be written."""
    for quote in "'\"":
        if quote not in text:
            return f"{quote}{text}{quote}"
    return None


def test_no_text_of_users_gets_into_a_statement(backend):
    """Keys and values of filters and orders are bound, whatever they are, in every search."""
    fill(backend)
    seen = Seen(backend)
    for nasty in NASTY:
        _search_everything(backend, nasty)

    assert len(seen.statements) > 5 * len(NASTY)
    assert not any(MARK in statement for statement in seen.statements)
    assert COUNT == len(found(backend))


def _search_everything(backend, nasty):
    text = MARK + nasty
    value, key = quoted(text), None if "`" in text else f"`{text}`"
    filters = []
    if value is not None:
        filters += [
            f"params.p = {value} or tags.t != {value} or run_name LIKE {value}",
            f"status ILIKE {value} or params.p NOT LIKE {value} or tags.t IN ({value}, 'x')",
            f"datasets.name = {value} or datasets.context LIKE {value}",
        ]
    if key is not None:
        filters += [
            f"params.{key} = 'x' or metrics.{key} > 1",
            f"min(metrics.{key}) > 1 or tags.{key} IS NULL",
        ]
    for filter_string in filters:
        found(backend, filter_string)
    orders = (
        []
        if key is None
        else [[f"params.{key}"], [f"metrics.{key} DESC"], ["tags.t", f"max(metrics.{key})"]]
    )
    for order_by in orders:
        assert set(range(COUNT)) == set(found(backend, None, order_by))
    _search_the_others(backend, value, key)


def _search_the_others(backend, value, key):
    for noun, search in (
        ("experiments", lambda asked: backend.search_experiments(3, asked)),
        ("logged_models", lambda asked: backend.search_logged_models(["0"], asked)),
        ("registered_models", backend.search_registered_models),
        ("model_versions", backend.search_model_versions),
    ):
        parts = [f"name = {value}", f"name LIKE {value}"] if value else []
        parts += [f"tags.{key} != 'x'", f"tags.{key} LIKE 'x'"] if key else []
        search(Query(parse_filter(noun, " OR ".join(parts)), parse_order_by(noun, None), 5))
    if value is not None:
        scope = [{"dataset_name": value[1:-1], "dataset_digest": value[1:-1]}]
        where = parse_filter("logged_models", "metrics.a > 1", scope)
        order = parse_order_by(
            "logged_models", [{"field_name": "metrics.a", "dataset_name": value[1:-1]}]
        )
        assert [] == backend.search_logged_models(["0"], Query(where, order, 5))


def test_what_is_stored_is_found_by_its_text(backend):
    """Nasty keys and values that a store holds match themselves and nothing else."""
    fill(backend)
    kept = [text for text in NASTY if len(text) < 100 and not {"\0", "\ud800"} & set(text)]
    for number, text in zip(range(COUNT), kept, strict=False):
        backend.write_batch(f"{number:032x}", [], [Param("nasty", text)], [RunTag("nasty", text)])
    for number, text in zip(range(COUNT), kept, strict=False):
        value = quoted(text)
        if value is not None:
            assert [number] == found(backend, f"params.nasty = {value}")
            assert [number] == found(backend, f"tags.nasty IN ({value})")


def test_datasets_of_runs(backend):
    """One dataset must satisfy one condition; two conditions may be met by two datasets."""
    fill(backend)
    for number, (name, context) in enumerate([("d", "train"), ("D", "test"), ("d", None)]):
        tags = [] if context is None else [InputTag("mlflow.data.context", context)]
        dataset = Dataset(name, str(number), "local", "{}")
        backend.write_inputs(f"{number:032x}", [DatasetInput(dataset, tags)], [])
    assert {0, 2} == set(found(backend, "datasets.name = 'd'"))
    assert {1} == set(found(backend, "datasets.name = 'D' and datasets.context LIKE 'te%'"))
    assert {0, 1} == set(found(backend, "datasets.context IS NOT NULL"))
    assert {0, 1, 2} == set(found(backend, "NOT datasets.name IS NULL"))
