"""The OpenAPI document says of each operation what the table says."""

from __future__ import annotations

import json

from mlflow.api.openapi import BASE, document
from mlflow.api.table import OPERATIONS


def test_every_route_is_described():
    """With its method, its names, its body or parameters, its answer."""
    paths = document()["paths"]
    described = {
        (method.upper(), path.removeprefix(f"{BASE}/")) for path in paths for method in paths[path]
    }

    assert {(route.method, route.path) for op in OPERATIONS for route in op.routes} == described


def test_every_reference_leads_somewhere():
    """Schemas that are named are there, once."""
    whole = document()
    text = json.dumps(whole)
    named = set()
    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        named.add(part.partition('"')[0])

    assert named == set(whole["components"]["schemas"])


def test_operation_ids_are_distinct():
    """Generators of clients name functions by them."""
    ids = [one["operationId"] for path in document()["paths"].values() for one in path.values()]

    assert len(ids) == len(set(ids))


def test_one_operation_in_full():
    """What a reader of the document needs to make the request."""
    made = document()["paths"][f"{BASE}/logged-models/{{model_id}}"]["patch"]

    assert [{"name": "model_id", "in": "path", "required": True, "schema": {"type": "string"}}] == (
        made["parameters"]
    )
    body = made["requestBody"]["content"]["application/json"]["schema"]
    assert ["status"] == body["required"]
    assert "LOGGED_MODEL_READY" in body["properties"]["status"]["enum"]
    assert "edit logged model" == made["x-permission"]
