"""The recorded table of schemas, inference and enforcement is what stock MLflow does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

TYPES = Path(__file__).resolve().parents[1] / "types"
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]


@pytest.fixture(scope="module")
def stock():
    run = subprocess.run(
        [STOCK, str(TYPES / "cases.py")], capture_output=True, text=True, check=True, timeout=300
    )
    return json.loads(run.stdout)


def _comparable(outcome):
    # Addresses and the order of sets differ from run to run.
    return outcome[:2] if outcome[0] == "refused" else outcome


def test_the_table_was_recorded_from_this_version(stock):
    run = subprocess.run(
        [STOCK, "-c", "import mlflow; print(mlflow.__version__)"],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert run.stdout.strip().splitlines()[-1] == "3.17.2"


def test_the_recorded_table_is_stocks(stock):
    recorded = json.loads((TYPES / "recorded.json").read_text(encoding="utf-8"))
    assert stock["pandas"].partition(".")[0] == recorded["pandas"].partition(".")[0]
    assert stock["results"].keys() == recorded["results"].keys()
    wrong = {
        label: (outcome, stock["results"][label])
        for label, outcome in recorded["results"].items()
        if _comparable(outcome) != _comparable(stock["results"][label])
    }
    assert wrong == {}


EXAMPLES = """
import json, sys, tempfile, os
import numpy as np, pandas as pd
from scipy.sparse import csr_matrix
ours = sys.argv[1] == "ours"
if ours:
    from mlflow.models.example import save_example, read_example
    class Model:
        saved_input_example_info = None
        def get_input_schema(self): return None
else:
    from mlflow.models import Model
    from mlflow.models.utils import _save_example as save_example, _read_example as read_example
folder = sys.argv[3]
EXAMPLES = {
    "frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, 1.5]}),
    "plain": pd.DataFrame([[1, 2]]),
    "array": np.arange(6.0).reshape(2, 3),
    "arrays": {"a": np.arange(3)},
    "sparse": csr_matrix(np.eye(2)),
    "list": [1, 2], "dict": {"a": 1}, "text": "x",
    "chat": {"messages": [{"role": "user", "content": "hi"}]},
    "params": (pd.DataFrame({"a": [1]}), {"p": 1, "q": [0.5]}),
}
found = {}
for name, example in EXAMPLES.items():
    place = os.path.join(folder, name)
    os.makedirs(place, exist_ok=True)
    model = Model()
    if sys.argv[2] == "write":
        save_example(model, example, place)
        with open(os.path.join(place, "info.json"), "w") as file:
            json.dump(model.saved_input_example_info, file)
    with open(os.path.join(place, "info.json")) as file:
        model.saved_input_example_info = json.load(file)
    value = read_example(model, place)
    found[name] = [type(value).__name__, str(value), model.saved_input_example_info,
                   open(os.path.join(place, "serving_input_example.json")).read()]
print(json.dumps(found, sort_keys=True))
"""


def examples(python, who, what, folder):
    run = subprocess.run(
        [python, "-W", "ignore", "-c", EXAMPLES, who, what, str(folder)],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    return json.loads(run.stdout.strip().splitlines()[-1])


def test_examples_written_by_either_are_the_same_to_both(tmp_path):
    import sys

    by_stock = examples(STOCK, "stock", "write", tmp_path / "stock")
    by_us = examples(sys.executable, "ours", "write", tmp_path / "ours")
    assert by_us == by_stock
    assert examples(STOCK, "stock", "read", tmp_path / "ours") == by_us
    assert examples(sys.executable, "ours", "read", tmp_path / "stock") == by_stock
