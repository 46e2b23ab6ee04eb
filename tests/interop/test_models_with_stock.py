"""Models both ways: what stock MLflow writes predicts the same here, and ours predict there.

`MILLSTREAM_STOCK_PYTHON` names an interpreter with stock MLflow 3.17.2, and
`MILLSTREAM_STOCK26_PYTHON` one with 2.6.0; both need scikit-learn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ALL

SCRIPT = Path(__file__).with_name("stock_models.py")
SOURCES = Path(__file__).resolve().parents[2] / "src"
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON")
STOCK26 = os.environ.get("MILLSTREAM_STOCK26_PYTHON")

pytestmark = pytest.mark.interop


def interpreters():
    for name, path in (("3.17.2", STOCK), ("2.6.0", STOCK26)):
        variable = "MILLSTREAM_STOCK_PYTHON" if name == "3.17.2" else "MILLSTREAM_STOCK26_PYTHON"
        missing = pytest.mark.skipif(path is None, reason=f"{variable} is not set")
        yield pytest.param(path, id=f"stock {name}", marks=missing)


INTERPRETERS = list(interpreters())


def run(python, *args, given=None, ours=False):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    if ours:
        env["PYTHONPATH"] = str(SOURCES)
    done = subprocess.run(
        [python, str(SCRIPT), *args], input=json.dumps(given) if given else None,
        capture_output=True, text=True, env=env, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None


def write(stock, direction, *args):
    """Run the script in stock MLflow, or in ours with libraries that stock's version knows."""
    if direction == "stock writes":
        return run(stock, *args)
    return run(STOCK26, *args, ours=True) if stock == STOCK26 else run(sys.executable, *args)


def read(python, uris, tracking_uri=None):
    given = {"uris": [str(uri) for uri in uris], "tracking_uri": tracking_uri}
    return run(python, "read", given=given)


def folders(root):
    return sorted(path.parent for path in root.glob("*/MLmodel"))


def facts(found, stock):
    """Return what both versions can tell; MLflow 2.6 spells signatures another way."""
    if stock != STOCK26:
        return found
    return {
        uri: {key: one[key] for key in ("predictions", "flavors", "run_id")}
        for uri, one in found.items()
    }


@pytest.mark.parametrize("stock", INTERPRETERS)
@pytest.mark.parametrize("direction", ["stock writes", "we write"])
def test_saved_models_predict_the_same(tmp_path, stock, direction):
    write(stock, direction, "write", str(tmp_path))
    models = folders(tmp_path)
    if direction == "we write" and stock == STOCK26:
        # Formats that MLflow 2.6 does not have; the last has parameters as MLflow 3 writes them.
        new = ("skops", "code", "hinted", "python")
        models = [path for path in models if not any(name in path.name for name in new)]

    assert len(models) >= 5
    assert facts(read(sys.executable, models), stock) == facts(read(stock, models), stock)


@pytest.mark.parametrize("stock", INTERPRETERS if ALL else INTERPRETERS[:1])
@pytest.mark.parametrize("direction", ["stock writes", "we write"])
def test_logged_models_predict_the_same(tmp_path, stock, direction):
    # The default of MLflow 3, skops, is none that 2.6 knows.
    chosen = ["pickle"] if stock == STOCK26 else []
    uris = write(stock, direction, "log", str(tmp_path), *chosen)
    tracking_uri = f"file:{tmp_path}/mlruns"
    if stock == STOCK26:
        # Logged models are of MLflow 3, and its registered versions point at them.
        other = "models:/" if direction == "we write" else "models:/m-"
        uris = [uri for uri in uris if not uri.startswith(other)]

    ours = read(sys.executable, uris, tracking_uri)
    theirs = read(stock, uris, tracking_uri)

    assert facts(ours, stock) == facts(theirs, stock)
    assert len({json.dumps(found["predictions"]) for found in ours.values()}) == 1
