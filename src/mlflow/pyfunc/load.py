"""Loading a model of any flavor as a PyFuncModel."""

from __future__ import annotations

import importlib.metadata
import inspect
import logging
import os
import platform
from typing import Any

from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.models.deserialize import code_allowed
from mlflow.models.env_files import (
    CONDA_ENV_FILE_NAME,
    PythonEnv,
    process_conda_env,
    requirements_of_folder,
)
from mlflow.models.flavor import LOADER_FLAVOR
from mlflow.models.flavors import import_loader
from mlflow.models.folder import (
    MLMODEL_FILE_NAME,
    add_code_path,
    checked_model_config,
    confined,
    overridden_config,
    read_yaml,
)
from mlflow.models.model import Model
from mlflow.models.requirements import CONSTRAINTS_FILE_NAME, requirement_name
from mlflow.models.source import local_model_folder
from mlflow.pyfunc.loaded import PyFuncModel

FLAVOR_NAME = LOADER_FLAVOR

_logger = logging.getLogger("mlflow.pyfunc")
# Different builds of these read each other's models; saying so each time would be noise.
_NOT_COMPARED = frozenset({"mlflow", "mlflow-skinny", "mlflow-tracing", "millstream"})


def load_model(
    model_uri: str,
    suppress_warnings: bool = False,
    dst_path: str | None = None,
    model_config: str | os.PathLike[str] | dict[str, Any] | None = None,
) -> PyFuncModel:
    """Load a model of any flavor that pyfunc knows.

    Args:
        model_uri: a path, or a URI such as `runs:/<id>/model`, `models:/name/1`,
            `models:/name@alias` or `models:/m-…`.
        suppress_warnings: do not tell of packages whose versions differ from the model's.
        dst_path: a folder to copy it to; without it, local models are read where they lie.
        model_config: values that replace those of the saved configuration.

    Returns:
        The model.

    Raises:
        MlflowException: there is no model, it has no pyfunc flavor, its library is missing, or
            the loader refuses what it would have to run.
    """
    path = local_model_folder(model_uri, dst_path)
    meta = Model.load(_folder_with_mlmodel(path))
    conf = meta.flavors.get(FLAVOR_NAME)
    if not isinstance(conf, dict):
        raise not_found(
            f'Model does not have the "{FLAVOR_NAME}" flavor; it has {sorted(meta.flavors)}.'
        )
    if not suppress_warnings:
        _warn_of_differences(conf, path)
    _use_code(conf, path)
    config = overridden_config(conf.get("config"), checked_model_config(model_config))
    impl = _implementation(conf, path, config)
    if config is not None:
        conf["config"] = config
    predict_fn = str(conf.get("predict_fn", "predict"))
    stream_fn = conf.get("predict_stream_fn") or (
        "predict_stream" if conf.get("streamable") else None
    )
    model = PyFuncModel(meta, impl, predict_fn, stream_fn, model_id=meta.model_id)
    model._folder = path
    return model


def _folder_with_mlmodel(path: str) -> str:
    if not os.path.isfile(os.path.join(path, MLMODEL_FILE_NAME)):
        raise not_found(f'Could not find an "{MLMODEL_FILE_NAME}" configuration file at "{path}"')
    return path


def _use_code(conf: dict[str, Any], path: str) -> None:
    if not conf.get("code"):
        return
    folder = confined(path, conf["code"], "The code folder")
    if code_allowed():
        add_code_path(folder)
    else:
        _logger.warning("The model's own code is not made importable: '%s'.", folder)


def _implementation(conf: dict[str, Any], path: str, config: dict[str, Any] | None) -> Any:
    if "loader_module" not in conf:
        raise invalid(f"The MLmodel at '{path}' does not say which module loads the model.")
    data = conf.get("data")
    data_path = confined(path, data, "The data") if data else path
    loader = import_loader(conf["loader_module"], path)._load_pyfunc
    takes_config = "model_config" in inspect.signature(loader).parameters
    if config and takes_config:
        return loader(data_path, model_config=config)
    return loader(data_path)


def _warn_of_differences(conf: dict[str, Any], path: str) -> None:
    written = str(conf.get("python_version") or "")
    if written and written.split(".")[:2] != platform.python_version().split(".")[:2]:
        _logger.warning(
            "The version of Python that the model was saved in, `Python %s`, differs from the "
            "version of Python that is currently running, `Python %s`, and may be incompatible",
            written, platform.python_version(),
        )  # fmt: skip
    differing = list(_differing_requirements(path))
    if differing:
        _logger.warning(
            "Detected one or more mismatches between the model's dependencies and the current "
            "Python environment:\n%s\nTo fix the mismatches, call "
            "`mlflow.pyfunc.get_model_dependencies(model_uri)` to fetch the model's environment "
            "and install dependencies using the resulting environment file.",
            "\n".join(differing),
        )


def _differing_requirements(path: str) -> list[str]:
    try:
        lines = requirements_of_folder(path)
    except (MlflowException, OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        package, separator, wanted = line.partition("==")
        name = requirement_name(package)
        if not separator or name in _NOT_COMPARED or ";" in wanted or line.startswith("-"):
            continue
        try:
            here = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            here = "uninstalled"
        if here.split("+", 1)[0] != wanted.strip().split("+", 1)[0]:
            found.append(f" - {name} (current: {here}, required: {line})")
    return found


def get_model_dependencies(model_uri: str, format: str = "pip") -> str:
    """Return the file that lists what a model needs.

    Args:
        model_uri: the model.
        format: `pip` for its requirements, `conda` for its conda environment.

    Returns:
        The path of the file, to be given to the installer.

    Raises:
        MlflowException: the format is another, or the model has no such file.
    """
    if format not in ("pip", "conda"):
        raise invalid(f"Illegal format argument '{format}'.")
    path = local_model_folder(model_uri)
    if format == "conda":
        return _existing(os.path.join(path, CONDA_ENV_FILE_NAME))
    file_path = os.path.join(path, "requirements.txt")
    if not os.path.isfile(file_path):
        # Old models have a conda environment only.
        file_path = _requirements_from_conda(path)
    _logger.info(
        "To install the dependencies that were used to train the model, run the following "
        "command: 'pip install -r %s'.", file_path,
    )  # fmt: skip
    return file_path


def _existing(path: str) -> str:
    if not os.path.isfile(path):
        raise not_found(f"The model has no file '{path}'.")
    return path


def _requirements_from_conda(path: str) -> str:
    conda = read_yaml(_existing(os.path.join(path, CONDA_ENV_FILE_NAME)))
    _, requirements, constraints = process_conda_env(conda)
    target = os.path.join(path, "requirements.txt")
    for name, lines in ((target, requirements), (CONSTRAINTS_FILE_NAME, constraints)):
        if lines:
            with open(os.path.join(path, name), "w", encoding="utf-8") as file:
                file.write("\n".join(lines))
    return target


def model_python_env(path: str) -> PythonEnv:
    """Return the Python environment that a saved model describes.

    Args:
        path: the model's folder.
    """
    conf = Model.load(path).flavors.get(FLAVOR_NAME) or {}
    env = conf.get("env") or {}
    if isinstance(env, str):
        # MLflow 1 named the conda file only.
        return PythonEnv.from_conda_yaml(confined(path, env, "The environment"))
    virtualenv = env.get("virtualenv")
    if virtualenv:
        return PythonEnv.from_yaml(confined(path, virtualenv, "The environment"))
    conda = env.get("conda") or CONDA_ENV_FILE_NAME
    return PythonEnv.from_conda_yaml(confined(path, conda, "The environment"))
