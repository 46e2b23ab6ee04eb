"""How models of Keras are written, read and asked: what the flavors that hold them have in common."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.models.deserialize import require_code_allowed, unpickling, unreadable
from mlflow.models.flavors import FLAVORS, library_of

if TYPE_CHECKING:
    from mlflow.models.flavor import FlavorFolder

DATA, KERAS_FILE = FLAVORS["keras"].data.split("/")
# What Keras 2 wrote: a program of TensorFlow with what rebuilds the layers beside it.
PROGRAM_FOLDER = "model"
H5_FILE = "model.h5"
_MODULE_FILE = "keras_module.txt"
# The modules that a folder may name as the one that wrote it, and what to install for each.
_MODULES = {"keras": "keras", "tensorflow.keras": "tensorflow", "tf_keras": "tf-keras"}
# Older readers of `.keras` files run code that such a file names, whatever they are told.
_FIRST_SAFE = (3, 14)


def kind_of(model: Any) -> str | None:
    """Return which of the modules named Keras a model is of; None for other things."""
    for base in type(model).__mro__:
        top = base.__module__.partition(".")[0]
        if base.__name__ == "Model" and top in ("keras", "tf_keras"):
            return top
    return None


def write_network(
    folder: FlavorFolder, model: Any, module: str, file: str, arguments: dict[str, Any]
) -> None:
    """Write a model into the folder's data.

    Args:
        folder: the folder.
        model: the model.
        module: the module to read it with.
        file: the file's name; its ending decides the format.
        arguments: further ones of the model's own `save`.
    """
    write_module(folder, module)
    model.save(folder.file(f"{DATA}/{file}"), **arguments)


def write_module(folder: FlavorFolder, module: str) -> None:
    """Say in the folder's data which module reads it."""
    os.makedirs(folder.file(DATA), exist_ok=True)
    with open(folder.file(f"{DATA}/{_MODULE_FILE}"), "w", encoding="utf-8") as file:
        file.write(module)


def read_network(flavor: str, data: str, default: str, arguments: dict[str, Any]) -> Any:
    """Read a model of Keras.

    Args:
        flavor: the flavor, for messages.
        data: the folder that holds its file.
        default: the module that reads it where the folder names none.
        arguments: those of Keras' own `load_model`. `safe_mode=False`, with which layers may bring
            code of their own, needs a loader that permits code.

    Raises:
        MlflowException: there is no such file, it cannot be read, or it may run code, which the
            loader refuses.
    """
    keras = _reader(flavor, data, default)
    file = os.path.join(data, KERAS_FILE)
    if os.path.isfile(file):
        return _read_keras(keras, file, arguments)
    program = os.path.join(data, PROGRAM_FOLDER)
    if os.path.isdir(program):
        return _read_program(flavor, keras, program, arguments)
    file = os.path.join(data, H5_FILE)
    if not os.path.isfile(file):
        raise not_found(
            f"The model's file is not there: '{data}' holds neither {KERAS_FILE} nor {H5_FILE}."
        )
    return read_h5(keras, file, arguments)


def _reader(flavor: str, data: str, default: str) -> Any:
    path = os.path.join(data, _MODULE_FILE)
    name = default
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            name = file.read(200).strip()
    if name not in _MODULES:
        raise invalid(f"'{path}' names a module that is not Keras: {name!r}.")
    # Which Keras that is, TensorFlow decides when it is first asked.
    return library_of("tensorflow").keras if "." in name else _import(flavor, name)


def _import(flavor: str, module: str) -> Any:
    if module == FLAVORS[flavor].library:
        return library_of(flavor)
    try:
        return library_of(flavor, module)
    except MlflowException as error:
        raise MlflowException(
            f"This model of Keras needs: pip install {_MODULES[module]} ({error.message})"
        ) from error


def _read_keras(keras: Any, file: str, arguments: dict[str, Any]) -> Any:
    if arguments.get("safe_mode", True) and _reads_safely(keras):
        try:
            return keras.models.load_model(file, **arguments)
        except Exception as error:
            raise unreadable(file, error) from error
    with unpickling(file, "a Keras model that may bring code"):
        return keras.models.load_model(file, **arguments)


def _reads_safely(keras: Any) -> bool:
    version = str(getattr(keras, "__version__", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    return numbers >= _FIRST_SAFE


def read_h5(keras: Any, file: str, arguments: dict[str, Any]) -> Any:
    """Read a model of Keras that was written as HDF5.

    Args:
        keras: the Keras to read it with.
        file: the file.
        arguments: those of its `load_model`.

    Raises:
        MlflowException: it cannot be read, or the loader refuses code.
    """
    with unpickling(file, "a Keras model as HDF5, whose layers may bring code"):
        try:
            return keras.models.load_model(file, **arguments)
        except ValueError:
            # Losses that are named in short are not always found again; predicting needs none.
            if "compile" in arguments:
                raise
            return keras.models.load_model(file, **arguments, compile=False)


def _read_program(flavor: str, keras: Any, folder: str, arguments: dict[str, Any]) -> Any:
    require_code_allowed("a program of TensorFlow", folder)
    if str(getattr(keras, "__version__", "")).startswith("3."):
        # Keras 3 does not read what Keras 2 wrote like this.
        keras = _import(flavor, "tf_keras")
    try:
        return keras.models.load_model(folder, **arguments)
    except Exception as error:
        raise unreadable(folder, error) from error


def read_program(folder: str, arguments: dict[str, Any] | None = None) -> Any:
    """Read a SavedModel. It is a program, which can do whatever TensorFlow's operations can.

    Args:
        folder: the folder.
        arguments: those of `tf.saved_model.load`.

    Raises:
        MlflowException: there is none, it cannot be read, or the loader refuses code.
    """
    tensorflow = library_of("tensorflow")
    require_code_allowed("a program of TensorFlow", folder)
    if not os.path.isdir(folder):
        raise not_found(f"The model's folder '{folder}' is not there.")
    try:
        return tensorflow.saved_model.load(folder, **(arguments or {}))
    except Exception as error:
        raise unreadable(folder, error) from error


class NetworkWrapper:
    """A model of Keras, or a program of TensorFlow, as pyfunc calls it.

    Args:
        model: the model.
        function: gives the predictions of arrays.
    """

    def __init__(self, model: Any, function: Any) -> None:
        self.model = model
        self._function = function

    def get_raw_model(self) -> Any:
        """Return the model."""
        return self.model

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions: a DataFrame for a DataFrame, arrays for everything else.

        Args:
            data: a DataFrame of numbers, an array or a tensor, or a list, a tuple or a dictionary of
                them, as the model takes them.
            params: accepted as in MLflow.

        Raises:
            MlflowException: it is something else.
        """
        import numpy as np
        import pandas as pd

        if isinstance(data, pd.DataFrame):
            answer = _as_arrays(self._function(data.to_numpy()))
            if isinstance(answer, np.ndarray) and answer.ndim <= 2:
                return pd.DataFrame(answer, index=data.index)
            return answer
        if isinstance(data, (np.ndarray, list, tuple, dict)) or hasattr(data, "numpy"):
            return _as_arrays(self._function(data))
        raise invalid(
            f"Unsupported input data type: {type(data)}. Must be one of: ['ndarray', 'list', "
            "'tuple', 'dict'], a tensor, or a DataFrame."
        )


def asked_quietly(model: Any) -> NetworkWrapper:
    """Return a model of Keras as pyfunc calls it, without the bar that shows its progress."""

    def predict(data: Any) -> Any:
        return model.predict(data, verbose=0)

    return NetworkWrapper(model, predict)


def _as_arrays(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {key: _as_arrays(value) for key, value in answer.items()}
    if isinstance(answer, (list, tuple)):
        return [_as_arrays(value) for value in answer]
    return answer.numpy() if hasattr(answer, "numpy") else answer


def require_tensors(signature: Any) -> None:
    """Refuse a signature of columns: networks take tensors.

    Raises:
        MlflowException: it is one.
    """
    if signature and signature.inputs is not None and not signature.inputs.is_tensor_spec():
        raise invalid(
            "All fields in the model signature's input schema must be of type TensorSpec."
        )
