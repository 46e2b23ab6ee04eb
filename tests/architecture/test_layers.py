"""The layers in pyproject.toml hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_layers_hold(tmp_path):
    """Imports point down, without cycles, function-local ones included."""
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()",
         "--no-cache", "--config", str(ROOT / "pyproject.toml")],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout[-6000:] + done.stderr[-2000:]
