"""Environments made from a model's files: the one we serve in, and those `pip install -r` makes."""

from __future__ import annotations

import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from sklearn.linear_model import LinearRegression
from uv import find_uv_bin

import mlflow
from mlflow.models.environments import write_own_wheels
from tests.conftest import ALL

pytestmark = pytest.mark.interop

UV = find_uv_bin()
# Read here, where the home is not a new one: what was downloaded once is not downloaded again.
CACHE = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)
ROWS = [[4.0], [5.0]]
PREDICT = """
import json, sys, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
print(json.dumps([mlflow.__version__, model.predict(json.loads(sys.argv[2])).tolist()]))
"""


def pins(*names):
    return [f"{name}=={importlib.metadata.version(name)}" for name in names]


@pytest.fixture(autouse=True)
def packages(monkeypatch):
    monkeypatch.setenv("UV_CACHE_DIR", CACHE.stdout.strip())
    monkeypatch.setenv("PATH", f"{os.path.dirname(UV)}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def model(tmp_path):
    """A model and what it predicts; its requirements are as logged, mlflow==3.17.2 among them."""
    estimator = LinearRegression().fit([[1.0], [2.0]], [2.0, 4.0])
    path = str(tmp_path / "model")
    mlflow.sklearn.save_model(estimator, path, serialization_format="pickle")
    return path, estimator.predict(ROWS).tolist()


def environment(folder):
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    return os.path.join(folder, "bin", "python")


def install(python, *what):
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *what], check=True)


def distributions(python):
    done = subprocess.run(
        [UV, "pip", "list", "--format", "json", "--python", python],
        capture_output=True, check=True,
    )  # fmt: skip
    return {item["name"]: item["version"] for item in json.loads(done.stdout)}


def predictions(python, path):
    done = subprocess.run(
        [python, "-c", PREDICT, path, json.dumps(ROWS)], capture_output=True, check=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_installing_the_requirements_where_it_was_trained_leaves_us_intact(model, tmp_path):
    """With the shim, `mlflow==3.17.2` is there already."""
    path, expected = model
    python = environment(str(tmp_path / "env"))
    install(python, *write_own_wheels(str(tmp_path)), *pins("scikit-learn", "cloudpickle"))
    before = distributions(python)
    install(python, "-r", f"{path}/requirements.txt")
    after = distributions(python)

    assert {name: after[name] for name in before} == before
    assert after["mlflow"].endswith("+millstream")
    assert predictions(python, path) == ["3.17.2", expected]


@pytest.mark.parametrize("before", [[], ["mlflow==3.17.2"]], ids=["empty", "stock"])
def test_elsewhere_the_requirements_bring_stock(before, model, tmp_path):
    """Stock MLflow comes, or stays, and the model predicts the same."""
    path, expected = model
    python = environment(str(tmp_path / "env"))
    if before:
        install(python, *before)
    install(python, "-r", f"{path}/requirements.txt")
    found = distributions(python)

    assert found["mlflow"] == "3.17.2"
    assert "millstream" not in found
    assert predictions(python, path) == ["3.17.2", expected]


@pytest.mark.timeout(900)  # pip, on a busy machine
@pytest.mark.parametrize("manager", ["uv", "virtualenv"] if ALL else ["uv"])
def test_a_model_of_an_old_mlflow_is_served_by_us(tmp_path, manager):
    """The environment holds our wheel and the shim, whatever mlflow the model is pinned to."""
    estimator = LinearRegression().fit([[1.0], [2.0]], [2.0, 4.0])
    path = str(tmp_path / "model")
    mlflow.sklearn.save_model(
        estimator, path, serialization_format="pickle",
        # A cloudpickle older than the extra `models` asks for.
        pip_requirements=["mlflow==2.6.0", "cloudpickle==2.2.1", *pins("scikit-learn", "numpy")],
    )  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", path, "-p", str(port),
         "--env-manager", manager],
        env={**os.environ, "MLFLOW_ENV_ROOT": str(tmp_path / "envs")},
    )  # fmt: skip
    try:
        answer = ask(server, port)
    finally:
        server.terminate()
        server.wait(30)
    (ready,) = (tmp_path / "envs").glob("*.ready")
    found = distributions(ready.read_text())

    assert answer == {"predictions": estimator.predict(ROWS).tolist()}
    assert found["mlflow"] == found["mlflow-skinny"] == "3.17.2+millstream"
    assert found["millstream"] == importlib.metadata.version("millstream")
    assert found["cloudpickle"] == "2.2.1"


def ask(server, port):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        json.dumps({"instances": ROWS}).encode(),
        {"Content-Type": "application/json"},
    )
    until = time.monotonic() + 800
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return json.load(reply)
        except urllib.error.URLError:
            time.sleep(0.2)
    raise AssertionError("the server did not come up")
