"""The commands for models."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LinearRegression

import mlflow
from mlflow.cli import cli
from mlflow.cli.models import dockerfile
from mlflow.models import infer_signature


def run(*args, **options):
    return CliRunner().invoke(cli, ["models", *args], **options)


@pytest.fixture
def model(tmp_path):
    X = np.array([[1.0], [2.0], [3.0]])
    estimator = LinearRegression().fit(X, X[:, 0] * 2)
    path = str(tmp_path / "m")
    mlflow.sklearn.save_model(estimator, path, signature=infer_signature(X))
    return path


def test_predict_from_standard_input(model):
    """JSON in, JSON out, and nothing else on the output."""
    found = run("predict", "-m", model, input='{"inputs": [[4.0]]}')

    assert found.exit_code == 0, found.output
    assert np.allclose([8.0], json.loads(found.stdout)["predictions"])


def test_predict_files(model, tmp_path):
    """Files in and out."""
    (tmp_path / "in.json").write_text('{"instances": [[4.0]]}')
    found = run("predict", "-m", model, "-i", str(tmp_path / "in.json"), "-o",
                str(tmp_path / "out.json"))  # fmt: skip

    assert found.exit_code == 0, found.output
    assert np.allclose([8.0], json.loads((tmp_path / "out.json").read_text())["predictions"])


def test_predict_refusals(model):
    """A bad body is one line and exit code 1."""
    found = run("predict", "-m", model, input='{"inputs": [["x"]]}')

    assert found.exit_code == 1
    assert found.stderr.startswith("Error: Invalid input.")
    assert run("predict", "-m", model, "--env", "novalue", input="{}").exit_code == 1
    assert run("predict", "-m", "nowhere", input="{}").exit_code == 1


def test_generate_dockerfile(model, tmp_path):
    """The folder holds all that `docker build` needs."""
    out = tmp_path / "image"
    found = run("generate-dockerfile", "-m", model, "-d", str(out))
    text = (out / "Dockerfile").read_text()

    assert found.exit_code == 0, found.output
    assert (out / "model_dir" / "MLmodel").is_file()
    assert 4 == len(os.listdir(out / "wheels"))
    assert "mlflow==" not in (out / "requirements.txt").read_text()
    assert re.match(r"FROM python:3\.\d+-slim\n", text)
    for line in re.findall(r"^(?:RUN|CMD) (.*)$", text, re.MULTILINE):
        assert all(isinstance(word, str) for word in json.loads(line)), "the exec form, no shell"


def test_dockerfile_text():
    """Only the version and our own wheels vary."""
    lines = dockerfile("3.12.1", ["a.whl", "b.whl"])

    assert lines[0] == "FROM python:3.12-slim"
    assert '"/opt/ml/wheels/a.whl", "/opt/ml/wheels/b.whl"' in lines[3]


def test_env_managers_start_the_server_in_their_environment(model, monkeypatch):
    """With an env manager the server runs on the interpreter made for the model."""
    started = []
    monkeypatch.setattr("mlflow.cli.models.environment_python", lambda *a, **k: "/env/python")
    monkeypatch.setattr("mlflow.cli.models._replace_process", started.append)
    found = run("serve", "-m", model, "-p", "5009", "-h", "0.0.0.0", "--env-manager", "uv")

    assert found.exit_code == 0, found.output
    assert "/env/python" == started[0][0]
    assert {"--port=5009", "--host=0.0.0.0", "--env-manager=local"} <= set(started[0])


def test_prepare_env(model, monkeypatch):
    """The environment is made beforehand."""
    monkeypatch.setattr("mlflow.cli.models.environment_python", lambda *a, **k: "/env/python")
    found = run("prepare-env", "-m", model)

    assert (0, "") == (found.exit_code, found.stdout)


def test_update_pip_requirements(model):
    """Requirements of a stored model are added and removed."""
    assert run("update-pip-requirements", "-m", model, "add", "six==1.0", "x").exit_code == 0
    assert run("update-pip-requirements", "-m", model, "remove", "x").exit_code == 0
    lines = Path(model, "requirements.txt").read_text().splitlines()

    assert lines[-1] == "six==1.0"
    assert run("update-pip-requirements", "-m", model, "swap", "x").exit_code == 2


def test_build_docker():
    """Images are not built here; what to do instead is said."""
    found = run("build-docker", "-m", "x", "--name", "y")

    assert found.exit_code == 1
    assert "generate-dockerfile" in found.output
