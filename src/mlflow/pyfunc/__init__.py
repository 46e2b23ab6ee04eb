"""One way to save, load and call models of any flavor, and models written in Python."""

from __future__ import annotations

import os as _os
from typing import Any

from mlflow._doorway import attach
from mlflow.models.flavor import add_to_model
from mlflow.models.folder import flavor_configuration
from mlflow.pyfunc.load import FLAVOR_NAME, get_model_dependencies, load_model
from mlflow.pyfunc.loaded import PyFuncModel
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.pyfunc.save import (
    get_default_conda_env,
    get_default_pip_requirements,
    log_model,
    save_model,
)

MAIN = "loader_module"
CODE = "code"
DATA = "data"
ENV = "env"
TASK = "task"
MODEL_CONFIG = "config"
MODEL_CODE_PATH = "model_code_path"
PY_VERSION = "python_version"

PyFuncInput = Any
PyFuncOutput = Any

__all__ = [
    "CODE",
    "DATA",
    "ENV",
    "FLAVOR_NAME",
    "MAIN",
    "MODEL_CODE_PATH",
    "MODEL_CONFIG",
    "PY_VERSION",
    "TASK",
    "PyFuncInput",
    "PyFuncModel",
    "PyFuncOutput",
    "PythonModel",
    "PythonModelContext",
    "add_to_model",
    "get_default_conda_env",
    "get_default_pip_requirements",
    "get_model_dependencies",
    "load_model",
    "load_pyfunc",
    "log_model",
    "save_model",
]


__getattr__, __dir__ = attach(__name__, {"spark_udf": "mlflow.pyfunc.spark"})


def load_pyfunc(model_uri: str, suppress_warnings: bool = False) -> PyFuncModel:
    """Load a model; the old name of `load_model`."""
    return load_model(model_uri, suppress_warnings)


def _load_pyfunc(path: str) -> Any:
    # Folders of MLflow 1 name this module as the loader of PythonModels.
    conf = flavor_configuration(_os.path.abspath(path), FLAVOR_NAME)
    del conf
    return load_model(path)
