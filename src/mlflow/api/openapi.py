"""The OpenAPI document of the operations, made from their table."""

from __future__ import annotations

from mlflow.api.table import CHAPTERS
from mlflow.api.wire import (
    BOOL,
    DOUBLE,
    INT32,
    INT64,
    TEXT,
    Choice,
    Field,
    Kind,
    Many,
    Message,
    Pairs,
)
from mlflow.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from mlflow.api.op import Op, Route

BASE = "/api/2.0/mlflow"
_SCHEMAS = "#/components/schemas/"
_ERROR = "Error"


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, as plain dicts."""
    schemas: dict[str, Any] = {_ERROR: _error_schema()}
    paths: dict[str, Any] = {}
    for chapter, operations in CHAPTERS.items():
        for op in operations:
            for place, route in enumerate(op.routes):
                described = _operation(op, route, chapter, schemas)
                if place:
                    described["operationId"] += f"_{place}"
                if route.until is not None:
                    described["deprecated"] = True
                paths.setdefault(f"{BASE}/{route.path}", {})[route.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MLflow REST API",
            "version": VERSION,
            "description": "Experiments, runs, logged models and the model registry.",
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(op: Op, route: Route, chapter: str, schemas: dict[str, Any]) -> dict[str, Any]:
    in_path = set(route.names)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.names
    ]
    described: dict[str, Any] = {
        "operationId": op.name,
        "summary": op.title,
        "tags": [chapter],
        "x-permission": f"{op.permission.action} {op.permission.kind}",
    }
    others = [field for field in op.fields if field.name not in in_path]
    if route.method == "GET":
        parameters += [_parameter(field, route, schemas) for field in others]
    elif others:
        required = any(_is_needed(field, route) for field in others)
        body = {"schema": _object(others, route, schemas)}
        described["requestBody"] = {
            "required": required or route.method == "POST",
            "content": {"application/json": body},
        }
    if parameters:
        described["parameters"] = parameters
    described["responses"] = {
        "200": {
            "description": "Done.",
            "content": {"application/json": {"schema": _answer(op, schemas)}},
        },
        "default": {
            "description": "Refused.",
            "content": {"application/json": {"schema": {"$ref": _SCHEMAS + _ERROR}}},
        },
    }
    return described


def _is_needed(field: Field, route: Route) -> bool:
    return field.required and field.name not in route.defaults


def _parameter(field: Field, route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": field.name,
        "in": "query",
        "required": _is_needed(field, route),
        "schema": schema_of(field.kind, schemas),
    }


def _object(
    fields: Iterable[Field], route: Route | None, schemas: dict[str, Any]
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: schema_of(field.kind, schemas) for field in fields},
    }
    needed = [
        field.name
        for field in fields
        if (route is None or _is_needed(field, route)) and field.required
    ]
    if needed:
        made["required"] = needed
    return made


def _answer(op: Op, schemas: dict[str, Any]) -> dict[str, Any]:
    if op.gives is None:
        return {"type": "object"}
    properties = {op.gives.name: schema_of(op.gives.kind, schemas)}
    if op.gives.is_paged:
        properties["next_page_token"] = {"type": "string"}
    return {"type": "object", "properties": properties}


def schema_of(kind: Kind, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a kind; those of messages are put into `schemas` under their names."""
    if isinstance(kind, Many):
        return {"type": "array", "items": schema_of(kind.kind, schemas)}
    if isinstance(kind, Pairs):
        return {"type": "array", "items": schema_of(kind.item, schemas)}
    if isinstance(kind, Message):
        if kind.name not in schemas:
            schemas[kind.name] = {}  # a message that holds itself ends here
            schemas[kind.name] = _object(kind.fields, None, schemas)
        return {"$ref": _SCHEMAS + kind.name}
    if isinstance(kind, Choice):
        return {"type": "string", "enum": list(kind.names)}
    return dict(_SCALARS.get(id(kind), {"type": "string"}))


_SCALARS: dict[int, dict[str, Any]] = {
    id(TEXT): {"type": "string"},
    id(INT32): {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1},
    id(INT64): {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
    id(DOUBLE): {
        "oneOf": [
            {"type": "number", "format": "double"},
            {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]},
        ]
    },
    id(BOOL): {"type": "boolean"},
}


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["error_code", "message"],
        "properties": {
            "error_code": {"type": "string"},
            "message": {"type": "string"},
            "sqlstate": {"type": "string"},
            "error_class": {"type": "string"},
        },
    }
