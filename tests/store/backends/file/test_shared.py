"""A file for each process in a run that several machines write; MLflow reads it when it is over."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
import warnings

import pytest

from mlflow.entities.run import Metric, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.store.backends.file import FileBackend
from mlflow.store.local import LocalStore

# Opens for appending as a file system does that has no such thing: a writer knows the end of the
# file from when it looked last, as a machine does that shares a disk with others.
LACKING = textwrap.dedent(
    """
    import os, sys, time
    real_open, real_write = os.open, os.write
    ends = {}

    def open(path, flags, *rest, **named):
        made = real_open(path, flags & ~os.O_APPEND, *rest, **named)
        ends.pop(made, None)
        if flags & os.O_APPEND:
            ends[made] = os.fstat(made).st_size
        return made

    def write(descriptor, data):
        if descriptor in ends:
            os.lseek(descriptor, ends[descriptor], os.SEEK_SET)
            done = real_write(descriptor, data)
            ends[descriptor] += done
            return done
        return real_write(descriptor, data)

    os.open, os.write = open, write
    """
)
PROGRAM = LACKING + textwrap.dedent(
    """
    from mlflow.store.backends.file import FileBackend
    from mlflow.store.local import LocalStore
    from mlflow.entities.run import Metric, Param
    root, run_id = sys.argv[1:3]
    store = LocalStore(FileBackend(root))
    told, tell = os.pipe()
    held, go = os.pipe()
    numbers = [*map(int, sys.argv[3:])]
    for number in numbers:
        if os.fork() == 0:
            os.close(go)
            for step in range(20):
                store.log_metric_value(run_id, "loss", number + step / 100, 1, step)
                if step == 0:  # all have their files open before one goes on
                    real_write(tell, b".")
                    os.read(held, 1)
            store.log_batch(run_id, [Metric("acc", float(number), 1, step) for step in range(5)],
                            [Param(f"p{number}", "1")], [])
            os._exit(0)
    for _ in numbers:
        os.read(told, 1)
    os.close(go)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    """
)


@pytest.fixture
def root(tmp_path):
    return str(tmp_path / "runs")


@pytest.fixture
def store(root, monkeypatch):
    monkeypatch.setenv("MILLSTREAM_SHARED_FOLDER", "always")
    return LocalStore(FileBackend(root))


@pytest.fixture
def run_id(store):
    return store.create_run("0", "ada", 1, [], "name").info.run_id


def write_from_many(root, run_id, shared):
    """Log from fifty processes, which begin together."""
    environment = {**os.environ, "MILLSTREAM_SHARED_FOLDER": shared}
    arguments = [sys.executable, "-c", PROGRAM, root, run_id]
    subprocess.run([*arguments, *map(str, range(50))], env=environment, check=True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no processes")
def test_fifty_processes_lose_nothing(store, root, run_id):
    """On a file system that cannot append; what the plain way loses there shows that it is one."""
    write_from_many(root, run_id, "always")
    history = store.get_metric_history(run_id, "loss")
    assert sorted(number + step / 100 for number in range(50) for step in range(20)) == sorted(
        one.value for one in history
    )
    assert 250 == len(store.get_metric_history(run_id, "acc"))
    assert 50 == len(store.get_run(run_id).data.params)

    other = store.create_run("0", "ada", 1, [], "plain").info.run_id
    write_from_many(root, other, "never")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lines that are none
        assert 1000 > len(store.get_metric_history(other, "loss"))


def test_a_run_that_is_over_is_as_mlflow_writes_it(store, root, run_id):
    """Nothing else is needed to read it."""
    for step in range(3):
        store.log_metric(run_id, Metric("a/b", step / 2, 10 + step, step))
    place = f"{root}/0/{run_id}"
    assert not os.path.exists(f"{place}/metrics/a/b")
    store.update_run_info(run_id, RunStatus.FINISHED, 9, None)
    with open(f"{place}/metrics/a/b") as file:
        assert "10 0.0 0\n11 0.5 1\n12 1.0 2\n" == file.read()
    assert ["folded", "lock"] == sorted(os.listdir(f"{place}/.writers"))
    store.log_metric(run_id, Metric("a/b", 2.0, 13, 3))
    assert {"a/b": 2.0} == store.get_run(run_id).data.metrics


def test_a_point_is_one_write(store, root, run_id, monkeypatch):
    """And nothing else but the look whether the run is active."""
    store.log_metric_value(run_id, "m", 1.0, 1, 1)
    calls = []
    for name in ("open", "write", "fsync", "rename", "mkdir"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *some, _name=name, _real=real: (calls.append(_name), _real(*some))[1]
        )
    store.log_metric_value(run_id, "m", 2.0, 1, 2)
    assert ["write"] == calls


@pytest.mark.parametrize("key", ["../x", "/x", "a//b", "m/below"])
def test_keys_that_no_file_can_have(store, run_id, key):
    """They are refused when they are logged, as in a plain folder."""
    store.log_metric_value(run_id, "m", 1.0, 1, 1)
    store.get_run(run_id)
    with pytest.raises(MlflowException):
        store.log_metric(run_id, Metric(key, 1.0, 1, 1))
    assert {"m": 1.0} == store.get_run(run_id).data.metrics


def test_a_full_disk(store, run_id, monkeypatch):
    """What was torn is taken back; what is logged afterwards is there."""
    store.log_metric_value(run_id, "m", 1.0, 1, 1)
    real, full = os.write, [True]

    def write(descriptor, data):
        if full[0] and len(data) < 12:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:5] if full[0] else data)

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        store.log_metric_value(run_id, "m", 2.0, 1, 2)
    full[0] = False
    store.log_metric_value(run_id, "m", 3.0, 1, 3)
    monkeypatch.undo()
    assert [1, 3] == [one.step for one in store.get_metric_history(run_id, "m")]


def test_a_writer_that_was_idle_begins_anew(store, root, run_id, monkeypatch):
    """Its file may have been taken for that of a dead one."""
    from mlflow.store.backends.file import shared

    store.log_metric_value(run_id, "m", 1.0, 1, 1)
    monkeypatch.setattr(shared, "_IDLE", -1.0)
    store.log_metric_value(run_id, "m", 2.0, 1, 2)
    names = os.listdir(f"{root}/0/{run_id}/.writers")
    assert 2 == len(names)
    assert 1 == sum(one.endswith(".done") for one in names)
    assert 2 == len(store.get_metric_history(run_id, "m"))


def test_the_setting(root, monkeypatch):
    """One of three words."""
    monkeypatch.setenv("MILLSTREAM_SHARED_FOLDER", "nfs")
    with pytest.raises(MlflowException, match="MILLSTREAM_SHARED_FOLDER is 'nfs'"):
        FileBackend(root)


def test_a_clock_that_is_days_ahead_costs_no_point(tmp_path, monkeypatch):
    """A reader takes a living writer for dead and removes its file: the writer begins another."""
    monkeypatch.setenv("MILLSTREAM_SHARED_FOLDER", "always")
    root = str(tmp_path / "mlruns")
    store = LocalStore(FileBackend(root))
    run_id = store.create_run("0", "u", 1, [], "name").info.run_id
    store.log_metric_value(run_id, "loss", 0.5, 1, 1)
    store.get_run(run_id)
    (writer,) = [one for one in os.listdir(f"{root}/0/{run_id}/.writers") if "-" in one]
    now = time.time()
    monkeypatch.setattr("mlflow.store.backends.file.folding.time.time", lambda: now + 3 * 86_400)
    LocalStore(FileBackend(root)).log_metric_value(run_id, "other", 1.0, 1, 1)
    store.get_run(run_id)

    assert not os.path.exists(f"{root}/0/{run_id}/.writers/{writer}")
    store.log_metric_value(run_id, "loss", 0.25, 1, 2)
    history = store.get_metric_history(run_id, "loss")
    assert [(one.step, one.value) for one in history] == [(1, 0.5), (2, 0.25)]
