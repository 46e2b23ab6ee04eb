"""The TensorFlow flavor."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.models.deserialize import POLICY_VARIABLE

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed; scripts/flavors")

ARRAY = np.random.default_rng(0).random((4, 3)).astype("float32")


def network():
    tf.keras.utils.set_random_seed(0)
    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    return model


class Linear(tf.Module):
    """Somebody's own module."""

    def __init__(self):
        super().__init__()
        self.weights = tf.Variable([[1.0], [2.0], [3.0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def __call__(self, x):
        return tf.matmul(x, self.weights)


LINEAR = ARRAY @ np.array([[1], [2], [3]], "float32")


def answer(model):
    return model.predict(ARRAY, verbose=0)


def test_a_model_of_keras_comes_back_where_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    model = network()
    mlflow.tensorflow.save_model(model, tmp_path / "m")

    assert np.array_equal(answer(mlflow.tensorflow.load_model(tmp_path / "m")), answer(model))
    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.array_equal(as_function.predict(ARRAY), answer(model))
    assert as_function.predict(pd.DataFrame(ARRAY)).shape == (4, 2)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_hdf5_needs_a_permission(tmp_path, monkeypatch):
    model = network()
    mlflow.tensorflow.save_model(model, tmp_path / "m", keras_model_kwargs={"save_format": "h5"})

    assert (tmp_path / "m" / "data" / "model.h5").exists()
    assert np.array_equal(answer(mlflow.tensorflow.load_model(tmp_path / "m")), answer(model))
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a Keras model as HDF5"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_a_module_is_a_program(tmp_path, monkeypatch):
    mlflow.tensorflow.save_model(Linear(), tmp_path / "m", input_example=ARRAY[:2])

    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.allclose(as_function.predict(ARRAY), LINEAR)
    assert as_function.metadata.signature == infer_signature(ARRAY, LINEAR)
    assert np.allclose(mlflow.tensorflow.load_model(tmp_path / "m")(ARRAY), LINEAR)
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a program of TensorFlow"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_estimators_of_mlflow_1(tmp_path):
    """Their folders name the program, its tags and the function that answers."""
    module = Linear()
    function = module.__call__.get_concrete_function()
    tf.saved_model.save(module, str(tmp_path / "m" / "program"), signatures={"predict": function})
    flavors = {
        "tensorflow": {"saved_model_dir": "program", "meta_graph_tags": ["serve"],
                       "signature_def_key": "predict"},
        "python_function": {"loader_module": "mlflow.tensorflow", "python_version": "3.8.0"},
    }  # fmt: skip
    (tmp_path / "m" / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))

    loaded = mlflow.tensorflow.load_model(tmp_path / "m")
    (expected,) = loaded(x=tf.constant(ARRAY)).values()
    assert np.allclose(expected, LINEAR)
    found = mlflow.pyfunc.load_model(tmp_path / "m").predict({"x": ARRAY})
    assert np.allclose(np.stack(found.iloc[:, 0]), LINEAR)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_models_of_keras_of_mlflow_1(tmp_path):
    model = network()
    mlflow.tensorflow.save_model(model, tmp_path / "m", keras_model_kwargs={"save_format": "h5"})
    (tmp_path / "m" / "data" / "save_format.txt").unlink()
    path = tmp_path / "m" / "MLmodel"
    content = yaml.safe_load(path.read_text())
    del content["flavors"]["tensorflow"]["model_type"]
    path.write_text(yaml.safe_dump(content))

    assert np.array_equal(answer(mlflow.tensorflow.load_model(tmp_path / "m")), answer(model))


class Twice(tf.keras.layers.Layer):
    def call(self, x):
        return x * 2


def test_custom_objects_come_with_the_model_or_from_the_loader(tmp_path, monkeypatch):
    model = tf.keras.Sequential([tf.keras.Input((3,)), Twice()])
    mlflow.tensorflow.save_model(model, tmp_path / "m", custom_objects={"Twice": Twice})

    assert np.allclose(answer(mlflow.tensorflow.load_model(tmp_path / "m")), ARRAY * 2)
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="cannot be read"):
        mlflow.tensorflow.load_model(tmp_path / "m")
    given = {"custom_objects": {"Twice": Twice}}
    loaded = mlflow.tensorflow.load_model(tmp_path / "m", keras_model_kwargs=given)
    assert np.allclose(answer(loaded), ARRAY * 2)


def test_the_folder_is_as_mlflow_writes_it(tmp_path):
    mlflow.tensorflow.save_model(network(), tmp_path / "m", input_example=ARRAY[:2])

    assert set(os.listdir(tmp_path / "m" / "data")) - {"global_custom_objects.cloudpickle"} == {
        "keras_module.txt", "model.keras", "save_format.txt",
    }  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["tensorflow"] == {
        "data": "data", "model_type": "keras", "keras_version": tf.__version__,
        "save_format": "tf", "code": None,
    }  # fmt: skip
    assert meta.flavors["python_function"]["data"] == "data"
    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    names = {line.partition("==")[0] for line in lines}
    assert {"mlflow", "numpy"} <= names
    assert names & {"tensorflow", "tensorflow-cpu"}
    pip = mlflow.tensorflow.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.tensorflow.get_default_pip_requirements()]


def test_a_logged_model_is_loaded_by_its_uris():
    with mlflow.start_run() as run:
        info = mlflow.tensorflow.log_model(Linear(), name="model")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model"):
        assert np.allclose(mlflow.tensorflow.load_model(uri)(ARRAY), LINEAR)


@pytest.mark.parametrize("damage", [b"", b"nothing", None])
def test_damaged_files_say_so(damage, tmp_path):
    mlflow.tensorflow.save_model(Linear(), tmp_path / "m")
    path = tmp_path / "m" / "tf2model" / "saved_model.pb"
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="Unknown model type"):
        mlflow.tensorflow.save_model(object(), tmp_path / "m")
    with pytest.raises(MlflowException, match="save_format must be one of"):
        unknown = {"save_format": "pickle"}
        mlflow.tensorflow.save_model(network(), tmp_path / "m", keras_model_kwargs=unknown)
    assert not (tmp_path / "m").exists()
