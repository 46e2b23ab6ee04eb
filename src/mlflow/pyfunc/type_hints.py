"""The type hints of `predict`: the signature that they say, and inputs held against them.

Models that MLflow pickled with type hints call this when they predict. Their pickles name
`mlflow.pyfunc.utils.data_validation`, which shows these names.
"""

from __future__ import annotations

import datetime as dt
import types
import typing
from typing import Any, NamedTuple

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.signature import ModelSignature
from mlflow.types.schema import AnyType, Array, ColSpec, DataType, Map, Object, Property, Schema

_SCALARS = {
    int: DataType.long, float: DataType.double, str: DataType.string, bool: DataType.boolean,
    bytes: DataType.binary, dt.datetime: DataType.datetime,
}  # fmt: skip


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


def hint_of_input(function: Any) -> Any:
    """Return the hint of a predict function's input; None where it is no list of something.

    Args:
        function: `predict` of a model, or a function that is one.
    """
    names = [name for name in _hints(function) if name not in ("context", "params", "return")]
    hint = _hints(function)[names[0]] if names else None
    return hint if typing.get_origin(hint) is list and typing.get_args(hint) else None


def _hints(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError):
        # Of names that are not there when it runs.
        return {}


def signature_of_hints(function: Any) -> ModelSignature | None:
    """Return the signature that the hints of a predict function say; None where they say none.

    Args:
        function: as for `hint_of_input`.

    Raises:
        MlflowException: inputs may be missing, which signatures cannot say.
    """
    hint = hint_of_input(function)
    if hint is None:
        return None
    (element,) = typing.get_args(hint)
    if type(None) in typing.get_args(element):
        raise invalid(
            f"Input cannot be Optional type: {element}. Remove the Optional wrapper from the type "
            "hint, or use optional fields of a pydantic model."
        )
    answered = _hints(function).get("return")
    said = typing.get_args(answered) if typing.get_origin(answered) is list else ()
    signature = ModelSignature(
        Schema([ColSpec(_kind(element))]), Schema([ColSpec(_kind(said[0]) if said else AnyType())])
    )
    signature._is_signature_from_type_hint = True
    return signature


def _kind(hint: Any) -> Any:
    parts = typing.get_args(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if typing.get_origin(hint) is list and parts:
        return Array(_kind(parts[0]))
    if typing.get_origin(hint) is dict and len(parts) == 2:
        return Map(_kind(parts[1]))
    if hasattr(hint, "model_fields"):
        return Object([_property(name, field) for name, field in hint.model_fields.items()])
    return AnyType()


def _property(name: str, field: Any) -> Property:
    given = [part for part in typing.get_args(field.annotation) if part is not type(None)]
    is_optional = type(None) in typing.get_args(field.annotation)
    inner = given[0] if is_optional and len(given) == 1 else field.annotation
    return Property(name, _kind(inner), required=not is_optional)


def as_hinted(value: Any, hint: Any) -> Any:
    """Return a model's input as its hint says it.

    Args:
        value: whatever `predict` was called with.
        hint: what `hint_of_input` returned.

    Raises:
        MlflowException: it is something else.
    """
    (element,) = typing.get_args(hint)
    if hasattr(value, "columns"):
        has_names = (
            hasattr(element, "model_fields") or (typing.get_origin(element) or element) is dict
        )
        value = value.to_dict(orient="records") if has_names else _records(value)
    if not isinstance(value, list):
        raise invalid(f"Expected list, but got {type(value).__name__}")
    found, wrong = [], []
    for item in value:
        try:
            found.append(_converted(item, element))
        except MlflowException as error:
            wrong.append((str(item), error.message))
    if wrong:
        raise invalid(
            f"Failed to validate data against type hint `{hint}`, invalid elements: {wrong[:5]}"
        )
    return found


def _converted(value: Any, hint: Any) -> Any:
    if not hasattr(hint, "model_validate"):
        _check(value, hint)
        return value
    if isinstance(value, hint):
        return value
    try:
        return hint.model_validate(value, strict=True)
    except ValueError as error:
        raise invalid(f"Data doesn't match type hint, error: {error}") from error


def _as_hinted(value: Any, hint: Any) -> Any:
    if typing.get_origin(hint) is list and typing.get_args(hint):
        return as_hinted(value, hint)
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
        # Several types are any type to a signature; one that may be missing is one.
        if type(None) in typing.get_args(hint):
            _check_any_of(value, typing.get_args(hint), hint)
        return
    expected = origin or hint
    if not isinstance(value, expected):
        wanted = expected.__name__ if origin else f"type {_name(hint)}"
        raise invalid(f"Expected {wanted}, but got {type(value).__name__}")
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
