"""The programs of `examples/` and of the README run as they stand, from an empty folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
# These need what another made, a model or a server; the demo and the tests below start them.
NOT_ALONE = {"load_model.py", "query_server.py", "demo.py"}


def run(*command, folder, expected=0):
    done = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", *command],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == expected, done.stderr[-4000:]
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "name", sorted(path.name for path in EXAMPLES.glob("*.py") if path.name not in NOT_ALONE)
)
def test_each_example_runs_by_itself(name, tmp_path):
    run(str(EXAMPLES / name), folder=tmp_path)


def test_a_model_is_loaded_back_by_its_path(tmp_path):
    run(str(EXAMPLES / "train_elasticnet.py"), folder=tmp_path)
    (model,) = tmp_path.glob("mlruns/0/*/artifacts/*/MLmodel")
    printed = run(str(EXAMPLES / "load_model.py"), str(model.parent), folder=tmp_path)

    assert re.search(r"^\[\d\.\d+\]$", printed, re.MULTILINE)
    assert "load_model.py mlruns" in run(
        str(EXAMPLES / "load_model.py"), folder=tmp_path, expected=1
    )


def test_the_program_in_the_readme_runs(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    assert "[0 0 0]" in run("-c", program, folder=tmp_path)
    assert len(program.strip().splitlines()) <= 11
