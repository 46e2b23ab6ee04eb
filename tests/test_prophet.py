"""The Prophet flavor."""

from __future__ import annotations

import json
import logging
import os
import sys

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.deserialize import POLICY_VARIABLE

prophet = pytest.importorskip("prophet", reason="prophet is not installed; scripts/flavors has it")

# Its own deprecated calls of pandas.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DAYS = pd.DataFrame({"ds": pd.date_range("2020-01-01", periods=60), "y": np.arange(60.0)})
MORE = pd.DataFrame({"ds": pd.date_range("2020-03-01", periods=3)})
logging.getLogger("cmdstanpy").setLevel(logging.ERROR)


@pytest.fixture(scope="module")
def model():
    quick = {"weekly_seasonality": False, "yearly_seasonality": False}
    return prophet.Prophet(uncertainty_samples=0, **quick).fit(DAYS)


def test_a_forecast_comes_back_and_runs_no_code(model, tmp_path, monkeypatch):
    mlflow.prophet.save_model(model, tmp_path / "m")
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    expected = model.predict(MORE)
    pd.testing.assert_frame_equal(mlflow.prophet.load_model(tmp_path / "m").predict(MORE), expected)
    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    pd.testing.assert_frame_equal(as_function.predict(MORE), expected)
    assert isinstance(as_function.get_raw_model(), prophet.Prophet)


def test_the_folder_is_as_mlflow_writes_it(model, tmp_path):
    mlflow.prophet.save_model(model, tmp_path / "m", input_example=MORE)

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "model.pr", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["prophet"] == {
        "prophet_version": prophet.__version__, "data": "model.pr", "model_type": "Prophet",
        "code": None,
    }  # fmt: skip
    assert meta.flavors["python_function"]["loader_module"] == "mlflow.prophet"
    assert "yhat" in meta.signature.outputs.input_names()
    assert isinstance(json.loads((tmp_path / "m" / "model.pr").read_text()), str)
    pip = mlflow.prophet.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.prophet.get_default_pip_requirements()]


def test_a_logged_model_is_loaded_by_its_uris(model):
    with mlflow.start_run() as run:
        info = mlflow.prophet.log_model(model, name="model")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model"):
        assert isinstance(mlflow.prophet.load_model(uri), prophet.Prophet)


@pytest.mark.parametrize("damage", [b"", b"nothing", b"{}", b'"{}"', b'"[1]"', None])
def test_damaged_files_say_so(model, damage, tmp_path):
    mlflow.prophet.save_model(model, tmp_path / "m")
    path = tmp_path / "m" / "model.pr"
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
        mlflow.pyfunc.load_model(tmp_path / "m")


@pytest.mark.parametrize("value", [object(), prophet.Prophet()])
def test_what_is_no_fitted_model_is_refused(value, tmp_path):
    with pytest.raises(MlflowException, match="no fitted Prophet model"):
        mlflow.prophet.save_model(value, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_without_the_library_the_line_that_installs_it_is_said(model, tmp_path, monkeypatch):
    mlflow.prophet.save_model(model, tmp_path / "m")
    monkeypatch.setitem(sys.modules, "prophet", None)

    with pytest.raises(MlflowException, match="need: pip install prophet"):
        mlflow.pyfunc.load_model(tmp_path / "m")
