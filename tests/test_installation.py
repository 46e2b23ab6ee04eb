"""The shim satisfies those who ask for `mlflow`, and stock files among ours are noticed."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from uv import find_uv_bin

from mlflow import _installation
from mlflow.exceptions import MlflowException

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", _installation.SHIM_NAMES)
def test_wheel_says_what_the_project_says(name, tmp_path):
    """The wheel written on the spot and the project in `shim/` are the same distribution."""
    project = tomllib.loads((ROOT / "shim" / name / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(_installation.build_wheel(name, str(tmp_path))) as wheel:
        (path,) = [member for member in wheel.namelist() if member.endswith("/METADATA")]
        metadata = Parser().parsestr(wheel.read(path).decode())

    assert project["name"] == metadata["Name"] == name
    assert project["version"] == metadata["Version"] == _installation.SHIM_VERSION
    assert project["dependencies"] == metadata.get_all("Requires-Dist") == ["millstream"]
    assert project["requires-python"] == metadata["Requires-Python"]


def test_wheel_holds_no_code(tmp_path):
    """Nothing but metadata is installed, so removing the shim removes nothing of ours."""
    for name in _installation.SHIM_NAMES:
        with zipfile.ZipFile(_installation.build_wheel(name, str(tmp_path))) as wheel:
            assert {".dist-info"} == {Path(member).parts[0][-10:] for member in wheel.namelist()}


def test_shim_speaks_for_the_api_level():
    """The shim's version is the API level that `mlflow.__version__` gives."""
    import mlflow

    assert _installation.SHIM_VERSION == f"{mlflow.__version__}+millstream"


def test_stock_files_are_seen(tmp_path):
    """A module that only the stock package has gives it away; ours does not have it."""
    assert not _installation.has_stock_files()
    assert not _installation.has_stock_files(str(tmp_path))

    (tmp_path / "rfunc").mkdir()
    (tmp_path / "rfunc" / "__init__.py").touch()

    assert _installation.has_stock_files(str(tmp_path))


def test_first_import_notices_stock_files(tmp_path):
    """Import of a package with stock files inside says so once, with the line that repairs it."""
    ignore = shutil.ignore_patterns("__pycache__")
    package = tmp_path / "mlflow"
    shutil.copytree(_installation.package_folder(), package, ignore=ignore)
    (package / "rfunc").mkdir()
    (package / "rfunc" / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-c", "import mlflow; print(mlflow.__file__)"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    assert str(package) in done.stdout
    assert 1 == done.stderr.count("pip install --force-reinstall --no-deps millstream")


def test_stock_is_never_replaced_in_place(monkeypatch):
    """With stock installed, an installer would delete files that are now ours: refuse."""
    monkeypatch.setattr(
        _installation, "installed_version", lambda name: "3.17.2" if name == "mlflow" else None
    )

    with pytest.raises(MlflowException, match=r"pip uninstall -y mlflow "):
        _installation.install_shims()


def test_files_written_without_an_installer(tmp_path, monkeypatch):
    """Where there is neither pip nor uv, the same distributions are written and removed."""
    monkeypatch.setattr(_installation, "_installer", lambda: "files")
    monkeypatch.setattr(_installation, "_site_packages", lambda: str(tmp_path))
    monkeypatch.setattr(_installation, "stock_distributions", list)
    monkeypatch.setattr(_installation, "installed_version", lambda name: _version(name, tmp_path))

    assert "files" == _installation.install_shims()
    assert [] == _installation.missing_shims()
    for name in _installation.SHIM_NAMES:
        (found,) = importlib.metadata.distributions(name=name, path=[str(tmp_path)])
        assert _installation.SHIM_VERSION == found.version
        assert all(file.locate().exists() for file in found.files)

    assert list(_installation.SHIM_NAMES) == _installation.uninstall_shims()
    assert [] == list(tmp_path.iterdir())


def _version(name: str, folder: Path) -> str | None:
    found = list(importlib.metadata.distributions(name=name, path=[str(folder)]))
    return found[0].version if found else None


def _run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_requirements_are_satisfied_and_nothing_is_pulled(installer, tmp_path):
    """In a new environment the shim satisfies what others require, without any index."""
    place = tmp_path / "env"
    venv.create(place, with_pip=True)
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # Ours is built by hand into the environment: the test needs no index and no build.
    site = _run(python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])")
    purelib = Path(site.stdout.strip())
    shutil.copytree(
        _installation.package_folder(),
        purelib / "mlflow",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    info = purelib / "millstream-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: millstream\nVersion: 0.1.0\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    (info / "RECORD").write_text("")
    (info / "INSTALLER").write_text("pip\n")
    if installer == "pip":
        pip = [python, "-m", "pip", "--disable-pip-version-check"]
        tail: list[object] = []
    else:
        _run(python, "-m", "pip", "uninstall", "-y", "pip")
        pip = [find_uv_bin(), "pip"]
        tail = ["--python", python]
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("mlflow==3.17.2\nmlflow-skinny>=2.8\nmlflow-tracing>=3,<4\n")
    ask = [*pip, "install", "--no-index", *tail]

    before = _run(*ask, "mlflow>=3,<4")
    installed = _run(
        python, "-c", "from mlflow import _installation as i; print(i.install_shims())",
        cwd=tmp_path, env={**os.environ, "PATH": f"{Path(find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    first = _run(*ask, "mlflow>=3,<4")
    second = _run(*ask, "-r", requirements)
    healthy = _run(*pip, "check", *tail)
    freeze = _run(*pip, "list", *tail)
    removed = _run(
        *pip, "uninstall", *(["-y"] if installer == "pip" else []), *tail, *_installation.SHIM_NAMES
    )
    works = _run(python, "-c", "import mlflow; print(mlflow.__version__)", cwd=tmp_path)

    assert 0 != before.returncode, "without the shim the stock package would be pulled"
    assert installer == installed.stdout.strip(), installed.stderr
    assert 0 == first.returncode, first.stderr
    assert 0 == second.returncode, second.stderr
    assert 0 == healthy.returncode, healthy.stdout + healthy.stderr
    assert 3 == freeze.stdout.count("3.17.2+millstream"), freeze.stdout
    assert 0 == removed.returncode, removed.stderr
    assert "3.17.2" == works.stdout.strip(), works.stderr
