"""Rules for experiments that the contract suite does not see."""

from __future__ import annotations

import time

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore
from mlflow.store.local.experiments import now


def test_now_is_in_milliseconds():
    before = time.time_ns() // 1_000_000
    found = now()
    assert before <= found <= time.time_ns() // 1_000_000


def test_taken_names_say_how_to_get_them_back():
    """The id of the deleted experiment and the command that removes it."""
    store = LocalStore(MemoryBackend())
    gone = store.create_experiment("x")
    store.delete_experiment(gone)
    with pytest.raises(MlflowException) as caught:
        store.rename_experiment("0", "x")
    assert f"id {gone}" in caught.value.message
    assert "mlflow gc" in caught.value.message
    assert "RESOURCE_ALREADY_EXISTS" in caught.value.message


def test_numbers_are_ids_too():
    """Some clients hand ids over as numbers."""
    store = LocalStore(MemoryBackend())
    new = store.create_experiment("x")
    assert store.get_experiment(int(new)).name == "x"
    assert store.get_experiment(None).name == "Default"
