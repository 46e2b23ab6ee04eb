"""Every operation is whole: declared, answered, promised, permitted, tested and described."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from mlflow.api.op import CREATE, EDIT, MANAGE, READ, Permission, Whole
from mlflow.api.openapi import BASE, document
from mlflow.api.table import OPERATIONS
from mlflow.server.app import ServerApp
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.base import AbstractStore
from mlflow.store.local import LocalStore

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (ROOT / "src/mlflow/testing/store_contract").glob("*.py")
)
REFERENCE = (ROOT / "docs/reference/rest.md").read_text(encoding="utf-8")
# Methods of a store that are no requests, and why.
NOT_ON_THE_WIRE = {
    "close": "gives back what this process holds",
    "together": "is how one process makes several calls",
    "copy_model_version": "made of other operations",
    "goes_on": "is about this process",
    "impatient": "is about this process",
    "list_deleted_experiments": "maintenance, next to the store",
    "list_deleted_logged_models": "maintenance, next to the store",
    "list_deleted_runs": "maintenance, next to the store",
    "log_metric_value": "the thin way of log_metric in this process",
    "metric_series": "made of other operations",
    "moved_artifacts": "maintenance, next to the store",
    "purge_experiment": "maintenance, next to the store",
    "purge_logged_model": "maintenance, next to the store",
    "purge_run": "maintenance, next to the store",
    "set_model_versions_tags": "made of other operations",
    "takes_ids": "what kind of store it is",
}

each = pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)


@each
def test_it_has_a_method_that_takes_what_it_gives(op):
    """On the contract and on the store behind the server; no argument is missing or unknown."""
    for home in (AbstractStore, LocalStore):
        parameters = dict(inspect.signature(getattr(home, op.name)).parameters)
        parameters.pop("self")
        given = {one.argument for one in op.takes}
        needed = {
            name for name, one in parameters.items() if one.default is inspect.Parameter.empty
        }

        assert given <= parameters.keys()
        assert needed <= given


@each
def test_required_arguments_always_have_a_value(op):
    """The store's method can be called with what any readable request gives."""
    parameters = inspect.signature(getattr(LocalStore, op.name)).parameters
    for one in op.takes:
        if isinstance(one, Whole):
            continue
        optional = parameters[one.argument].default is not inspect.Parameter.empty
        is_list = one.kind.name.endswith("[]")

        assert one.required or optional or one.default is not ... or is_list


@each
def test_it_has_a_permission(op):
    """What the caller needs, on which thing."""
    permission = op.permission

    assert isinstance(permission, Permission)
    assert permission.action in (READ, EDIT, MANAGE, CREATE)
    assert permission.argument is None or permission.argument in {one.argument for one in op.takes}
    changes = not op.name.startswith(("get_", "search_"))
    assert changes is op.writes


@each
def test_its_routes(op):
    """Names in a path are fields; each is answered, with the permission of the operation."""
    app = ServerApp(LocalStore(MemoryBackend()))
    served = {(method, path): endpoint for method, path, endpoint in app.routes.all()}
    for route in op.routes:
        assert set(route.names) <= {field.name for field in op.fields}
        assert served[route.method, f"{BASE}/{route.path}"].permission is op.permission


@each
def test_it_is_in_the_contract(op):
    """The suite that every store passes calls it."""
    assert re.search(rf"\bstore\.{op.name}\b|\.{op.name}\(", CONTRACT)


@each
def test_it_is_described(op):
    """In the reference and in the OpenAPI document."""
    assert f"\n### {op.name}\n" in REFERENCE
    for route in op.routes:
        assert f"`{route.method} {route.path}`" in REFERENCE
        assert route.method.lower() in document()["paths"][f"{BASE}/{route.path}"]


def test_no_operation_is_declared_twice():
    """Neither a name nor a route."""
    names = [op.name for op in OPERATIONS]
    routes = [repr(route) for op in OPERATIONS for route in op.routes]

    assert len(names) == len(set(names))
    assert len(routes) == len(set(routes))


def test_every_method_is_an_operation_or_says_why_not():
    """A method that is added to the contract is thought of here."""
    methods = {
        name for name, _ in inspect.getmembers(AbstractStore, inspect.isfunction) if name[0] != "_"
    }

    assert methods - {op.name for op in OPERATIONS} == set(NOT_ON_THE_WIRE)
