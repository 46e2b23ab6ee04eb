"""The Keras flavor, and what models of Keras may do when they are loaded."""

from __future__ import annotations

import json
import os
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.models.deserialize import POLICY_VARIABLE

keras = pytest.importorskip("keras", reason="keras is not installed; scripts/flavors brings it")

ARRAY = np.random.default_rng(0).random((4, 3)).astype("float32")


def network():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    return model


def answer(model):
    return model.predict(ARRAY, verbose=0)


def saved(model, path, **kwargs):
    mlflow.keras.save_model(model, path, **kwargs)
    return mlflow.pyfunc.load_model(path)


def test_a_model_comes_back_where_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    model = network()
    as_function = saved(model, tmp_path / "m")

    assert np.array_equal(answer(mlflow.keras.load_model(tmp_path / "m")), answer(model))
    assert np.array_equal(as_function.predict(ARRAY), answer(model))
    assert type(as_function.get_raw_model()) is type(model)


def test_predictions_are_of_the_kind_of_the_data(tmp_path):
    as_function = saved(network(), tmp_path / "m")
    expected = as_function.predict(ARRAY)

    frame = pd.DataFrame(ARRAY, columns=list("abc"), index=[3, 1, 2, 0])
    found = as_function.predict(frame)
    assert (type(found), list(found.index)) == (pd.DataFrame, [3, 1, 2, 0])
    assert np.array_equal(found.to_numpy(), expected)
    tensor = keras.ops.convert_to_tensor(ARRAY)
    assert np.array_equal(as_function.predict(tensor), expected)
    with pytest.raises(MlflowException, match="Unsupported input data type"):
        as_function.predict(3)


def test_several_inputs_and_outputs_have_names(tmp_path):
    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    model = keras.Model({"a": a, "b": b}, {"sum": a + b, "product": a * b})
    rows = {"a": ARRAY[:, :2], "b": ARRAY[:, 1:]}
    as_function = saved(model, tmp_path / "m", input_example=rows)

    found = as_function.predict(rows)
    assert np.allclose(found["sum"], rows["a"] + rows["b"])
    assert as_function.metadata.signature.inputs.input_names() == ["a", "b"]
    assert as_function.metadata.signature.outputs.input_names() == ["sum", "product"]


def test_the_folder_is_as_mlflow_writes_it(tmp_path):
    saved(network(), tmp_path / "m", input_example=ARRAY[:2])

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "data", "input_example.json", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    assert sorted(os.listdir(tmp_path / "m" / "data")) == ["keras_module.txt", "model.keras"]
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["keras"] == {
        "data": "data", "keras_version": keras.__version__,
        "keras_backend": keras.backend.backend(), "save_exported_model": False,
    }  # fmt: skip
    assert "data" not in meta.flavors["python_function"]
    assert meta.signature == infer_signature(ARRAY, ARRAY[:, :2])
    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    assert {"mlflow", "numpy", "keras"} <= {line.partition("==")[0] for line in lines}
    pip = mlflow.keras.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.keras.get_default_pip_requirements()]


def test_an_exported_model_is_a_program(tmp_path, monkeypatch):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow reads exported models")
    model = network()
    as_function = saved(model, tmp_path / "m", save_exported_model=True)

    assert np.allclose(as_function.predict(ARRAY), answer(model), atol=1e-6)
    loaded = mlflow.keras.load_model(tmp_path / "m")
    assert np.allclose(loaded.serve(ARRAY), answer(model), atol=1e-6)
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a program of TensorFlow"):
        mlflow.pyfunc.load_model(tmp_path / "m")


@keras.saving.register_keras_serializable("own")
class Twice(keras.layers.Layer):
    def call(self, x):
        return x * 2


def test_classes_of_the_user_are_given_by_the_loader(tmp_path):
    mlflow.keras.save_model(keras.Sequential([keras.Input((3,)), Twice()]), tmp_path / "m")
    registered = keras.saving.get_custom_objects()
    kept = registered.pop("own>Twice")
    try:
        with pytest.raises(MlflowException, match="cannot be read"):
            mlflow.keras.load_model(tmp_path / "m")
        model = mlflow.keras.load_model(tmp_path / "m", custom_objects={"own>Twice": Twice})
    finally:
        registered["own>Twice"] = kept
    assert np.allclose(answer(model), ARRAY * 2)


def test_layers_that_bring_code_need_two_permissions(tmp_path, monkeypatch):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Lambda(lambda x: x * 2, output_shape=(3,))]
    )
    mlflow.keras.save_model(model, tmp_path / "m")

    with pytest.raises(MlflowException, match="cannot be read"):
        mlflow.keras.load_model(tmp_path / "m")
    unsafe = {"safe_mode": False}
    loaded = mlflow.keras.load_model(tmp_path / "m", load_model_kwargs=unsafe)
    assert np.allclose(answer(loaded), ARRAY * 2)
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="a Keras model that may bring code"):
        mlflow.keras.load_model(tmp_path / "m", load_model_kwargs=unsafe)


def changed(path, change):
    """Change the description of the layers in a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    change(config)
    content["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)


HARMFUL = {
    "a function of the system": {"module": "os", "class_name": "system",
                                 "config": "touch marker", "registered_name": None},
    "a process": {"module": "subprocess", "class_name": "Popen",
                  "config": {"args": ["touch", "marker"]}, "registered_name": None},
    "a function": {"module": "builtins", "class_name": "function", "config": "exec",
                   "registered_name": "function"},
    "the switch": {"module": "keras.config", "class_name": "function",
                   "config": "enable_unsafe_deserialization",
                   "registered_name": "function"},
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL)
def test_files_made_to_harm_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    monkeypatch.chdir(tmp_path)
    mlflow.keras.save_model(network(), tmp_path / "m")

    def change(config):
        config["config"]["layers"][1] = HARMFUL[name]

    changed(tmp_path / "m" / "data" / "model.keras", change)
    with pytest.raises(MlflowException, match="cannot be read"):
        mlflow.keras.load_model(tmp_path / "m")
    assert not (tmp_path / "marker").exists()


def test_an_older_keras_is_no_guard(tmp_path, monkeypatch):
    mlflow.keras.save_model(network(), tmp_path / "m")
    monkeypatch.setattr(keras, "__version__", "3.8.0")
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match="a Keras model that may bring code"):
        mlflow.keras.load_model(tmp_path / "m")


def test_a_folder_does_not_choose_the_module(tmp_path):
    mlflow.keras.save_model(network(), tmp_path / "m")
    (tmp_path / "m" / "data" / "keras_module.txt").write_text("os")

    with pytest.raises(MlflowException, match="names a module that is not Keras: 'os'"):
        mlflow.keras.load_model(tmp_path / "m")


def test_a_logged_model_is_loaded_by_its_uris():
    model = network()
    with mlflow.start_run() as run:
        info = mlflow.keras.log_model(model, name="model")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model"):
        assert np.array_equal(answer(mlflow.keras.load_model(uri)), answer(model))


@pytest.mark.parametrize("damage", [b"", b"nothing", None])
def test_damaged_files_say_so(damage, tmp_path):
    mlflow.keras.save_model(network(), tmp_path / "m")
    path = tmp_path / "m" / "data" / "model.keras"
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="no model of Keras 3"):
        mlflow.keras.save_model(object(), tmp_path / "m")
    with pytest.raises(MlflowException, match="must be of type TensorSpec"):
        columns = infer_signature(pd.DataFrame({"a": [1.0]}))
        mlflow.keras.save_model(network(), tmp_path / "m", signature=columns)
    assert not (tmp_path / "m").exists()


def test_without_the_library_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    mlflow.keras.save_model(network(), tmp_path / "m")
    monkeypatch.setitem(sys.modules, "keras", None)

    with pytest.raises(MlflowException, match="need: pip install keras"):
        mlflow.pyfunc.load_model(tmp_path / "m")
