"""The audit hook as a fixture: a module of hostile tests is watched by naming it."""

from __future__ import annotations

import pytest

from tests.hostile.oracle import watched


@pytest.fixture
def oracle(tmp_path_factory, clean_surroundings):
    """Fail the test when it starts a program, connects, unpickles, or touches what is not its own."""
    del clean_surroundings  # its folders are made first
    with watched(tmp_path_factory.getbasetemp()) as watch:
        yield watch


@pytest.fixture(scope="module", autouse=True)
def _no_endless_answers():
    """Have streams of events end after their first one: each answer is read to its end here."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("mlflow.server.ui.changes._LONGEST", 0.0)
        yield
