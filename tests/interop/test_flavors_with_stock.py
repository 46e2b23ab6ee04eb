"""Flavors both ways: folders are alike, and predict the same in stock MLflow and here."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlflow.models.flavors import FLAVORS

SCRIPT = Path(__file__).with_name("stock_flavors.py")
# Read here: tests themselves run without the user's settings.
STOCK = {
    version: os.environ.get(name, "")
    for version, name in (
        ("3.17.2", "MILLSTREAM_STOCK_FLAVORS_PYTHON"),
        ("2.6.0", "MILLSTREAM_STOCK26_FLAVORS_PYTHON"),
    )
}
# Those that have tests of their own.
ELSEWHERE = {"lightgbm", "python_function", "sklearn", "xgboost"}
# Its explainers are not compared yet.
NOT_YET = {"shap"}
# MLflow 2.6.0 needs libraries that do not read the pickles of those of today, and knows neither `llm/v1/…` nor Keras 3.
NO_WAY_BACK = {"keras", "pmdarima", "pytorch", "statsmodels", "tensorflow", "transformers"}
# It does not run with these of today.
TOO_NEW = {("keras", "2.6.0"), ("sentence_transformers", "2.6.0")}
NAMES = [name for name, info in FLAVORS.items() if info.ready and name not in ELSEWHERE | NOT_YET]

pytestmark = pytest.mark.interop


def run(python, *words):
    done = subprocess.run(
        [python, "-W", "ignore", str(SCRIPT), *map(str, words)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("version", STOCK)
@pytest.mark.parametrize("flavor", NAMES)
def test_models_go_both_ways(flavor, version, tmp_path):
    python = STOCK[version]
    if not python:
        pytest.skip(
            "no interpreter with stock MLflow and these libraries: scripts/flavors sets them up"
        )
    if (flavor, version) in TOO_NEW:
        pytest.skip(f"MLflow {version} does not run with the {flavor} of today")
    if not importlib.util.find_spec(FLAVORS[flavor].library):
        pytest.skip(f"{FLAVORS[flavor].library} is not installed")
    ours, stock = tmp_path / "ours", tmp_path / "stock"
    for folder in (ours, stock):
        folder.mkdir()
    run(sys.executable, flavor, "write", ours)
    in_stock = run(python, flavor, "write", stock, "read", stock)
    here = run(sys.executable, flavor, "read", ours, "read", stock)

    expected = in_stock[str(stock)]
    assert len(expected) >= 2
    assert here[str(stock)] == expected
    if version == "2.6.0" and flavor in NO_WAY_BACK:
        return
    back = run(python, flavor, "read", ours)[str(ours)]
    assert back == here[str(ours)]
    assert all(back[name]["predictions"] == expected[name]["predictions"] for name in expected)
    if version == "3.17.2":
        assert back == expected
        assert files(ours) == sorted(map(name_of_tensors, files(stock)))


def name_of_tensors(name):
    # Stock draws the name of ONNX's file of tensors.
    return f"{os.path.dirname(name)}/model.onnx.data" if name.endswith(".data") else name
