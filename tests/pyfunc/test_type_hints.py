"""The checks that pickles of MLflow with type hints call."""

from typing import Any, Optional

import pandas as pd
import pytest

from mlflow.exceptions import MlflowException
from mlflow.pyfunc import type_hints


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
    with pytest.raises(MlflowException, match="Expected type"):
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
