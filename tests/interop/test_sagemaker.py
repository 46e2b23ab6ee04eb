"""`sagemaker-mlflow`, the plug-in that most users have: it is found, imported, and signs."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from .environments import made

pytestmark = pytest.mark.interop

PROGRAM = os.path.join(os.path.dirname(__file__), "sagemaker_client.py")
ARN = "arn:aws:sagemaker:us-west-2:123456789012:mlflow-tracking-server/mine"


def test_requests_are_signed(tmp_path):
    """Reads and writes, with what SageMaker routes by; the server makes the same signature."""
    # It imports the last two, and leaves it to MLflow to bring them.
    python = made(tmp_path, "sagemaker-mlflow==0.5.0", "requests", "importlib-metadata")
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = subprocess.run(
        [python, PROGRAM], cwd=tmp_path, env=environment, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])

    assert [found["made"], found["found"]] == ["5", "5"]
    assert found["stores"] == ["MlflowSageMakerStore", "MlflowSageMakerRegistryStore"]
    assert [one["path"].partition("?")[0].rpartition("/")[2] for one in found["seen"]] == [
        "create",
        "get-by-name",
    ]
    assert all(one["signed"] and one["arn"] == ARN for one in found["seen"])
