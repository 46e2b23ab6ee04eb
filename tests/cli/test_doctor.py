"""`mlflow doctor` finds what is wrong and hides what is secret."""

from __future__ import annotations

from click.testing import CliRunner

from mlflow import _installation
from mlflow.cli.doctor import doctor


def _versions(monkeypatch, **given: str) -> None:
    monkeypatch.setattr(
        _installation, "installed_version", lambda name: given.get(name.replace("-", "_"))
    )


def test_healthy(monkeypatch):
    """With the shim in place there is nothing to repair."""
    _versions(monkeypatch, **{
        name.replace("-", "_"): _installation.SHIM_VERSION for name in _installation.SHIM_NAMES
    })  # fmt: skip
    result = CliRunner().invoke(doctor)

    assert 0 == result.exit_code
    assert "MLflow API version: 3.17.2" in result.output
    assert "No problems found." in result.output


def test_missing_shim_is_said_and_no_failure(monkeypatch):
    """Without the shim things work; doctor says what could happen and how to prevent it."""
    _versions(monkeypatch)
    result = CliRunner().invoke(doctor)

    assert 0 == result.exit_code
    assert "To prevent it, run: mlflow shim install" in result.output


def test_stock_is_a_failure(monkeypatch):
    """A stock package over ours is an error with the line that repairs it."""
    _versions(monkeypatch, mlflow="3.17.2")
    result = CliRunner().invoke(doctor)

    assert 1 == result.exit_code
    assert _installation.REPAIR in result.output


def test_leftover_files_are_a_failure(monkeypatch):
    """Files of a stock package that is no longer listed are found too."""
    _versions(monkeypatch)
    monkeypatch.setattr(_installation, "has_stock_files", lambda folder=None: True)
    result = CliRunner().invoke(doctor)

    assert 1 == result.exit_code
    assert "leftover files" in result.output


def test_secrets_are_hidden(monkeypatch):
    """The report can be pasted into an issue."""
    _versions(monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "hunter2")
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", "postgresql://u:hunter2@h/db")
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "https://u:hunter2@example.org/x")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///store")
    plain = CliRunner().invoke(doctor).output
    masked = CliRunner().invoke(doctor, ["--mask-envs"]).output

    assert "hunter2" not in plain
    assert "MLFLOW_TRACKING_URI='file:///store'" in plain
    assert "file:///store" not in masked
