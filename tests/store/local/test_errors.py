"""What users are told when a backend reports trouble."""

from __future__ import annotations

import inspect

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.backends import base
from mlflow.store.local import LocalStore
from mlflow.store.local.errors import changed_param, reports, told


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (base.Missing(base.EXPERIMENT, "5"), "RESOURCE_DOES_NOT_EXIST", "experiment with ID 5"),
        (base.Missing(base.RUN, "r"), "RESOURCE_DOES_NOT_EXIST", "Run 'r' not found"),
        (base.Missing(base.LOGGED_MODEL, "m-1"), "RESOURCE_DOES_NOT_EXIST", "'m-1' not found"),
        (base.Missing(base.REGISTERED_MODEL, "m"), "RESOURCE_DOES_NOT_EXIST", "name=m not found"),
        (
            base.Missing(base.MODEL_VERSION, ("m", "3")),
            "RESOURCE_DOES_NOT_EXIST",
            "Model Version (name=m, version=3) not found",
        ),
        (base.Missing(base.ALIAS, "best"), "INVALID_PARAMETER_VALUE", "alias best not found"),
        (base.Missing(base.TAG, "t"), "RESOURCE_DOES_NOT_EXIST", "'t'"),
        (base.NotActive(base.RUN, "r"), "INVALID_PARAMETER_VALUE", "'active' lifecycle_stage"),
        (base.NotActive(base.EXPERIMENT, "5"), "INVALID_STATE", "experiment 5"),
        (base.NotActive(base.LOGGED_MODEL, "m-1"), "RESOURCE_DOES_NOT_EXIST", "'m-1' not found"),
        (base.Duplicate(base.EXPERIMENT, "e"), "RESOURCE_ALREADY_EXISTS", "RESOURCE_ALREADY_EXIS"),
        (base.Duplicate(base.REGISTERED_MODEL, "m"), "RESOURCE_ALREADY_EXISTS", "(name=m) already"),
        (base.Duplicate(base.RUN, "r"), "RESOURCE_ALREADY_EXISTS", "run 'r'"),
        (base.Corrupt(base.RUN, "r", "meta.yaml is empty"), "DATA_LOSS", "meta.yaml is empty"),
        (base.ReadOnly(base.RUN, "r", "Read-only file system"), "PERMISSION_DENIED", "Read-only"),
        (base.BackendError("thing", "x", "odd"), "INTERNAL_ERROR", "thing x: odd"),
    ],
)
def test_messages(error, code, words):
    found = told(error)
    assert found.error_code == code
    assert words in found.message


def test_changed_param_shows_both_values():
    message = changed_param("r", base.Conflict("p", "1", "2")).message
    for word in ("key='p'", "value='1'", "'2'", "run ID='r'"):
        assert word in message


def test_reporting_methods_look_like_themselves():
    """Signature, name and documentation are those of the method."""

    def method(self, one: int, *, two: str = "x") -> int:
        """Say it."""
        raise base.Missing(base.RUN, "r")

    wrapped = reports(method)
    assert inspect.signature(wrapped) == inspect.signature(method)
    assert (wrapped.__name__, wrapped.__doc__) == ("method", "Say it.")
    with pytest.raises(MlflowException) as caught:
        wrapped(None, 1)
    assert isinstance(caught.value.__cause__, base.Missing)


def test_other_errors_pass():
    """What the system refuses is not disguised."""

    @reports
    def method():
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        method()


def test_signatures_are_those_of_the_contract():
    """`help()` of a local store shows what the contract says."""
    from mlflow.store.base import AbstractStore

    for name, method in inspect.getmembers(AbstractStore, inspect.isfunction):
        if name.startswith("_"):
            continue
        ours = inspect.signature(getattr(LocalStore, name))
        theirs = inspect.signature(method)
        assert list(ours.parameters) == list(theirs.parameters), name
        for parameter, given in ours.parameters.items():
            assert given.default == theirs.parameters[parameter].default, (name, parameter)
