"""The scikit-learn flavor."""

import importlib.metadata
import logging
import os
import pickle

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.cluster import DBSCAN
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.deserialize import POLICY_VARIABLE

FRAME = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 0, 3, 1]})
TARGET = [1.0, 2, 3, 4]


def doubled(values):
    return values * 2


@pytest.fixture
def model():
    return ElasticNet().fit(FRAME, TARGET)


@pytest.mark.parametrize("serialization_format", [None, "skops", "pickle", "cloudpickle"])
def test_every_format_comes_back(tmp_path, model, serialization_format):
    mlflow.sklearn.save_model(model, tmp_path / "m", serialization_format=serialization_format)

    expected = model.predict(FRAME)
    assert np.array_equal(mlflow.sklearn.load_model(tmp_path / "m").predict(FRAME), expected)
    assert np.array_equal(mlflow.pyfunc.load_model(tmp_path / "m").predict(FRAME), expected)
    conf = Model.load(tmp_path / "m").flavors["sklearn"]
    assert conf == {
        "code": None,
        "pickled_model": "model.skops" if serialization_format in (None, "skops") else "model.pkl",
        "serialization_format": serialization_format or "skops",
        "sklearn_version": importlib.metadata.version("scikit-learn"),
        "skops_trusted_types": None,
    }


def test_what_skops_does_not_know_is_written_with_cloudpickle_and_a_word(tmp_path, caplog):
    model = make_pipeline(FunctionTransformer(doubled), ElasticNet()).fit(FRAME, TARGET)
    with caplog.at_level(logging.WARNING):
        mlflow.sklearn.save_model(model, tmp_path / "m")

    assert "doubled" in caplog.text
    assert "serialization_format" in caplog.text
    assert not (tmp_path / "m" / "model.skops").exists()
    found = mlflow.sklearn.load_model(tmp_path / "m").predict(FRAME)
    assert np.array_equal(found, model.predict(FRAME))


def test_what_skops_does_not_know_is_refused_when_skops_is_asked_for(tmp_path):
    with pytest.raises(MlflowException, match="skops_trusted_types"):
        mlflow.sklearn.save_model(
            FunctionTransformer(doubled), tmp_path / "m", serialization_format="skops"
        )


def test_types_the_author_vouches_for(tmp_path, monkeypatch):
    name = f"{__name__}.doubled"
    mlflow.sklearn.save_model(
        FunctionTransformer(doubled), tmp_path / "m", skops_trusted_types=[name],
        pyfunc_predict_fn="transform",
    )  # fmt: skip

    assert mlflow.pyfunc.load_model(tmp_path / "m").predict(3) == 6
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="Untrusted types"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_unknown_formats_are_refused(tmp_path, model):
    with pytest.raises(MlflowException, match="Unrecognized serialization format"):
        mlflow.sklearn.save_model(model, tmp_path / "m", serialization_format="x")
    mlflow.sklearn.save_model(model, tmp_path / "m")
    content = yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())
    content["flavors"]["sklearn"]["serialization_format"] = "x"
    (tmp_path / "m" / "MLmodel").write_text(yaml.safe_dump(content))
    with pytest.raises(MlflowException, match="Unrecognized serialization format"):
        mlflow.sklearn.load_model(tmp_path / "m")


def test_another_method_predicts(tmp_path):
    model = LogisticRegression().fit(FRAME, [0, 1, 0, 1])
    mlflow.sklearn.save_model(model, tmp_path / "m", pyfunc_predict_fn="predict_proba")

    loaded = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.allclose(loaded.predict(FRAME), model.predict_proba(FRAME))


def test_a_model_that_does_not_predict_is_kept_all_the_same(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        mlflow.sklearn.save_model(DBSCAN().fit(FRAME), tmp_path / "m")

    assert "Model was missing function: predict" in caplog.text
    assert list(Model.load(tmp_path / "m").flavors) == ["sklearn"]
    assert isinstance(mlflow.sklearn.load_model(tmp_path / "m"), DBSCAN)


def test_an_example_gives_signature_and_request(tmp_path, model):
    mlflow.sklearn.save_model(model, tmp_path / "m", input_example=FRAME.head(2))

    meta = Model.load(tmp_path / "m")
    assert meta.signature.inputs.input_names() == ["a", "b"]
    assert meta.saved_input_example_info["type"] == "dataframe"
    found = mlflow.models.validate_serving_input(
        str(tmp_path / "m"), meta.get_serving_input(str(tmp_path / "m"))
    )
    assert np.array_equal(found, model.predict(FRAME.head(2)))


def test_requirements(tmp_path, model):
    mlflow.sklearn.save_model(model, tmp_path / "m", extra_pip_requirements=["extra==1"])

    lines = (tmp_path / "m" / "requirements.txt").read_text().split("\n")
    names = [line.split("==")[0] for line in lines]
    assert names == ["mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops", "extra"]
    for line in lines[1:-1]:
        package, version = line.split("==")
        assert importlib.metadata.version(package) == version


def test_given_requirements_replace_the_inferred_ones(tmp_path, model):
    mlflow.sklearn.save_model(model, tmp_path / "m", pip_requirements=["only"])

    assert (tmp_path / "m" / "requirements.txt").read_text() == "mlflow==3.17.2\nonly"


def test_requirements_load_no_second_copy(tmp_path, model, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("loaded")

    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr("skops.io.load", refuse)
    for number, kind in enumerate(("skops", "pickle", "cloudpickle")):
        mlflow.sklearn.save_model(model, tmp_path / str(number), serialization_format=kind)
        assert "scikit-learn==" in (tmp_path / str(number) / "requirements.txt").read_text()


def test_code_is_shipped(tmp_path):
    code = tmp_path / "shipped_transformer.py"
    code.write_text("def third(values):\n    return values / 3\n")
    import importlib.util
    import sys

    spec = importlib.util.spec_from_file_location("shipped_transformer", code)
    module = importlib.util.module_from_spec(spec)
    sys.modules["shipped_transformer"] = module
    spec.loader.exec_module(module)
    mlflow.sklearn.save_model(
        FunctionTransformer(module.third), tmp_path / "m", code_paths=[str(code)],
        serialization_format="pickle", pyfunc_predict_fn="transform",
    )  # fmt: skip
    del sys.modules["shipped_transformer"]
    code.unlink()

    assert mlflow.sklearn.load_model(tmp_path / "m").transform(6) == 2
    sys.modules.pop("shipped_transformer")
    assert mlflow.pyfunc.load_model(tmp_path / "m").predict(6) == 2


def test_a_pickle_alone_is_loaded_as_old_folders_ask(tmp_path, model):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))

    wrapper = mlflow.sklearn._load_pyfunc(str(tmp_path / "model.pkl"))
    assert np.array_equal(wrapper.predict(FRAME), model.predict(FRAME))
    with pytest.raises(MlflowException, match="neither a model's folder"):
        mlflow.sklearn._load_pyfunc(str(tmp_path))


def test_logging_takes_either_name():
    model = RandomForestRegressor(2).fit(FRAME, TARGET)
    with mlflow.start_run():
        first = mlflow.sklearn.log_model(model, "a")
        second = mlflow.sklearn.log_model(sk_model=model, artifact_path="b")
        third = mlflow.sklearn.log_model(model, name="c")

    assert [info.name for info in (first, second, third)] == ["a", "b", "c"]


def test_extra_files(tmp_path, model):
    (tmp_path / "x.txt").write_text("x")
    mlflow.sklearn.save_model(model, tmp_path / "m", extra_files=[str(tmp_path / "x.txt")])

    assert os.path.exists(tmp_path / "m" / "extra_files" / "x.txt")
    conf = Model.load(tmp_path / "m").flavors["sklearn"]
    assert conf["extra_files"] == [{"path": "extra_files/x.txt"}]


def test_defaults():
    assert mlflow.sklearn.get_default_pip_requirements() == [
        f"scikit-learn=={importlib.metadata.version('scikit-learn')}"
    ]
    names = [
        line.split("==")[0]
        for line in mlflow.sklearn.get_default_pip_requirements(
            include_cloudpickle=True, include_skops=True
        )
    ]
    assert names == ["scikit-learn", "cloudpickle", "skops"]
    conda = mlflow.sklearn.get_default_conda_env()
    assert conda["dependencies"][-1]["pip"][0] == "mlflow==3.17.2"
