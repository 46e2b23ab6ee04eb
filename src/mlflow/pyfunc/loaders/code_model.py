"""Loads models from code: the Python file in the folder is run, and what it sets is the model."""

from __future__ import annotations

import os
from typing import Any

from mlflow.exceptions import MlflowException
from mlflow.models.code_model import load_code_model
from mlflow.models.folder import confined, flavor_configuration
from mlflow.pyfunc.model import (
    _PythonModelPyfuncWrapper,
    as_python_model,
    load_context_and_model,
)


def _load_pyfunc(
    local_path: str, model_config: dict[str, Any] | None = None
) -> _PythonModelPyfuncWrapper:
    conf = flavor_configuration(local_path, "python_function")
    written = conf.get("model_code_path")
    if not written:
        raise MlflowException("The model has no `model_code_path`, which models from code need.")
    # MLflow writes the path that the file had when it was logged; in the folder it has its name.
    name = os.path.basename(str(written).replace("\\", "/"))
    path = confined(local_path, name, "The code")
    python_model = as_python_model(load_code_model(path, model_config))
    return load_context_and_model(local_path, model_config, python_model)
