"""A loaded model as every caller sees it: one `predict`, checked against the signature."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.example import read_example, takes_params
from mlflow.pyfunc.enforce import enforce_inputs, enforce_params
from mlflow.pyfunc.model import _FunctionPythonModel
from mlflow.types.duck import is_ndarray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlflow.models.model import Model

_logger = logging.getLogger("mlflow.pyfunc")


class PyFuncModel:
    """A model of any flavor with one way to predict.

    Args:
        model_meta: its MLmodel.
        model_impl: the object that predicts.
        predict_fn: the name of its method that predicts.
        predict_stream_fn: the name of its method that predicts one by one.
        model_id: the id of its logged model.
    """

    def __init__(
        self,
        model_meta: Model | None,
        model_impl: Any,
        predict_fn: str = "predict",
        predict_stream_fn: str | None = None,
        model_id: str | None = None,
    ) -> None:
        if not hasattr(model_impl, predict_fn):
            raise invalid(f"Model implementation is missing required {predict_fn} method.")
        if model_meta is None:
            raise invalid("Model is missing metadata.")
        self._model_meta = model_meta
        self._model_impl = model_impl
        self._predict_fn = getattr(model_impl, predict_fn)
        self._takes_params = takes_params(self._predict_fn)
        # Code of a library that reads only needs no frame of its own; code of users does.
        self._is_read_only = getattr(model_impl, "is_read_only", None) is True
        self._predict_stream_fn = (
            getattr(model_impl, predict_stream_fn, None) if predict_stream_fn else None
        )
        self._model_id = model_id
        self._folder: str | None = None

    # -------------------------------------------------------------- predicting

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions.

        Args:
            data: a DataFrame, a Series, an array, a sparse matrix, a dictionary, a list or a
                scalar, as the signature tells.
            params: parameters, as the signature tells.

        Returns:
            What the model's own predict returns.

        Raises:
            MlflowException: the data or the parameters do not fit the signature.
        """
        data, params = self._checked(data, params)
        if self._takes_params:
            return self._predict_fn(data, params=params)
        if params:
            _logger.warning("This model takes no params; they are ignored: %s", sorted(params))
        return self._predict_fn(data)

    def predict_stream(self, data: Any, params: dict[str, Any] | None = None) -> Iterator[Any]:
        """Return predictions one by one.

        Args:
            data: a dictionary or a scalar, or a list or a DataFrame of one row.
            params: parameters, as the signature tells.

        Raises:
            MlflowException: the model does not predict one by one, or the data does not fit.
        """
        if self._predict_stream_fn is None:
            raise MlflowException("This model does not support predict_stream method.")
        data, params = self._checked(_single(data), params)
        if takes_params(self._predict_stream_fn):
            return iter(self._predict_stream_fn(data, params=params))
        return iter(self._predict_stream_fn(data))

    def _checked(self, data: Any, params: dict[str, Any] | None) -> tuple[Any, Any]:
        meta = self._model_meta
        schema = meta.get_input_schema()
        # With type hints the model itself takes what the hint says.
        hinted = meta.is_signature_from_type_hint
        if meta.type_hint_from_example and not hasattr(data, "columns"):
            hinted = True
        if schema is not None and not hinted:
            data = enforce_inputs(data, schema, self.loader_module, is_read_only=self._is_read_only)
        return data, enforce_params(params, meta.get_params_schema())

    # -------------------------------------------------------------- looking inside

    def unwrap_python_model(self) -> Any:
        """Return the PythonModel that was logged.

        Raises:
            MlflowException: it is a model of another flavor.
        """
        python_model = getattr(self._model_impl, "python_model", None)
        if python_model is None:
            raise MlflowException(
                "Unable to retrieve base model object from pyfunc: this model was not logged from "
                "a PythonModel."
            )
        # A function is what was given; the wrapper around it is ours.
        if isinstance(python_model, _FunctionPythonModel):
            return python_model.func
        return python_model

    def get_raw_model(self) -> Any:
        """Return the object that a flavor wraps, such as the scikit-learn estimator.

        Raises:
            NotImplementedError: the loader offers none.
        """
        if hasattr(self._model_impl, "get_raw_model"):
            return self._model_impl.get_raw_model()
        raise NotImplementedError("`get_raw_model` is not implemented by the underlying model")

    @property
    def metadata(self) -> Model:
        """Its MLmodel."""
        return self._model_meta

    @property
    def model_id(self) -> str | None:
        """The id of its logged model."""
        return self._model_id

    @property
    def loader_module(self) -> str | None:
        """The module that loaded it."""
        conf = self._model_meta.flavors.get("python_function") or {}
        loader = conf.get("loader_module")
        return str(loader) if loader is not None else None

    @property
    def model_config(self) -> dict[str, Any]:
        """Its configuration, with what the loader overrode."""
        conf = self._model_meta.flavors.get("python_function") or {}
        return conf.get("config") or {}

    @property
    def input_example(self) -> Any:
        """The input example kept with it; None without one."""
        if self._folder is None or not self._model_meta.saved_input_example_info:
            return None
        return read_example(self._model_meta, self._folder)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PyFuncModel) and self._model_meta == other._model_meta

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        meta = self._model_meta
        lines = ["mlflow.pyfunc.loaded_model:"]
        if meta.artifact_path:
            lines.append(f"  artifact_path: {meta.artifact_path}")
        lines.append(f"  flavor: {self.loader_module}")
        if meta.run_id:
            lines.append(f"  run_id: {meta.run_id}")
        return "\n".join(lines) + os.linesep


def _single(data: Any) -> Any:
    """Return the one row of data that `predict_stream` takes."""
    if hasattr(data, "columns"):
        data = data.to_dict(orient="records")
    elif is_ndarray(data):
        data = data.tolist()
    if not isinstance(data, list):
        return data
    if len(data) != 1:
        raise invalid(
            f"'predict_stream' requires single input, but it got input data {str(data)[:2000]}"
        )
    return data[0]
