"""Input examples: every kind is written in MLflow's form, read back, and served."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import logging

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from mlflow.exceptions import MlflowException
from mlflow.models.example import (
    InputExample,
    convert_input_example_to_serving_input,
    infer_signature_from_example,
    load_serving_input,
    read_example,
    read_example_params,
    save_example,
    split_params,
    to_json_value,
)
from mlflow.models.signature import ModelSignature
from mlflow.types.schema import ColSpec, Schema, TensorSpec

pytestmark = pytest.mark.filterwarnings("ignore:Hint. Inferred schema contains integer")


class Model:
    """As much of a model as an example needs."""

    def __init__(self, inputs=None, info=None):
        self.saved_input_example_info = info
        self.inputs = inputs

    def get_input_schema(self):
        return self.inputs


CHAT = {"messages": [{"role": "user", "content": "hi"}]}
# example, kind in MLmodel, content of input_example.json, serving request
KINDS = {
    "frame": (
        pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), "dataframe",
        {"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]},
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]}},
    ),
    "frame without names": (
        pd.DataFrame([[1, 2]]), "dataframe", {"data": [[1, 2]]}, {"dataframe_split": {"data": [[1, 2]]}},
    ),
    "frame of numbered columns": (
        pd.DataFrame([[1]], columns=[5]), "dataframe", {"columns": [5], "data": [[1]]},
        {"dataframe_split": {"columns": [5], "data": [[1]]}},
    ),
    "array": (np.zeros((1, 2)), "ndarray", [[0.0, 0.0]], {"inputs": [[0.0, 0.0]]}),
    "arrays": ({"a": np.array([1])}, "ndarray", {"a": [1]}, {"inputs": {"a": [1]}}),
    "csr": (
        csr_matrix(np.eye(2)), "sparse_matrix_csr",
        {"data": [1.0, 1.0], "indices": [0, 1], "indptr": [0, 1, 2], "shape": [2, 2]},
        {"inputs": [[1.0, 0.0], [0.0, 1.0]]},
    ),
    "csc": (
        csc_matrix(np.array([[0.0, 1.0]])), "sparse_matrix_csc",
        {"data": [1.0], "indices": [0], "indptr": [0, 0, 1], "shape": [1, 2]},
        {"inputs": [[0.0, 1.0]]},
    ),
    "list": ([1, 2], "json_object", [1, 2], {"inputs": [1, 2]}),
    "text": ("x", "json_object", "x", {"inputs": "x"}),
    "number": (np.float32(1.5), "json_object", 1.5, {"inputs": 1.5}),
    "dictionary": ({"a": [1]}, "json_object", {"a": [1]}, {"inputs": {"a": [1]}}),
    "chat": (CHAT, "json_object", CHAT, CHAT),
    "bytes": (b"ab", "json_object", "YWI=\n", {"inputs": "YWI=\n"}),
    "time": (dt.datetime(2020, 1, 2), "json_object", "2020-01-02T00:00:00", {"inputs": "2020-01-02T00:00:00"}),
}  # fmt: skip


def same(one, other):
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return True
    if isinstance(one, csr_matrix | csc_matrix):
        return type(one) is type(other) and (one != other).nnz == 0
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return one == other


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_written_and_read(name, tmp_path):
    given, kind, content, request = KINDS[name]
    model = Model()
    example = save_example(model, given, tmp_path)
    assert model.saved_input_example_info["type"] == kind
    assert model.saved_input_example_info["artifact_path"] == "input_example.json"
    assert json.loads((tmp_path / "input_example.json").read_text()) == content
    assert json.loads((tmp_path / "serving_input_example.json").read_text()) == request
    assert json.loads(convert_input_example_to_serving_input(given)) == request
    assert (
        load_serving_input(model, tmp_path) == (tmp_path / "serving_input_example.json").read_text()
    )
    assert example.inference_data is given
    read = read_example(model, tmp_path)
    assert same(read, content if kind == "json_object" else given)
    assert read_example_params(model, tmp_path) is None


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_may_have_params(name, tmp_path):
    given, kind, content, request = KINDS[name]
    model = Model()
    example = save_example(model, (given, {"p": 1, "q": [np.int64(2)]}), tmp_path)
    params = {"p": 1, "q": [2]}
    assert model.saved_input_example_info["params"] == "true"
    written = json.loads((tmp_path / "input_example.json").read_text())
    assert written == {"inputs": content, "params": params}
    served = json.loads((tmp_path / "serving_input_example.json").read_text())
    assert served == ({**request, **params} if name == "chat" else {**request, "params": params})
    assert example.inference_params["p"] == 1
    assert same(read_example(model, tmp_path), content if kind == "json_object" else given)
    assert read_example_params(model, tmp_path) == params


def test_what_mlmodel_says_of_a_frame(tmp_path):
    model = Model()
    save_example(model, pd.DataFrame({"a": [1]}), tmp_path)
    assert model.saved_input_example_info == {
        "artifact_path": "input_example.json",
        "type": "dataframe",
        "pandas_orient": "split",
        "serving_input_path": "serving_input_example.json",
    }
    save_example(model, pd.DataFrame([[1]]), tmp_path)
    assert model.saved_input_example_info["pandas_orient"] == "values"


def test_no_example(tmp_path):
    model = Model()
    assert save_example(model, None, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert convert_input_example_to_serving_input(None) is None
    assert read_example(model, tmp_path) is None
    assert read_example_params(model, tmp_path) is None
    assert load_serving_input(model, tmp_path) is None


def test_a_frame_of_every_type_is_valid_json_and_gets_its_types_back(tmp_path):
    frame = pd.DataFrame(
        {
            "n": [1, 2],
            "x": [0.5, None],
            "s": ["a", None],
            "t": np.array(["2020-01-02T03:04:05.123456", "2020-01-03"], "datetime64[ns]"),
            "b": [b"a\xff", b""],
            "l": [[1], [2, 3]],
            "small": np.array([1, 2], "int32"),
        }
    )
    schema = Schema(
        [ColSpec("long", "n"), ColSpec("double", "x"), ColSpec("string", "s"),
         ColSpec("datetime", "t"), ColSpec("binary", "b"), ColSpec("integer", "small")]
    )  # fmt: skip
    model = Model(schema)
    save_example(model, frame, tmp_path)
    text = (tmp_path / "input_example.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    pd.testing.assert_frame_equal(read_example(model, tmp_path), frame)


def test_holes_of_arrays_are_null_and_come_back(tmp_path):
    model = Model()
    save_example(model, np.array([1.0, np.nan]), tmp_path)
    assert (tmp_path / "input_example.json").read_text() == "[1.0, null]"
    assert np.array_equal(read_example(model, tmp_path), [1.0, np.nan], equal_nan=True)


def test_arrays_get_the_dtypes_of_the_signature(tmp_path):
    model = Model(Schema([TensorSpec(np.dtype("float32"), (-1,))]))
    save_example(model, np.array([1.0], "float32"), tmp_path)
    assert read_example(model, tmp_path).dtype == "float32"
    model = Model(Schema([TensorSpec(np.dtype("int8"), (-1,), "a")]))
    save_example(model, {"a": np.array([1], "int8")}, tmp_path)
    assert read_example(model, tmp_path)["a"].dtype == "int8"


def write(tmp_path, content, **info):
    (tmp_path / "input_example.json").write_text(json.dumps(content))
    return {"artifact_path": "input_example.json", **info}


def test_arrays_of_version_2_are_read(tmp_path):
    info = write(tmp_path, {"inputs": [[1.0, 2.0]]}, type="ndarray", format="tf-serving")
    assert read_example(Model(info=info), tmp_path).tolist() == [[1.0, 2.0]]
    info = write(tmp_path, {"inputs": {"a": [1]}}, type="ndarray", format="tf-serving")
    assert read_example(Model(info=info), tmp_path)["a"].tolist() == [1]


def test_an_array_that_is_named_inputs_is_not_taken_for_a_request(tmp_path):
    model = Model(Schema([TensorSpec(np.dtype("int64"), (-1,), "inputs")]))
    save_example(model, {"inputs": np.array([1])}, tmp_path)
    assert list(read_example(model, tmp_path)) == ["inputs"]


@pytest.mark.parametrize(
    "content",
    [
        {"columns": ["a"], "index": [3], "data": [[1]]},
        {"dataframe_split": {"columns": ["a"], "index": [3], "data": [[1]]}},
    ],
)
def test_frames_of_version_2_are_read(content, tmp_path):
    info = write(tmp_path, content, type="dataframe", pandas_orient="split")
    found = read_example(Model(info=info), tmp_path)
    assert found.to_dict() == {"a": {3: 1}}


def test_frames_as_records_are_read(tmp_path):
    info = write(tmp_path, [{"a": 1}], type="dataframe", pandas_orient="records")
    assert read_example(Model(info=info), tmp_path).to_dict("list") == {"a": [1]}


@pytest.mark.parametrize(
    "example",
    [
        (1, 2), (1,), ({"a": 1}, None), {1, 2}, object(), pd.Series([1]), [np.zeros(1)],
        {"a": np.zeros(1), "b": 1}, pd.DataFrame({"a": [decimal.Decimal(1)]}), {"a": {1, 2}},
        ({"a": 1}, {"p": None}), [1j],
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(example, tmp_path):
    with pytest.raises(MlflowException) as caught:
        save_example(Model(), example, tmp_path)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["../secret.json", "/etc/passwd", "..", ".", "", "a/b.json", None, 3, ["x"]]
)
def test_an_example_outside_the_models_folder_is_not_read(name, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.json").write_text('"secret"')
    model = Model(
        info={"artifact_path": name, "serving_input_path": name or "..", "type": "json_object"}
    )
    for read in (read_example, load_serving_input):
        with pytest.raises(MlflowException, match="must be a file in the model's folder"):
            read(model, folder)


def test_a_link_out_of_the_models_folder_is_not_followed(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.json").write_text('"secret"')
    (folder / "input_example.json").symlink_to(tmp_path / "secret.json")
    model = Model(info={"artifact_path": "input_example.json", "type": "json_object"})
    with pytest.raises(MlflowException, match="must not be a link"):
        read_example(model, folder)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_torn_example_is_told(text, tmp_path):
    (tmp_path / "input_example.json").write_text(text)
    model = Model(info={"artifact_path": "input_example.json", "type": "json_object"})
    with pytest.raises(MlflowException, match="is not JSON"):
        read_example(model, tmp_path)


def test_a_missing_example_is_told(tmp_path):
    model = Model(info={"artifact_path": "input_example.json", "type": "json_object"})
    with pytest.raises(MlflowException) as caught:
        read_example(model, tmp_path)
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_pydantic_like_examples_are_dictionaries():
    class Question:
        def model_dump(self):
            return {"a": 1}

    assert InputExample(Question()).serving_input == {"inputs": {"a": 1}}
    assert to_json_value([Question()]) == [{"a": 1}]


def test_a_pair_is_data_and_params_only_with_a_dictionary():
    assert split_params(([1], {"p": 1})) == ([1], {"p": 1})
    assert split_params(([1], [2])) == (([1], [2]), None)


class Predicts:
    def __init__(self, answer):
        self.answer, self.calls = answer, []

    def predict(self, data, params=None):
        self.calls.append((data, params))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_signature_is_inferred_by_predicting_the_example():
    wrapped = Predicts(np.array([1.5]))
    signature = infer_signature_from_example(
        InputExample(pd.DataFrame({"a": [1]})), wrapped.predict
    )
    assert signature == ModelSignature(Schema([ColSpec("long", "a")]), Schema([ColSpec("double")]))
    assert wrapped.calls[0][1] is None


def test_params_of_the_example_are_predicted_with_and_declared():
    wrapped = Predicts(["x"])
    signature = infer_signature_from_example((pd.DataFrame({"a": [1]}), {"p": 2}), wrapped.predict)
    assert wrapped.calls[0][1] == {"p": 2}
    assert repr(signature.params) == "['p': long (default: 2)]"


def test_params_that_the_model_does_not_take_are_declared_all_the_same():
    example = (pd.DataFrame({"a": [1]}), {"p": 2})
    signature = infer_signature_from_example(example, lambda data: ["x"])
    assert repr(signature.params) == "['p': long (default: 2)]"


def test_predicting_does_not_change_the_example():
    frame = pd.DataFrame({"a": [[1]]})

    def predict(data):
        data["b"] = 1
        data["a"].iloc[0].append(2)
        return [1.0]

    infer_signature_from_example(InputExample(frame), predict)
    assert frame.to_dict("list") == {"a": [[1]]}


@pytest.mark.parametrize(
    ("example", "seen"),
    [([1, 2], pd.DataFrame), ({"a": 1}, pd.DataFrame), (np.ones((1, 1)), np.ndarray)],
)
def test_the_model_sees_what_a_caller_of_predict_would_make_it_see(example, seen):
    wrapped = Predicts([1.0])
    infer_signature_from_example(example, wrapped.predict)
    assert type(wrapped.calls[0][0]) is seen


def test_a_tensor_model_answers_tensors():
    signature = infer_signature_from_example(np.ones((1, 2)), Predicts(np.ones(1)).predict)
    assert repr(signature.outputs) == "[Tensor('float64', (-1,))]"


def test_an_answer_without_a_schema_is_of_any_type(caplog):
    signature = infer_signature_from_example({"a": 1}, Predicts(({}, 1)).predict)
    assert repr(signature.outputs) == "[Any (required)]"
    assert "setting output schema to AnyType" in caplog.text


@pytest.mark.parametrize("answer", [ValueError("boom"), KeyError("x")])
def test_a_model_that_cannot_predict_its_example_has_no_signature(answer, caplog):
    with caplog.at_level(logging.WARNING, logger="mlflow"):
        assert infer_signature_from_example({"a": 1}, Predicts(answer).predict) is None
    assert "Failed to infer the model signature from the input example" in caplog.text
    assert repr(answer) in caplog.text
