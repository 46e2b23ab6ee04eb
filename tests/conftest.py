"""Every test runs in an empty folder with an empty home and none of the user's settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

pytest_plugins = ["tests.databases"]

ROOT = Path(__file__).resolve().parent.parent
FULL = os.environ.get("MILLSTREAM_FULL") in ("1", "all")
#: Every combination of what is compared with stock, where a full run takes some of them.
ALL = os.environ.get("MILLSTREAM_FULL") == "all"
SETTINGS_OF_THE_USER = ("MLFLOW_", "MILLSTREAM_", "DATABRICKS_", "_MLFLOW_")
KEPT = {"MILLSTREAM_FULL"}

settings.register_profile(
    "default",
    deadline=None,  # times are never asserted
    max_examples=200 if FULL else 60,
    database=DirectoryBasedExampleDatabase(ROOT / ".hypothesis"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("default")

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True)
def clean_surroundings(tmp_path_factory, monkeypatch):
    """Home, caches and working folder are new; the environment is put back afterwards."""
    before = dict(os.environ)
    place = tmp_path_factory.mktemp("place")
    home = place / "home"
    work = place / "work"
    home.mkdir()
    work.mkdir()
    for name in list(os.environ):
        if name.startswith(SETTINGS_OF_THE_USER) and name not in KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(work)

    yield

    _forget_state_of_the_process()
    # What it puts back may be what the test itself had set before.
    monkeypatch.undo()
    os.environ.clear()
    os.environ.update(before)


def _forget_state_of_the_process() -> None:
    """End what a test left active, so that the next one starts as a new process would."""
    fluent = sys.modules.get("mlflow.tracking.fluent")
    if fluent is None:
        return
    reset = getattr(sys.modules.get("mlflow.testing"), "reset_process_state", None)
    if reset is not None:
        reset()
        return
    for _ in range(20):
        if fluent.active_run() is None:
            break
        fluent.end_run()
    import mlflow

    sys.modules["mlflow.tracking.queue"].close_all()
    fluent._active_experiment_id = None
    mlflow.clear_active_model()
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)
