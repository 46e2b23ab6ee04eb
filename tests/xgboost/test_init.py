"""The XGBoost flavor."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.models.deserialize import POLICY_VARIABLE

xgboost = pytest.importorskip("xgboost", reason="xgboost is not installed")

FRAME = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=list("abc"))
TARGET = FRAME.a * 3 + FRAME.b
CLASSES = (TARGET > 1.8).astype(int)


class Own(xgboost.XGBRegressor):
    """Somebody's own estimator."""


def booster():
    return xgboost.train({"max_depth": 2}, xgboost.DMatrix(FRAME, TARGET), 4)


MODELS = {
    "Booster": booster,
    "XGBClassifier": lambda: xgboost.XGBClassifier(n_estimators=3).fit(FRAME, CLASSES),
    "XGBRegressor": lambda: xgboost.XGBRegressor(n_estimators=3).fit(FRAME, TARGET),
    "XGBRFClassifier": lambda: xgboost.XGBRFClassifier(n_estimators=3).fit(FRAME, CLASSES),
    "XGBRanker": lambda: xgboost.XGBRanker(n_estimators=3).fit(FRAME, CLASSES, group=[20, 20]),
}


def predicted(model):
    is_booster = isinstance(model, xgboost.Booster)
    return model.predict(xgboost.DMatrix(FRAME) if is_booster else FRAME)


@pytest.mark.parametrize("model_format", ["ubj", "json"])
@pytest.mark.parametrize("kind", MODELS)
def test_every_kind_comes_back_from_every_format(kind, model_format, tmp_path, monkeypatch):
    model = MODELS[kind]()
    mlflow.xgboost.save_model(model, tmp_path / "m", model_format=model_format)
    monkeypatch.setenv(POLICY_VARIABLE, "false")  # nothing in the folder runs

    loaded = mlflow.xgboost.load_model(tmp_path / "m")
    assert type(loaded) is type(model)
    assert np.array_equal(predicted(loaded), predicted(model))
    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.array_equal(as_function.predict(FRAME), predicted(model))
    assert type(as_function.get_raw_model()) is type(model)


def test_the_folder_is_as_mlflow_writes_it(tmp_path):
    mlflow.xgboost.save_model(booster(), tmp_path / "m", input_example=FRAME.head(2))

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "model.ubj", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["xgboost"] == {
        "xgb_version": xgboost.__version__,
        "data": "model.ubj",
        "model_class": "xgboost.core.Booster",
        "model_format": "ubj",
        "code": None,
    }
    conf = meta.flavors["python_function"]
    assert (conf["loader_module"], conf["data"]) == ("mlflow.xgboost", "model.ubj")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]
    assert meta.signature.outputs is not None
    assert meta.get_serving_input(str(tmp_path / "m"))


def test_requirements_name_the_distribution_that_is_installed(tmp_path):
    mlflow.xgboost.save_model(MODELS["XGBRegressor"](), tmp_path / "m")

    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    named = {line.partition("==")[0] for line in lines}
    assert {"mlflow", "numpy", "pandas", "scikit-learn", "scipy"} < named
    assert len([line for line in lines if line.startswith("xgboost")]) == 1
    assert mlflow.xgboost.get_default_pip_requirements()[0] in lines
    pip = mlflow.xgboost.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.xgboost.get_default_pip_requirements()]


def test_a_logged_model_is_loaded_by_its_uris(tmp_path):
    model = MODELS["XGBClassifier"]()
    with mlflow.start_run() as run:
        info = mlflow.xgboost.log_model(model, name="model", registered_model_name="trees")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/trees/1"):
        assert np.array_equal(mlflow.xgboost.load_model(uri).predict(FRAME), predicted(model))


def test_params_of_the_signature_reach_predict(tmp_path, caplog):
    model = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(FRAME, CLASSES), 3)
    signature = infer_signature(FRAME, TARGET, {"output_margin": False, "nothing": 1})
    mlflow.xgboost.save_model(model, tmp_path / "m", signature=signature)
    loaded = mlflow.pyfunc.load_model(tmp_path / "m")

    expected = model.predict(xgboost.DMatrix(FRAME), output_margin=True)
    assert np.array_equal(loaded.predict(FRAME, {"output_margin": True}), expected)
    assert "takes no ['nothing']" in caplog.text


def test_classes_of_others_need_the_loaders_word(tmp_path, monkeypatch):
    mlflow.xgboost.save_model(Own(n_estimators=2).fit(FRAME, TARGET), tmp_path / "m")

    assert type(mlflow.xgboost.load_model(tmp_path / "m")).__name__ == "Own"
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a model of the class .*Own, which can run any code"):
        mlflow.pyfunc.load_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("os.system", "no model's"),
        ("subprocess.Popen", "no model's"),
        ("mlflow.cli.main", "no model's"),
        ("xgboost.DMatrix", "not XGBoost's"),
        ("xgboost.core.build_info", "not there"),
        ("xgboost.nowhere.Booster", "cannot be imported"),
        ("sklearn.linear_model.Ridge", "not XGBoost's"),
        ("Booster", "is none"),
        ("xgboost..core", "is none"),
        (["xgboost.core.Booster"], "is none"),
    ],
)
def test_classes_that_are_no_models_of_xgboost(name, why, tmp_path):
    mlflow.xgboost.save_model(booster(), tmp_path / "m")
    content = yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())
    content["flavors"]["xgboost"]["model_class"] = name
    (tmp_path / "m" / "MLmodel").write_text(yaml.safe_dump(content))

    with pytest.raises(MlflowException, match=why):
        mlflow.xgboost.load_model(tmp_path / "m")


@pytest.mark.parametrize("damage", [b"", b"{}", b"[" * 10_000, b"\x80\x04K\x01.", b"{L\x00", None])
@pytest.mark.parametrize("model_format", ["ubj", "json"])
def test_damaged_files_say_so(damage, model_format, tmp_path):
    mlflow.xgboost.save_model(MODELS["XGBClassifier"](), tmp_path / "m", model_format=model_format)
    path = tmp_path / "m" / f"model.{model_format}"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)

    with pytest.raises(MlflowException) as caught:
        mlflow.pyfunc.load_model(tmp_path / "m")
    assert "Stack trace" not in str(caught.value)


def test_what_is_no_model_or_no_format_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="neither a Booster nor an XGBModel"):
        mlflow.xgboost.save_model(object(), tmp_path / "m")
    with pytest.raises(MlflowException, match="model_format must be one of"):
        mlflow.xgboost.save_model(booster(), tmp_path / "m", model_format="txt")
    assert not (tmp_path / "m").exists()


@pytest.mark.filterwarnings("ignore:.*_log_callback:pytest.PytestUnraisableExceptionWarning")
def test_folders_of_mlflow_2(tmp_path):
    """They name no class, or a file of the older name."""
    mlflow.xgboost.save_model(booster(), tmp_path / "m")
    content = yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())
    content["flavors"]["xgboost"] = {"xgb_version": "1.7.0", "data": "model.xgb"}
    content["flavors"]["python_function"]["data"] = "model.xgb"
    (tmp_path / "m" / "MLmodel").write_text(json.dumps(content))
    (tmp_path / "m" / "model.ubj").rename(tmp_path / "m" / "model.xgb")

    assert np.array_equal(
        mlflow.pyfunc.load_model(tmp_path / "m").predict(FRAME), predicted(booster())
    )


def test_without_the_library_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    mlflow.xgboost.save_model(booster(), tmp_path / "m")
    monkeypatch.setitem(sys.modules, "xgboost", None)

    with pytest.raises(MlflowException, match="need: pip install xgboost"):
        mlflow.pyfunc.load_model(tmp_path / "m")
    with pytest.raises(MlflowException, match="need: pip install xgboost"):
        mlflow.xgboost.save_model(object(), tmp_path / "n")


def test_a_frame_that_conforms_reaches_the_library_itself(tmp_path):
    frames = []

    def watched(model, path):
        mlflow.xgboost.save_model(model, path, signature=infer_signature(FRAME))
        loaded = mlflow.pyfunc.load_model(path)
        raw = loaded.get_raw_model()
        real = raw.predict
        raw.predict = lambda data, **kwargs: frames.append(data) or real(data, **kwargs)
        loaded.predict(FRAME)

    watched(MODELS["XGBRegressor"](), tmp_path / "own")
    watched(Own(n_estimators=2).fit(FRAME, TARGET), tmp_path / "users")

    assert [frame is FRAME for frame in frames] == [True, False]
