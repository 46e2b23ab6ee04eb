"""Search gives the rows that stock MLflow gives, in its order, and refuses what it refuses.

The interpreter with stock MLflow is named by `MILLSTREAM_STOCK_PYTHON`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

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


def _searches() -> list[dict]:
    chance = random.Random(11)
    searches = []
    for noun, conditions in CONDITIONS.items():
        orders = [None, *([key] for key in ORDERS[noun]), *([f"{k} DESC"] for k in ORDERS[noun])]
        searches += [{"noun": noun, "filter": text, "order_by": None} for text in conditions]
        searches += [{"noun": noun, "filter": None, "order_by": order} for order in orders]
        for _ in range(60):
            # Two opinions on what prompts are have no meaning in stock.
            some = [one for one in conditions if "is_prompt" not in one]
            text = chance.choice([" AND ", " and\n"]).join(chance.choices(some, k=2))
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


@pytest.fixture(scope="module", params=["file", "sqlite"])
def stock(request, tmp_path_factory):
    """What stock MLflow answers on a store of one kind, and what is in the store."""
    folder = tmp_path_factory.mktemp("stock")
    uri = (folder / "mlruns").as_uri() if request.param == "file" else f"sqlite:///{folder}/m.db"
    asked = _searches() + _refusals() + [
        {"noun": "runs", "filter": text, "order_by": None} for text in SUPERSET
    ]  # fmt: skip
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    subprocess.run(
        [STOCK, SCRIPT, uri, folder / "asked.json", folder / "answer.json"],
        check=True, cwd=folder, capture_output=True, text=True,
        env={**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true", "HOME": str(folder)},
    )  # fmt: skip
    answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    return {
        "kind": request.param,
        "answers": list(zip(asked, answer["answers"], strict=True)),
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


def _is_known_difference(kind: str, search: dict) -> bool:
    """Whether stock's own stores differ among themselves, and we follow the other one."""
    text, orders = search["filter"] or "", search["order_by"] or []
    lower_case = any(f" {word} " in text for word in ("like", "ilike", "in", "not in"))
    if kind == "sqlite":
        # SQL experiments want their operators in capitals, and their ids are numbers.
        return search["noun"] == "experiments" and (lower_case or "experiment_id" in text)
    # Ids of its experiments are long random numbers, ordered as text.
    return any("experiment_id" in order for order in orders)


def test_the_same_rows_in_the_same_order(stock):
    """What stock answers, we answer, row for row."""
    compared, different = 0, []
    for search, theirs in stock["answers"][: len(_searches())]:
        if "ids" not in theirs:
            assert _is_known_difference(stock["kind"], search), (search, theirs)
            continue
        if _is_known_difference(stock["kind"], search):
            continue
        compared += 1
        ours = _ours(stock["rows"], search)
        if ours != theirs:
            different.append((search, theirs, ours))

    assert [] == different[:3]
    assert len(_searches()) - compared <= 20


def test_the_same_refusals(stock):
    """What stock refuses, other than what our grammar adds, we refuse."""
    start = len(_searches())
    for search, theirs in stock["answers"][start : start + len(_refusals())]:
        assert "error" in theirs, (search, theirs)
        assert {"error": "INVALID_PARAMETER_VALUE"} == _ours(stock["rows"], search), search


def test_the_superset_is_one(stock):
    """Each form that we add is refused by stock, so nothing it understands has changed."""
    for search, theirs in stock["answers"][len(_searches()) + len(_refusals()) :]:
        assert "error" in theirs, (search, theirs)
        assert parse_filter("runs", search["filter"]) is not None or not search["filter"].strip()
