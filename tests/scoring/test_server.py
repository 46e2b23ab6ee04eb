"""A served model in a process of its own: the command, its workers and its end."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.scoring.server import serve

from .saved import saved_model

PATIENCE = 120


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved_model(tmp_path_factory.mktemp("model") / "m")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(path, *options):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", path, "-p", str(port), *options],
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5)  # noqa: S310
        except OSError:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.1)
        else:
            return process, port
    process.kill()
    raise AssertionError(process.communicate()[1])


def ask(port, document):
    request = urllib.request.Request(  # noqa: S310
        f"http://127.0.0.1:{port}/invocations",
        json.dumps(document).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read())


@pytest.mark.parametrize(
    ("options", "sign"),
    [(["-h", "0.0.0.0"], signal.SIGINT), (["--workers", "2"], signal.SIGTERM)],  # noqa: S104
    ids=["one-process", "two-workers"],
)
def test_serve(model, options, sign):
    """The command answers the document's request, and ends without a trace when told to."""
    path, estimator, frame = model
    process, port = start(path, *options)
    try:
        found = ask(port, {"columns": list(frame), "instances": frame.to_numpy().tolist()})
        assert np.allclose(estimator.predict(frame), found["predictions"])
    finally:
        process.send_signal(sign)
        _, messages = process.communicate(timeout=PATIENCE)

    assert "Traceback" not in messages
    assert process.returncode in (0, -sign, 130, 128 + sign)


MOODY = """
import os, time
import mlflow

class Moody(mlflow.pyfunc.PythonModel):
    def predict(self, model_input):
        if model_input[0] == "hang":
            time.sleep(1000)
        return [os.getpid()]

mlflow.models.set_model(Moody())
"""


@pytest.fixture(scope="module")
def moody(tmp_path_factory):
    """A model that hangs when it is told to, and says which process it is."""
    folder = tmp_path_factory.mktemp("moody")
    (folder / "moody.py").write_text(MOODY)
    mlflow.pyfunc.save_model(folder / "m", python_model=str(folder / "moody.py"))
    return str(folder / "m")


def status_of(port, document):
    try:
        ask(port, document)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
    return 200


def until_answered(port, document):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            return ask(port, document)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("no answer any more")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_hangs_is_started_anew(moody, monkeypatch, workers):
    """When it hangs in every thread, its last client is told, and the next one is answered."""
    monkeypatch.setenv("MILLSTREAM_SCORING_THREADS", "1")
    process, port = start(moody, "-t", "1", "--workers", str(workers))
    try:
        before = ask(port, {"inputs": ["pid"]})
        assert status_of(port, {"inputs": ["hang"]}) == 504
        after = until_answered(port, {"inputs": ["pid"]})
    finally:
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=PATIENCE)

    assert workers > 1 or before == after, "one process stays one process"
    assert "Traceback" not in messages


def test_an_interrupt_ends_a_server_whose_model_hangs(moody):
    """Nobody waits for a call that will never return."""
    process, port = start(moody, "-t", "1")
    try:
        assert status_of(port, {"inputs": ["hang"]}) == 504
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)

    assert process.returncode == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_cannot_be_loaded(moody, tmp_path, workers):
    """The command ends with one line, whoever would have loaded it."""
    broken = tmp_path / "broken"
    shutil.copytree(moody, broken)
    (broken / "moody.py").write_text("1 / 0")
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(broken), "-p",
         str(free_port()), "--workers", str(workers)],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip

    assert done.returncode == 1
    assert "moody.py': division by zero" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(model):
    """A taken port is one line, not a trace."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "mlflow", "models", "serve", "-m", model[0], "-p", str(port)],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    assert done.returncode == 1
    assert f"could not listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_workers_are_counted():
    """There is no server without workers."""
    with pytest.raises(MlflowException, match="--workers"):
        serve("x", workers=0)
