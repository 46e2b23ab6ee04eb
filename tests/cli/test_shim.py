"""`mlflow shim` installs, shows and removes the metadata-only distributions."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mlflow import _installation
from mlflow.cli.shim import shim


@pytest.fixture
def installed(monkeypatch):
    """The versions that are installed, by name; nothing at first."""
    versions: dict[str, str] = {}

    def install() -> str:
        versions.update(dict.fromkeys(_installation.SHIM_NAMES, _installation.SHIM_VERSION))
        return "pip"

    def uninstall() -> list[str]:
        names = [name for name in versions if _installation.is_shim(versions[name])]
        for name in names:
            del versions[name]
        return names

    monkeypatch.setattr(_installation, "installed_version", versions.get)
    monkeypatch.setattr(_installation, "install_shims", install)
    monkeypatch.setattr(_installation, "uninstall_shims", uninstall)
    return versions


def _shim(*arguments: str) -> str:
    result = CliRunner().invoke(shim, arguments)
    assert 0 == result.exit_code, result.output
    return result.output


def test_status_tells_ours_from_stock(installed):
    """A name is not installed, the shim or the stock package."""
    installed["mlflow"] = "3.17.2"
    installed["mlflow-skinny"] = "3.17.2+millstream"

    assert [
        "mlflow: 3.17.2 (the stock package)",
        "mlflow-skinny: 3.17.2+millstream (shim)",
        "mlflow-tracing: not installed",
    ] == _shim("status").splitlines()


def test_install_then_uninstall(installed):
    """What was installed is removed; removing nothing says so."""
    assert "mlflow-tracing 3.17.2+millstream (with pip)" in _shim("install")
    assert "Removed mlflow, mlflow-skinny, mlflow-tracing." == _shim("uninstall").strip()
    assert "The shim is not installed." == _shim("uninstall").strip()
