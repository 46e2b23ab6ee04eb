"""The LightGBM flavor."""

from __future__ import annotations

import os
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.deserialize import POLICY_VARIABLE

lightgbm = pytest.importorskip("lightgbm", reason="lightgbm is not installed")

FRAME = pd.DataFrame(np.random.default_rng(0).random((60, 3)), columns=list("abc"))
TARGET = FRAME.a * 3 + FRAME.b
CLASSES = (TARGET > 1.8).astype(int)
FEW = {"n_estimators": 3, "verbose": -1}
OWN_TYPES = [
    "collections.OrderedDict",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "lightgbm.basic.Booster",
]


def doubled(labels, scores):
    return scores - labels, np.ones_like(scores)


def booster():
    return lightgbm.train({"verbose": -1}, lightgbm.Dataset(FRAME, TARGET), 4)


def classifier():
    return lightgbm.LGBMClassifier(**FEW).fit(FRAME, CLASSES)


MODELS = {
    "Booster": booster,
    "LGBMClassifier": classifier,
    "LGBMRegressor": lambda: lightgbm.LGBMRegressor(**FEW).fit(FRAME, TARGET),
    "LGBMRanker": lambda: lightgbm.LGBMRanker(**FEW).fit(FRAME, CLASSES, group=[30, 30]),
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_kind_comes_back_without_running_code(kind, tmp_path, monkeypatch):
    model = MODELS[kind]()
    mlflow.lightgbm.save_model(model, tmp_path / "m")
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    loaded = mlflow.lightgbm.load_model(tmp_path / "m")
    assert type(loaded) is type(model)
    assert np.array_equal(loaded.predict(FRAME), model.predict(FRAME))
    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.array_equal(as_function.predict(FRAME), model.predict(FRAME))
    assert type(as_function.get_raw_model()) is type(model)


@pytest.mark.parametrize("written", ["pickle", "cloudpickle"])
def test_pickles_come_back_where_they_are_allowed(written, tmp_path, monkeypatch):
    model = classifier()
    mlflow.lightgbm.save_model(model, tmp_path / "m", serialization_format=written)

    conf = Model.load(tmp_path / "m").flavors["lightgbm"]
    assert (conf["data"], conf["serialization_format"]) == ("model.pkl", written)
    assert conf["skops_trusted_types"] is None
    loaded = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.array_equal(loaded.predict(FRAME), model.predict(FRAME))
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a pickle"):
        mlflow.lightgbm.load_model(tmp_path / "m")


def test_the_folder_is_as_mlflow_writes_it(tmp_path):
    mlflow.lightgbm.save_model(booster(), tmp_path / "m", input_example=FRAME.head(2))

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "model.lgb", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["lightgbm"] == {
        "lgb_version": lightgbm.__version__,
        "data": "model.lgb",
        "model_class": "lightgbm.basic.Booster",
        "serialization_format": "skops",
        "skops_trusted_types": OWN_TYPES,
        "code": None,
    }
    conf = meta.flavors["python_function"]
    assert (conf["loader_module"], conf["data"]) == ("mlflow.lightgbm", "model.lgb")
    assert meta.signature.inputs.input_names() == ["a", "b", "c"]
    assert meta.signature.outputs is not None


def test_requirements(tmp_path):
    mlflow.lightgbm.save_model(classifier(), tmp_path / "m")

    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    named = [line.partition("==")[0] for line in lines]
    assert named == [
        "mlflow", "lightgbm", "numpy", "pandas", "scikit-learn", "scipy", "skops",
    ]  # fmt: skip
    assert len(mlflow.lightgbm.get_default_pip_requirements(include_cloudpickle=True)) == 2
    pip = mlflow.lightgbm.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.lightgbm.get_default_pip_requirements()]


def test_a_logged_model_is_loaded_by_its_uris():
    model = classifier()
    with mlflow.start_run() as run:
        info = mlflow.lightgbm.log_model(model, name="model", registered_model_name="trees")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/trees/1"):
        loaded = mlflow.lightgbm.load_model(uri)
        assert np.array_equal(loaded.predict(FRAME), model.predict(FRAME))


def test_what_skops_does_not_know_is_written_with_cloudpickle_and_a_word(tmp_path, caplog):
    model = lightgbm.LGBMRegressor(objective=doubled, **FEW).fit(FRAME, TARGET)
    mlflow.lightgbm.save_model(model, tmp_path / "m")

    assert "doubled" in caplog.text
    assert not (tmp_path / "m" / "model.skops").exists()
    loaded = mlflow.lightgbm.load_model(tmp_path / "m")
    assert np.array_equal(loaded.predict(FRAME), model.predict(FRAME))
    with pytest.raises(MlflowException, match="skops_trusted_types"):
        mlflow.lightgbm.save_model(model, tmp_path / "n", serialization_format="skops")


def test_what_a_folder_trusts_does_not_count(tmp_path, monkeypatch):
    model = lightgbm.LGBMRegressor(objective=doubled, **FEW).fit(FRAME, TARGET)
    name = f"{__name__}.doubled"
    mlflow.lightgbm.save_model(model, tmp_path / "m", skops_trusted_types=[name])

    assert name in Model.load(tmp_path / "m").flavors["lightgbm"]["skops_trusted_types"]
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="Untrusted types"):
        mlflow.lightgbm.load_model(tmp_path / "m")


@pytest.mark.parametrize("damage", [b"", b"{}", b"[" * 10_000, b"\x80\x04K\x01.", b"tree\n", None])
@pytest.mark.parametrize("kind", ["Booster", "LGBMClassifier"])
def test_damaged_files_say_so(damage, kind, tmp_path):
    mlflow.lightgbm.save_model(MODELS[kind](), tmp_path / "m")
    path = tmp_path / "m" / ("model.lgb" if kind == "Booster" else "model.skops")
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)

    with pytest.raises(MlflowException):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_what_is_no_model_or_no_format_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="neither a Booster nor an LGBMModel"):
        mlflow.lightgbm.save_model(object(), tmp_path / "m")
    with pytest.raises(MlflowException, match="Unrecognized serialization format"):
        mlflow.lightgbm.save_model(booster(), tmp_path / "m", serialization_format="txt")
    assert not (tmp_path / "m").exists()


def _changed(folder, **conf):
    content = yaml.safe_load((folder / "MLmodel").read_text())
    content["flavors"]["lightgbm"].update(conf)
    (folder / "MLmodel").write_text(yaml.safe_dump(content))


def test_a_file_that_holds_something_else_is_refused(tmp_path):
    mlflow.lightgbm.save_model(classifier(), tmp_path / "m", serialization_format="pickle")
    (tmp_path / "m" / "model.pkl").write_bytes(pickle.dumps([1]))

    with pytest.raises(MlflowException, match="holds a list"):
        mlflow.lightgbm.load_model(tmp_path / "m")


def test_folders_of_mlflow_2(tmp_path):
    """They name no class, or no format."""
    mlflow.lightgbm.save_model(booster(), tmp_path / "b")
    _changed(tmp_path / "b", model_class=None, serialization_format=None)
    mlflow.lightgbm.save_model(classifier(), tmp_path / "c", serialization_format="cloudpickle")
    _changed(tmp_path / "c", serialization_format=None)

    assert isinstance(mlflow.lightgbm.load_model(tmp_path / "b"), lightgbm.Booster)
    assert isinstance(mlflow.lightgbm.load_model(tmp_path / "c"), lightgbm.LGBMClassifier)


def test_without_the_library_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    mlflow.lightgbm.save_model(booster(), tmp_path / "m")
    monkeypatch.setitem(sys.modules, "lightgbm", None)

    with pytest.raises(MlflowException, match="need: pip install lightgbm"):
        mlflow.pyfunc.load_model(tmp_path / "m")
    with pytest.raises(MlflowException, match="need: pip install lightgbm"):
        mlflow.lightgbm.save_model(object(), tmp_path / "n")


def test_a_frame_that_conforms_reaches_the_library_itself(tmp_path):
    frames = []
    for kind in ("Booster", "LGBMClassifier"):
        path = tmp_path / kind
        mlflow.lightgbm.save_model(
            MODELS[kind](), path, signature=mlflow.models.infer_signature(FRAME)
        )
        loaded = mlflow.pyfunc.load_model(path)
        raw = loaded.get_raw_model()
        real = raw.predict
        raw.predict = lambda data, real=real: frames.append(data) or real(data)
        loaded.predict(FRAME)

    assert [frame is FRAME for frame in frames] == [True, True]
