"""The names with which flavors of other packages build models; MLflow keeps them in `mlflow.utils`.

They carry a leading underscore there, and packages import them all the same.
"""

from __future__ import annotations

import os
from typing import Any

from mlflow.models.env_files import CONDA_ENV_FILE_NAME as _CONDA_ENV_FILE_NAME
from mlflow.models.env_files import PYTHON_ENV_FILE_NAME as _PYTHON_ENV_FILE_NAME
from mlflow.models.env_files import PythonEnv as _PythonEnv
from mlflow.models.env_files import mlflow_conda_env as _mlflow_conda_env
from mlflow.models.env_files import process_conda_env as _process_conda_env
from mlflow.models.env_files import write_text
from mlflow.models.folder import MLMODEL_FILE_NAME, add_code_path, confined
from mlflow.models.folder import all_flavor_configurations as _get_all_flavor_configurations
from mlflow.models.folder import check_code_paths as _validate_code_paths
from mlflow.models.folder import copy_code as _validate_and_copy_code_paths
from mlflow.models.folder import copy_extra_files as _copy_extra_files
from mlflow.models.folder import flavor_configuration as _get_flavor_configuration
from mlflow.models.folder import prepare_target as _validate_and_prepare_target_save_path
from mlflow.models.folder import total_size as get_total_file_size
from mlflow.models.packages import installed_version as _get_package_version
from mlflow.models.requirements import CONSTRAINTS_FILE_NAME as _CONSTRAINTS_FILE_NAME
from mlflow.models.requirements import REQUIREMENTS_FILE_NAME as _REQUIREMENTS_FILE_NAME
from mlflow.models.requirements import (
    check_environment_arguments as _validate_env_arguments,
)
from mlflow.models.requirements import infer_pip_requirements
from mlflow.models.requirements import parse_pip_requirements as _parse_pip_requirements
from mlflow.models.requirements import pinned as _get_pinned_requirement
from mlflow.models.requirements import process_pip_requirements as _process_pip_requirements
from mlflow.models.source import local_model_folder

FLAVOR_CONFIG_CODE = "code"
EXTRA_FILES_KEY = "extra_files"

__all__ = [
    "EXTRA_FILES_KEY",
    "FLAVOR_CONFIG_CODE",
    "MLMODEL_FILE_NAME",
    "_CONDA_ENV_FILE_NAME",
    "_CONSTRAINTS_FILE_NAME",
    "_PYTHON_ENV_FILE_NAME",
    "_REQUIREMENTS_FILE_NAME",
    "_PythonEnv",
    "_add_code_from_conf_to_system_path",
    "_add_code_to_system_path",
    "_copy_extra_files",
    "_get_all_flavor_configurations",
    "_get_flavor_configuration",
    "_get_flavor_configuration_from_uri",
    "_get_package_version",
    "_get_pinned_requirement",
    "_mlflow_conda_env",
    "_parse_pip_requirements",
    "_process_conda_env",
    "_process_pip_requirements",
    "_validate_and_copy_code_paths",
    "_validate_and_prepare_target_save_path",
    "_validate_code_paths",
    "_validate_env_arguments",
    "get_total_file_size",
    "infer_pip_requirements",
    "write_to",
]


def write_to(filename: str, data: str) -> None:
    """Write a text file."""
    write_text(filename, data)


def _add_code_to_system_path(code_path: str) -> None:
    add_code_path(code_path)


def _add_code_from_conf_to_system_path(
    local_path: str, conf: dict[str, Any], code_key: str = FLAVOR_CONFIG_CODE
) -> None:
    """Make the code that a flavor's configuration names importable."""
    if conf.get(code_key):
        add_code_path(confined(local_path, conf[code_key], "The code folder"))


def _get_flavor_configuration_from_uri(
    model_uri: str, flavor_name: str, logger: Any = None
) -> dict[str, Any]:
    path = local_model_folder(model_uri, only=MLMODEL_FILE_NAME)
    return _get_flavor_configuration(os.path.dirname(path), flavor_name)
