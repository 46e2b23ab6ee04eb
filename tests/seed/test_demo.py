"""The demonstration shows what it says, and leaves no process when it is stopped."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import mlflow

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="drives a POSIX terminal"),
]


@pytest.fixture
def demo(tmp_path):
    """The demonstration, started from a terminal, in a folder of its own."""
    terminal, stdin = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-u", str(DEMO), "--folder", str(tmp_path), "--port", "0"],
        stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={key: value for key, value in os.environ.items() if key != "CI"},
    )  # fmt: skip
    yield process
    if process.poll() is None:
        process.terminate()  # it ends its servers; killed, it would leave them behind
    process.communicate()
    os.close(terminal)
    os.close(stdin)


def read_until(process, sign):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if sign in line:
            return lines
    raise AssertionError(process.stderr.read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_shows_runs_and_an_answer_and_stops_on_request(demo, number, tmp_path):
    lines = read_until(demo, "Ctrl-C stops both")
    children = psutil.Process(demo.pid).children(recursive=True)
    (answer,) = [line for line in lines if line.startswith("{")]
    demo.send_signal(number)
    rest, errors = demo.communicate(timeout=60)
    _, alive = psutil.wait_procs(children, timeout=30)

    assert 7 == len([line for line in lines if line.startswith(("Linear", "Elastic", "Random"))])
    assert [6.15] == pytest.approx(ast.literal_eval(answer)["predictions"], abs=0.3)
    assert 2 <= len(children)  # the model's server and that of the pages
    assert [] == alive
    assert 0 == demo.returncode
    assert "Stopping." in rest
    assert "Traceback" not in errors


def test_it_stops_while_it_trains(demo, tmp_path):
    read_until(demo, "Training seven models")
    demo.send_signal(signal.SIGINT)
    rest, errors = demo.communicate(timeout=60)
    store = (tmp_path / "mlruns").as_uri()
    runs = mlflow.MlflowClient(store).search_runs(["0"])

    assert 130 == demo.returncode
    assert "Traceback" not in errors
    assert {"FINISHED", "KILLED"} >= {run.info.status for run in runs}
