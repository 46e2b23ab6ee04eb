"""MLflow's module paths: every row of the table leads somewhere."""

from __future__ import annotations

import importlib
import importlib.util

import pytest

from mlflow import _later, _paths


@pytest.mark.parametrize("path", sorted(_paths.ALIASES))
def test_every_row_imports_and_its_targets_exist(path: str) -> None:
    """The module can be imported and each module or name it points to is there."""
    module = importlib.import_module(path)
    modules, names = _paths._row(path)

    assert importlib.util.find_spec(path) is not None
    assert all(importlib.import_module(target) for target in modules)
    assert all(getattr(module, name) is not None for name in names)


@pytest.mark.parametrize("path", sorted(_later.MODULES))
def test_every_module_of_a_later_version_imports(path: str) -> None:
    """The names it announces are there."""
    module = importlib.import_module(path)

    assert all(hasattr(module, name) for name in _later.MODULES[path].split())


def test_a_path_shows_the_very_same_object() -> None:
    """An alias gives the class itself, so `isinstance` and `except` work across paths."""
    from mlflow.entities import Metric
    from mlflow.entities.metric import Metric as SameMetric

    assert SameMetric is Metric


def test_a_path_shows_the_value_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a module sets anew is seen by its old path too, in whatever order they are asked."""
    from mlflow.tracking import active
    from mlflow.tracking._tracking_service import utils

    before = utils.get_tracking_uri
    with monkeypatch.context() as patch:
        patch.setattr(active, "get_tracking_uri", lambda: "file:///elsewhere")

        assert before is not utils.get_tracking_uri
        assert utils.get_tracking_uri() == "file:///elsewhere"
    assert utils.get_tracking_uri is before


def test_an_unknown_name_of_a_known_path_is_an_error() -> None:
    """A typing mistake does not pass."""
    module = importlib.import_module("mlflow.utils.mlflow_tags")

    with pytest.raises(AttributeError, match="MLFLOW_NO_SUCH_TAG"):
        module.MLFLOW_NO_SUCH_TAG  # noqa: B018 - reading it is the test
