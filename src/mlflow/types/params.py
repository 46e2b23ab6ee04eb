"""The inference parameters a model accepts: name, type, default, shape, and how values are checked."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.types.datatypes import OBJECT_TYPE, DataType, Object, read_json_list, type_to_dict
from mlflow.types.duck import is_ndarray, is_numpy_scalar
from mlflow.types.values import INTEGER_RANGE, LONG_RANGE, can_widen, enforce_value

_RANGES = {DataType.integer: INTEGER_RANGE, DataType.long: LONG_RANGE}


class ParamSpec:
    """One parameter of `predict`."""

    def __init__(
        self,
        name: str,
        dtype: DataType | Object | str,
        default: Any,
        shape: tuple[int, ...] | list[int] | None = None,
    ) -> None:
        """Declare a parameter.

        Args:
            name: its key in the `params` dictionary.
            dtype: the type of its value, or of each element of it.
            default: the value used where the caller gives none.
            shape: None for one value, (-1,) for a list of values.

        Raises:
            MlflowException: the default does not have the type and the shape.
        """
        self._name = str(name)
        self._shape = None if shape is None else tuple(shape)
        self._dtype = _param_type(dtype)
        self._default = default
        if self._dtype is DataType.binary:
            raise invalid(
                f"Binary type is not supported for parameters, ParamSpec '{self._name}'"
                f"has dtype '{self._dtype.name}'"
            )
        self._default = self.validate_param_spec(default, self)

    @property
    def name(self) -> str:
        """The key in the `params` dictionary."""
        return self._name

    @property
    def dtype(self) -> DataType | Object:
        """The type of the value, or of each element of it."""
        return self._dtype

    @property
    def default(self) -> Any:
        """The value used where the caller gives none."""
        return self._default

    @property
    def shape(self) -> tuple[int, ...] | None:
        """None for one value, (-1,) for a list of values."""
        return self._shape

    @classmethod
    def validate_param_spec(cls, value: Any, param_spec: ParamSpec) -> Any:
        """Return the value converted to what the spec asks for; refuse what does not fit."""
        return cls.validate_type_and_shape(
            repr(param_spec), value, param_spec.dtype, param_spec.shape
        )

    @classmethod
    def validate_type_and_shape(
        cls,
        spec: str,
        value: Any,
        value_type: DataType | Object,
        shape: tuple[int, ...] | None,
    ) -> Any:
        """Return the value converted to a type and a shape.

        Args:
            spec: what is being checked, for the message.
            value: one value or a list.
            value_type: the type of the value or of its elements.
            shape: None or (-1,).

        Raises:
            MlflowException: the value does not fit.
        """
        if shape not in {None, (-1,)}:
            raise invalid(
                "Shape must be None for scalar or dictionary value, or (-1,) for 1D array value "
                f"for ParamSpec {spec}), received {shape}"
            )
        if shape is not None and (not isinstance(value, list) and not is_ndarray(value)):
            raise _not_a_list(spec, value)
        if shape is not None and _depth(value) != 1:
            raise _not_a_list(spec, value)
        try:
            if shape is None:
                return _convert(value, value_type)
            return [_convert_scalar(item, value_type) for item in value]
        except MlflowException as error:
            raise invalid(
                f"Failed to validate type and shape for {spec}, error: {error.message}"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self._name,
            "default": _plain(self._default),
            "shape": self._shape,
            **type_to_dict(self._dtype),
        }

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> ParamSpec:
        """Read the JSON form of any MLflow version; unknown keys are ignored."""
        kind = kwargs.get("type", kwargs.get("dtype"))
        if kind is None or not {"name", "default"} <= set(kwargs):
            raise invalid(
                "Missing keys in ParamSpec JSON. Expected to find keys `name`, `type`(or `dtype`) "
                f"and `default`. Received keys: {kwargs.keys()}"
            )
        if kind == OBJECT_TYPE:
            form = {**kwargs, "type": kind}
            return cls(
                kwargs["name"],
                Object.from_json_dict(**form),
                kwargs["default"],
                kwargs.get("shape"),
            )
        return cls(kwargs["name"], kind, kwargs["default"], kwargs.get("shape"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParamSpec) and (
            self._name,
            self._dtype,
            self._default,
            self._shape,
        ) == (other._name, other._dtype, other._default, other._shape)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shape = "" if self._shape is None else f" (shape: {self._shape})"
        return f"{self._name!r}: {self._dtype!r} (default: {self._default}){shape}"


class ParamSchema:
    """All parameters of `predict`."""

    def __init__(self, params: list[ParamSpec]) -> None:
        """Declare the parameters.

        Args:
            params: one spec each, each name once.
        """
        if any(not isinstance(spec, ParamSpec) for spec in params):
            raise invalid(f"ParamSchema inputs only accept {ParamSpec}")
        names = [spec.name for spec in params]
        repeated = list(dict.fromkeys(name for name in names if names.count(name) > 1))
        if repeated:
            raise invalid(f"Duplicated parameters found in schema: {repeated}")
        self._params = params

    def __len__(self) -> int:
        return len(self._params)

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self._params)

    @property
    def params(self) -> list[ParamSpec]:
        """The specs in order."""
        return self._params

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the form that JSON is made of."""
        return [spec.to_dict() for spec in self._params]

    def to_json(self) -> str:
        """Return the JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> ParamSchema:
        """Read the JSON text that any MLflow version wrote; unknown keys are ignored.

        Raises:
            MlflowException: the text is not a list of parameters.
        """
        return cls(read_json_list(json_str, lambda form: ParamSpec.from_json_dict(**form)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParamSchema) and self._params == other._params

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._params)


def _param_type(dtype: DataType | Object | str) -> DataType | Object:
    if isinstance(dtype, str):
        try:
            return DataType[dtype]
        except KeyError:
            names = [member.name for member in DataType if member is not DataType.binary]
            raise invalid(
                f"Unsupported type '{dtype}', expected instance of DataType or one of {names}"
            ) from None
    if not isinstance(dtype, DataType | Object):
        raise TypeError(f"'dtype' must be DataType, Object or str, got {dtype}")
    return dtype


def check_range(value: Any, dtype: DataType | Object) -> None:
    """Refuse an integer, or a list with one, that its type's number of bits cannot hold.

    Args:
        value: one value or a list.
        dtype: the type of the value or of its elements.

    Raises:
        MlflowException: a value is too small or too large.
    """
    low, high = _RANGES.get(dtype, (0, 0)) if isinstance(dtype, DataType) else (0, 0)
    if not high:
        return
    for item in value if isinstance(value, list) else [value]:
        if item is not None and not low <= item <= high:
            raise invalid(f"Value `{item}` is out of the range of `{dtype}`: {low} to {high}")


def _not_a_list(spec: str, value: Any) -> MlflowException:
    return invalid(
        f"Value must be a 1D array with shape (-1,) for param {spec}, "
        f"received {type(value).__name__} with ndim {_depth(value)}"
    )


def _depth(value: Any) -> int:
    if is_ndarray(value):
        return int(value.ndim)
    if isinstance(value, list | tuple):
        return 1 + max((_depth(item) for item in value), default=0)
    return 0


def _convert(value: Any, dtype: DataType | Object) -> Any:
    if value is None:
        return None
    if isinstance(dtype, Object):
        return enforce_value(value, dtype)
    return _convert_scalar(value, dtype)


def _convert_scalar(value: Any, dtype: DataType | Object) -> Any:
    if isinstance(value, list | dict | tuple | set) or is_ndarray(value):
        kind = dtype if isinstance(dtype, DataType) else repr(dtype)
        raise invalid(f"Value must be a scalar for type `{kind}`, got `{value}`")
    if isinstance(dtype, Object):
        raise invalid(f"A parameter of type `{dtype!r}` holds one dictionary, got `{value}`")
    plain = value.item() if is_numpy_scalar(value) else value
    if dtype is DataType.datetime:
        return _convert_datetime(value, plain)
    fits = DataType.check_type(dtype, value) or _widens(value, plain, dtype)
    if fits and dtype in {DataType.float, DataType.double}:
        try:
            return float(plain)
        except OverflowError:
            fits = False
    if not fits:
        raise invalid(f"Can not safely convert `{type(value)}` to `{dtype}` for value `{value}`")
    return plain


def _widens(value: Any, plain: Any, dtype: DataType) -> bool:
    if isinstance(plain, bool) or dtype is DataType.boolean:
        return False
    if dtype in {DataType.float, DataType.double} and isinstance(plain, int):
        return True
    return (
        is_numpy_scalar(value)
        and value.dtype.kind in "iuf"
        and dtype in {DataType.integer, DataType.long, DataType.float, DataType.double}
        and can_widen(value.dtype, dtype.to_numpy())
    )


def _convert_datetime(value: Any, plain: Any) -> Any:
    if isinstance(plain, dt.date):
        return plain
    try:
        # Text without a time of day stays a date: what was written is read back the same.
        if len(plain) == len("2020-01-01"):
            return dt.date.fromisoformat(plain)
        return dt.datetime.fromisoformat(plain)
    except (TypeError, ValueError):
        raise invalid(
            f"Failed to convert value `{value}` from type `{type(value)}` to `{DataType.datetime}`"
        ) from None


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.item() if is_numpy_scalar(value) else value
