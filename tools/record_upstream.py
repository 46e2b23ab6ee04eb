"""Record the public signatures of an installed stock MLflow as data for the compatibility tests.

Usage: PYTHON_OF_A_STOCK_ENVIRONMENT tools/record_upstream.py > tests/compat/signatures.json
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from typing import Any

# Modules and classes whose public callables users and libraries call by keyword.
MODULES = [
    "mlflow",
    "mlflow.artifacts",
    "mlflow.data",
    "mlflow.models",
    "mlflow.pyfunc",
    "mlflow.sklearn",
]
CLASSES = [
    "mlflow.MlflowClient",
    "mlflow.entities.Experiment",
    "mlflow.entities.LoggedModel",
    "mlflow.entities.Metric",
    "mlflow.entities.Run",
    "mlflow.entities.RunData",
    "mlflow.entities.RunInfo",
    "mlflow.models.Model",
    "mlflow.models.ModelSignature",
    "mlflow.pyfunc.PyFuncModel",
    "mlflow.pyfunc.PythonModel",
]


def parameters(function: Any) -> list[list[str]] | None:
    """Return [name, kind, default] of each parameter; None where there is no signature."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    return [
        [one.name, one.kind.name, "" if one.default is one.empty else repr(one.default)]
        for one in signature.parameters.values()
        if one.name != "self"
    ]


def is_own(module: Any, name: str) -> bool:
    """Tell whether a name is a module's own, not something it imported for itself."""
    listed = getattr(module, "__all__", None)
    if module.__name__ == "mlflow":
        return True
    return (
        name in listed
        if listed
        else getattr(getattr(module, name), "__module__", "") == module.__name__
    )


def public(owner: Any, prefix: str) -> dict[str, list[list[str]]]:
    """Return the parameters of the owner's public functions, by dotted name."""
    found = {}
    for name in sorted(vars(owner)):
        member = getattr(owner, name)
        if (name.startswith("_") and name != "__init__") or name.endswith("_proto"):
            continue  # entities here are made without protocol buffers
        if inspect.ismodule(owner) and not is_own(owner, name):
            continue
        if inspect.isfunction(member) or inspect.ismethod(member):
            taken = parameters(member)
            if taken is not None:
                found[f"{prefix}.{name}"] = taken
    return found


def main() -> None:
    """Write the JSON to standard output."""
    found: dict[str, list[list[str]]] = {}
    for name in MODULES:
        found.update(public(importlib.import_module(name), name))
    for path in CLASSES:
        module, _, name = path.rpartition(".")
        found.update(public(getattr(importlib.import_module(module), name), path))
    json.dump(found, sys.stdout, indent=0, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
