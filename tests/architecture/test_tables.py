"""Everything that is named by a string exists."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "mlflow"
# The files whose strings name modules: what they hold is checked string by string.
TABLES = (
    "_exports.py", "cli/__init__.py", "models/flavors.py", "store/locate.py",
    "store/artifact/locate.py", "store/backends/file/scan.py", "store/backends/file/runs.py",
)  # fmt: skip
# Names that look like modules and are groups of entry points, which plug-ins of MLflow carry.
GROUPS = {
    "mlflow.artifact_repository",
    "mlflow.model_registry_store",
    "mlflow.tracking_store",
}
TARGET = re.compile(r"mlflow(\.\w+)+(:\w+)?")


def _targets() -> list[tuple[str, str]]:
    found = []
    for name in TABLES:
        path = SOURCE / name
        if not path.exists():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and TARGET.fullmatch(node.value)
                and node.value not in GROUPS
                and not (name == "models/flavors.py" and _is_foreign(node.value))
            ):
                found.append((name, node.value))
    return sorted(set(found))


def _is_foreign(module: str) -> bool:
    """Whether a loader is named so that models of stock MLflow say what is missing here."""
    from mlflow.models.flavors import FLAVORS

    ready = {row.module for row in FLAVORS.values() if row.ready}
    return module not in ready and not _on_disk(module)


def _on_disk(module: str) -> bool:
    path = SOURCE.parent / module.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def exists(target: str) -> bool:
    """Whether `target`, a module, `module:name` or `module.name`, can be reached."""
    module, _, attribute = target.partition(":")
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and not error.name.startswith("mlflow"):
            return True  # there, and its library is not installed
        parent, _, attribute = module.rpartition(".")
        loaded = importlib.import_module(parent)
    return not attribute or hasattr(loaded, attribute)


@pytest.mark.parametrize(("table", "target"), _targets())
def test_strings_resolve(table, target):
    """A string in a table names something that is there."""
    assert exists(target), f"{table} names {target}, which does not exist"


def test_names_of_the_door_resolve():
    """Every name that `mlflow` offers is there, or says that it is not in this version."""
    import mlflow

    missing = []
    for name in dir(mlflow):
        try:
            getattr(mlflow, name)
        except AttributeError:
            missing.append(name)
        except (ImportError, Exception):
            continue  # its library is absent, or it is listed as not in this version

    assert [] == missing
