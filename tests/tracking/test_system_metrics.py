"""Which runs get system metrics, in which points, and that nothing is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

import mlflow
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.store.base import AbstractStore
from mlflow.tracking import system_metrics
from mlflow.tracking.active import tracking_store
from mlflow.tracking.queue import flush_all
from mlflow.tracking.system_metrics import Watched
from tests.tracking import sensors_of

CPU = "system/cpu_utilization_percentage"


@pytest.fixture(autouse=True)
def _machine(monkeypatch):
    for name in ("pynvml", "pyrsmi"):
        monkeypatch.setitem(sys.modules, name, None)
    sensors_of.install(monkeypatch.setattr)


@pytest.fixture
def readings(monkeypatch):
    """The sampler as it is, with an interval of 1 ms; `readings(n)` waits for n of its readings from now on."""
    mlflow.set_system_metrics_sampling_interval(0.001)
    happened = threading.Semaphore(0)
    give = system_metrics._Sampler._give

    def note(self, *args):
        give(self, *args)
        happened.release()

    monkeypatch.setattr(system_metrics._Sampler, "_give", note)

    def wait(count):
        while happened.acquire(blocking=False):
            pass
        for _ in range(count):
            assert happened.acquire(timeout=60)

    return wait


def _threads():
    return [one for one in threading.enumerate() if one.name == "mlflow-system-metrics"]


def _join():
    for one in _threads():
        one.join(timeout=60)
    assert _threads() == []


def _history(run_id, key=CPU):
    return mlflow.MlflowClient().get_metric_history(run_id, key)


def _system(run_id):
    metrics = mlflow.get_run(run_id).data.metrics
    return {name for name in metrics if name.startswith("system/")}


def test_a_run_gets_points_from_step_0_and_ends_the_thread(readings):
    with mlflow.start_run(log_system_metrics=True) as run:
        readings(4)
        assert len(_threads()) == 1
    _join()

    points = _history(run.info.run_id)
    assert len(points) >= 4
    assert [point.step for point in points] == list(range(len(points)))
    assert len(_system(run.info.run_id)) == 8


def test_nested_runs_share_one_thread(readings):
    with mlflow.start_run(log_system_metrics=True) as outer:
        with mlflow.start_run(nested=True, log_system_metrics=True) as inner:
            readings(2)
            assert len(_threads()) == 1
        readings(2)
        assert len(_threads()) == 1
    _join()

    assert len(_history(outer.info.run_id)) > len(_history(inner.info.run_id)) > 0


def test_a_run_that_a_client_ends_gets_no_more(readings):
    run = mlflow.start_run(log_system_metrics=True)
    readings(1)
    mlflow.MlflowClient().set_terminated(run.info.run_id)
    _join()


def test_a_run_that_is_gone_is_let_alone(readings, caplog):
    run = mlflow.start_run(log_system_metrics=True)
    readings(1)
    mlflow.delete_run(run.info.run_id)
    _join()  # by itself: what is logged now is refused
    mlflow.restore_run(run.info.run_id)

    assert "No more system metrics" in caplog.text


def test_names_that_no_store_takes_stop_it_and_not_the_run(readings, caplog):
    mlflow.set_system_metrics_node_id("a*b")
    with mlflow.start_run(log_system_metrics=True) as run:
        _join()
        mlflow.log_metric("m", 1)

    assert mlflow.get_run(run.info.run_id).data.metrics == {"m": 1}
    assert mlflow.get_run(run.info.run_id).info.status == "FINISHED"


def test_points_are_means_to_one_decimal_and_traffic_is_the_last():
    mlflow.set_system_metrics_samples_before_logging(3)
    mlflow.set_system_metrics_node_id("n1")
    with mlflow.start_run() as run:
        watched = Watched(run, tracking_store())
        for cpu in (10.0, 20.0, 40.0, 50.0):  # the fourth begins a point that is not finished
            watched.take({"cpu_utilization_percentage": cpu}, {"network_receive_megabytes": 7.25})
        watched.close()
        flush_all()

    (point,) = _history(run.info.run_id, "system/n1/cpu_utilization_percentage")
    assert (point.step, point.value) == (0, 23.3)
    (point,) = _history(run.info.run_id, "system/n1/network_receive_megabytes")
    assert point.value == pytest.approx(7.25 - 2.345678)


def test_a_resumed_run_goes_on_with_its_steps():
    with mlflow.start_run() as run:
        mlflow.MlflowClient().log_batch(
            run.info.run_id, [Metric(CPU, 1.0, 1, 4), Metric("m", 1.0, 1, 99)]
        )
    with mlflow.start_run(run.info.run_id) as run:
        watched = Watched(run, tracking_store())
        watched.take({"cpu_utilization_percentage": 2.0}, {})
        flush_all()

    assert [point.step for point in _history(run.info.run_id)] == [4, 5]


def test_while_a_store_is_slow_points_gather():
    gate = threading.Event()
    batches = []

    class Slow(AbstractStore):
        def log_batch(self, run_id, metrics, params, tags):
            gate.wait()
            batches.append([metric.step for metric in metrics])

    with mlflow.start_run() as run:
        watched = Watched(run, Slow())
        for _ in range(5):
            assert watched.take({"cpu_utilization_percentage": 2.0}, {})
        gate.set()
        flush_all()
        watched.take({"cpu_utilization_percentage": 2.0}, {})
        flush_all()

    assert batches == [[0], [1, 2, 3, 4, 5]]


@pytest.mark.parametrize(
    ("variable", "argument", "expected"),
    [
        ("true", None, 1),
        ("true", False, 0),
        ("false", None, 0),
        ("false", True, 1),
        (None, None, 0),
    ],
)
def test_who_gets_them(variable, argument, expected, monkeypatch):
    if variable is not None:
        monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", variable)
    with mlflow.start_run(log_system_metrics=argument):
        assert len(_threads()) == expected
    _join()


def test_the_switches_are_inherited_by_subprocesses():
    mlflow.enable_system_metrics_logging()
    mlflow.set_system_metrics_sampling_interval(2)
    mlflow.set_system_metrics_samples_before_logging(3)
    mlflow.set_system_metrics_node_id("n")
    prefix = "MLFLOW_SYSTEM_METRICS_"
    assert os.environ["MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"] == "True"
    assert os.environ[prefix + "SAMPLING_INTERVAL"] == "2.0"
    assert os.environ[prefix + "SAMPLES_BEFORE_LOGGING"] == "3"
    assert os.environ[prefix + "NODE_ID"] == "n"

    mlflow.disable_system_metrics_logging()
    mlflow.set_system_metrics_sampling_interval(None)
    mlflow.set_system_metrics_samples_before_logging(0)
    mlflow.set_system_metrics_node_id(None)
    assert os.environ["MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"] == "False"
    assert not [name for name in os.environ if name.startswith(prefix)]


@pytest.mark.parametrize("bad", [-1, "soon", float("nan"), float("inf"), [1]])
def test_settings_that_mean_nothing_are_refused(bad):
    with pytest.raises(MlflowException, match="SAMPLING_INTERVAL must be a number of seconds"):
        mlflow.set_system_metrics_sampling_interval(bad)
    with pytest.raises(MlflowException, match="SAMPLES_BEFORE_LOGGING must be a number of"):
        mlflow.set_system_metrics_samples_before_logging(bad)


def test_a_setting_of_the_environment_that_means_nothing_is_the_default(monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING", "1.5")
    with mlflow.start_run(log_system_metrics=True):
        pass
    _join()

    assert "no positive number: '1.5'. 1 is taken" in caplog.text


def test_without_psutil_no_run_is_begun_and_the_line_says_what_to_do(monkeypatch):
    monkeypatch.setattr(system_metrics, "find_spec", lambda name: None)
    with pytest.raises(MlflowException, match="pip install psutil"):
        mlflow.start_run(log_system_metrics=True)

    assert mlflow.active_run() is None
    assert mlflow.search_runs(output_format="list") == []


def test_the_end_of_the_process_and_forks(tmp_path):
    """A child logs nothing to its parent's run; its own run has a thread of its own."""
    script = """
import os, sys, mlflow, threading
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_system_metrics_sampling_interval(0.001)
names = lambda: [one.name for one in threading.enumerate()].count("mlflow-system-metrics")
run = mlflow.start_run(log_system_metrics=True)
child = os.fork()
if child == 0:
    here = names()
    with mlflow.start_run(nested=True, log_system_metrics=True):
        here = here, names()
    os._exit(0 if here == (0, 1) else 1)
assert os.waitpid(child, 0)[1] == 0
assert names() == 1
"""
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    mlflow.set_tracking_uri(tmp_path)
    runs = mlflow.search_runs(output_format="list")
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]
