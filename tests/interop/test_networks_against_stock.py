"""The same training of networks under autologging gives the runs that stock MLflow makes."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("networks.py")
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_FLAVORS_PYTHON", "")

pytestmark = pytest.mark.interop


def runs(python, library, folder):
    folder.mkdir()
    done = subprocess.run(
        [python, str(SCRIPT), library, str(folder)],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("library", ["keras", "tensorflow", "lightning", "all"])
def test_runs_of_networks_are_the_same(library, tmp_path):
    if not STOCK or not importlib.util.find_spec("lightning"):
        pytest.skip("libraries of networks are large: scripts/flavors sets them up")
    ours = runs(sys.executable, library, tmp_path / "ours")
    stock = runs(STOCK, library, tmp_path / "stock")

    assert ours.keys() == stock.keys()
    for label, expected in stock.items():
        for theirs, mine in zip(expected, ours[label], strict=True):
            _allow_more_of_networks(theirs, mine)
            if label == "on_generator":
                # Stock takes a batch out of the generator, which the training then lacks.
                assert theirs["params"].pop("batch_size") == "8"
                assert mine["params"].pop("batch_size") == "None"
        assert ours[label] == expected, label


def _allow_more_of_networks(theirs, mine):
    """Stock's models lack params, at times points, and what it fails to infer."""
    for one, other in zip(theirs["models"], mine["models"], strict=True):
        assert set(one.pop("metrics")) <= set(other.pop("metrics"))
        assert one.pop("params").items() <= other["params"].items()
        assert other.pop("params").items() <= mine["params"].items()
        for key, empty in (("signature", "None"), ("example", None)):
            if one[key] == empty:
                other[key] = empty
