"""Logging without waiting: order, errors, flushing, and the bound."""

from __future__ import annotations

import threading

import pytest

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import queue
from mlflow.tracking.queue import LoggingQueue, get_combined_run_operations


class Store:
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
    made = LoggingQueue(store)
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
    made = LoggingQueue(store)
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
    made = LoggingQueue(store)
    operations = [made.put("run", [_metric(key, 0)], (), ()) for key in ("a", "bad", "b")]
    gate.set()

    operations[0].wait()
    operations[2].wait()
    with pytest.raises(MlflowException, match="The following failures occurred.*refused"):
        operations[1].wait()
    with pytest.raises(MlflowException, match="refused"):
        get_combined_run_operations(operations).wait()
    assert sorted(one.key for _, found, _, _ in store.batches for one in found) == ["a", "b"]


def test_a_full_queue_makes_the_caller_wait(monkeypatch):
    monkeypatch.setattr(queue, "CAPACITY", 5)
    gate = threading.Event()
    made = LoggingQueue(Store(gate=gate))
    done = []

    def log() -> None:
        for step in range(2000):
            made.put("run", [_metric("m", step)], (), ())
            done.append(step)

    thread = threading.Thread(target=log)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    assert len(done) <= 2 * 1000 + 6
    gate.set()
    thread.join()
    made.flush()


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
