"""One setting, its values, and what is none."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store import durability


def test_the_setting_and_what_a_caller_chose(monkeypatch):
    """The caller's choice goes first; anything else is named, with what there is."""
    assert durability.level() == "os"
    monkeypatch.setenv("MILLSTREAM_DURABILITY", "server")
    assert ["server", "disk"] == [durability.level(), durability.level("disk")]
    monkeypatch.setenv("MILLSTREAM_DURABILITY", "tape")
    with pytest.raises(MlflowException, match="is 'tape'; it is one of memory, os, disk, server"):
        durability.level()
