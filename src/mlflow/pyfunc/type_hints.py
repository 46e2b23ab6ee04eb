"""What models that MLflow pickled with type hints call when they predict: checking their input.

Their pickles name `mlflow.pyfunc.utils.data_validation`, which shows these names.
"""

from __future__ import annotations

import types
import typing
from typing import Any, NamedTuple

from mlflow.exceptions import invalid


class FuncInfo(NamedTuple):
    """The type hint of a predict function's input, and the input's name."""

    input_type_hint: Any
    input_param_name: str


def _validate_model_input(
    args: Any, kwargs: Any, model_input_index_in_sig: int, type_hint: Any, model_input_name: str
) -> tuple[Any, Any]:
    # Called from inside the pickles: check the one argument and hand all of them back.
    if model_input_name in kwargs:
        value = _as_hinted(kwargs[model_input_name], type_hint)
        return args, {**kwargs, model_input_name: value}
    values = list(args)
    if model_input_index_in_sig < len(values):
        values[model_input_index_in_sig] = _as_hinted(values[model_input_index_in_sig], type_hint)
    return tuple(values), kwargs


def _as_hinted(value: Any, hint: Any) -> Any:
    if typing.get_origin(hint) is list and hasattr(value, "columns"):
        value = _records(value)
    _check(value, hint)
    return value


def _records(frame: Any) -> Any:
    if len(frame.columns) == 1:
        return frame.iloc[:, 0].tolist()
    return frame.to_dict(orient="records")


def _check(value: Any, hint: Any) -> None:
    origin = typing.get_origin(hint)
    if hint is Any or (origin is None and not isinstance(hint, type)):
        return
    if origin in (typing.Union, types.UnionType):
        _check_any_of(value, typing.get_args(hint), hint)
        return
    expected = origin or hint
    if not isinstance(value, expected):
        raise invalid(f"Expected type {_name(hint)}, but got {type(value).__name__}")
    parts = typing.get_args(hint)
    if expected is list and parts:
        for item in value:
            _check(item, parts[0])
    elif expected is dict and len(parts) == 2:
        for item in value.values():
            _check(item, parts[1])


def _check_any_of(value: Any, hints: tuple[Any, ...], hint: Any) -> None:
    for one in hints:
        try:
            _check(value, one)
            return
        except Exception:  # noqa: BLE001, S112 - the next alternative may fit
            continue
    raise invalid(f"Expected type {_name(hint)}, but got {type(value).__name__}")


def _name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
