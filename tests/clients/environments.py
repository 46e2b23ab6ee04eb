"""Environments of a client: one with stock MLflow, one with this clone, else of the same versions."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import tomllib
from pathlib import Path

from uv import find_uv_bin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".stock" / "clients"
CLIENTS = tomllib.loads((Path(__file__).parent / "clients.toml").read_text())
STOCK = "mlflow==3.17.2"
PYTHON = "3.11"
# Read when this is loaded: a test's home is a new one, and what was downloaded once is not again.
UV = find_uv_bin()
_CACHE = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)
_SETTINGS = {
    **os.environ,
    "UV_CACHE_DIR": _CACHE.stdout.strip(),
    # Where pip is told to look for wheels, uv looks as well.
    "UV_FIND_LINKS": os.environ.get("UV_FIND_LINKS", os.environ.get("PIP_FIND_LINKS", "")),
    "MILLSTREAM_SKIP_UI": "1",
}


def stock(name: str) -> str:
    """Return the interpreter of a client's environment with stock MLflow."""
    return _made(f"{name}-stock", [STOCK, *CLIENTS[name]["requirements"]])


def ours(name: str) -> str:
    """Return the interpreter of a client's environment with this clone and the shim.

    What the client needs has the versions that stock MLflow's environment has.
    """
    versions = [
        f"{distribution}=={version}"
        for distribution, version in installed(stock(name)).items()
        if not distribution.startswith("mlflow") or distribution.startswith("mlflow-export")
    ]
    return _made(
        f"{name}-ours", CLIENTS[name]["requirements"], versions,
        ["--editable", f"{ROOT}[models,sklearn,polars]"],
    )  # fmt: skip


@functools.cache
def installed(python: str) -> dict[str, str]:
    """Return the version of each distribution of an environment, by its name."""
    listed = _uv("pip", "list", "--format", "json", "--python", python)
    return {one["name"]: one["version"] for one in json.loads(listed)}


def _made(
    name: str, requirements: list[str], versions: Sequence[str] = (), first: Sequence[str] = ()
) -> str:
    place = PLACE / name
    python = str(place / "bin" / "python")
    asked = json.dumps([requirements, *versions, *first, (ROOT / "pyproject.toml").read_text()])
    record = place / "requirements"
    if record.exists() and record.read_text() == asked:
        return python
    _uv("venv", "--quiet", "--clear", "--python", PYTHON, str(place))
    (place / "versions").write_text("\n".join(versions))
    install = ("pip", "install", "--quiet", "--python", python, "-c", str(place / "versions"))
    if first:
        # What stands for the distribution `mlflow` comes before who requires it.
        _uv(*install, *first)
        subprocess.run(
            [place / "bin" / "mlflow", "shim", "install"], check=True, capture_output=True
        )
    _uv(*install, *requirements)
    record.write_text(asked)
    return python


def _uv(*arguments: str) -> str:
    done = subprocess.run(
        [UV, *arguments], env=_SETTINGS, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
