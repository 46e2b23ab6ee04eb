"""The types a column, a parameter or a nested value of a schema can have, and their JSON form."""

from __future__ import annotations

import datetime as dt
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, Union

from mlflow.exceptions import MlflowException, invalid
from mlflow.types.duck import is_numpy_scalar

ARRAY_TYPE = "array"
OBJECT_TYPE = "object"
MAP_TYPE = "map"
ANY_TYPE = "any"
SPARKML_VECTOR_TYPE = "sparkml_vector"
_SHOWN_CHARACTERS = 500
T = TypeVar("T")
_EXPECTED = (
    "Expected mlflow.types.schema.Datatype, mlflow.types.schema.Array, "
    "mlflow.types.schema.Object, mlflow.types.schema.Map, mlflow.types.schema.AnyType or str "
    "for the '{argument}' argument, but got {value}"
)


class DataType(Enum):
    """The scalar types."""

    boolean = 1
    integer = 2
    long = 3
    float = 4
    double = 5
    string = 6
    binary = 7
    datetime = 8

    def __repr__(self) -> str:
        return self.name

    def to_numpy(self) -> Any:
        """Return the numpy dtype of this type."""
        import numpy as np

        return np.dtype(_NUMPY_NAMES[self.name])

    def to_pandas(self) -> Any:
        """Return the dtype of a pandas column of this type; `object` for strings and bytes."""
        if self.name in {"string", "binary"}:
            return object
        return self.to_numpy()

    def to_python(self) -> Any:
        """Return the Python class of one value of this type."""
        return _PYTHON_CLASSES[self.name]

    def to_spark(self) -> Any:
        """Return the Spark SQL type of this type; needs pyspark."""
        from pyspark.sql import types  # type: ignore[import-not-found,unused-ignore]

        return getattr(types, _SPARK_NAMES[self.name])()

    @classmethod
    def get_spark_types(cls) -> list[Any]:
        """Return the Spark SQL types of all types; needs pyspark."""
        return [member.to_spark() for member in cls]

    @classmethod
    def check_type(cls, data_type: DataType, value: Any) -> bool:
        """Tell whether a single value has exactly this type, without any conversion."""
        if is_numpy_scalar(value):
            if value.dtype.kind in "USM":
                return bool(value.dtype.kind == _NUMPY_KINDS[data_type.name])
            return bool(value.dtype == data_type.to_numpy())
        if data_type is cls.datetime:
            return isinstance(value, dt.date)
        if data_type is cls.binary:
            return isinstance(value, bytes | bytearray)
        if data_type is cls.boolean:
            return value is True or value is False
        if isinstance(value, bool):
            return False
        return isinstance(value, data_type.to_python())

    @classmethod
    def all_types(cls) -> list[DataType]:
        """Return all scalar types."""
        return list(cls)

    @classmethod
    def from_numpy_type(cls, np_type: Any) -> DataType | None:
        """Return the type whose numpy dtype is `np_type`, or None."""
        return next((member for member in cls if member.to_numpy() == np_type), None)


_NUMPY_NAMES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
    "binary": "bytes",
    "datetime": "datetime64[ns]",
}
_NUMPY_KINDS = {
    "boolean": "b",
    "integer": "i",
    "long": "i",
    "float": "f",
    "double": "f",
    "string": "U",
    "binary": "S",
    "datetime": "M",
}
_PYTHON_CLASSES: dict[str, type] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "binary": bytes,
    "datetime": dt.date,
}
_SPARK_NAMES = {
    "boolean": "BooleanType",
    "integer": "IntegerType",
    "long": "LongType",
    "float": "FloatType",
    "double": "DoubleType",
    "string": "StringType",
    "binary": "BinaryType",
    "datetime": "TimestampType",
}


class BaseType(ABC):
    """A type that is built of others, or that allows anything."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""

    @abstractmethod
    def __eq__(self, other: object) -> bool: ...

    __hash__ = None  # type: ignore[assignment]


class AnyType(BaseType):
    """Whatever value, present or not; nothing is checked."""

    def __repr__(self) -> str:
        return "Any"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyType)

    __hash__ = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"type": ANY_TYPE}


class Array(BaseType):
    """A list of values of one type."""

    def __init__(self, dtype: AllowedType | str) -> None:
        """Make an array type.

        Args:
            dtype: the type of the elements, as an object or by a scalar type's name.
        """
        self._dtype = nested_type(dtype, "dtype", "Unsupported type")

    @property
    def dtype(self) -> AllowedType:
        """The type of the elements."""
        return self._dtype

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._dtype == other._dtype

    __hash__ = None

    def __repr__(self) -> str:
        return f"Array({self._dtype!r})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"type": ARRAY_TYPE, "items": type_to_dict(self._dtype)}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> Array:
        """Read the JSON form; unknown keys are ignored."""
        if not {"items", "type"} <= set(kwargs):
            raise MlflowException(
                "Missing keys in Array JSON. Expected to find keys `items` and `type`"
            )
        if kwargs["type"] != ARRAY_TYPE:
            raise MlflowException("Type mismatch, Array expects `array` as the type")
        if not isinstance(kwargs["items"], dict):
            raise MlflowException("Expected items to be a dictionary of Object JSON")
        return cls(type_from_dict(kwargs["items"], "Array"))


class SparkMLVector(Array):
    """The vector of Spark ML: an array of doubles."""

    def __init__(self) -> None:
        super().__init__(DataType.double)

    def __repr__(self) -> str:
        return "SparkML vector"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"type": SPARKML_VECTOR_TYPE}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> SparkMLVector:
        """Read the JSON form, which has no content."""
        return SparkMLVector()


class Property(BaseType):
    """One named field of an object."""

    def __init__(self, name: str, dtype: AllowedType | str, required: bool = True) -> None:
        """Make a field.

        Args:
            name: the key in the object.
            dtype: the type of the value, as an object or by a scalar type's name.
            required: whether the key must be there, with a value.
        """
        if not isinstance(name, str):
            raise invalid(f"Expected name to be a string, got type {type(name).__name__}")
        self._name = name
        self._dtype = nested_type(dtype, "dtype", "Unsupported type")
        self._required = required

    @property
    def name(self) -> str:
        """The key in the object."""
        return self._name

    @property
    def dtype(self) -> AllowedType:
        """The type of the value."""
        return self._dtype

    @property
    def required(self) -> bool:
        """Whether the key must be there."""
        return self._required

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Property) and (self._name, self._dtype, self._required) == (
            other._name,
            other._dtype,
            other._required,
        )

    __hash__ = None

    def __lt__(self, other: Property) -> bool:
        return self._name < other._name

    def __repr__(self) -> str:
        return f"{self._name}: {self._dtype!r} ({'required' if self._required else 'optional'})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: one key, the name."""
        return {self._name: {**type_to_dict(self._dtype), "required": self._required}}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> Property:
        """Read the JSON form; unknown keys inside are ignored."""
        if len(kwargs) != 1:
            raise MlflowException(
                f"Expected Property JSON to contain a single key as name, got {len(kwargs)} keys."
            )
        ((name, form),) = kwargs.items()
        if "type" not in form:
            raise MlflowException(f"Missing keys in Property `{name}`. Expected to find key `type`")
        return cls(name, type_from_dict(form, f"Property `{name}`"), read_required(form))


class Object(BaseType):
    """A dictionary with known string keys."""

    def __init__(self, properties: list[Property]) -> None:
        """Make an object type.

        Args:
            properties: its fields, at least one, in whatever order; each name once.
        """
        if not isinstance(properties, list):
            raise invalid(f"Expected properties to be a list, got type {type(properties).__name__}")
        if not properties:
            raise invalid("Creating Object with empty properties is not allowed.")
        if any(not isinstance(item, Property) for item in properties):
            raise invalid("Expected values to be instance of Property")
        names = [item.name for item in properties]
        repeated = dict.fromkeys(name for name in names if names.count(name) > 1)
        if repeated:
            raise invalid(
                "Found duplicated property names: " + ", ".join(f"`{n}`" for n in repeated)
            )
        self._properties = sorted(properties)

    @property
    def properties(self) -> list[Property]:
        """The fields, by name."""
        return self._properties

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Object) and self._properties == other._properties

    __hash__ = None

    def __repr__(self) -> str:
        return "{" + ", ".join(repr(item) for item in self._properties) + "}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        fields: dict[str, Any] = {}
        for item in self._properties:
            fields.update(item.to_dict())
        return {"type": OBJECT_TYPE, "properties": fields}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> Object:
        """Read the JSON form; unknown keys are ignored."""
        if not {"properties", "type"} <= set(kwargs):
            raise MlflowException(
                "Missing keys in Object JSON. Expected to find keys `properties` and `type`"
            )
        if kwargs["type"] != OBJECT_TYPE:
            raise MlflowException("Type mismatch, Object expects `object` as the type")
        fields = kwargs["properties"]
        if not isinstance(fields, dict) or any(not isinstance(f, dict) for f in fields.values()):
            raise MlflowException("Expected properties to be a dictionary of Property JSON")
        return cls([Property.from_json_dict(**{name: form}) for name, form in fields.items()])


class Map(BaseType):
    """A dictionary with string keys that are not known beforehand."""

    def __init__(self, value_type: AllowedType | str) -> None:
        """Make a map type.

        Args:
            value_type: the type of all values, as an object or by a scalar type's name.
        """
        self._value_type = nested_type(value_type, "value_type", "Unsupported value type")

    @property
    def value_type(self) -> AllowedType:
        """The type of all values."""
        return self._value_type

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and self._value_type == other._value_type

    __hash__ = None

    def __repr__(self) -> str:
        # str, not repr: the printed form of stock MLflow, which people compare.
        return f"Map(str -> {self._value_type})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"type": MAP_TYPE, "values": type_to_dict(self._value_type)}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> Map:
        """Read the JSON form; unknown keys are ignored."""
        if not {"values", "type"} <= set(kwargs):
            raise MlflowException(
                "Missing keys in Map JSON. Expected to find keys `values` and `type`"
            )
        if kwargs["type"] != MAP_TYPE:
            raise MlflowException("Type mismatch, Map expects `map` as the type")
        if not isinstance(kwargs["values"], dict):
            raise MlflowException("Expected values to be a dictionary of Object JSON")
        return cls(type_from_dict(kwargs["values"], "Map"))


AllowedType = Union[DataType, Array, Object, Map, AnyType]  # noqa: UP007 - a runtime value too


def nested_type(value: AllowedType | str, argument: str, unsupported: str) -> AllowedType:
    """Return the type that an argument names; refuse what is not one."""
    if isinstance(value, str):
        try:
            return DataType[value]
        except KeyError:
            names = [member.name for member in DataType]
            raise MlflowException(
                f"{unsupported} '{value}', expected instance of DataType, Array, Object, Map or "
                f"one of {names}"
            ) from None
    if not isinstance(value, DataType | Array | Object | Map | AnyType):
        raise invalid(_EXPECTED.format(argument=argument, value=value))
    return value


def column_type(value: AllowedType | str) -> AllowedType:
    """Return the type that a column declares; refuse what is not one."""
    if isinstance(value, str):
        try:
            return DataType[value]
        except KeyError:
            names = [member.name for member in DataType]
            raise MlflowException(
                f"Unsupported type '{value}', expected instance of DataType or one of {names}"
            ) from None
    if not isinstance(value, DataType | Array | Object | Map | AnyType):
        raise TypeError(_EXPECTED.format(argument="type", value=value))
    return value


def type_to_dict(dtype: AllowedType) -> dict[str, Any]:
    """Return the JSON form of any type."""
    return {"type": dtype.name} if isinstance(dtype, DataType) else dtype.to_dict()


def type_from_dict(form: dict[str, Any], where: str) -> AllowedType:
    """Read the JSON form of any type; keys that it does not know are ignored.

    Args:
        form: the dictionary with the key `type`.
        where: what holds it, for the message.
    """
    kind = form.get("type")
    if kind is None:
        raise MlflowException(f"Missing keys in {where} JSON. Expected to find key `type`")
    if kind == ARRAY_TYPE:
        return Array.from_json_dict(**form)
    if kind == OBJECT_TYPE:
        return Object.from_json_dict(**form)
    if kind == MAP_TYPE:
        return Map.from_json_dict(**form)
    if kind == ANY_TYPE:
        return AnyType()
    if kind in {SPARKML_VECTOR_TYPE, "vector"}:
        return SparkMLVector()
    return column_type(str(kind))


def read_json_list(json_str: str, read: Callable[[dict[str, Any]], T]) -> list[T]:
    """Read a JSON list of objects, whatever may be wrong with it.

    Args:
        json_str: the text.
        read: makes one entry of one object.

    Raises:
        MlflowException: the text is no such list, or an entry cannot be read.
    """
    shown = json_str if len(json_str) <= _SHOWN_CHARACTERS else f"{json_str[:_SHOWN_CHARACTERS]}…"
    try:
        forms = json.loads(json_str)
        if not isinstance(forms, list) or any(not isinstance(form, dict) for form in forms):
            raise invalid(f"A schema must be a JSON list of objects, got {shown!r}")
        return [read(form) for form in forms]
    except MlflowException:
        raise
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise invalid(f"A schema cannot be read: {error} in {shown!r}") from error


def read_name(form: dict[str, Any]) -> Any:
    """Read the name of an entry: text, a number, or the levels of one as a tuple."""
    name = form.get("name")
    if isinstance(name, list):
        return tuple(name)
    if isinstance(name, dict):
        raise invalid(f"An input's name must be text or a number, got {name!r}")
    return name


def read_required(form: dict[str, Any]) -> bool:
    """Read whether an entry is required: absent means yes; MLflow 2.6 wrote `optional` instead."""
    if form.get("required") is None:
        return not form.get("optional", False)
    return bool(form["required"])
