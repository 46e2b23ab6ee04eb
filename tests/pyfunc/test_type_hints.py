"""Type hints of predict functions: the signatures they say, and inputs held against them."""

from typing import Any, Optional

import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import type_hints
from mlflow.pyfunc.type_hints import hint_of_input, signature_of_hints

pydantic = pytest.importorskip("pydantic", reason="pydantic is not installed")


def check(value, hint):
    (found,), _ = type_hints._validate_model_input((value,), {}, 0, hint, "model_input")
    return found


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (["a"], list[str]), ({"a": [1]}, dict[str, list[int]]), (None, Optional[int]),
        (3, int | None), (object(), Any), ("a", str), ([object()], list),
    ],
)  # fmt: skip
def test_what_fits_passes(value, hint):
    assert check(value, hint) == value


@pytest.mark.parametrize(
    ("value", "hint"),
    [(["a", 1], list[str]), ("a", list[str]), ({"a": 1}, dict[str, str]), ("a", int | None)],
)
def test_what_does_not_fit_is_refused(value, hint):
    with pytest.raises(MlflowException, match="Expected (type|list|dict)"):
        check(value, hint)


def test_a_frame_becomes_the_list_that_is_hinted():
    assert check(pd.DataFrame({"x": ["a", "b"]}), list[str]) == ["a", "b"]
    assert check(pd.DataFrame({"x": [1], "y": [2]}), list[dict]) == [{"x": 1, "y": 2}]


def test_keyword_arguments_are_checked_too():
    args, kwargs = type_hints._validate_model_input((), {"m": ["a"], "o": 1}, 0, list[str], "m")

    assert (args, kwargs) == ((), {"m": ["a"], "o": 1})


def test_the_names_are_where_pickles_look():
    from mlflow.pyfunc.utils.data_validation import FuncInfo

    assert FuncInfo(int, "x") == (int, "x")


class Point(pydantic.BaseModel):
    x: int
    name: str | None = None
    tags: list[float] = []


class Texts(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str], params=None) -> list[str]:
        return [text + "!" for text in model_input]


class Points(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[Point]) -> list[dict[str, Any]]:
        return [{"x": point.x} for point in model_input]


def saved(model, folder):
    mlflow.pyfunc.save_model(folder, python_model=model, pip_requirements=["mlflow"])
    return mlflow.pyfunc.load_model(folder)


def test_the_hint_is_the_signature_and_inputs_are_held_against_it(tmp_path):
    model = saved(Texts(), tmp_path / "m")

    assert model.metadata.is_signature_from_type_hint
    assert model.metadata.signature.to_dict() == {
        "inputs": '[{"type": "string", "required": true}]',
        "outputs": '[{"type": "string", "required": true}]', "params": None,
    }  # fmt: skip
    assert model.predict(["a"]) == model.predict(pd.DataFrame({"x": ["a"]})) == ["a!"]
    with pytest.raises(MlflowException, match="Expected list, but got str"):
        model.predict("a")
    with pytest.raises(
        MlflowException, match=r"invalid elements: \[\('1', 'Expected type str, but got"
    ):
        model.predict(["a", 1])


def test_rows_become_models_of_pydantic(tmp_path):
    model = saved(Points(), tmp_path / "m")

    (spec,) = model.metadata.get_input_schema().inputs
    assert [(p.name, p.required) for p in spec.type.properties] == [
        ("name", False), ("tags", True), ("x", True),
    ]  # fmt: skip
    for rows in ([{"x": 1}], [Point(x=1)], pd.DataFrame({"x": [1]}), [{"x": 1, "more": 2}]):
        assert model.predict(rows) == [{"x": 1}]
    with pytest.raises(MlflowException, match="Input should be a valid integer"):
        model.predict([{"x": "1"}])


def test_functions_say_their_hints_too(tmp_path):
    def double(values: list[int]) -> list[int]:
        return [2 * value for value in values]

    assert saved(double, tmp_path / "m").predict([1]) == [2]
    assert hint_of_input(double) == list[int]
    assert hint_of_input(lambda x: x) is None
    assert signature_of_hints(saved) is None
    with pytest.raises(MlflowException, match="cannot be Optional"):
        signature_of_hints(optional)


def optional(values: list[int | None]) -> list[int]:
    return [value or 0 for value in values]
