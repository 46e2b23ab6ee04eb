"""The local store as a whole."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowNotImplementedException
from mlflow.store.backends.base import Backend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.base import AbstractStore
from mlflow.store.local import LocalStore


def test_the_class_shows_its_backend():
    assert repr(LocalStore(MemoryBackend("memory:x"))) == "LocalStore(MemoryBackend('memory:x'))"


def test_every_operation_is_offered():
    """Nothing of the contract is left to its 'not offered' answer."""
    inherited = {"log_metric_value", "copy_model_version", "goes_on", "impatient"}
    for name in dir(AbstractStore):
        if name.startswith("_") or name in inherited or name == "close":
            continue
        if not callable(getattr(AbstractStore, name)):
            continue  # a fact about the store, which this one leaves as it is
        assert getattr(LocalStore, name) is not getattr(AbstractStore, name), name


def test_every_primitive_is_implemented():
    # A store without transactions has nothing to put together; what is deleted moves in files only.
    inherited = {"together", "moved_artifacts"}
    for name in dir(Backend):
        if not name.startswith("_") and name not in inherited:
            assert getattr(MemoryBackend, name) is not getattr(Backend, name), name


def test_a_plugin_may_offer_less():
    """What it does not override says so, naming the operation and the class."""

    class Small(AbstractStore):
        pass

    with pytest.raises(MlflowNotImplementedException, match=r"Small does not offer 'get_run'"):
        Small().get_run("x")


def test_a_plugin_gets_metrics_as_entities():
    """A store that only knows `log_metric` serves the fast way too."""
    seen = []

    class Small(AbstractStore):
        def log_metric(self, run_id, metric):
            seen.append((run_id, metric.key, metric.value, metric.timestamp, metric.step))

    Small().log_metric_value("r", "a", 1.0, 2, 3)
    assert seen == [("r", "a", 1.0, 2, 3)]
