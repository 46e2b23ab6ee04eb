"""What a `pt2` file may hold where the loader refuses code."""

import io
import json
import zipfile

import numpy as np
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE
from mlflow.pytorch import exported

torch = pytest.importorskip("torch", reason="torch is not installed; scripts/flavors brings it")

ARRAY = np.ones((2, 3), "float32")


class Payload:
    """Leaves a marker when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.fixture
def folder(tmp_path):
    mlflow.pytorch.save_model(torch.nn.Linear(3, 2), tmp_path / "m", input_example=ARRAY)
    return tmp_path / "m"


def change(folder, change_part, extra=()):
    path = folder / "data" / "model.pt2"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change_part(name.partition("/")[2], content))
        for name, content in extra:
            archive.writestr(name, content)


def in_graph(function):
    def of_part(name, content):
        if name != "models/model.json":
            return content
        value = json.loads(content)
        function(value)
        return json.dumps(value).encode()

    return of_part


def test_a_plain_file_is_read_under_either_policy(folder, monkeypatch):
    expected = mlflow.pyfunc.load_model(folder).predict(ARRAY)
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    assert np.array_equal(mlflow.pyfunc.load_model(folder).predict(ARRAY), expected)


def _size(value, text):
    value["graph_module"]["graph"]["tensor_values"]["input"]["sizes"][0] = {
        "as_expr": {"expr_str": text, "hint": {"as_int": 2}}
    }


def _target(value, text):
    value["graph_module"]["graph"]["nodes"][0]["target"] = text


CODE = "__import__('pathlib').Path('marker').touch()"
GRAPHS = {
    "a size": lambda v: _size(v, CODE),
    "a size without quotes": lambda v: _size(v, "exec(chr(97))"),
    "a symbol": lambda v: _size(v, f"Symbol('s0', positive={CODE})"),
    "a constraint": lambda v: v["range_constraints"].update({CODE: {"min_val": 2, "max_val": 9}}),
    "a condition": lambda v: v.update(guards_code=[CODE]),
    "a call": lambda v: _target(v, "os.system"),
    "a call of an operation on files": lambda v: _target(v, "torch.ops.aten.from_file.default"),
    "a call by name": lambda v: _target(v, "_operator.attrgetter"),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_python_in_a_graph_is_refused(name, folder, monkeypatch, tmp_path):
    change(folder, in_graph(GRAPHS[name]))
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(MlflowException, match="can run code when it is loaded"):
        mlflow.pyfunc.load_model(folder)
    assert not (tmp_path / "marker").exists()


def pickled(path):
    content = io.BytesIO()
    torch.save(Payload(path), content)
    return content.getvalue()


@pytest.mark.parametrize("where", ["inputs", "weights", "constants", "beside", "library"])
def test_pickles_and_libraries_in_a_file_are_refused(where, folder, monkeypatch, tmp_path):
    payload, marker = pickled(tmp_path / "marker"), tmp_path / "marker"
    marker.unlink(missing_ok=True)

    def replace(name, content):
        if where == "inputs" and name == "data/sample_inputs/model.pt":
            return payload
        if where == "weights" and name.endswith("weights_config.json"):
            return content.replace(b'"use_pickle": false', b'"use_pickle": true')
        if where == "weights" and name == "data/weights/weight_0":
            return payload
        return content

    names = {"constants": "data/constants/custom_obj_0", "beside": "more.pkl",
             "library": "data/aotinductor/model/code.so"}  # fmt: skip
    change(folder, replace, [("model/" + names[where], payload)] if where in names else ())
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match="can run code when it is loaded"):
        mlflow.pyfunc.load_model(folder)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("Symbol('s31', positive=True, integer=True)", True),
        ("Add(Mul(Integer(2), Symbol('s0')), Integer(-1))", True),
        ("2*s77 + 1", True),
        ("Mod(s77, 4)", True),
        ("s0.__class__", False),
        ("Symbol('x')", False),
        ("eval(s0)", False),
        ("[s0]", False),
        ("s0; s1", False),
        (3, False),
    ],
)
def test_sizes_are_arithmetic_of_symbols(text, known):
    assert exported._is_size(text) is known
