"""The CatBoost flavor."""

from __future__ import annotations

import os
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.deserialize import POLICY_VARIABLE

catboost = pytest.importorskip(
    "catboost", reason="catboost is not installed; scripts/flavors brings it"
)

FRAME = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=list("abc"))
TARGET = FRAME.a * 3 + FRAME.b
CLASSES = (TARGET > 1.8).astype(int)
FEW = {"iterations": 3, "verbose": False, "allow_writing_files": False}


class Own(catboost.CatBoostRegressor):
    """Somebody's own estimator."""


MODELS = {
    "CatBoost": lambda: catboost.CatBoost(FEW).fit(FRAME, TARGET),
    "CatBoostClassifier": lambda: catboost.CatBoostClassifier(**FEW).fit(FRAME, CLASSES),
    "CatBoostRegressor": lambda: catboost.CatBoostRegressor(**FEW).fit(FRAME, TARGET),
    "CatBoostRanker": lambda: catboost.CatBoostRanker(**FEW).fit(
        FRAME, CLASSES, group_id=[0] * 20 + [1] * 20
    ),
}


@pytest.mark.parametrize("save_format", ["cbm", "json"])
@pytest.mark.parametrize("kind", MODELS)
def test_every_kind_comes_back_and_runs_no_code(kind, save_format, tmp_path, monkeypatch):
    model = MODELS[kind]()
    mlflow.catboost.save_model(model, tmp_path / "m", format=save_format)
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    loaded = mlflow.catboost.load_model(tmp_path / "m")
    assert type(loaded) is type(model)
    assert np.allclose(loaded.predict(FRAME), model.predict(FRAME))
    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.array_equal(as_function.predict(FRAME), loaded.predict(FRAME))
    assert type(as_function.get_raw_model()) is type(model)


def test_the_folder_is_as_mlflow_writes_it(tmp_path):
    model = MODELS["CatBoostClassifier"]()
    mlflow.catboost.save_model(model, tmp_path / "m", input_example=FRAME.head(2))

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "model.cb", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["catboost"] == {
        "catboost_version": catboost.__version__,
        "data": "model.cb",
        "model_type": "CatBoostClassifier",
        "save_format": "cbm",
        "code": None,
    }
    conf = meta.flavors["python_function"]
    assert (conf["loader_module"], conf["data"]) == ("mlflow.catboost", "model.cb")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]
    assert meta.signature.outputs is not None
    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    named = {line.partition("==")[0] for line in lines}
    assert named == {"mlflow", "catboost", "numpy", "pandas", "scipy"}
    pip = mlflow.catboost.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.catboost.get_default_pip_requirements()]


def test_a_class_of_ones_own_is_loaded_as_the_one_it_derives_from(tmp_path):
    model = Own(**FEW).fit(FRAME, TARGET)
    mlflow.catboost.save_model(model, tmp_path / "m")

    loaded = mlflow.catboost.load_model(tmp_path / "m")
    assert type(loaded) is catboost.CatBoostRegressor
    assert np.array_equal(loaded.predict(FRAME), model.predict(FRAME))


@pytest.mark.parametrize("kind", ["os.system", "Pool", "nowhere", "__name__", ["CatBoost"], 3])
def test_classes_that_are_no_models_of_catboost(kind, tmp_path):
    mlflow.catboost.save_model(MODELS["CatBoost"](), tmp_path / "m")
    content = yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())
    content["flavors"]["catboost"]["model_type"] = kind
    (tmp_path / "m" / "MLmodel").write_text(yaml.safe_dump(content))

    with pytest.raises(MlflowException, match="is no model of CatBoost"):
        mlflow.catboost.load_model(tmp_path / "m")


@pytest.mark.parametrize("damage", [b"", b"nothing", b"CBM1\xff\xff\xff\xff", None])
def test_damaged_files_say_so(damage, tmp_path):
    mlflow.catboost.save_model(MODELS["CatBoost"](), tmp_path / "m")
    path = tmp_path / "m" / "model.cb"
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="no CatBoost model"):
        mlflow.catboost.save_model(object(), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_logged_model_is_loaded_by_its_uris():
    model = MODELS["CatBoostRegressor"]()
    with mlflow.start_run() as run:
        info = mlflow.catboost.log_model(model, name="model", registered_model_name="trees")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/trees/1"):
        assert np.array_equal(mlflow.catboost.load_model(uri).predict(FRAME), model.predict(FRAME))


def test_without_the_library_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    mlflow.catboost.save_model(MODELS["CatBoost"](), tmp_path / "m")
    monkeypatch.setitem(sys.modules, "catboost", None)

    with pytest.raises(MlflowException, match="need: pip install catboost"):
        mlflow.pyfunc.load_model(tmp_path / "m")
