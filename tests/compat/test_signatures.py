"""The public functions of this issue's scope take what MLflow's take."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path

import pytest

import mlflow
from mlflow import _later
from mlflow._exports import EXPORTS
from mlflow.exceptions import MlflowException

HERE = Path(__file__).parent
RECORDED: dict[str, list[list[str]]] = json.loads((HERE / "signatures.json").read_text())

# What MLflow has under a public-looking name and nobody is meant to call.
INTERNAL = {
    "mlflow.entities.RunInfo.get_orderable_attributes": "the vocabulary of search is in mlflow.search",
    "mlflow.entities.RunInfo.get_searchable_attributes": "the same",
    "mlflow.maybe_hint_tracing_skill": "prints an advertisement",
    "mlflow.set_telemetry_client": "nothing is ever sent",
    "mlflow.pyfunc.update_signature_for_type_hint_from_example": "a step of saving a model",
}


def resolve(path: str) -> object:
    """Return what a dotted name stands for, importing as little as a caller would."""
    parts = path.split(".")
    value: object = mlflow
    for depth, part in enumerate(parts[1:], start=2):
        try:
            value = getattr(value, part)
        except AttributeError:
            value = importlib.import_module(".".join(parts[:depth]))
    return value


def is_later(path: str) -> bool:
    """Tell whether a name refuses, as one of a later version; observers take what MLflow's take."""
    value = resolve(path)
    is_observer = EXPORTS.get(path.removeprefix("mlflow.")) == _later.__name__ and (
        path.removeprefix("mlflow.") not in _later.DOOR
    )
    return getattr(value, "__module__", None) == _later.__name__ and not is_observer


@pytest.mark.parametrize("path", sorted(set(RECORDED) - set(INTERNAL)))
def test_the_parameters_are_those_of_mlflow(path: str) -> None:
    """Each parameter MLflow takes is taken under the same name, in the same place."""
    value = resolve(path)
    if is_later(path):
        assert callable(value)
        return
    ours = inspect.signature(value)  # type: ignore[arg-type]
    names = [name for name in ours.parameters if name != "self"]
    theirs = RECORDED[path]
    open_ended = any(one.kind is one.VAR_KEYWORD for one in ours.parameters.values())
    positional = [name for name, kind, _ in theirs if kind == "POSITIONAL_OR_KEYWORD"]
    missing = [name for name, kind, _ in theirs if name not in names and kind != "VAR_KEYWORD"]

    assert open_ended or not missing, f"{path} lacks {missing}; it takes {names}"
    assert names[: len(positional)] == positional or open_ended


def test_every_name_of_the_door_resolves() -> None:
    """Each attribute that `dir` lists can be read, as a library that copies the module does."""
    broken = []
    for name in dir(mlflow):
        try:
            getattr(mlflow, name)
        except Exception as error:  # noqa: BLE001 - any failure is what is looked for
            broken.append((name, repr(error)))

    assert broken == []


def test_a_name_of_a_later_version_says_so() -> None:
    """What comes later raises an MlflowException that says what to do, never AttributeError."""
    with pytest.raises(MlflowException, match="not in this version"):
        mlflow.run("project")
