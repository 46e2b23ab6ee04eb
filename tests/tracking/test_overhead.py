"""What logging costs is counted, each call once, and told when it is much."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import mlflow
from mlflow.server.app import ServerApp
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.local import LocalStore
from mlflow.tracking import overhead
from tests.server.serving import Served


@pytest.fixture(autouse=True)
def from_the_start(monkeypatch):
    for name, value in (("_since", None), ("_seconds", 0.0), ("_calls", 0), ("_steps", 0),
                        ("_step", None), ("_is_told", False)):  # fmt: skip
        monkeypatch.setattr(overhead, name, value)


def test_each_call_is_counted_once():
    """Also those that make others, and those that do not wait; a step is counted when it changes."""
    assert (0.0, 0.0, 0, 0) == mlflow.get_logging_overhead()[:4]
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        run_id = run.info.run_id
        calls = [
            lambda: mlflow.log_metric("m", 1.0, step=1),
            lambda: mlflow.log_metric("n", 1.0, step=1),
            lambda: mlflow.log_metrics({"m": 1.0, "n": 2.0}, step=2),
            lambda: mlflow.log_metric("m", 1.0, step=3, synchronous=False),
            lambda: mlflow.log_param("p", 1),
            lambda: mlflow.log_params({"q": 1}),
            lambda: mlflow.set_tag("t", 1),
            lambda: mlflow.set_tags({"u": 1}),
            lambda: mlflow.log_text("x", "a.txt"),
            lambda: mlflow.log_dict({}, "a.json"),
            lambda: mlflow.log_image(np.zeros((2, 2, 3), np.uint8), "a.png"),
            lambda: mlflow.log_input(mlflow.data.from_numpy(np.arange(3))),
            lambda: client.log_batch(run_id),
            lambda: client.log_metric(run_id, "m", 1.0),
        ]
        for number, call in enumerate(calls, 1):
            call()
            assert number == mlflow.get_logging_overhead().calls
    found = mlflow.get_logging_overhead()
    assert 3 == found.steps
    assert 0 < found.seconds < found.elapsed
    assert (found.seconds / 3, found.seconds / found.elapsed) == (
        found.seconds_per_step, found.share,
    )  # fmt: skip


def test_a_call_that_is_refused_is_counted():
    """It took its time, too."""
    with mlflow.start_run():
        mlflow.log_param("p", 1)
        with pytest.raises(mlflow.exceptions.MlflowException):
            mlflow.log_param("p", 2)
    assert 2 == mlflow.get_logging_overhead().calls


def test_bytes_are_those_that_a_server_was_sent():
    """Heads and bodies, and none for a store on this machine."""
    before = mlflow.get_logging_overhead().bytes_sent
    with mlflow.start_run():
        mlflow.log_text("x" * 100_000, "a.txt")
    assert before == mlflow.get_logging_overhead().bytes_sent
    app = ServerApp(LocalStore(MemoryBackend("mlflow-artifacts:")))
    with Served(app) as served:
        client = mlflow.MlflowClient(tracking_uri=served.uri)
        run_id = client.create_run("0").info.run_id
        before = mlflow.get_logging_overhead().bytes_sent
        client.set_tag(run_id, "t", "x" * 4_000)
        sent = mlflow.get_logging_overhead().bytes_sent - before
    app.close()
    assert 4_000 < sent < 5_000


def test_much_is_told_once(monkeypatch, caplog):
    """With what to do."""
    monkeypatch.setattr(overhead, "WARN_SECONDS", 0.0)
    monkeypatch.setattr(overhead, "WARN_SHARE", 0.01)
    with caplog.at_level(logging.WARNING), mlflow.start_run():
        for number in range(50):
            mlflow.log_text("x", f"{number}.txt")
    assert 1 == caplog.text.count("mlflow.config.enable_async_logging()")


def test_little_is_not_told(monkeypatch, caplog):
    """Nor is a program that has only begun."""
    with mlflow.start_run():
        mlflow.log_text("x", "a.txt")
    monkeypatch.setattr(overhead, "WARN_SECONDS", 0.0)
    monkeypatch.setattr(overhead, "WARN_SHARE", 1.1)
    with mlflow.start_run():
        mlflow.log_text("x", "a.txt")
    assert "get_logging_overhead" not in caplog.text
