"""Logging without waiting: order, errors, flushing, and the bound."""

from __future__ import annotations

import os
import threading

import pytest

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE, MlflowException
from mlflow.store.base import AbstractStore
from mlflow.store.calls import CallLog
from mlflow.tracking import queue
from mlflow.tracking.queue import LoggingQueue, get_combined_run_operations


def made_for(store):
    return LoggingQueue(store, CallLog(None))


class Store(AbstractStore):
    """Remembers batches; refuses what it is told to."""

    def __init__(self, refuse=(), gate=None):
        self.batches = []
        self.refuse = refuse
        self.gate = gate

    def log_batch(self, run_id, metrics, params, tags):
        if self.gate is not None:
            self.gate.wait()
        if any(one.key in self.refuse for one in (*metrics, *params, *tags)):
            raise MlflowException("refused")
        self.batches.append((run_id, list(metrics), list(params), list(tags)))


def _metric(key, step):
    return Metric(key, float(step), 1, step)


def test_order_is_kept_and_neighbours_are_written_together():
    gate = threading.Event()
    store = Store(gate=gate)
    made = made_for(store)
    for step in range(2500):
        made.put("run", [_metric("m", step)], (), ())
    gate.set()
    made.flush()

    written = [one.step for _, metrics, _, _ in store.batches for one in metrics]
    assert written == list(range(2500))
    assert len(store.batches) < 10
    assert all(len(metrics) <= 1000 for _, metrics, _, _ in store.batches)


def test_batches_hold_one_run_and_what_stores_allow():
    gate = threading.Event()
    store = Store(gate=gate)
    made = made_for(store)
    for number in range(150):
        made.put("a", (), [Param(f"p{number}", "x")], ())
    made.put("b", (), (), [RunTag("t", "1")])
    made.put("a", (), (), [RunTag("t", "2")])
    gate.set()
    made.flush()

    assert all(len(params) <= 100 for _, _, params, _ in store.batches)
    assert [run for run, _, params, _ in store.batches if not params] == ["b", "a"]


def test_one_refused_call_costs_no_other():
    gate = threading.Event()
    store = Store(refuse=("bad",), gate=gate)
    made = made_for(store)
    operations = [made.put("run", [_metric(key, 0)], (), ()) for key in ("a", "bad", "b")]
    gate.set()

    operations[0].wait()
    operations[2].wait()
    with pytest.raises(MlflowException, match="The following failures occurred.*refused"):
        operations[1].wait()
    with pytest.raises(MlflowException, match="refused"):
        get_combined_run_operations(operations).wait()
    assert sorted(one.key for _, found, _, _ in store.batches for one in found) == ["a", "b"]


def test_when_too_much_waits_the_caller_does(monkeypatch):
    monkeypatch.setenv("MILLSTREAM_JOURNAL_MAX_BYTES", "2000")
    gate = threading.Event()
    made = made_for(Store(gate=gate))
    done = []

    def log() -> None:
        for step in range(2000):
            made.put("run", [_metric("m", step)], (), ())
            done.append(step)

    thread = threading.Thread(target=log)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    assert 0 < len(done) < 2000 // 20
    gate.set()
    thread.join()
    made.flush()
    assert 2000 == len(done)


def test_waiting_for_an_operation_means_it_is_kept():
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1, synchronous=False).wait()
        mlflow.log_params({"p": 1}, synchronous=False).wait()
        mlflow.set_tags({"t": 1}, synchronous=False).wait()
        data = mlflow.get_run(run.info.run_id).data
        assert (data.metrics, data.params, data.tags["t"]) == ({"m": 1.0}, {"p": "1"}, "1")


def test_the_end_of_a_run_waits_for_what_was_logged():
    with mlflow.start_run() as run:
        for step in range(3000):
            mlflow.log_metric("m", step, step=step, synchronous=False)

    points = mlflow.MlflowClient().get_metric_history(run.info.run_id, "m")
    assert [one.step for one in points] == list(range(3000))


def test_the_environment_makes_it_the_default(monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    with mlflow.start_run() as run:
        assert mlflow.log_metric("m", 1) is not None
        assert mlflow.set_tag("t", 1) is not None
        assert mlflow.log_metric("n", 1, synchronous=True) is None
        mlflow.flush_async_logging()
        assert mlflow.get_run(run.info.run_id).data.metrics == {"m": 1.0, "n": 1.0}


def test_a_refused_call_is_reported_and_the_run_ends(caplog):
    with mlflow.start_run() as run:
        operation = mlflow.log_metric("../b", 1, synchronous=False)
        with pytest.raises(MlflowException):
            operation.wait()

    assert "not logged" in caplog.text
    assert mlflow.get_run(run.info.run_id).info.status == "FINISHED"


def test_a_disk_that_is_full(monkeypatch, caplog):
    """Nothing is lost: logging waits for the store, in its order, and says so once."""
    store = Store()
    made = made_for(store)
    made.put("run", [_metric("m", 0)], (), ())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(made._log, "append", full)
    for step in (1, 2):
        made.put("run", [_metric("m", step)], (), ()).wait()
    assert [0, 1, 2] == [one.step for _, metrics, _, _ in store.batches for one in metrics]
    assert 1 == caplog.text.count("No space left")


def test_a_store_that_is_away(monkeypatch, caplog):
    """Who waits is told after a while; what waits is written, once, when it is back."""
    monkeypatch.setattr(queue, "PATIENCE", 0.2)
    back = threading.Event()

    class Away(Store):
        def log_batch(self, *some):
            if not back.is_set():
                raise MlflowException("away", TEMPORARILY_UNAVAILABLE)
            super().log_batch(*some)

        def get_run(self, run_id):
            raise MlflowException("none", RESOURCE_DOES_NOT_EXIST)

    store = Away()
    made = made_for(store)
    operation = made.put("run", [_metric("m", 0)], (), ())
    with pytest.raises(MlflowException, match="has not answered for"):
        operation.wait()
    assert not made.flush()
    assert "is lost when this process ends" in caplog.text
    monkeypatch.setattr(queue, "PATIENCE", 60)
    back.set()
    operation.wait()
    assert 1 == len(store.batches)


def test_no_more_than_may_wait(monkeypatch):
    """While the store is away, the next call is refused, and says which setting it is."""
    monkeypatch.setattr(queue, "PATIENCE", 0.1)
    monkeypatch.setenv("MILLSTREAM_JOURNAL_MAX_BYTES", "100")
    gate = threading.Event()
    made = made_for(Store(gate=gate))
    with pytest.raises(MlflowException, match="MILLSTREAM_JOURNAL_MAX_BYTES allows 100"):
        for step in range(100):
            made.put("run", [_metric("m", step)], (), ())
    gate.set()


def test_what_was_just_logged_is_read():
    """Runs, searches and histories wait for it."""
    client = mlflow.MlflowClient()
    with mlflow.start_run() as run:
        for step in range(100):
            mlflow.log_metric("m", step, step=step, synchronous=False)
        assert 100 == len(client.get_metric_history(run.info.run_id, "m"))
        mlflow.log_param("p", 1, synchronous=False)
        assert {"p": "1"} == client.get_run(run.info.run_id).data.params
        mlflow.log_param("q", 1, synchronous=False)
        assert 1 == len(client.search_runs(["0"], "params.q = '1'"))
        mlflow.set_tag("t", 1, synchronous=False)
        assert "1" == mlflow.get_run(run.info.run_id).data.tags["t"]


@pytest.mark.parametrize("level", ["memory", "os", "disk", "server"])
def test_what_a_call_survives_is_a_tag(monkeypatch, level):
    """But where nothing is promised."""
    monkeypatch.setenv("MILLSTREAM_DURABILITY", level)
    with mlflow.start_run() as run:
        operation = mlflow.log_metric("m", 1, synchronous=False)
        assert level != "server" or operation.is_done()
    found = mlflow.get_run(run.info.run_id).data.tags.get("millstream.acknowledged")
    assert found == (None if level == "memory" else level)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_a_forked_child_has_a_journal_of_its_own():
    """What it logs is written by itself; the parent's is the parent's."""
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 0, step=0, synchronous=False)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                mlflow.log_metric("m", 1, step=1, synchronous=False).wait()
                code = 0
            finally:
                os._exit(code)
        assert 0 == os.waitpid(child, 0)[1]
        mlflow.log_metric("m", 2, step=2, synchronous=False)
        points = mlflow.MlflowClient().get_metric_history(run.info.run_id, "m")
        assert [0, 1, 2] == sorted(one.step for one in points)


def test_a_folder_that_cannot_be_written(monkeypatch, caplog):
    """It is told, and logging goes on."""
    monkeypatch.setenv("MILLSTREAM_JOURNAL_DIR", "/proc/none")
    with mlflow.start_run() as run:
        mlflow.log_metric("m", 1, synchronous=False)
    assert {"m": 1.0} == mlflow.get_run(run.info.run_id).data.metrics
    assert "Set MILLSTREAM_JOURNAL_DIR" in caplog.text
