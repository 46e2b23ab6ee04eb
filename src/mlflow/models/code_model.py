"""Models from code: a Python file that builds a model and hands it over with `set_model`."""

from __future__ import annotations

import contextlib
import contextvars
import importlib.util
import json
import os
import sys
import uuid
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.deserialize import require_code_allowed
from mlflow.models.folder import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a file that is being run hands over, and the configuration it is run with.
_handed_over: contextvars.ContextVar[list[Any] | None] = contextvars.ContextVar(
    "handed_over", default=None
)
_config: contextvars.ContextVar[Any] = contextvars.ContextVar("config", default=None)
_last_model: list[Any] = []


def set_model(model: Any) -> None:
    """Hand over the model that a Python file builds.

    Args:
        model: a PythonModel, a function of one argument, or an object with a `predict` method.

    Raises:
        MlflowException: it is none of these.
    """
    if not (callable(model) or callable(getattr(model, "predict", None))):
        raise MlflowException(
            "Model should either be an instance of PyFuncModel, Langchain type, or LlamaIndex "
            f"index; got {type(model).__name__}, which has no `predict` method."
        )
    waiting = _handed_over.get()
    if waiting is not None:
        waiting.append(model)
    _last_model[:] = [model]


def load_code_model(code_path: str, model_config: str | dict[str, Any] | None = None) -> Any:
    """Run a Python file or a notebook and return the model that it hands over.

    Args:
        code_path: the file.
        model_config: the configuration (or its YAML file) that `ModelConfig` gives the file.

    Returns:
        What the file gave to `set_model`.

    Raises:
        MlflowException: the loader refuses code, running the file failed, or it set no model.
    """
    require_code_allowed("a Python file", code_path)
    checked_code_path(code_path)
    name = f"code_model_{uuid.uuid4().hex}"
    handed = _handed_over.set([])
    config = _config.set(model_config)
    try:
        _run(code_path, name)
        found = _handed_over.get()
    except ImportError as error:
        raise MlflowException(
            f"Failed to run the model's code '{code_path}': {error}. Modules beside it are shipped "
            "with `code_paths`."
        ) from error
    except MlflowException:
        raise
    except Exception as error:
        raise MlflowException(f"Failed to run the model's code '{code_path}': {error}") from error
    finally:
        _handed_over.reset(handed)
        _config.reset(config)
    if not found:
        raise MlflowException(
            "If the model is logged as code, ensure the model is set using "
            "mlflow.models.set_model() within the code file"
        )
    return found[-1]


def _run(path: str, name: str) -> None:
    if path.endswith(".ipynb"):
        source = _notebook_source(path)
        module = importlib.util.module_from_spec(
            importlib.util.spec_from_loader(name, loader=None)  # type: ignore[arg-type]
        )
        module.__file__ = path
        sys.modules[name] = module
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - the user's own model
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise invalid(f"'{path}' is neither a Python file nor a notebook.")
    module = importlib.util.module_from_spec(spec)
    # Cloudpickle and dataclasses look a class's module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)


def _notebook_source(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        notebook = json.load(file)
    lines = []
    for cell in notebook.get("cells", []):
        if cell.get("cell_type") == "code":
            text = cell.get("source", "")
            text = "".join(text) if isinstance(text, list) else text
            # Shell and magic lines are the notebook's, not the model's.
            lines += [li for li in text.splitlines() if not li.lstrip().startswith(("%", "!"))]
    return "\n".join(lines)


def checked_code_path(path: str) -> str:
    """Return the path of the Python file or notebook of a model.

    Raises:
        MlflowException: it is neither, or does not exist.
    """
    if not path.endswith((".py", ".ipynb")):
        raise invalid(
            f"The provided model path '{path}' must be a Python file (.py) or a notebook (.ipynb)."
        )
    if not os.path.isfile(path):
        raise invalid(
            f"The provided model path '{path}' does not exist. Ensure the file path is valid and "
            "try again."
        )
    return path


@contextlib.contextmanager
def config_context(config: str | dict[str, Any] | None = None) -> Iterator[None]:
    """Give a configuration to the `ModelConfig` of code that runs inside the block."""
    token = _config.set(config)
    try:
        yield
    finally:
        _config.reset(token)


class ModelConfig:
    """The configuration of a model from code: given when it is logged or loaded, or a default.

    Args:
        development_config: a dictionary or the path of a YAML file, used when none is given.
    """

    def __init__(self, *, development_config: str | dict[str, Any] | None = None) -> None:
        given = _config.get()
        self.config = given if given is not None else development_config
        if self.config is None:
            raise FileNotFoundError(
                "Config file is None. Please provide a valid path or a dictionary."
            )
        if isinstance(self.config, str) and not os.path.isfile(self.config):
            raise FileNotFoundError(f"Config file '{self.config}' does not exist.")

    def _read(self) -> dict[str, Any]:
        value = read_yaml(self.config) if isinstance(self.config, str) else self.config
        return value if isinstance(value, dict) else {}

    def to_dict(self) -> dict[str, Any]:
        """Return the whole configuration."""
        return self._read()

    def get(self, key: str) -> Any:
        """Return the value of a key.

        Raises:
            KeyError: there is no such key.
        """
        config = self._read()
        if key not in config:
            raise KeyError(f"Key '{key}' not found in configuration: {self.config}.")
        return config[key]
