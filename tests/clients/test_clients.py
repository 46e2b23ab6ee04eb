"""Programs of libraries that log with MLflow: what they leave in a store is the same here and there."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.interop.environments import made

from . import environments

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
RESULTS = HERE / "results.json"
# What stock MLflow's stores held after these, which run in every full run of the tests.
RECORDED = HERE / "recorded"
QUICK = ("optuna_study",)
# Read here: tests themselves run without the user's settings.
RUN = bool(os.environ.get("MILLSTREAM_CLIENTS"))


def left_by(python, program, folder):
    """Run a program in an empty folder; return what it says is in its store."""
    folder.mkdir()
    environment = {
        **os.environ, "HOME": str(folder), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/store.db",
        "PYTHONPATH": str(PROGRAMS), "SHOWN": str(folder / "shown.json"), "DO_NOT_TRACK": "1",
        "BENTOML_DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1",
        "PATH": f"{Path(python).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        [python, "-W", "ignore", str(program)], cwd=folder, env=environment, capture_output=True,
        text=True, check=False, timeout=400,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-4000:]
    return json.loads((folder / "shown.json").read_text())


def record(name, python):
    """Note for the page that a client's stores were equal, with which versions, and when."""
    installed = environments.installed(python)
    asked = [re.split(r"[<=>\[]", one)[0] for one in environments.CLIENTS[name]["requirements"]]
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    found[name] = {
        "versions": {one: installed[one].partition("+")[0] for one in asked},
        "result": "equal",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": environments.PYTHON,
    }
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def test_each_client_has_a_program_and_each_program_a_client():
    """`clients.toml` lists what is in `programs/`."""
    programs = {one.stem for one in PROGRAMS.glob("*.py")} - {"dump"}

    assert programs == set(environments.CLIENTS)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not RUN, reason="scripts/clients runs clients in environments of their own")
@pytest.mark.parametrize("name", environments.CLIENTS)
def test_a_client_leaves_the_same(name, tmp_path):
    """Runs, params, points, tags, files, models."""
    program = PROGRAMS / f"{name}.py"
    stock, ours = environments.stock(name), environments.ours(name)

    expected = left_by(stock, program, tmp_path / "stock")

    assert expected == left_by(ours, program, tmp_path / "ours")
    record(name, ours)
    if name in QUICK:
        (RECORDED / f"{name}.json").write_text(json.dumps(expected, indent=1) + "\n")


@pytest.mark.interop
@pytest.mark.parametrize("name", QUICK)
def test_a_quick_client_leaves_what_it_left_on_stock(name, tmp_path):
    """The versions are those of the record; only the environment with this clone is made."""
    versions = json.loads(RESULTS.read_text())[name]["versions"]
    pinned = [f"{distribution}=={version}" for distribution, version in versions.items()]
    python = made(tmp_path, "pandas", *pinned)
    left = left_by(python, PROGRAMS / f"{name}.py", tmp_path / "ours")

    assert left == json.loads((RECORDED / f"{name}.json").read_text())
