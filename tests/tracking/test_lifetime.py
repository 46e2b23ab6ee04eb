"""How runs end with their process: each row is a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import mlflow

LOG = "import mlflow, os, sys, signal\n"


def _run(body: str, *, expect: int | None = 0, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [sys.executable, "-c", LOG + body], capture_output=True, text=True, timeout=120, **options
    )
    if expect is not None:
        assert done.returncode == expect, done.stderr
    return done


def _only_run():
    found = mlflow.search_runs(output_format="list")
    assert len(found) == 1
    return found[0]


ENDINGS = {
    "end of program": ("mlflow.start_run()", 0, "FINISHED"),
    "end of program, logged only": ("mlflow.log_metric('m', 1)", 0, "FINISHED"),
    "exit 0": ("mlflow.start_run(); sys.exit(0)", 0, "FINISHED"),
    "exit": ("mlflow.start_run(); sys.exit()", 0, "FINISHED"),
    "exit 3": ("mlflow.start_run(); sys.exit(3)", 3, "FAILED"),
    "exit text": ("mlflow.start_run(); sys.exit('why')", 1, "FAILED"),
    "exit 3 in block": ("with mlflow.start_run(): sys.exit(3)", 3, "FAILED"),
    "exit 0 in block": ("with mlflow.start_run(): sys.exit(0)", 0, "FINISHED"),
    "exit 3, imported": (
        "from sys import exit as leave; mlflow.start_run(); leave(3)",
        3,
        "FAILED",
    ),
    "exit 3, builtin": ("mlflow.start_run(); exit(3)", 3, "FAILED"),
    "quit": ("mlflow.start_run(); quit()", 0, "FINISHED"),
    "exception": ("mlflow.start_run(); 1 / 0", 1, "FAILED"),
    "exception, IPython imported": ("import IPython; mlflow.start_run(); 1 / 0", 1, "FAILED"),
    "exception in block": ("with mlflow.start_run(): 1 / 0", 1, "FAILED"),
    "handled exception": (
        "mlflow.start_run()\ntry: 1 / 0\nexcept ZeroDivisionError: pass",
        0,
        "FINISHED",
    ),
    "argument parser": (
        "import argparse; mlflow.start_run(); argparse.ArgumentParser().parse_args(['--no'])",
        2,
        "FAILED",
    ),
    "interrupt": ("mlflow.start_run(); os.kill(os.getpid(), signal.SIGINT)", None, "KILLED"),
    "interrupt in block": ("with mlflow.start_run(): raise KeyboardInterrupt", None, "KILLED"),
    "interrupt in a task": (
        """
import asyncio
async def main():
    with mlflow.start_run(): os.kill(os.getpid(), signal.SIGINT); await asyncio.sleep(60)
asyncio.run(main())""",
        None,
        "KILLED",
    ),
    "term": ("mlflow.start_run(); os.kill(os.getpid(), signal.SIGTERM)", 143, "KILLED"),
    "term in block": (
        "with mlflow.start_run(): os.kill(os.getpid(), signal.SIGTERM)",
        143,
        "KILLED",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_state_says_how_the_program_ended(name):
    if os.name == "nt" and ("term" in name or "interrupt" in name):
        pytest.skip("Windows ends processes without asking them")
    body, code, status = ENDINGS[name]
    _run(body, expect=code)

    assert _only_run().info.status == status


def test_what_ended_the_program_is_kept_on_the_run():
    _run("mlflow.start_run()\n{}['missing key']", expect=1)

    tags = _only_run().data.tags
    assert tags["millstream.error.type"] == "KeyError"
    assert tags["millstream.error.message"] == "'missing key'"
    assert '<string>", line 3' in tags["millstream.error.trace"]


def test_all_open_runs_end_innermost_first():
    _run("mlflow.start_run(); mlflow.start_run(nested=True); mlflow.start_run(nested=True)")

    found = mlflow.search_runs(output_format="list")
    assert [one.info.status for one in found] == ["FINISHED"] * 3


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes without asking them")
def test_a_signal_ends_runs_of_threads_too():
    _run(
        "import threading\n"
        "with mlflow.start_run(run_name='main'): pass\n"
        "def work():\n"
        "    mlflow.start_run(run_name='thread'); os.kill(os.getpid(), signal.SIGTERM)\n"
        "t = threading.Thread(target=work); t.start(); t.join(); signal.pause()",
        expect=143,
    )

    found = {run.info.run_name: run.info.status for run in mlflow.search_runs(output_format="list")}
    assert found == {"main": "FINISHED", "thread": "KILLED"}


def test_runs_of_threads_end_with_the_process():
    _run("import threading; t = threading.Thread(target=mlflow.start_run); t.start(); t.join()")

    assert _only_run().info.status == "FINISHED"


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes without asking them")
def test_a_handler_of_the_program_is_left_alone():
    done = _run(
        "signal.signal(signal.SIGTERM, lambda *a: print('mine'))\n"
        "mlflow.start_run(); os.kill(os.getpid(), signal.SIGTERM); print('on')"
    )

    assert done.stdout.split() == ["mine", "on"]
    assert _only_run().info.status == "FINISHED"


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes without asking them")
def test_with_no_open_run_the_signal_ends_the_process_as_if_we_were_not_there():
    _run("mlflow.start_run(); mlflow.end_run(); os.kill(os.getpid(), signal.SIGTERM)", expect=-15)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_logs_to_the_run_and_does_not_end_it():
    _run(
        "run = mlflow.start_run()\n"
        "mlflow.log_metric('parent', 1)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    mlflow.log_metric('child', 1)\n"
        "    mlflow.log_metric('later', 1, synchronous=False)\n"
        "    sys.exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "found = mlflow.get_run(run.info.run_id)\n"
        "assert found.info.status == 'RUNNING', found.info.status\n"
        "assert found.data.metrics == {'parent': 1, 'child': 1, 'later': 1}, found.data.metrics\n"
    )

    assert _only_run().info.status == "FINISHED"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_ends_the_runs_that_it_started_itself():
    _run(
        "mlflow.start_run(run_name='parent')\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    mlflow.start_run(run_name='child', nested=True)\n"
        "    sys.exit(4)\n"
        "os.waitpid(pid, 0)\n"
    )

    found = {run.info.run_name: run.info.status for run in mlflow.search_runs(output_format="list")}
    assert found == {"parent": "FINISHED", "child": "FAILED"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_queue_in_use_survives_a_fork():
    _run(
        "with mlflow.start_run() as run:\n"
        "    for i in range(50): mlflow.log_metric('m', i, step=i, synchronous=False)\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        mlflow.log_metric('child', 1, synchronous=False)\n"
        "        mlflow.flush_async_logging()\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "points = mlflow.MlflowClient().get_metric_history(run.info.run_id, 'm')\n"
        "assert [p.step for p in points] == list(range(50)), len(points)\n"
        "assert mlflow.get_run(run.info.run_id).data.metrics['child'] == 1\n"
    )
