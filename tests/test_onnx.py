"""The ONNX flavor."""

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

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
helper, kinds = onnx.helper, onnx.TensorProto

ARRAY = np.random.default_rng(0).random((4, 3)).astype("float32")
FRAME = pd.DataFrame(ARRAY, columns=list("abc"))


def value(name, kind=kinds.FLOAT, shape=(None, 3)):
    return helper.make_tensor_value_info(name, kind, list(shape))


def model_of(nodes, inputs, outputs, tensors=()):
    named = [onnx.numpy_helper.from_array(array, name) for name, array in tensors]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializer=named)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def linear(width=2):
    weights = np.arange(3 * width, dtype="float32").reshape(3, width)
    nodes = [helper.make_node("MatMul", ["x", "W"], ["y"])]
    return model_of(nodes, [value("x")], [value("y", shape=(None, width))], [("W", weights)])


def of_two_inputs():
    nodes = [
        helper.make_node("Cast", ["b"], ["number"], to=kinds.FLOAT),
        helper.make_node("Add", ["a", "number"], ["y"]),
    ]
    column = [None]
    return model_of(
        nodes,
        [value("a", shape=column), value("b", kinds.INT64, column)],
        [value("y", shape=column)],
    )


def saved(model, path, **kwargs):
    mlflow.onnx.save_model(model, path, **kwargs)
    return mlflow.pyfunc.load_model(path)


def test_a_model_comes_back_and_runs_without_code(tmp_path, monkeypatch):
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    as_function = saved(linear(), tmp_path / "m")

    assert mlflow.onnx.load_model(tmp_path / "m") == linear()
    expected = ARRAY @ np.arange(6, dtype="float32").reshape(3, 2)
    assert np.allclose(as_function.predict(ARRAY)["y"], expected)
    assert type(as_function.get_raw_model()).__name__ == "InferenceSession"


def test_the_folder_is_as_mlflow_writes_it(tmp_path):
    mlflow.onnx.save_model(linear(), tmp_path / "m", input_example=ARRAY[:2])

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "model.onnx", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["onnx"] == {
        "onnx_version": onnx.__version__,
        "data": "model.onnx",
        "providers": ["CUDAExecutionProvider", "CPUExecutionProvider"],
        "onnx_session_options": None,
        "code": None,
    }
    conf = meta.flavors["python_function"]
    assert (conf["loader_module"], conf["data"]) == ("mlflow.onnx", "model.onnx")
    assert meta.signature.outputs.input_names() == ["y"]
    lines = (tmp_path / "m" / "requirements.txt").read_text().split()
    assert {"mlflow", "numpy", "onnx", "onnxruntime"} <= {line.partition("==")[0] for line in lines}
    pip = mlflow.onnx.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.onnx.get_default_pip_requirements()]


@pytest.mark.parametrize("beside", [True, False])
def test_large_tensors_are_kept_beside_the_model_which_stays_whole(beside, tmp_path):
    model = linear(width=1000)
    before = model.SerializeToString()
    as_function = saved(model, tmp_path / "m", save_as_external_data=beside)

    assert model.SerializeToString() == before
    assert ("model.onnx.data" in os.listdir(tmp_path / "m")) is beside
    assert as_function.predict(ARRAY)["y"].shape == (4, 1000)
    tensor = mlflow.onnx.load_model(tmp_path / "m").graph.initializer[0]
    assert np.array_equal(
        onnx.numpy_helper.to_array(tensor), np.arange(3000, dtype="float32").reshape(3, 1000)
    )


@pytest.mark.parametrize("place", ["../outside", "/etc/passwd", "link", "deep/../../outside"])
@pytest.mark.parametrize("where", ["graph", "attribute", "function"])
def test_tensors_that_lie_elsewhere_are_refused(place, where, tmp_path):
    mlflow.onnx.save_model(linear(), tmp_path / "m")
    (tmp_path / "outside").write_bytes(b"\0" * 24)
    (tmp_path / "m" / "link").symlink_to(tmp_path / "outside")
    model = linear()
    tensor = model.graph.initializer[0]
    if where != "graph":
        node = helper.make_node("Constant", [], ["k"], value=tensor)
        nodes = model.graph.node if where == "attribute" else model.functions.add().node
        nodes.append(node)
        tensor = nodes[-1].attribute[0].t
    tensor.ClearField("raw_data")
    tensor.data_location = kinds.EXTERNAL
    tensor.external_data.add(key="location", value=place)
    (tmp_path / "m" / "model.onnx").write_bytes(model.SerializeToString())

    for load in (mlflow.onnx.load_model, mlflow.pyfunc.load_model):
        with pytest.raises(MlflowException, match="The tensor file"):
            load(tmp_path / "m")


def test_a_frame_gives_a_frame_and_doubles_are_made_single(tmp_path):
    as_function = saved(linear(), tmp_path / "m")

    frame = as_function.predict(FRAME.astype("float64"))
    assert frame.columns.tolist() == ["y"]
    # As in MLflow, outputs of several columns are laid out row by row.
    assert np.array_equal(frame.y, as_function.predict(ARRAY.astype("float64"))["y"].reshape(-1))


def test_several_inputs_come_from_columns_or_names(tmp_path):
    as_function = saved(of_two_inputs(), tmp_path / "m")
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})

    assert as_function.predict(frame).y.tolist() == [4.0, 6.0]
    assert as_function.predict({"a": [1.0], "b": np.array([3])})["y"].tolist() == [4.0]
    with pytest.raises(MlflowException, match="requires 2 inputs"):
        as_function.predict(ARRAY)
    with pytest.raises(MlflowException, match="input 'b' is not among"):
        as_function.predict(frame[["a"]])
    with pytest.raises(TypeError, match="Input should be"):
        as_function.predict([1])


def test_outputs_of_different_lengths_make_no_frame(tmp_path):
    model = linear()
    model.graph.node.append(helper.make_node("ArgMax", ["y"], ["l"], axis=1, keepdims=0))
    model.graph.output.append(value("l", kinds.INT64, [None]))
    as_function = saved(model, tmp_path / "m")

    assert {name: len(got) for name, got in as_function.predict(ARRAY).items()} == {"y": 4, "l": 4}
    with pytest.raises(MlflowException, match="different lengths"):
        as_function.predict(FRAME)


def test_options_reach_the_session(tmp_path):
    options = {
        "execution_mode": "sequential", "graph_optimization_level": 1, "intra_op_num_threads": 1,
        "extra_session_config": {"session.disable_prepacking": "1"},
    }  # fmt: skip
    session = saved(
        linear(), tmp_path / "m", onnx_session_options=options,
        onnx_execution_providers=["NoSuchProvider", ("CPUExecutionProvider", {})],
    ).get_raw_model()  # fmt: skip

    made = session.get_session_options()
    assert made.intra_op_num_threads == 1
    assert made.graph_optimization_level.name == "ORT_ENABLE_BASIC"
    assert made.get_session_config_entry("session.disable_prepacking") == "1"
    assert session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("options", "error", "why"),
    [
        ({"nonsense": 1}, ValueError, "not a valid ONNX Runtime session options"),
        ({"register_custom_ops_library": "x"}, ValueError, "not a valid ONNX Runtime"),
        ({"execution_mode": "x"}, ValueError, r"\['parallel', 'sequential'\], not x"),
        ({"graph_optimization_level": 7}, ValueError, r"\[0, 1, 2, 99\], not 7"),
        ([1], TypeError, "should be a dict"),
    ],
)
def test_options_that_there_are_not(options, error, why, tmp_path):
    with pytest.raises(error, match=why):
        mlflow.onnx.save_model(linear(), tmp_path / "m", onnx_session_options=options)
    assert not (tmp_path / "m").exists()


def test_what_a_folder_may_not_make_the_session_do(tmp_path, monkeypatch, caplog):
    """Write files: never. Configure the runtime by free text: where its code would be run, too."""
    mlflow.onnx.save_model(linear(), tmp_path / "m")
    content = yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())
    content["flavors"]["onnx"]["onnx_session_options"] = {
        "optimized_model_filepath": str(tmp_path / "written"), "enable_profiling": True,
        "profile_file_prefix": str(tmp_path / "written"), "__class__": "x",
        "extra_session_config": {"session.disable_prepacking": "1"},
    }  # fmt: skip
    (tmp_path / "m" / "MLmodel").write_text(yaml.safe_dump(content))
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    session = mlflow.pyfunc.load_model(tmp_path / "m").get_raw_model()
    assert os.listdir(tmp_path) == ["m"]
    assert not session.get_session_options().enable_profiling
    assert caplog.text.count("is not used") == 5
    with pytest.raises(RuntimeError):
        session.get_session_options().get_session_config_entry("session.disable_prepacking")


@pytest.mark.parametrize("damage", [b"", b"nothing", b"\x0a\xff\xff\xff\xff\x0f", None])
def test_damaged_files_say_so(damage, tmp_path):
    mlflow.onnx.save_model(linear(), tmp_path / "m")
    path = tmp_path / "m" / "model.onnx"
    path.unlink() if damage is None else path.write_bytes(damage)

    for load in (mlflow.onnx.load_model, mlflow.pyfunc.load_model):
        with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
            load(tmp_path / "m")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="no ONNX model"):
        mlflow.onnx.save_model(object(), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_logged_model_is_loaded_by_its_uris():
    with mlflow.start_run() as run:
        info = mlflow.onnx.log_model(linear(), name="model", registered_model_name="graphs")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/graphs/1"):
        assert mlflow.onnx.load_model(uri) == linear()


@pytest.mark.parametrize("library", ["onnx", "onnxruntime"])
def test_without_the_library_the_line_that_installs_it_is_said(library, tmp_path, monkeypatch):
    mlflow.onnx.save_model(linear(), tmp_path / "m")
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(MlflowException, match="need: pip install onnx onnxruntime"):
        mlflow.pyfunc.load_model(tmp_path / "m")
