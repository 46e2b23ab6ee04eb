"""Runs whose process is gone are ended by whoever looks; runs that are alive never are."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import mlflow
from mlflow.store import heartbeat
from mlflow.store.backends.base import ReadOnly
from mlflow.store.backends.file import FileBackend
from mlflow.tags import MILLSTREAM_ERROR_MESSAGE

BODY = """
import mlflow, sys
run = mlflow.start_run(*sys.argv[1:])
mlflow.log_metric("loss", 0.5, timestamp=run.info.start_time + 5)
print(run.info.run_id, flush=True)
sys.stdin.read()
"""


@contextmanager
def another_process(*run_id: str):
    """Another process that logs to a run, a new one or this; the run's id, and how to kill it."""
    process = subprocess.Popen(
        [sys.executable, "-c", BODY, *run_id],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def status(run_id):
    return mlflow.get_run(run_id).info.status


def found(text="", **options):
    runs = mlflow.search_runs(filter_string=text, output_format="list", **options)
    return [(run.info.run_id, run.info.status) for run in runs]


def alive_file(run_id):
    return Path("mlruns", "0", run_id, ".alive")


def test_a_killed_process_leaves_no_run_that_seems_to_run():
    with another_process() as (run_id, _):
        assert status(run_id) == "RUNNING"
        assert found() == [(run_id, "RUNNING")]

    run = mlflow.get_run(run_id)
    assert run.info.status == "KILLED"
    # Its last sign of life: the time of its point, or of a file, whichever was told.
    assert run.info.start_time <= run.info.end_time
    assert "killed" in run.data.tags[MILLSTREAM_ERROR_MESSAGE]
    # Written down, for everybody who reads the store.
    assert "status: 5" in Path("mlruns", "0", run_id, "meta.yaml").read_text()
    assert not alive_file(run_id).exists()


def test_a_search_ends_it_before_it_answers():
    with another_process() as (run_id, _):
        assert found("attributes.status = 'RUNNING'") == [(run_id, "RUNNING")]

    assert found("attributes.status = 'RUNNING'") == []
    assert found("attributes.status = 'KILLED'") == [(run_id, "KILLED")]


def test_a_search_ends_all_of_them():
    with another_process() as (first, _), another_process() as (second, _):
        mlflow.start_run()

    assert sorted(state for _, state in found()) == ["KILLED", "KILLED", "RUNNING"]
    assert {first, second} == {one for one, state in found() if state == "KILLED"}


def test_a_run_of_two_processes_lives_as_long_as_either():
    with another_process() as (run_id, _):
        with another_process(run_id):
            assert status(run_id) == "RUNNING"
        assert status(run_id) == "RUNNING"
    assert status(run_id) == "KILLED"


def test_a_dead_run_can_be_gone_on_with():
    with another_process() as (run_id, _):
        pass
    with another_process(run_id):
        assert status(run_id) == "RUNNING"
        assert found() == [(run_id, "RUNNING")]

    with mlflow.start_run(run_id):
        assert status(run_id) == "RUNNING"
    assert status(run_id) == "FINISHED"


def test_a_run_of_this_process_is_alive_until_it_ends():
    with mlflow.start_run() as run:
        assert status(run.info.run_id) == "RUNNING"
        assert alive_file(run.info.run_id).exists()

    assert status(run.info.run_id) == "FINISHED"
    # Stock MLflow may go on with the run; then its process is not to be taken for dead.
    assert not alive_file(run.info.run_id).exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_does_not_hold_the_run_of_its_parent():
    forks = "import os\nif os.fork(): os.kill(os.getpid(), 9)\nprint('child', flush=True)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", BODY.replace("sys.stdin.read()", forks + "sys.stdin.read()")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    run_id = process.stdout.readline().strip()
    try:
        assert process.stdout.readline() == "child\n"
        assert process.wait() == -9
        assert status(run_id) == "KILLED"
    finally:
        process.communicate()  # the child waits for the end of its input


def test_of_runs_of_others_there_is_no_telling():
    run_id = mlflow.MlflowClient().create_run("0").info.run_id

    assert status(run_id) == "RUNNING"


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"another start\nanother machine\n", b"\xff" * 999]
)
def test_the_lock_of_another_machine_says_nothing(content):
    with another_process() as (run_id, _):
        pass
    alive_file(run_id).write_bytes(content)

    assert status(run_id) == "RUNNING"
    assert alive_file(run_id).exists()


@pytest.mark.parametrize("known", [0, 1], ids=["in a container", "after a restart"])
def test_the_same_machine_is_known_again(known):
    with another_process() as (run_id, _):
        pass
    lines = alive_file(run_id).read_bytes().splitlines()
    if not lines[known]:
        pytest.skip("this system does not number its starts")
    lines[1 - known] = b"something else"
    alive_file(run_id).write_bytes(b"\n".join([*lines, b""]))

    assert status(run_id) == "KILLED"


@pytest.mark.parametrize("make", [os.mkdir, lambda path: os.symlink("/dev/null", path)])
def test_what_is_no_plain_file_says_nothing(make):
    run_id = mlflow.MlflowClient().create_run("0").info.run_id
    make(alive_file(run_id))

    assert status(run_id) == "RUNNING"
    with mlflow.start_run(run_id):
        mlflow.log_metric("m", 1)
    assert status(run_id) == "FINISHED"


def test_a_store_that_is_only_read_is_left_as_it_is(monkeypatch):
    with another_process() as (run_id, _):
        pass

    def refuse(*_, **__):
        raise ReadOnly("store", "", "it is read only")

    with monkeypatch.context() as patch:
        patch.setattr(FileBackend, "update_run", refuse)

        assert status(run_id) == "RUNNING"
        assert found() == [(run_id, "RUNNING")]
    assert status(run_id) == "KILLED"


def test_a_run_that_ends_while_one_looks_is_not_ended_twice(monkeypatch):
    with another_process() as (run_id, _):
        pass
    real = FileBackend.get_run

    def finished_meanwhile(self, wanted):
        run = real(self, wanted)
        if run.info.status == "RUNNING":
            self.update_run(wanted, status="FINISHED")
        return run

    with monkeypatch.context() as patch:
        patch.setattr(FileBackend, "get_run", finished_meanwhile)
        run = mlflow.get_run(run_id)

    assert run.info.status == "FINISHED"
    assert MILLSTREAM_ERROR_MESSAGE not in run.data.tags


def test_a_lock_that_was_replaced_is_not_this_runs():
    """The file may be removed and made anew between its opening and its locking."""
    with another_process() as (run_id, _):
        info = mlflow.get_run(run_id).info
    opened = os.open(alive_file(run_id), os.O_RDWR)
    alive_file(run_id).rename("elsewhere")
    alive_file(run_id).write_bytes(Path("elsewhere").read_bytes())

    assert not heartbeat._is_still_at(opened, str(alive_file(run_id)))
    os.close(opened)
    with heartbeat.Orphan(info) as orphan:
        assert orphan.found
