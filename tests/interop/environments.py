"""Environments that hold this installation and programs of others."""

from __future__ import annotations

import os
import subprocess
import sys

from uv import find_uv_bin

from mlflow.models.environments import write_own_wheels

UV = find_uv_bin()
# Read when this is loaded: a test's home is a new one, and what was downloaded once is not again.
_CACHE = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)


def made(folder, *requirements, has_own=True):
    """Make an environment with this installation (and the shim); return its interpreter."""
    environment = {**os.environ, "UV_CACHE_DIR": _CACHE.stdout.strip()}
    place = os.path.join(folder, "env")
    subprocess.run(
        [UV, "venv", "--quiet", "--python", sys.executable, place], env=environment, check=True
    )
    python = os.path.join(place, "bin", "python")
    own = write_own_wheels(str(folder)) if has_own else []
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", python, *own, *requirements],
        env=environment, check=True,
    )  # fmt: skip
    return python
