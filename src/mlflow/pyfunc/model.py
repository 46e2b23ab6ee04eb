"""Models written in Python: the class users derive from, and saving and loading such models.

Pickles of MLflow name this module, so its classes live here.
"""

from __future__ import annotations

import inspect
import logging
import os
from typing import TYPE_CHECKING, Any

from mlflow.environment_variables import MLFLOW_LOG_MODEL_COMPRESSION
from mlflow.exceptions import MlflowException, invalid
from mlflow.models.deserialize import COMPRESSIONS, dump_pickle, load_pickle
from mlflow.models.folder import all_flavor_configurations, confined, copy_into
from mlflow.models.signature import ModelSignature
from mlflow.models.source import local_model_folder
from mlflow.pyfunc.type_hints import as_hinted, hint_of_input

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG_KEY_ARTIFACTS = "artifacts"
CONFIG_KEY_ARTIFACT_RELATIVE_PATH = "path"
CONFIG_KEY_ARTIFACT_URI = "uri"
CONFIG_KEY_PYTHON_MODEL = "python_model"
CONFIG_KEY_CLOUDPICKLE_VERSION = "cloudpickle_version"
CONFIG_KEY_COMPRESSION = "python_model_compression"
PYTHON_MODEL_FILE = "python_model.pkl"
ARTIFACTS_FOLDER = "artifacts"

_logger = logging.getLogger("mlflow.pyfunc")


class PythonModel:
    """A model whose loading and predicting is written in Python; derive from it."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load what `predict` needs; called once, when the model is loaded.

        Args:
            context: the artifacts and the configuration of the model.
        """

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions; a model must define it.

        Args:
            context: the artifacts and the configuration of the model; may be left out.
            model_input: the data.
            params: parameters, as the signature describes them; may be left out.
        """
        raise NotImplementedError

    def predict_stream(
        self, context: Any, model_input: Any, params: dict[str, Any] | None = None
    ) -> Iterator[Any]:
        """Return predictions one by one; a model may define it.

        Args:
            context: the artifacts and the configuration of the model; may be left out.
            model_input: the data.
            params: parameters, as the signature describes them; may be left out.
        """
        raise NotImplementedError


class PythonModelContext:
    """What a PythonModel finds beside itself.

    Args:
        artifacts: name → local path.
        model_config: the model's configuration.
    """

    def __init__(self, artifacts: dict[str, str], model_config: dict[str, Any] | None) -> None:
        self._artifacts = artifacts
        self._model_config = model_config

    @property
    def artifacts(self) -> dict[str, str]:
        """The local paths of the model's artifacts, by name."""
        return self._artifacts

    @property
    def model_config(self) -> dict[str, Any] | None:
        """The model's configuration."""
        return self._model_config


class _FunctionPythonModel(PythonModel):
    # A function of one argument as a PythonModel; the attributes are those of MLflow's pickles.
    def __init__(self, func: Any, signature: ModelSignature | None = None) -> None:
        self.signature = signature
        self.func = func

    def __getattr__(self, name: str) -> Any:
        if name == "hints":  # asked for by MLflow 2
            return None
        raise AttributeError(name)

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        if len(inspect.signature(self.func).parameters) > 1:
            return self.func(model_input, params)
        return self.func(model_input)


class _PythonModelPyfuncWrapper:
    """A loaded PythonModel as pyfunc calls it."""

    def __init__(
        self, python_model: Any, context: PythonModelContext | None, signature: Any = None
    ) -> None:
        self.python_model = python_model
        self.context = context
        self.signature = signature
        self._hint = hint_of_input(predict_function(python_model))

    def get_raw_model(self) -> Any:
        """Return the PythonModel."""
        return self.python_model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Call the model's `predict`, with its input as its type hint says it."""
        if self._hint is not None:
            model_input = as_hinted(model_input, self._hint)
        return self.python_model.predict(*self._arguments("predict", model_input, params))

    def predict_stream(
        self, model_input: Any, params: dict[str, Any] | None = None
    ) -> Iterator[Any]:
        """Call the model's `predict_stream`."""
        arguments = self._arguments("predict_stream", model_input, params)
        return iter(self.python_model.predict_stream(*arguments))

    def _arguments(
        self, method: str, model_input: Any, params: dict[str, Any] | None
    ) -> tuple[Any, ...]:
        names = _parameters(getattr(self.python_model, method))
        plain = [name for name in names if name != "params" and not name.startswith("*")]
        arguments: tuple[Any, ...] = (model_input,)
        if "context" in names or len(plain) > 1:
            arguments = (self.context, model_input)
        return (*arguments, params) if "params" in names else arguments


def _parameters(function: Any) -> list[str]:
    prefix: dict[Any, str] = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    found = inspect.signature(function).parameters.values()
    return [prefix.get(parameter.kind, "") + parameter.name for parameter in found]


# -------------------------------------------------------------------- saving


def as_python_model(python_model: Any) -> Any:
    """Return a PythonModel for what a user gave: one, a function, or an object with `predict`.

    Raises:
        MlflowException: it is none of these, or the function does not take one argument.
    """
    if isinstance(python_model, type) and issubclass(python_model, PythonModel):
        raise invalid(
            "`python_model` must be a PythonModel instance, callable object, or path to a script "
            f"that uses set_model(); got the class {python_model.__name__}. Give an instance of it."
        )
    if isinstance(python_model, PythonModel) or callable(getattr(python_model, "predict", None)):
        return python_model
    if callable(python_model):
        count = len(inspect.signature(python_model).parameters)
        if count != 1:
            raise invalid(
                "When `python_model` is a callable object, it must accept exactly one argument. "
                f"Found {count} arguments."
            )
        return _FunctionPythonModel(python_model)
    raise invalid(
        "`python_model` must be a PythonModel instance, callable object, or path to a script "
        f"that uses set_model(); got {type(python_model).__name__}."
    )


def predict_function(python_model: Any) -> Any:
    """Return what a user wrote to predict: a function, or the `predict` of a model."""
    if isinstance(python_model, _FunctionPythonModel):
        return python_model.func
    return getattr(python_model, "predict", None)


def write_python_model(python_model: Any, path: str) -> dict[str, Any]:
    """Pickle a PythonModel into a model's folder.

    Args:
        python_model: the model.
        path: the folder.

    Returns:
        What the MLmodel says of it.

    Raises:
        MlflowException: it cannot be pickled.
    """
    compression = MLFLOW_LOG_MODEL_COMPRESSION.get()
    if compression is not None and compression not in COMPRESSIONS:
        _logger.warning(
            "MLFLOW_LOG_MODEL_COMPRESSION is %r, which is none of %s; the model is not compressed.",
            compression, ", ".join(COMPRESSIONS),
        )  # fmt: skip
        compression = None
    name = PYTHON_MODEL_FILE + (COMPRESSIONS[compression][1] if compression else "")
    try:
        dump_pickle(python_model, os.path.join(path, name), compression=compression)
    except MlflowException:
        raise
    except Exception as error:
        raise MlflowException(
            "Failed to serialize Python model. Please save the model into a python file and use "
            f"code-based logging method instead. Error: {error}"
        ) from error
    entries = {CONFIG_KEY_PYTHON_MODEL: name}
    return {**entries, CONFIG_KEY_COMPRESSION: compression} if compression else entries


def copy_artifacts(artifacts: dict[str, str] | None, path: str) -> dict[str, dict[str, str]]:
    """Copy a model's artifacts into its folder.

    Args:
        artifacts: name → URI or path.
        path: the model's folder.

    Returns:
        What the MLmodel says of them.

    Raises:
        MlflowException: one does not exist.
    """
    entries: dict[str, dict[str, str]] = {}
    used: set[str] = set()
    for name, uri in (artifacts or {}).items():
        source = local_model_folder(str(uri))
        folder = ARTIFACTS_FOLDER
        base = os.path.basename(os.path.normpath(os.path.abspath(source)))
        if base in used:
            # Two files of one name would overwrite each other.
            folder = f"{ARTIFACTS_FOLDER}/{len(used)}"
        used.add(base)
        copied = copy_into(source, os.path.join(path, *folder.split("/")))
        entries[str(name)] = {"path": f"{folder}/{copied}", "uri": str(uri)}
    return entries


# ------------------------------------------------------------------- loading


def load_context_and_model(
    model_path: str,
    model_config: dict[str, Any] | None = None,
    python_model: Any = None,
    signature: Any = None,
) -> _PythonModelPyfuncWrapper:
    """Return a PythonModel of a folder, its context loaded.

    Args:
        model_path: the folder.
        model_config: its configuration.
        python_model: the model, when it does not come from a pickle.
        signature: its signature.

    Raises:
        MlflowException: the folder holds no PythonModel, or the loader refuses pickles.
    """
    conf = all_flavor_configurations(model_path).get("python_function") or {}
    if python_model is None:
        python_model = _unpickled(model_path, conf)
    artifacts = {
        str(name): confined(model_path, (entry or {}).get("path"), f"The artifact '{name}'")
        for name, entry in (conf.get(CONFIG_KEY_ARTIFACTS) or {}).items()
    }
    context = PythonModelContext(artifacts, model_config)
    if hasattr(python_model, "load_context"):
        python_model.load_context(context=context)
    return _PythonModelPyfuncWrapper(python_model, context, signature)


def _unpickled(model_path: str, conf: dict[str, Any]) -> Any:
    subpath = conf.get(CONFIG_KEY_PYTHON_MODEL)
    if subpath is None:
        raise MlflowException("Python model path was not specified in the model configuration")
    path = confined(model_path, subpath, "The Python model")
    compression = conf.get(CONFIG_KEY_COMPRESSION)
    return load_pickle(path, "cloudpickle", str(compression) if compression else None)


def _load_pyfunc(
    model_path: str, model_config: dict[str, Any] | None = None
) -> _PythonModelPyfuncWrapper:
    return load_context_and_model(model_path, model_config)
