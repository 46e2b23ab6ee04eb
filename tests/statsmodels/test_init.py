"""The statsmodels flavor."""

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

sm = pytest.importorskip("statsmodels.api", reason="statsmodels is not installed")
ARIMA = pytest.importorskip("statsmodels.tsa.arima.model", reason="no statsmodels").ARIMA

FRAME = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=list("abc"))
TARGET = FRAME.a * 3 + FRAME.b
DAYS = pd.Series(TARGET.to_numpy(), index=pd.date_range("2020-01-01", periods=40, freq="D"))

MODELS = {
    "OLS": lambda: sm.OLS(TARGET, FRAME).fit(),
    "Logit": lambda: sm.Logit((TARGET > 1.8).astype(int), FRAME[["c"]]).fit(disp=0),
    "GLM": lambda: sm.GLM(TARGET**2, FRAME, family=sm.families.Gaussian()).fit(),
}


@pytest.mark.parametrize("remove_data", [False, True])
@pytest.mark.parametrize("kind", MODELS)
def test_results_come_back(kind, remove_data, tmp_path):
    model = MODELS[kind]()
    rows = FRAME[["c"]] if kind == "Logit" else FRAME
    expected = model.predict(rows)
    mlflow.statsmodels.save_model(model, tmp_path / "m", remove_data=remove_data)

    loaded = mlflow.statsmodels.load_model(tmp_path / "m")
    assert type(loaded) is type(model)
    assert np.array_equal(loaded.predict(rows), expected)
    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.array_equal(as_function.predict(rows), expected)
    assert type(as_function.get_raw_model()) is type(model)


def test_the_folder_is_as_mlflow_writes_it(tmp_path):
    mlflow.statsmodels.save_model(MODELS["OLS"](), tmp_path / "m", input_example=FRAME.head(2))

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "model.statsmodels", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["statsmodels"] == {
        "statsmodels_version": mlflow.models.packages.installed_version("statsmodels"),
        "data": "model.statsmodels",
        "code": None,
    }
    conf = meta.flavors["python_function"]
    assert (conf["loader_module"], conf["data"]) == ("mlflow.statsmodels", "model.statsmodels")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]
    assert meta.signature.outputs is not None
    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    named = {line.partition("==")[0] for line in lines}
    assert {"mlflow", "numpy", "pandas", "scipy", "statsmodels"} <= named
    pip = mlflow.statsmodels.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.statsmodels.get_default_pip_requirements()]


@pytest.fixture(scope="module")
def series():
    return ARIMA(DAYS, order=(1, 0, 0)).fit()


@pytest.mark.parametrize(("start", "end"), [("2020-02-05", "2020-02-12"), (3, 5)])
def test_a_time_series_is_predicted_from_start_to_end(series, start, end, tmp_path):
    mlflow.statsmodels.save_model(series, tmp_path / "m")

    found = mlflow.pyfunc.load_model(tmp_path / "m").predict(
        pd.DataFrame({"start": [start], "end": [end]})
    )
    pd.testing.assert_series_equal(found, series.predict(start, end))


@pytest.mark.parametrize(
    "rows",
    [
        pd.DataFrame({"start": [1]}),
        pd.DataFrame({"end": [1]}),
        pd.DataFrame({"start": [1, 2], "end": [3, 4]}),
        pd.DataFrame({"start": [], "end": []}),
        [1],
        {"start": 1, "end": 2},
    ],
)
def test_other_questions_to_a_time_series_are_refused(series, rows, tmp_path):
    mlflow.statsmodels.save_model(series, tmp_path / "m")

    with pytest.raises(MlflowException, match="must have exactly one row"):
        mlflow.pyfunc.load_model(tmp_path / "m").predict(rows)


def test_a_logged_model_is_loaded_by_its_uris():
    model = MODELS["OLS"]()
    with mlflow.start_run() as run:
        info = mlflow.statsmodels.log_model(model, name="model", registered_model_name="fits")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/fits/1"):
        assert np.array_equal(mlflow.statsmodels.load_model(uri).params, model.params)


def test_pickles_need_the_loaders_consent(tmp_path, monkeypatch):
    mlflow.statsmodels.save_model(MODELS["OLS"](), tmp_path / "m")
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    for load in (mlflow.statsmodels.load_model, mlflow.pyfunc.load_model):
        with pytest.raises(MlflowException, match="is a pickle, which can run any code"):
            load(tmp_path / "m")


@pytest.mark.parametrize("damage", [b"", b"nothing", b"\x80\x05cnowhere\nX\n.", None])
def test_damaged_files_say_so(damage, tmp_path):
    mlflow.statsmodels.save_model(MODELS["OLS"](), tmp_path / "m")
    path = tmp_path / "m" / "model.statsmodels"
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
        mlflow.pyfunc.load_model(tmp_path / "m")


@pytest.mark.parametrize("model", [object(), sm.OLS(TARGET, FRAME)])
def test_what_is_no_fit_is_refused(model, tmp_path):
    with pytest.raises(MlflowException, match="no fitted model of statsmodels"):
        mlflow.statsmodels.save_model(model, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_without_the_library_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    mlflow.statsmodels.save_model(MODELS["OLS"](), tmp_path / "m")
    monkeypatch.setitem(sys.modules, "statsmodels", None)

    with pytest.raises(MlflowException, match="need: pip install statsmodels"):
        mlflow.pyfunc.load_model(tmp_path / "m")
    with pytest.raises(MlflowException, match="need: pip install statsmodels"):
        mlflow.statsmodels.save_model(object(), tmp_path / "n")
