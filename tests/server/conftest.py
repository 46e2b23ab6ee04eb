"""A server over a store in memory."""

from __future__ import annotations

import os

import pytest

from mlflow.server.roots import ArtifactRoots
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore

from .asking import CANARY, Client


class Clock:
    """Seconds since the epoch that a test moves itself."""

    now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def client():
    with Client() as made:
        yield made


@pytest.fixture
def place(tmp_path):
    """Folders of a server, with a canary beside them."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "canary").write_bytes(CANARY)
    (tmp_path / "kept").mkdir()
    yield tmp_path
    assert CANARY == (outside / "canary").read_bytes()
    assert ["canary"] == os.listdir(outside)


@pytest.fixture
def served(place):
    store = LocalStore(MemoryBackend("mlflow-artifacts:"))
    roots = ArtifactRoots(str(place / "kept"))
    with Client(store, roots=roots) as client:
        yield client
