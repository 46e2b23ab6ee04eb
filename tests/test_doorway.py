"""Lazy names: found once, replaceable, and honest about what is not there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mlflow
from mlflow import _doorway


def test_a_name_is_looked_up_once() -> None:
    """After the first use the name is an ordinary attribute of the package."""
    vars(mlflow).pop("MlflowException", None)
    first = mlflow.MlflowException

    assert vars(mlflow)["MlflowException"] is first


def test_a_name_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers patch functions of the package and get their own back."""
    monkeypatch.setattr(mlflow, "get_run", len)

    assert mlflow.get_run([1, 2]) == 2


def test_an_unknown_name_is_an_attribute_error() -> None:
    """`hasattr` works, so libraries can probe."""
    assert not hasattr(mlflow, "no_such_name")
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        mlflow.no_such_name  # noqa: B018 - reading it is the test


def test_the_finder_is_installed_once() -> None:
    """Installing again does not grow the import path."""
    before = list(sys.meta_path)
    _doorway.install()

    assert sys.meta_path == before


def test_the_finder_leaves_other_packages_alone() -> None:
    """Only `mlflow.` paths are answered."""
    assert _doorway.PathFinder.find_spec("json") is None
    assert _doorway.PathFinder.find_spec("mlflow.no.such.path") is None


def test_import_loads_at_most_five_modules() -> None:
    """`import mlflow` costs a handful of small modules, counted in a fresh interpreter."""
    code = (
        "import sys; before = set(sys.modules); import mlflow; "
        "print(len(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(done.stdout) <= 5
