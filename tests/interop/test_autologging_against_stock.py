"""The same training under autologging gives the runs that stock MLflow makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


def runs(python, script, folder):
    folder.mkdir()
    done = subprocess.run(
        [python, str(HERE / script), str(folder)],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_runs_are_the_same(tmp_path):
    ours = runs(sys.executable, "autologged.py", tmp_path / "ours")
    # On a busy machine stock gives one run in a hundred neither metrics nor files nor its model,
    # and says nothing: its thread for params and what follows the fit are in each other's way.
    for number in range(3):
        stock = runs(STOCK, "autologged.py", tmp_path / f"stock{number}")
        if all(run["metrics"] or run["files"] for made in stock.values() for run in made):
            break

    assert ours.keys() == stock.keys()
    for label, expected in stock.items():
        _fill_holes(expected, ours[label])
        assert ours[label] == expected, label


def _fill_holes(expected, found):
    # Stock writes params in the background, and its model may be told of one half written.
    for theirs, mine in zip(expected, found, strict=True):
        for one, other in zip(theirs["models"], mine["models"], strict=True):
            holes = [key for key, value in one["params"].items() if value == ""]
            one["params"].update({key: other["params"][key] for key in holes})


def test_runs_of_boosters_are_the_same(tmp_path):
    ours = runs(sys.executable, "boosted.py", tmp_path / "ours")
    stock = runs(STOCK, "boosted.py", tmp_path / "stock")

    assert ours.keys() == stock.keys()
    for label, expected in stock.items():
        for theirs, mine in zip(expected, ours[label], strict=True):
            _allow_more(theirs, mine)
            # Stock writes params in the background; of a training that fails at once it writes none.
            if label.endswith("_fails") and not theirs["params"]:
                theirs["params"] = mine["params"]
        assert ours[label] == expected, label


def _allow_more(theirs, mine):
    """Stock makes a booster's model before the params, and an estimator's after the metrics."""
    for one, other in zip(theirs["models"], mine["models"], strict=True):
        assert other["params"] == mine["params"]
        if one.pop("params"):
            assert {key for key, *_ in one["metrics"]} == {key for key, *_ in other["metrics"]}
            del one["metrics"], other["metrics"]
        del other["params"]


def test_runs_of_statsmodels_are_the_same(tmp_path):
    has = subprocess.run([STOCK, "-c", "import statsmodels"], capture_output=True, check=False)
    if has.returncode != 0:
        pytest.skip("the environment with stock MLflow has no statsmodels")
    ours = runs(sys.executable, "fitted.py", tmp_path / "ours")
    stock = runs(STOCK, "fitted.py", tmp_path / "stock")

    assert ours.keys() == stock.keys()
    for label, expected in stock.items():
        for theirs in expected:
            # Stock takes the mark of an absent argument for its value.
            for params in [theirs["params"], *(one["params"] for one in theirs["models"])]:
                for key in [k for k, v in params.items() if v == "<class 'inspect._empty'>"]:
                    del params[key]
        assert ours[label] == expected, label
