"""What goes into a model and comes out: columns or tensors, their names, types and JSON form.

The types themselves live in `datatypes`, inference parameters in `params`; both are offered here
too, since this is the module path that clients and saved objects name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.types.datatypes import (
    ANY_TYPE,
    ARRAY_TYPE,
    MAP_TYPE,
    OBJECT_TYPE,
    SPARKML_VECTOR_TYPE,
    AllowedType,
    AnyType,
    Array,
    BaseType,
    DataType,
    Map,
    Object,
    Property,
    SparkMLVector,
    column_type,
    read_json_list,
    read_name,
    read_required,
    type_from_dict,
    type_to_dict,
)
from mlflow.types.duck import is_numpy_dtype
from mlflow.types.params import ParamSchema, ParamSpec

__all__ = [
    "ANY_TYPE",
    "ARRAY_TYPE",
    "MAP_TYPE",
    "OBJECT_TYPE",
    "SPARKML_VECTOR_TYPE",
    "AllowedType",
    "AnyType",
    "Array",
    "BaseType",
    "ColSpec",
    "DataType",
    "Map",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "Schema",
    "SparkMLVector",
    "TensorInfo",
    "TensorSpec",
]


class ColSpec:
    """One column: its name, its type and whether it may be missing."""

    def __init__(
        self, type: AllowedType | str, name: str | int | None = None, required: bool = True
    ) -> None:
        """Declare a column.

        Args:
            type: what the column holds, as an object or by a scalar type's name.
            name: its name; columns without names are told by position.
            required: whether the column must be there and hold a value in every row.
        """
        self._name = name
        self._required = required
        self._type = column_type(type)

    @property
    def type(self) -> AllowedType:
        """What the column holds."""
        return self._type

    @property
    def name(self) -> str | int | None:
        """The name, or None."""
        return self._name

    @property
    def required(self) -> bool:
        """Whether the column must be there."""
        return self._required

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        form = type_to_dict(self._type)
        if self._name is not None:
            form["name"] = self._name
        form["required"] = self._required
        return form

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> ColSpec:
        """Read the JSON form of any MLflow version; unknown keys are ignored."""
        return cls(type_from_dict(kwargs, "ColSpec"), read_name(kwargs), read_required(kwargs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ColSpec) and (self._name, self._type, self._required) == (
            other._name,
            other._type,
            other._required,
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        name = "" if self._name is None else f"{self._name!r}: "
        return f"{name}{self._type!r} ({'required' if self._required else 'optional'})"


class TensorInfo:
    """The dtype and the shape of a tensor; -1 in the shape stands for any length."""

    def __init__(self, dtype: Any, shape: tuple[int, ...] | list[int]) -> None:
        """Describe a tensor.

        Args:
            dtype: a numpy dtype; string dtypes carry no size.
            shape: the length of each dimension.
        """
        if not is_numpy_dtype(dtype):
            raise TypeError(
                "Expected `dtype` to be instance of `<class 'numpy.dtype'>`, "
                f"received `{dtype.__class__}`"
            )
        if not isinstance(shape, tuple | list):
            raise TypeError(
                "Expected `shape` to be instance of `<class 'tuple'>` or `<class 'list'>`, "
                f"received `{shape.__class__}`"
            )
        if dtype.kind in "US" and dtype.itemsize:
            raise MlflowException(
                "MLflow does not support size information in flexible numpy data types. "
                f'Use np.dtype("{dtype.type.__name__.rstrip("_")}") instead'
            )
        self._dtype = dtype
        self._shape = tuple(shape)

    @property
    def dtype(self) -> Any:
        """The numpy dtype."""
        return self._dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each dimension."""
        return self._shape

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"dtype": self._dtype.name, "shape": self._shape}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> TensorInfo:
        """Read the JSON form; unknown keys are ignored."""
        if not {"dtype", "shape"} <= set(kwargs):
            raise MlflowException(
                "Missing keys in TensorSpec JSON. Expected to find keys `dtype` and `shape`"
            )
        import numpy as np

        try:
            dtype = np.dtype(kwargs["dtype"])
        except TypeError as error:
            raise invalid(f"Unknown dtype in TensorSpec JSON: {kwargs['dtype']!r}") from error
        shape = kwargs["shape"]
        if not isinstance(shape, list | tuple) or any(type(length) is not int for length in shape):
            raise invalid(f"A tensor's shape must be a list of integers, got {shape!r}")
        return cls(dtype, shape)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TensorInfo)
            and bool(self._dtype == other._dtype)
            and self._shape == other._shape
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Tensor({self._dtype.name!r}, {self._shape!r})"


class TensorSpec:
    """One tensor: its dtype, its shape and, if there are several, its name."""

    def __init__(
        self, type: Any, shape: tuple[int, ...] | list[int], name: str | int | None = None
    ) -> None:
        """Declare a tensor.

        Args:
            type: a numpy dtype.
            shape: the length of each dimension, -1 for any.
            name: its key in the dictionary of inputs, or None for the only input.
        """
        self._name = name
        self._tensorInfo = TensorInfo(type, shape)

    @property
    def type(self) -> Any:
        """The numpy dtype."""
        return self._tensorInfo.dtype

    @property
    def name(self) -> str | int | None:
        """The name, or None."""
        return self._name

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each dimension."""
        return self._tensorInfo.shape

    @property
    def required(self) -> bool:
        """True: a tensor cannot be left out."""
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        name = {} if self._name is None else {"name": self._name}
        return {**name, "type": "tensor", "tensor-spec": self._tensorInfo.to_dict()}

    @classmethod
    def from_json_dict(cls, **kwargs: Any) -> TensorSpec:
        """Read the JSON form; unknown keys are ignored."""
        if not {"tensor-spec", "type"} <= set(kwargs):
            raise MlflowException(
                "Missing keys in TensorSpec JSON. Expected to find keys `tensor-spec` and `type`"
            )
        if kwargs["type"] != "tensor":
            raise MlflowException("Type mismatch, TensorSpec expects `tensor` as the type")
        info = TensorInfo.from_json_dict(**kwargs["tensor-spec"])
        return cls(info.dtype, info.shape, read_name(kwargs))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TensorSpec)
            and self._name == other._name
            and self._tensorInfo == other._tensorInfo
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        name = "" if self._name is None else f"{self._name!r}: "
        return f"{name}{self._tensorInfo!r}"


class Schema:
    """All columns, or all tensors, of one side of a model; never both kinds."""

    def __init__(self, inputs: list[ColSpec | TensorSpec]) -> None:
        """Declare one side of a model.

        Args:
            inputs: at least one spec; either all have names or none has.
        """
        if not isinstance(inputs, list):
            raise invalid(f"Inputs of Schema must be a list, got type {type(inputs).__name__}")
        if not inputs:
            raise invalid("Creating Schema with empty inputs is not allowed.")
        tensors = sum(isinstance(spec, TensorSpec) for spec in inputs)
        if tensors + sum(isinstance(spec, ColSpec) for spec in inputs) != len(inputs):
            raise invalid("Inputs of Schema must all be ColSpec or TensorSpec objects.")
        names = [spec.name for spec in inputs]
        named = sum(name is not None for name in names)
        if named not in {0, len(inputs)}:
            raise MlflowException(
                "Creating Schema with a combination of named and unnamed inputs is not allowed. "
                f"Got input names {names}"
            )
        if tensors not in {0, len(inputs)}:
            raise MlflowException(
                "Creating Schema with a combination of ColSpec and TensorSpec is not supported. "
                "Please choose one of the two."
            )
        if tensors > 1 and not named:
            raise MlflowException(
                "Creating Schema with multiple unnamed TensorSpecs is not supported. "
                "Please provide names for each TensorSpec."
            )
        if not named and any(not spec.required for spec in inputs):
            raise MlflowException(
                "Creating Schema with unnamed optional inputs is not supported. "
                "Please name all inputs or make all inputs required."
            )
        self._inputs = inputs

    def __len__(self) -> int:
        return len(self._inputs)

    def __iter__(self) -> Iterator[ColSpec | TensorSpec]:
        return iter(self._inputs)

    @property
    def inputs(self) -> list[ColSpec | TensorSpec]:
        """The specs in order."""
        return self._inputs

    def is_tensor_spec(self) -> bool:
        """Tell whether the schema is of tensors."""
        return isinstance(self._inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Tell whether the specs have names."""
        return self._inputs[0].name is not None

    def input_names(self) -> list[str | int]:
        """Return the names, or the positions where there are none."""
        return _names(self._inputs)

    def required_input_names(self) -> list[str | int]:
        """Return the names (or positions) of what must be there."""
        return _names([spec for spec in self._inputs if spec.required])

    def optional_input_names(self) -> list[str | int]:
        """Return the names of what may be missing."""
        return _names([spec for spec in self._inputs if not spec.required])

    def input_types(self) -> list[Any]:
        """Return the types in order: schema types of columns, numpy dtypes of tensors."""
        return [spec.type for spec in self._inputs]

    def input_types_dict(self) -> dict[str | int, Any]:
        """Return the types by name."""
        if not self.has_input_names():
            raise MlflowException("Cannot get input types as a dict for schema without names.")
        return {spec.name: spec.type for spec in self._inputs if spec.name is not None}

    def input_dict(self) -> dict[str | int, ColSpec | TensorSpec]:
        """Return the specs by name."""
        if not self.has_input_names():
            raise MlflowException("Cannot get input dict for schema without names.")
        return {spec.name: spec for spec in self._inputs if spec.name is not None}

    def numpy_types(self) -> list[Any]:
        """Return the numpy dtypes in order; only of scalar columns and of tensors."""
        if self.is_tensor_spec():
            return self.input_types()
        return [column.to_numpy() for column in self._scalars("numpy")]

    def pandas_types(self) -> list[Any]:
        """Return the dtypes of pandas columns in order; only of scalar columns."""
        if self.is_tensor_spec():
            raise MlflowException("TensorSpec only supports numpy types, use numpy_types() instead")
        return [column.to_pandas() for column in self._scalars("pandas")]

    def as_spark_schema(self) -> Any:
        """Return the Spark SQL schema, one field a column; needs pyspark."""
        if self.is_tensor_spec():
            raise MlflowException("TensorSpec cannot be converted to spark dataframe")
        scalars = self._scalars("spark")
        if len(scalars) == 1 and not self.has_input_names():
            return scalars[0].to_spark()
        from pyspark.sql.types import (  # type: ignore[import-not-found,unused-ignore]
            StructField,
            StructType,
        )

        fields = zip(self._inputs, scalars, strict=True)
        return StructType(
            [
                StructField(str(place if spec.name is None else spec.name), kind.to_spark(), True)
                for place, (spec, kind) in enumerate(fields)
            ]
        )

    def _scalars(self, library: str) -> list[DataType]:
        kinds = [kind for kind in self.input_types() if isinstance(kind, DataType)]
        if len(kinds) != len(self._inputs):
            raise MlflowException(
                f"Failed to get {library} types as some of the inputs types are not DataType."
            )
        return kinds

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the form that JSON is made of."""
        return [spec.to_dict() for spec in self._inputs]

    def to_json(self) -> str:
        """Return the JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> Schema:
        """Read the JSON text that any MLflow version wrote; unknown keys are ignored.

        Raises:
            MlflowException: the text is not a list of columns or tensors.
        """
        return cls(read_json_list(json_str, _read_spec))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self._inputs == other._inputs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._inputs)


def _read_spec(form: dict[str, Any]) -> ColSpec | TensorSpec:
    if form.get("type") == "tensor":
        return TensorSpec.from_json_dict(**form)
    return ColSpec.from_json_dict(**form)


def _names(specs: list[ColSpec | TensorSpec]) -> list[str | int]:
    return [place if spec.name is None else spec.name for place, spec in enumerate(specs)]


# Pickled schemas name this module, as stock MLflow's do, so that either can read the other's.
for _public in (AnyType, Array, BaseType, DataType, Map, Object, ParamSchema, ParamSpec, Property):
    _public.__module__ = __name__
SparkMLVector.__module__ = __name__
