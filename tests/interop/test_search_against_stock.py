"""Search gives the rows that stock MLflow gives, in its order, and refuses what it refuses.

So does the matcher, and so do the statements of each database, in which both search the same rows.

The interpreter with stock MLflow is named by `MILLSTREAM_STOCK_PYTHON`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
from pathlib import Path

import pytest
import sqlalchemy

from mlflow import MlflowClient
from mlflow.entities.experiment import Experiment, ExperimentTag
from mlflow.entities.registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunTag,
)
from mlflow.exceptions import MlflowException
from mlflow.search.match import page
from mlflow.search.parse import parse_filter, parse_order_by
from mlflow.store import locate
from tests.conftest import ALL

STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON")
SCRIPT = Path(__file__).with_name("search_in_stock.py")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter"),
]

CONDITIONS = {
    "runs": [
        "metrics.a = 1", "metrics.a != 1", "metrics.a > 0", "metrics.b < 0", "metric.a >= -3.5",
        "metrics.b <= 1e3", "metrics.`z/y` > .5", "metrics.nope > 0", "params.p = '10'",
        "params.p != '10'", "param.p LIKE 'a%'", "params.q ilike 'A%'", "parameters.p like '_'",
        "params.p LIKE '%'", "params.p like '.'", "params.q is null", "params.p IS NOT NULL",
        "tags.t = 'a'", "tag.t != 'x'", "tags.`a b` LIKE '%b%'", 'tags."a b" = "B"',
        "tags.t ILIKE 'A_B'", "tags.nope IS NULL", "status = 'FINISHED'", "status != 'running'",
        "attributes.status LIKE 'run%'", "attr.status ilike 'run%'", "start_time > 1001",
        "start_time >= 1000.5", "run.end_time < 2002", "end_time != 5", "Created <= 1002",
        "run_name = 'Run-1'", "attribute.`run name` ilike 'run-_'", "user_id != 'x'",
        "artifact_uri like '%artifacts'", "run_id like 'a%'", "run_id IN ('a')",
        "run_id not in ('a', 'b')", "datasets.name = 'd'", "dataset.digest != '1'",
        "datasets.context in ('train')", "datasets.name like '_'", "tags.mlflow.runName = 'Run-2'",
    ],
    "experiments": [
        "name = 'E1'", "name != 'E1'", "name LIKE 'e%'", "attribute.name ILIKE 'e%'",
        "experiment_id = '0'", "experiment_id IN ('0', '1')", "creation_time > 5", "tags.t = 'A'",
        "last_update_time >= 0", "tags.t != 'A'", "tag.t LIKE '_'", "tags.t is null",
        "tags.`x y` IS NOT NULL",
    ],
    "registered_models": [
        "name = 'M1'", "name != 'M1'", "name LIKE 'm%'", "name ilike 'M%'", "name IN ('M1','m2')",
        "name not in ('M1')", "tags.t = 'M2'", "tag.t != 'M2'", "tags.t ilike 'm%'",
        "tags.`mlflow.prompt.is_prompt` = 'true'", "tags.`mlflow.prompt.is_prompt` != 'true'",
        "tags.mlflow.prompt.is_prompt = 'false'", "name = 'prompt'",
    ],
    "model_versions": [
        "name = 'M1'", "name != 'M1'", "name in ('M1','m3')", "name LIKE 'm%'", "run_id != 'x'",
        "run_id LIKE '%'", "run_id in ('x')", "source_path = '/tmp/m2/1'",
        "source_path like '%/1'", "version_number = 1", "version_number > 1",
        "version_number != '2'", "tags.k = 'm2'", "tags.k != 'm2'", "tag.k LIKE 'M%'",
    ],
}  # fmt: skip
ORDERS = {
    "runs": ["metrics.a", "metrics.b", "metrics.`z/y`", "params.p", "params.q", "tags.t", "status",
             "attributes.Created", "end_time", "run_name", "run_id", "metrics.nope",
             "artifact_uri", "attribute.user_id"],
    "experiments": ["name", "experiment_id", "creation_time", "last_update_time"],
    "registered_models": ["name", "last_updated_timestamp"],
    "model_versions": ["name", "version_number", "creation_timestamp", "last_updated_timestamp"],
}  # fmt: skip
# Refused by both.
REFUSED = [
    "metrics.a == 1", "metrics.a <> 1", "metrics.a ~ 1", "metrics.a LIKE 1", "metrics.a > '1'",
    "metrics.a > inf", "metrics.a > 0x10", "metrics.a > 1_000", "metrics.a > 1 = 2", "params.a = 1",
    "params.a = x", "params.a > 'x'", "params.a = 'x", "params.x = ''' OR 1=1 --", "foo = 'x'",
    "foo.bar = 'x'", "attributes.foo = 'x'", "start_time > '5'", "start_time LIKE '5'",
    "run_id > 'a'", "run_id IN ()", "run_id IN (1)", "run_id IN (a)", "run_id IN ['a']",
    "datasets.foo = 'd'", "datasets.name > 'd'", "1 < metrics.a", "METRICS.a > 1", "metrics > 1",
    "metrics . a > 1", ".a > 1", "`metrics.a` > 1", "metrics.a > 1;", "tags.a is nul",
    "metrics.a > 1; DROP TABLE runs", "metrics.a > 1 -- x", "metrics.a /* x */ > 1",
    "run name = 'x'", "experiment_id = '0'", "lifecycle_stage = 'active'", "metrics.a",
    "params.a! = 'x'", "tags.a@b = 'x'",
]  # fmt: skip
# Ours alone; what they mean is tested elsewhere.
SUPERSET = [
    "metrics.a = 1 OR metrics.b = 2", "(metrics.a > 1)", "not metrics.a > 1", "   ",
    "metrics.a between 1 and 2", "metrics.a IS NULL", "end_time IS NULL", "params.a in ('x')",
    "params.a NOT LIKE 'x'", "status IN ('FINISHED')", "metrics.a/b > 1", "metrics.a-b > 1",
    "metrics.1 > 1", "params.from = 'x'", "tags.a IS  NOT  NULL", "metrics.a > +1", "tags.a:b = 'x'",
    "min(metrics.a) > 1", "run_name IN ('a')",
]  # fmt: skip
REFUSED_ORDERS = ["foo", "foo.bar", "metrics.a FOO", "metrics.a, metrics.b", "", "datasets.name",
                  "metrics.a; select 1", "duration", "experiment_id", "run name"]  # fmt: skip


# Where ours differs from stock on purpose: in which kind of store, for which searches, and why.
DIFFERENCES = [
    (
        "file",
        lambda search: any("experiment_id" in key for key in search["order_by"] or ()),
        "stock's files order ids of experiments as text, its databases and ours as numbers",
    ),
    (
        "mysql",
        lambda search: "like '_'" in (search["filter"] or ""),
        "in a pattern '_' is one character; stock on MySQL compares bytes, of which é has two",
    ),
]  # fmt: skip


def _difference(kind: str, search: dict) -> str | None:
    """Why the answers to a search may differ; None when they may not."""
    reasons = [reason for one, applies, reason in DIFFERENCES if one == kind and applies(search)]
    return reasons[0] if reasons else None


# How many searches are put together by chance, for each noun; a server answers stock slowly.
BY_CHANCE = {"file": 40, "sqlite": 40, "postgresql": 20, "mysql": 20}


def _searches(kind: str) -> list[dict]:
    chance = random.Random(kind)
    searches = []
    for noun, conditions in CONDITIONS.items():
        orders = [None, *([key] for key in ORDERS[noun]), *([f"{k} DESC"] for k in ORDERS[noun])]
        searches += [{"noun": noun, "filter": text, "order_by": None} for text in conditions]
        searches += [{"noun": noun, "filter": None, "order_by": order} for order in orders]
        for _ in range(BY_CHANCE[kind]):
            # Two opinions on what prompts are have no meaning in stock.
            some = [one for one in conditions if "is_prompt" not in one]
            text = chance.choice([" AND ", " and\n"]).join(
                chance.choices(some, k=chance.randint(1, 3))
            )
            keys = chance.sample(ORDERS[noun], 2 if noun == "runs" else 1)
            order = [f"{key} {chance.choice(['ASC', 'desc'])}" for key in keys]
            searches.append({"noun": noun, "filter": text, "order_by": order})
    # Stock reads stray ANDs so.
    for text in ("metrics.a > 0 AND", "AND metrics.a > 0", "metrics.a > 0 params.p = '9'"):
        searches.append({"noun": "runs", "filter": text, "order_by": None})
    return searches


def _refusals() -> list[dict]:
    return [{"noun": "runs", "filter": text, "order_by": None} for text in REFUSED] + [
        {"noun": "runs", "filter": None, "order_by": [text]} for text in REFUSED_ORDERS
    ]


def _superset() -> list[dict]:
    return [{"noun": "runs", "filter": text, "order_by": None} for text in SUPERSET]


# The drivers that stock MLflow asks for by these names.
STOCK_DRIVERS = {"postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql"}


def _address(kind: str, folder: Path, servers: dict) -> tuple[str, str]:
    """A new store of one kind: how we name it, and how stock does."""
    if kind in STOCK_DRIVERS:
        # Made by us, with our indexes, and filled by stock; the file is made by stock.
        uri = servers[kind].make()
        MlflowClient(uri, uri).search_experiments()
        stock = sqlalchemy.make_url(uri).set(drivername=STOCK_DRIVERS[kind])
        return uri, stock.render_as_string(hide_password=False)
    uri = (folder / "mlruns").as_uri() if kind == "file" else f"sqlite:///{folder}/m.db"
    return uri, uri


@pytest.fixture(
    scope="module",
    params=["file", "sqlite", "postgresql", "mysql"] if ALL else ["file", "postgresql"],
)
def stock(request, servers, tmp_path_factory):
    """What stock MLflow answers on a store of one kind, and what is in the store."""
    folder = tmp_path_factory.mktemp("stock")
    uri, stock_uri = _address(request.param, folder, servers)
    parts = {"searches": _searches(request.param), "refused": _refusals(), "superset": _superset()}
    asked = [search for part in parts.values() for search in part]
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    subprocess.run(
        [STOCK, SCRIPT, stock_uri, folder / "asked.json", folder / "answer.json"],
        check=True, cwd=folder, capture_output=True, text=True,
        env={**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true", "HOME": str(folder)},
    )  # fmt: skip
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    answers = iter(answer["answers"])
    return {
        "kind": request.param,
        "uri": uri,
        "experiments": answer["experiments"],
        **{name: [(one, next(answers)) for one in part] for name, part in parts.items()},
        "rows": {noun: _entities(noun, rows) for noun, rows in answer["content"].items()},
    }


def _entities(noun: str, rows: list[dict]) -> list:
    return [_BUILDERS[noun](row) for row in rows]


def _run(row):
    return Run(
        RunInfo(**row["info"]),
        RunData(
            [Metric(k, v, 1, 1) for k, v in row["metrics"].items()],
            [Param(*pair) for pair in row["params"].items()],
            [RunTag(*pair) for pair in row["tags"].items()],
        ),
        RunInputs(
            [
                DatasetInput(Dataset(name, digest, "local", "{}"), [InputTag(*t) for t in tags])
                for name, digest, tags in row["datasets"]
            ]
        ),
    )


_BUILDERS = {
    "runs": _run,
    "experiments": lambda row: Experiment(
        **{**row, "tags": [ExperimentTag(*pair) for pair in row["tags"].items()]}
    ),
    "registered_models": lambda row: RegisteredModel(
        **{**row, "tags": [RegisteredModelTag(*pair) for pair in row["tags"].items()]}
    ),
    "model_versions": lambda row: ModelVersion(
        **{**row, "tags": [ModelVersionTag(*pair) for pair in row["tags"].items()]}
    ),
}


def _identity(noun, row):
    if noun == "runs":
        return row.info.run_id
    if noun == "experiments":
        return row.experiment_id
    return row.name if noun == "registered_models" else f"{row.name}/{row.version}"


@pytest.fixture(scope="module")
def in_database(stock):
    """From a search to what our own client finds in the database that stock filled."""
    if stock["kind"] == "file":
        pytest.skip("files have the matcher alone")
    spec = importlib.util.spec_from_file_location("search_in_stock", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    client = MlflowClient(stock["uri"], stock["uri"])
    yield lambda search: script.ask(client, stock["experiments"], search)
    locate.forget()


def _ours(rows, search):
    noun = search["noun"]
    try:
        where = parse_filter(noun, search["filter"])
        order_by = parse_order_by(noun, search["order_by"])
    except MlflowException as error:
        return {"error": error.error_code}
    found, token = page(noun, rows[noun], where, order_by, 1000)
    assert token is None
    return {"ids": [_identity(noun, row) for row in found]}


def _unlike(stock, part, ours) -> list:
    """The searches of a part whose answers differ, with both."""
    asked = [(search, theirs, ours(search)) for search, theirs in stock[part]]
    return [one for one in asked if one[1].get("ids") != one[2].get("ids")]


def _unexplained(stock, unlike) -> list:
    return [one for one in unlike if _difference(stock["kind"], one[0]) is None]


def test_the_same_rows_in_the_same_order(stock):
    """What stock answers, the matcher answers, row for row."""
    assert all("ids" in theirs for _, theirs in stock["searches"])
    unlike = _unlike(stock, "searches", lambda search: _ours(stock["rows"], search))

    assert [] == _unexplained(stock, unlike)[:3]
    # Whether numbers and texts differ in order is chance with the ids that files get.
    if stock["kind"] != "file":
        assert {_difference(stock["kind"], search) for search, *_ in unlike} == {
            reason for kind, _, reason in DIFFERENCES if kind == stock["kind"]
        }


def test_the_same_rows_of_the_same_database(stock, in_database):
    """Both search one database, page by page, and find the same rows in the same order."""
    unlike = _unlike(stock, "searches", in_database)

    assert [] == _unexplained(stock, unlike)[:3]


def test_the_same_refusals(stock):
    """What stock refuses, other than what our grammar adds, we refuse."""
    for search, theirs in stock["refused"]:
        assert "error" in theirs, (search, theirs)
        assert {"error": "INVALID_PARAMETER_VALUE"} == _ours(stock["rows"], search), search


def test_the_superset_is_one(stock):
    """Each form that we add is refused by stock, so nothing it understands has changed."""
    for search, theirs in stock["superset"]:
        assert "error" in theirs, (search, theirs)
        assert parse_filter("runs", search["filter"]) is not None or not search["filter"].strip()
