"""The pmdarima flavor."""

from __future__ import annotations

import os
import sys

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.deserialize import POLICY_VARIABLE

pmdarima = pytest.importorskip("pmdarima", reason="pmdarima is not installed; scripts/flavors")

VALUES = np.arange(60.0) + np.random.default_rng(0).random(60)
ASKED = pd.DataFrame({"n_periods": [3]})


@pytest.fixture(scope="module")
def model():
    return pmdarima.ARIMA((1, 1, 0)).fit(VALUES)


def test_a_model_comes_back_where_pickles_are_allowed(model, tmp_path, monkeypatch):
    mlflow.pmdarima.save_model(model, tmp_path / "m")

    expected = model.predict(3)
    assert np.array_equal(mlflow.pmdarima.load_model(tmp_path / "m").predict(3), expected)
    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    assert as_function.predict(ASKED).yhat.tolist() == expected.tolist()
    assert type(as_function.get_raw_model()) is type(model)
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a pickle, which can run any code"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_bounds_are_given_when_they_are_asked_for(model, tmp_path):
    mlflow.pmdarima.save_model(model, tmp_path / "m")
    asked = ASKED.assign(return_conf_int=True, alpha=0.1)

    forecast = mlflow.pyfunc.load_model(tmp_path / "m").predict(asked)
    _, bounds = model.predict(3, return_conf_int=True, alpha=0.1)
    assert forecast[["yhat_lower", "yhat_upper"]].to_numpy().tolist() == bounds.tolist()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (pd.DataFrame({"a": [1]}), "do not contain the required column `n_periods`"),
        (pd.DataFrame({"n_periods": [1, 2]}), "contains 2 rows"),
        (pd.DataFrame({"n_periods": ["3"]}), "must be an integer"),
        (pd.DataFrame({"n_periods": [3.0]}), "must be an integer"),
        (ASKED.assign(alpha="x"), "`alpha` must be a number"),
        ([3], "do not contain the required column"),
    ],
)
def test_other_questions_are_refused(model, rows, why, tmp_path):
    mlflow.pmdarima.save_model(model, tmp_path / "m")

    with pytest.raises(MlflowException, match=why):
        mlflow.pyfunc.load_model(tmp_path / "m").predict(rows)


@pytest.mark.filterwarnings("ignore:Hint:UserWarning")
def test_the_folder_is_as_mlflow_writes_it(model, tmp_path):
    mlflow.pmdarima.save_model(model, tmp_path / "m", input_example=ASKED)

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "model.pmd", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["pmdarima"] == {
        "pmdarima_version": pmdarima.__version__, "data": "model.pmd", "model_type": "ARIMA",
        "code": None,
    }  # fmt: skip
    assert meta.signature.outputs.input_names() == ["yhat"]
    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    assert {"mlflow", "numpy", "pmdarima"} <= {line.partition("==")[0] for line in lines}
    pip = mlflow.pmdarima.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.pmdarima.get_default_pip_requirements()]


def test_a_logged_model_is_loaded_by_its_uris(model):
    with mlflow.start_run() as run:
        info = mlflow.pmdarima.log_model(model, name="model")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model"):
        assert np.array_equal(mlflow.pmdarima.load_model(uri).predict(3), model.predict(3))


@pytest.mark.parametrize("damage", [b"", b"nothing", None])
def test_damaged_files_say_so(model, damage, tmp_path):
    mlflow.pmdarima.save_model(model, tmp_path / "m")
    path = tmp_path / "m" / "model.pmd"
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="no model of pmdarima"):
        mlflow.pmdarima.save_model(object(), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_without_the_library_the_line_that_installs_it_is_said(model, tmp_path, monkeypatch):
    mlflow.pmdarima.save_model(model, tmp_path / "m")
    monkeypatch.setitem(sys.modules, "pmdarima", None)

    with pytest.raises(MlflowException, match="need: pip install pmdarima"):
        mlflow.pyfunc.load_model(tmp_path / "m")
