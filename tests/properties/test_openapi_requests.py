"""Requests made from the OpenAPI document: none breaks the server, and answers are as it says.

What the document allows is drawn from it by a few strategies: its schemas use one small part of
JSON Schema, which the first test holds it to.
"""

from __future__ import annotations

import json
import re

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlflow.api.openapi import document
from mlflow.entities.logged_models import LoggedModelTag
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore
from tests.conftest import FULL
from tests.server.asking import Client

DOCUMENT = document()
OPERATIONS = [
    (method, path, one)
    for path, methods in DOCUMENT["paths"].items()
    for method, one in methods.items()
]
IDS = [one["operationId"] for _, _, one in OPERATIONS]
WORDS = {
    "type",
    "format",
    "minimum",
    "maximum",
    "enum",
    "items",
    "properties",
    "required",
    "$ref",
    "oneOf",
}
EXAMPLES = settings(
    max_examples=25 if FULL else 6, suppress_health_check=list(HealthCheck), database=None
)
# Things that are there, so that requests get past the door.
RUN, MODEL = "0" * 31 + "1", "m-" + "0" * 31 + "1"
KNOWN = {"run_id": [RUN], "experiment_id": ["0", "1"], "experiment_ids": ["0"], "name": ["M"],
         "version": ["1", "2"], "alias": ["a"], "model_id": [MODEL], "key": ["k"], "tag_key": ["k"],
         "metric_key": ["m"], "source_run_id": [RUN], "stage": ["Staging"]}  # fmt: skip


def strategy(schema, name=""):
    """Values that a schema allows, often those of things that are there."""
    if "$ref" in schema:
        return strategy(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name)
    if "oneOf" in schema:
        return st.one_of([strategy(one, name) for one in schema["oneOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if kind == "array":
        return st.lists(strategy(schema["items"], name), max_size=3)
    if kind == "object":
        required = set(schema.get("required", ()))
        fields = {key: strategy(one, key) for key, one in schema.get("properties", {}).items()}
        return st.fixed_dictionaries(
            {key: one for key, one in fields.items() if key in required},
            optional={key: one for key, one in fields.items() if key not in required},
        )
    if kind == "integer":
        small = st.integers(0, 100)
        return small | st.integers(
            schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1)
        )
    if kind == "number":
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind == "boolean":
        return st.booleans()
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    known = KNOWN.get(name)
    return st.sampled_from(known) | st.sampled_from(known) | text if known else text


def _schemas(value):
    if isinstance(value, dict):
        if "type" in value or "$ref" in value or "oneOf" in value:
            yield value
        for one in value.values():
            yield from _schemas(one)
    elif isinstance(value, list):
        for one in value:
            yield from _schemas(one)


def test_the_schemas_are_of_the_part_that_is_drawn_from():
    """A further word would be passed over silently."""
    described = {
        "paths": [[one.get("parameters", []), one.get("requestBody", {})] for _, _, one in OPERATIONS],
        "components": DOCUMENT["components"],
    }  # fmt: skip
    bodies = [content["schema"] for content in _contents(described)]
    for schema in [*bodies, *DOCUMENT["components"]["schemas"].values()]:
        for one in _schemas(schema):
            if not isinstance(one.get("type"), dict):
                assert set(one) <= WORDS, one


def _contents(value):
    if isinstance(value, dict):
        if "schema" in value:
            yield value
        for one in value.values():
            yield from _contents(one)
    elif isinstance(value, list):
        for one in value:
            yield from _contents(one)


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def client(request, tmp_path_factory):
    if request.param == "memory":
        backend = MemoryBackend("mlflow-artifacts:")
    else:
        folder = tmp_path_factory.mktemp("openapi")
        backend = SqlBackend(f"sqlite:///{folder}/store.db", artifact_root="mlflow-artifacts:")
    store = LocalStore(backend)
    with Client(store) as made:
        made.things = _filled(store)
        yield made


def _filled(store):
    run = store.create_run("0", "ada", 1, [], "n").info.run_id
    store.log_metric_value(run, "m", 1.0, 1, 1)
    model = store.create_logged_model("0", "l", run, [LoggedModelTag("k", "v")]).model_id
    store.create_experiment("other", None, [])
    store.create_registered_model("M", [])
    for _ in range(2):
        store.create_model_version("M", "s3://b/x", run)
    store.set_registered_model_alias("M", "a", "1")
    return {RUN: run, MODEL: model}


def _put(value, things):
    text = json.dumps(value)
    for word, thing in things.items():
        text = text.replace(word, thing)
    return json.loads(text)


def _valid(body, schema):
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(json.loads(body))


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
@EXAMPLES
@given(data=st.data())
def test_answers_are_as_the_document_says(client, method, path, operation, data):
    """Done, with an answer of the schema; or refused, with an error of the schema."""
    parameters = operation.get("parameters", [])
    given_here = {
        one["name"]: data.draw(strategy(one["schema"], one["name"]), label=one["name"])
        for one in parameters
        if one["required"] or data.draw(st.booleans())
    }
    given_here = _put(given_here, client.things)
    names = {one["name"] for one in parameters if one["in"] == "path"}
    place = re.sub(r"\{(\w+)\}", lambda found: _segment(given_here[found[1]]), path)
    query = {key: _text(value) for key, value in given_here.items() if key not in names}
    body = ...
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = _put(data.draw(strategy(schema), label="body"), client.things)
    answer = client.ask(method.upper(), place, body, query=query)

    assert answer.status < 500, (method, place, query, body, answer)
    assert "application/json" == answer.headers["content-type"]
    told = operation["responses"]["200" if answer.status == 200 else "default"]
    _valid(answer.body, told["content"]["application/json"]["schema"])


def _segment(value):
    from urllib.parse import quote

    return quote(value, safe="") or "%20"


def _text(value):
    if isinstance(value, list):
        return [_text(one) for one in value]
    return value if isinstance(value, str) else json.dumps(value)
