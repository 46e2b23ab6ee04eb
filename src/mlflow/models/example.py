"""Input examples: how they are written beside a model, read back, and made into serving requests."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import inspect
import json
import logging
import os
from typing import TYPE_CHECKING, Any, Protocol, Union

from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.models.signature import ModelSignature
from mlflow.types.duck import (
    is_frame,
    is_missing,
    is_ndarray,
    is_numpy_scalar,
    is_sparse,
)
from mlflow.types.enforce import enforce_schema
from mlflow.types.infer import infer_params, infer_schema
from mlflow.types.schema import AnyType, ColSpec, DataType, Schema

if TYPE_CHECKING:
    from collections.abc import Callable

_logger = logging.getLogger("mlflow.models.utils")

EXAMPLE_FILENAME = "input_example.json"
SERVING_INPUT_FILENAME = "serving_input_example.json"
EXAMPLE_DATA_KEY = "inputs"
EXAMPLE_PARAMS_KEY = "params"
INPUT_EXAMPLE_PATH = "artifact_path"
SERVING_INPUT_PATH = "serving_input_path"
_DATAFRAME_SPLIT = "dataframe_split"
# An input with one of these keys is a language model's request, which serving passes on whole.
_CHAT_KEYS = frozenset({"messages", "prompt", "input"})
_ACCEPTED = """Expected one of the following types:
- pandas.DataFrame
- numpy.ndarray
- dictionary of (name -> numpy.ndarray)
- scipy.sparse.csr_matrix
- scipy.sparse.csc_matrix
- dict
- list
- scalars
- datetime.datetime
- pydantic model instance
but got '{kind}'"""

ModelInputExample = Union[
    "pandas.DataFrame",  # type: ignore[name-defined] # noqa: F821
    "numpy.ndarray",  # type: ignore[name-defined] # noqa: F821
    "scipy.sparse.csr_matrix",  # type: ignore[name-defined] # noqa: F821
    "scipy.sparse.csc_matrix",  # type: ignore[name-defined] # noqa: F821
    dict[Any, Any],
    list[Any],
    str,
    bytes,
    tuple[Any, ...],
]


class DescribedModel(Protocol):
    """As much of a model as is needed to note its example and to read it."""

    saved_input_example_info: dict[str, Any] | None

    def get_input_schema(self) -> Any:
        """Return the schema of the inputs, or None."""


class InputExample:
    """An example of what a model is called with, in the forms it is kept in.

    Attributes:
        info: what MLmodel says of it.
        data: the content of `input_example.json`.
        serving_input: a request that `/invocations` takes.
    """

    def __init__(self, input_example: Any) -> None:
        """Take an example apart.

        Args:
            input_example: the data, or a pair of data and a dictionary of parameters.

        Raises:
            MlflowException: the data is of no supported type, or a parameter has no type.
        """
        self._inference_data, self._inference_params = split_params(input_example)
        self.info: dict[str, Any] = {INPUT_EXAMPLE_PATH: EXAMPLE_FILENAME}
        self._is_chat = False
        self.serving_input: Any = {}
        content = self._describe(_plain_model(self._inference_data))
        self.data = content
        params = self._inference_params
        if params:
            plain = to_json_value(params)
            self.info[EXAMPLE_PARAMS_KEY] = "true"
            self.data = {EXAMPLE_DATA_KEY: content, EXAMPLE_PARAMS_KEY: plain}
            if self._is_chat:
                self.serving_input = {**self.serving_input, **plain}
            else:
                self.serving_input = {**self.serving_input, EXAMPLE_PARAMS_KEY: plain}
        self.info[SERVING_INPUT_PATH] = SERVING_INPUT_FILENAME

    @property
    def inference_data(self) -> Any:
        """The data as given, without parameters."""
        return self._inference_data

    @property
    def inference_params(self) -> dict[str, Any] | None:
        """The parameters as given, or None."""
        return self._inference_params

    def save(self, parent_dir_path: str | os.PathLike[str]) -> None:
        """Write the example and its serving request into a model's folder.

        Args:
            parent_dir_path: the folder.
        """
        with open(os.path.join(parent_dir_path, EXAMPLE_FILENAME), "w", encoding="utf-8") as file:
            json.dump(self.data, file)
        path = os.path.join(parent_dir_path, SERVING_INPUT_FILENAME)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.serving_input, file, indent=2)

    def _describe(self, data: Any) -> Any:
        """Note the kind of the data and its request; return its JSON form."""
        self._is_chat = isinstance(data, dict) and not _CHAT_KEYS.isdisjoint(data)
        if is_frame(data):
            content = _frame_to_json(data)
            self.info["type"] = "dataframe"
            self.info["pandas_orient"] = "split" if "columns" in content else "values"
            self.serving_input = {_DATAFRAME_SPLIT: content}
            return content
        if is_sparse(data):
            self.info["type"] = f"sparse_matrix_{data.format}"
            self.serving_input = {EXAMPLE_DATA_KEY: to_json_value(data.toarray())}
            parts = {name: getattr(data, name).tolist() for name in ("data", "indices", "indptr")}
            return {**parts, "shape": list(data.shape)}
        if _has_arrays(data):
            self.info["type"] = "ndarray"
        elif _is_json_like(data):
            self.info["type"] = "json_object"
        else:
            raise invalid(_ACCEPTED.format(kind=type(data)))
        content = to_json_value(data)
        self.serving_input = content if self._is_chat else {EXAMPLE_DATA_KEY: content}
        return content


def split_params(input_example: Any) -> tuple[Any, dict[str, Any] | None]:
    """Return the data and the parameters of an example; no parameters count as None.

    Args:
        input_example: the data, or a pair of data and a dictionary of parameters.

    Raises:
        MlflowException: a parameter has no type.
    """
    is_pair = isinstance(input_example, tuple) and len(input_example) == 2
    if is_pair and isinstance(input_example[1], dict):
        data, params = input_example
        if params:
            infer_params(params)
        return data, params
    return input_example, None


def save_example(
    mlflow_model: DescribedModel, input_example: Any, path: str | os.PathLike[str]
) -> InputExample | None:
    """Write an example into a model's folder and note it in the model.

    Args:
        mlflow_model: the model, whose `saved_input_example_info` is set.
        input_example: the example, with or without parameters; None for none.
        path: the model's folder.

    Returns:
        The example; None where there is none.

    Raises:
        MlflowException: the example is of no supported type.
    """
    if input_example is None:
        return None
    example = InputExample(input_example)
    example.save(path)
    mlflow_model.saved_input_example_info = example.info
    return example


def convert_input_example_to_serving_input(input_example: Any) -> str | None:
    """Return the request body with which a model server is asked to predict an example.

    Args:
        input_example: the example, with or without parameters; None for none.

    Returns:
        JSON text; None where there is no example.
    """
    if input_example is None:
        return None
    return json.dumps(InputExample(input_example).serving_input, indent=2)


def infer_signature_from_example(
    example: Any, predict: Callable[..., Any]
) -> ModelSignature | None:
    """Return the signature that an example and the prediction of it show.

    Args:
        example: an `InputExample`, or what one is made of.
        predict: the model's function of data, and of `params` where it takes them.

    Returns:
        The signature; None, with a warning, where the example cannot be predicted.
    """
    try:
        if not isinstance(example, InputExample):
            example = InputExample(example)
        params = example.inference_params
        inputs = infer_schema(example.inference_data)
        param_schema = infer_params(params) if params else None
        # Predicting may change its input; the example is the caller's.
        data = enforce_schema(copy.deepcopy(example.inference_data), inputs)
        more = {"params": params} if params and takes_params(predict) else {}
        outputs = _output_schema(predict(data, **more), inputs)
        return ModelSignature(inputs, outputs, param_schema)
    except Exception as error:
        _logger.warning(
            "Failed to infer the model signature from the input example. Reason: %r. To see the "
            "full traceback, set the logging level to DEBUG via "
            '`logging.getLogger("mlflow").setLevel(logging.DEBUG)`.',
            error,
            exc_info=_logger.isEnabledFor(logging.DEBUG),
        )
        return None


def takes_params(predict: Callable[..., Any]) -> bool:
    """Tell whether a model's function takes pyfunc's `params`."""
    try:
        parameter = inspect.signature(predict).parameters.get("params")
    except (TypeError, ValueError):
        return False
    # Scikit-learn's `**params` are other things.
    return parameter is not None and parameter.kind is not inspect.Parameter.VAR_KEYWORD


def _output_schema(prediction: Any, inputs: Schema) -> Schema:
    # One prediction a row of a table is a column, not a tensor.
    if is_ndarray(prediction) and prediction.ndim == 1 and not inputs.is_tensor_spec():
        import pandas as pd

        prediction = pd.Series(prediction)
    try:
        return infer_schema(prediction)
    except Exception:
        _logger.warning(
            "Failed to infer model output schema from prediction result, setting output schema "
            "to AnyType. For full traceback, set logging level to debug.",
            exc_info=_logger.isEnabledFor(logging.DEBUG),
        )
        return Schema([ColSpec(AnyType())])


# --------------------------------------------------------------------- JSON


def to_json_value(value: Any) -> Any:
    """Return a value as JSON knows it: arrays as lists, times as ISO text, bytes as base64.

    Args:
        value: any mixture of Python, numpy and pandas values.

    Raises:
        MlflowException: a value has no JSON form.
    """
    if isinstance(value, bool | int | float | str) and not is_numpy_scalar(value):
        return value
    if value is None or (not isinstance(value, dict | list) and is_missing(value)):
        return None
    if isinstance(value, dict):
        return {key: to_json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_value(item) for item in value]
    if is_ndarray(value):
        return _array_to_json(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.encodebytes(value).decode("ascii")
    if is_numpy_scalar(value):
        return str(value) if value.dtype.kind == "M" else to_json_value(value.item())
    if hasattr(value, "model_dump"):
        return to_json_value(value.model_dump())
    raise invalid(f"An input example cannot hold a value of type {type(value).__name__}: {value!r}")


def _array_to_json(values: Any) -> Any:
    kind = values.dtype.kind
    if kind == "f":
        import numpy as np

        holes = np.isnan(values)
        # JSON has no NaN; null is read back as one.
        values = np.where(holes, None, values) if holes.any() else values
        return values.tolist()
    if kind == "M":
        return values.astype(str).tolist()
    return values.tolist() if kind in "biuU" else to_json_value(values.tolist())


def _frame_to_json(frame: Any) -> dict[str, Any]:
    columns = [_column_to_json(frame.iloc[:, place]) for place in range(frame.shape[1])]
    rows = [list(row) for row in zip(*columns, strict=True)]
    names = frame.columns.tolist()
    if all(isinstance(name, int) for name in names) and names == list(range(len(names))):
        return {"data": rows}
    return {"columns": [to_json_value(name) for name in names], "data": rows}


def _column_to_json(column: Any) -> list[Any]:
    return [None if is_missing(cell) else to_json_value(cell) for cell in column.tolist()]


def _plain_model(data: Any) -> Any:
    return data.model_dump() if hasattr(data, "model_dump") else data


def _has_arrays(data: Any) -> bool:
    if is_ndarray(data):
        return True
    if isinstance(data, list) and any(is_ndarray(item) for item in data):
        raise invalid(
            "Multidimensional arrays (aka tensors) are not supported. "
            "Numpy arrays in list are not supported as input examples."
        )
    if not isinstance(data, dict):
        return False
    arrays = sum(is_ndarray(item) for item in data.values())
    if arrays not in {0, len(data)}:
        raise invalid(
            "Mixed types in dictionary are not supported as input examples. "
            "Found numpy arrays and other types."
        )
    return bool(arrays)


def _is_json_like(data: Any) -> bool:
    plain = (dict, list, str, bytes, bytearray, bool, int, float, dt.date)
    return isinstance(data, plain) or is_numpy_scalar(data)


# ------------------------------------------------------------------ reading


def read_example(mlflow_model: DescribedModel, path: str | os.PathLike[str]) -> Any:
    """Return the data of a model's example, without parameters.

    Args:
        mlflow_model: the model; where it has a signature, the data gets its types.
        path: the model's folder.

    Returns:
        The data in the kind it was given: DataFrame, array, sparse matrix or JSON; None where the
        model has no example.

    Raises:
        MlflowException: the file is missing, outside the folder or not JSON.
    """
    info = mlflow_model.saved_input_example_info
    if info is None:
        return None
    content = _read_json(path, info.get(INPUT_EXAMPLE_PATH))
    if info.get(EXAMPLE_PARAMS_KEY) and isinstance(content, dict):
        content = content.get(EXAMPLE_DATA_KEY, content)
    kind = info.get("type")
    schema = mlflow_model.get_input_schema()
    if kind == "ndarray":
        return _read_arrays(content, schema)
    if kind in {"sparse_matrix_csr", "sparse_matrix_csc"}:
        from scipy import sparse

        matrix = sparse.csr_matrix if kind.endswith("csr") else sparse.csc_matrix
        parts = (content["data"], content["indices"], content["indptr"])
        return matrix(parts, shape=tuple(content["shape"]))
    if kind == "dataframe":
        return _read_frame(content, schema)
    return content


def read_example_params(
    mlflow_model: DescribedModel, path: str | os.PathLike[str]
) -> dict[str, Any] | None:
    """Return the parameters of a model's example; None where there are none.

    Args:
        mlflow_model: the model.
        path: the model's folder.
    """
    info = mlflow_model.saved_input_example_info
    if info is None or not info.get(EXAMPLE_PARAMS_KEY):
        return None
    content = _read_json(path, info.get(INPUT_EXAMPLE_PATH))
    params = content.get(EXAMPLE_PARAMS_KEY) if isinstance(content, dict) else None
    return params if isinstance(params, dict) else None


def load_serving_input(mlflow_model: DescribedModel, path: str | os.PathLike[str]) -> str | None:
    """Return the request body kept with a model; None where there is none.

    Args:
        mlflow_model: the model.
        path: the model's folder.
    """
    info = mlflow_model.saved_input_example_info
    if info is None or not info.get(SERVING_INPUT_PATH):
        return None
    return _read_text(path, info[SERVING_INPUT_PATH])


def _read_text(folder: str | os.PathLike[str], name: Any) -> str:
    # The name comes from a file that anybody may have written; it must stay inside the folder.
    if not isinstance(name, str) or name in {"", ".", ".."} or os.path.basename(name) != name:
        raise invalid(f"An input example must be a file in the model's folder, got {name!r}")
    path = os.path.join(folder, name)
    if os.path.islink(path):
        raise invalid(f"An input example must not be a link: {name!r}")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError as error:
        raise not_found(f"The model has no file {name!r}") from error


def _read_json(folder: str | os.PathLike[str], name: Any) -> Any:
    try:
        return json.loads(_read_text(folder, name))
    except (ValueError, RecursionError) as error:
        raise MlflowException(f"The input example {name!r} is not JSON: {error}") from error


def _read_arrays(content: Any, schema: Schema | None) -> Any:
    # MLflow 2 wrote a serving request; the key tells it from a dictionary of named arrays.
    if isinstance(content, dict) and len(content) == 1:
        (key,) = content
        named = schema is not None and schema.has_input_names()
        if key in {"inputs", "instances"} and not (named and key in schema.input_names()):  # type: ignore[union-attr]
            content = content[key]
    dtypes: dict[Any, Any] = {}
    if schema is not None and schema.is_tensor_spec():
        dtypes = {spec.name: spec.type for spec in schema}
    if isinstance(content, dict):
        return {name: _to_array(item, dtypes.get(name)) for name, item in content.items()}
    return _to_array(content, dtypes.get(None))


def _to_array(content: Any, dtype: Any) -> Any:
    import numpy as np

    if dtype is not None:
        return np.array(content, dtype=dtype)
    values = np.array(content)
    if values.dtype != object:
        return values
    try:
        return values.astype(float)
    except (TypeError, ValueError):
        return values


def _read_frame(content: Any, schema: Schema | None) -> Any:
    import pandas as pd

    if isinstance(content, dict) and _DATAFRAME_SPLIT in content:
        content = content[_DATAFRAME_SPLIT]
    if isinstance(content, dict) and "data" in content:
        frame = pd.DataFrame(
            content["data"], columns=content.get("columns"), index=content.get("index")
        )
    else:
        frame = pd.DataFrame(content)
    if schema is None or schema.is_tensor_spec():
        return frame
    specs = schema.input_dict() if schema.has_input_names() else dict(enumerate(schema))
    for name, spec in specs.items():
        if name in frame.columns and isinstance(spec.type, DataType):
            frame[name] = _typed(frame[name], spec.type)
    return frame


def _typed(column: Any, kind: DataType) -> Any:
    if kind is DataType.string:
        return column
    if kind is DataType.binary:
        return column.map(lambda cell: base64.b64decode(cell) if isinstance(cell, str) else cell)
    try:
        return column.astype(kind.to_pandas())
    except (TypeError, ValueError):
        # A hole in an integer column, for instance: left as it was written.
        return column
