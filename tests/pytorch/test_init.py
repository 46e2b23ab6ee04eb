"""The PyTorch flavor."""

from __future__ import annotations

import os
import pickle
import sys

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature
from mlflow.models.deserialize import POLICY_VARIABLE

torch = pytest.importorskip("torch", reason="torch is not installed; scripts/flavors brings it")

ARRAY = np.random.default_rng(0).random((4, 3)).astype("float32")


class Own(torch.nn.Module):
    """Somebody's own module."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)

    def forward(self, x):
        return torch.relu(self.linear(x))


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Dropout(0.5), torch.nn.ReLU(), torch.nn.Linear(4, 1)
    )


def answer(model, array=ARRAY):
    with torch.no_grad():
        return model(torch.from_numpy(array)).numpy()


def saved(model, path, **kwargs):
    mlflow.pytorch.save_model(model, path, **kwargs)
    return mlflow.pyfunc.load_model(path)


@pytest.mark.parametrize("rows", [1, 2, 4])
def test_a_graph_comes_back_for_any_number_of_rows_and_runs_no_code(rows, tmp_path, monkeypatch):
    model = network()
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    as_function = saved(model, tmp_path / "m", input_example=ARRAY[:rows])

    assert model.training
    expected = answer(model.eval())
    assert np.allclose(as_function.predict(ARRAY), expected)
    assert np.allclose(as_function.predict(ARRAY[:1]), expected[:1])
    assert np.allclose(answer(mlflow.pytorch.load_model(tmp_path / "m")), expected)


@pytest.mark.parametrize("module", [None, pickle, "mlflow.pytorch.pickle_module"])
def test_a_module_comes_back_from_a_pickle(module, tmp_path, monkeypatch):
    module = mlflow.pytorch.pickle_module if isinstance(module, str) else module
    model = Own() if module is not pickle else network().eval()
    as_function = saved(model, tmp_path / "m", serialization_format="pickle", pickle_module=module)

    loaded = mlflow.pytorch.load_model(tmp_path / "m", map_location="cpu")
    assert type(loaded).__name__ == type(model).__name__
    assert np.array_equal(as_function.predict(ARRAY), answer(model))
    assert as_function.get_raw_model() is not None
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    for load in (mlflow.pytorch.load_model, mlflow.pyfunc.load_model):
        with pytest.raises(MlflowException, match="a pickled PyTorch model, which can run any"):
            load(tmp_path / "m")


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torch_script_comes_back(tmp_path):
    script = torch.jit.script(network().eval())
    as_function = saved(script, tmp_path / "m")

    assert isinstance(mlflow.pytorch.load_model(tmp_path / "m"), torch.jit.ScriptModule)
    assert np.array_equal(as_function.predict(ARRAY), answer(script))
    with pytest.raises(MlflowException, match="not supported for torch.jit.ScriptModule"):
        mlflow.pytorch.save_model(script, tmp_path / "n", serialization_format="pt2")


def test_the_folder_is_as_mlflow_writes_it(tmp_path):
    mlflow.pytorch.save_model(network(), tmp_path / "m", input_example=torch.from_numpy(ARRAY))

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "data", "input_example.json", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    assert os.listdir(tmp_path / "m" / "data") == ["model.pt2"]
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["pytorch"] == {
        "pytorch_version": torch.__version__, "model_data": "data", "code": None,
    }  # fmt: skip
    conf = meta.flavors["python_function"]
    assert (conf["loader_module"], conf["data"]) == ("mlflow.pytorch", "data")
    assert conf["pickle_module_name"] == "mlflow.pytorch.pickle_module"
    assert conf["config"] == {"device": None}
    assert meta.signature.inputs.is_tensor_spec()
    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    assert {"mlflow", "numpy", "torch", "cloudpickle"} <= {line.split("==")[0] for line in lines}
    pip = mlflow.pytorch.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.pytorch.get_default_pip_requirements()]


class Branches(torch.nn.Module):
    """Cannot be traced."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ("model", "arguments", "why"),
    [
        (network, {}, "input_example is required"),
        (network, {"input_example": pd.DataFrame(ARRAY)}, "input_example is required"),
        (network, {"input_example": ARRAY, "signature": infer_signature(pd.DataFrame(ARRAY))},
         "must be specified using `TensorSpec`"),
        (Branches, {"input_example": ARRAY}, "PyTorch cannot trace the model"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_graph_is_pickled_unless_a_graph_is_asked_for(
    model, arguments, why, tmp_path, caplog
):
    mlflow.pytorch.save_model(model(), tmp_path / "m", **arguments)

    assert why in caplog.text
    assert sorted(os.listdir(tmp_path / "m" / "data")) == ["model.pth", "pickle_module_info.txt"]
    for asked in ({"serialization_format": "pt2"}, {"export_model": True}):
        with pytest.raises(MlflowException, match=why):
            mlflow.pytorch.save_model(model(), tmp_path / str(asked), **asked, **arguments)


@pytest.mark.parametrize(
    ("model", "arguments", "error", "why"),
    [
        (object, {}, TypeError, "should be a torch.nn.Module"),
        (network, {"serialization_format": "onnx"}, MlflowException, "one of 'pickle' or 'pt2'"),
        (network, {"serialization_format": "pickle", "export_model": True}, MlflowException,
         "Cannot set both"),
    ],
)  # fmt: skip
def test_what_is_refused_before_a_folder_is_made(model, arguments, error, why, tmp_path):
    with pytest.raises(error, match=why):
        mlflow.pytorch.save_model(model(), tmp_path / "m", **arguments)
    assert not (tmp_path / "m").exists()


def test_what_pyfunc_gives_and_takes(tmp_path):
    as_function = saved(network().eval(), tmp_path / "m", serialization_format="pickle")

    frame = as_function.predict(pd.DataFrame(ARRAY.astype("float64"), index=list("wxyz")))
    assert frame.index.tolist() == list("wxyz")
    assert np.array_equal(frame.to_numpy(), as_function.predict(ARRAY))
    for data, why in (([1.0], "does not support List"), ({"a": 1}, "does not support List"),
                      (pd.Series([1.0]), "should be pandas")):  # fmt: skip
        with pytest.raises(TypeError, match=why):
            as_function.predict(data)
    with pytest.raises(ValueError, match="must be specified at load time"):
        as_function._model_impl.predict(ARRAY, params={"device": "cpu"})


def test_the_device_is_chosen_by_who_loads(tmp_path, monkeypatch):
    mlflow.pytorch.save_model(network(), tmp_path / "m", serialization_format="pickle")

    load = mlflow.pyfunc.load_model
    assert load(tmp_path / "m", model_config={"device": "cpu"})._model_impl.device == "cpu"
    monkeypatch.setenv("MLFLOW_DEFAULT_PREDICTION_DEVICE", "cpu")
    assert load(tmp_path / "m")._model_impl.device == "cpu"
    with pytest.raises(MlflowException, match="device 'nowhere'"):
        load(tmp_path / "m", model_config={"device": "nowhere"})


def test_outputs_that_are_no_tensor_are_refused(tmp_path):
    class Pair(Own):
        def forward(self, x):
            return x, x

    with pytest.raises(TypeError, match="single output tensor"):
        saved(Pair(), tmp_path / "m", serialization_format="pickle").predict(ARRAY)


@pytest.mark.parametrize("name", ["model.pth", "model.pt2"])
@pytest.mark.parametrize("damage", [b"", b"nothing", b"PK\x03\x04nothing", None])
@pytest.mark.parametrize("policy", ["true", "false"])
def test_damaged_files_say_so(name, damage, policy, tmp_path, monkeypatch):
    model, example = network(), ARRAY if name.endswith("2") else None
    mlflow.pytorch.save_model(model, tmp_path / "m", input_example=example)
    path = tmp_path / "m" / "data" / name
    path.unlink() if damage is None else path.write_bytes(damage)
    monkeypatch.setenv(POLICY_VARIABLE, policy)

    with pytest.raises(MlflowException, match=r"cannot be read|is not there|can run any code"):
        mlflow.pyfunc.load_model(tmp_path / "m")


@pytest.mark.parametrize("name", ["nowhere_at_all", "a b", "../x", "os.path/.."])
def test_readers_that_are_none(name, tmp_path):
    mlflow.pytorch.save_model(network(), tmp_path / "m", serialization_format="pickle")
    (tmp_path / "m" / "data" / "pickle_module_info.txt").write_text(name)

    with pytest.raises(MlflowException, match=r"need: pip install|is none"):
        mlflow.pytorch.load_model(tmp_path / "m")


def test_a_logged_model_is_loaded_by_its_uris():
    model = network().eval()
    with mlflow.start_run() as run:
        info = mlflow.pytorch.log_model(
            model, name="model", registered_model_name="nets", input_example=ARRAY
        )

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/nets/1"):
        assert np.allclose(answer(mlflow.pytorch.load_model(uri)), answer(model))


def test_without_the_library_the_line_that_installs_it_is_said(tmp_path, monkeypatch):
    mlflow.pytorch.save_model(network(), tmp_path / "m", input_example=ARRAY)
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(MlflowException, match="need: pip install torch"):
        mlflow.pyfunc.load_model(tmp_path / "m")
    with pytest.raises(MlflowException, match="need: pip install torch"):
        mlflow.pytorch.save_model(object(), tmp_path / "n")
