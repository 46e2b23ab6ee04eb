"""The files that describe a model's environment: requirements, conda.yaml, python_env.yaml."""

from __future__ import annotations

import logging
import os
import platform
from typing import Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.folder import read_yaml, write_yaml
from mlflow.models.packages import installed_version
from mlflow.models.requirements import (
    CONSTRAINTS_FILE_NAME,
    REQUIREMENTS_FILE_NAME,
    check_environment_arguments,
    conda_environment,
    contains_mlflow,
    process_pip_requirements,
)
from mlflow.version import VERSION

CONDA_ENV_FILE_NAME = "conda.yaml"
PYTHON_ENV_FILE_NAME = "python_env.yaml"

_BUILD_PACKAGES = ("pip", "setuptools", "wheel")
_logger = logging.getLogger(__name__)


class PythonEnv:
    """A Python version, what builds packages in it, and what is installed.

    Args:
        python: the version; this interpreter's when absent.
        build_dependencies: packages for building; this environment's when absent.
        dependencies: what to install.
    """

    def __init__(
        self,
        python: str | None = None,
        build_dependencies: list[str] | None = None,
        dependencies: list[str] | None = None,
    ) -> None:
        self.python = python or platform.python_version()
        self.build_dependencies = (
            self.get_current_build_dependencies()
            if build_dependencies is None
            else build_dependencies
        )
        self.dependencies = dependencies or []

    def __repr__(self) -> str:
        return f"_PythonEnv({self.to_dict()})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PythonEnv) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def current(cls) -> PythonEnv:
        """Return the environment of this process, which installs a model's requirements.txt."""
        return cls(dependencies=[f"-r {REQUIREMENTS_FILE_NAME}"])

    @staticmethod
    def get_current_build_dependencies() -> list[str]:
        """Return the installed versions of what builds packages."""
        found = []
        for package in _BUILD_PACKAGES:
            version = installed_version(package)
            found.append(f"{package}=={version}" if version else package)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the content of the file."""
        return {
            "python": self.python,
            "build_dependencies": self.build_dependencies,
            "dependencies": self.dependencies,
        }

    @classmethod
    def from_dict(cls, dct: dict[str, Any]) -> PythonEnv:
        """Return the environment that a file's content describes."""
        return cls(**dct)

    def to_yaml(self, path: str | os.PathLike[str]) -> None:
        """Write the file, keys in MLflow's order."""
        lines = [f"python: {self.python}"]
        for key in ("build_dependencies", "dependencies"):
            values = getattr(self, key)
            lines.append(f"{key}:" if values else f"{key}: []")
            lines += [f"- {value}" for value in values]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    @classmethod
    def from_yaml(cls, path: str | os.PathLike[str]) -> PythonEnv:
        """Read the file."""
        value = read_yaml(os.fspath(path))
        if not isinstance(value, dict):
            raise invalid(f"'{path}' describes no Python environment.")
        return cls.from_dict(value)

    @classmethod
    def from_conda_yaml(cls, path: str | os.PathLike[str]) -> PythonEnv:
        """Return the environment that a conda.yaml describes, conda's own packages left out."""
        conda = read_yaml(os.fspath(path))
        python, build, pip = None, [], []
        for dependency in (conda or {}).get("dependencies") or []:
            if isinstance(dependency, dict):
                pip = list(dependency.get("pip") or [])
            elif dependency.startswith("python="):
                python = dependency.split("=")[-1]
            elif dependency.split("=")[0].split("<")[0] in _BUILD_PACKAGES:
                build.append(dependency.replace("<==", "<="))
            else:
                _logger.warning("conda.yaml names '%s', which pip cannot install.", dependency)
        if python is None:
            raise invalid(f"Could not extract python version from {conda!r}")
        return cls(python, build or None, pip)


def process_conda_env(
    conda_env: str | os.PathLike[str] | dict[str, Any],
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return the (conda environment, requirements, constraints) of a conda environment given.

    Args:
        conda_env: the environment, or the path of its YAML file.

    Raises:
        MlflowException: the file holds no environment.
    """
    if isinstance(conda_env, (str, os.PathLike)):
        conda_env = read_yaml(os.fspath(conda_env))
    if not isinstance(conda_env, dict):
        raise TypeError(
            "Expected a string path to a conda env yaml file or a `dict` representing a conda "
            f"env, but got {type(conda_env).__name__}"
        )
    dependencies = list(conda_env.get("dependencies") or [])
    pip: list[str] = []
    place = len(dependencies)
    for number, dependency in enumerate(dependencies):
        if isinstance(dependency, dict) and "pip" in dependency:
            pip, place = list(dependency["pip"] or []), number
    _, requirements, constraints = process_pip_requirements([], pip_requirements=pip)
    dependencies[place : place + 1] = [{"pip": requirements}]
    return {**conda_env, "dependencies": dependencies}, requirements, constraints


def write_environment(
    path: str,
    inferred: list[str] | None,
    conda_env: Any = None,
    pip_requirements: object = None,
    extra_pip_requirements: object = None,
) -> list[str]:
    """Write what a model needs to run into its folder.

    Args:
        path: the model's folder.
        inferred: the requirements found.
        conda_env: what the user wants instead, as a conda environment.
        pip_requirements: what the user wants instead.
        extra_pip_requirements: what the user wants besides.

    Returns:
        The requirement lines.
    """
    check_environment_arguments(conda_env, pip_requirements, extra_pip_requirements)
    if conda_env is not None:
        conda, requirements, constraints = process_conda_env(conda_env)
    else:
        conda, requirements, constraints = process_pip_requirements(
            inferred, pip_requirements, extra_pip_requirements
        )
    write_yaml(os.path.join(path, CONDA_ENV_FILE_NAME), conda)
    if constraints:
        write_text(os.path.join(path, CONSTRAINTS_FILE_NAME), "\n".join(constraints))
    write_text(os.path.join(path, REQUIREMENTS_FILE_NAME), "\n".join(requirements))
    PythonEnv.current().to_yaml(os.path.join(path, PYTHON_ENV_FILE_NAME))
    return requirements


def write_text(path: str, text: str) -> None:
    """Write a text file."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def mlflow_conda_env(
    path: str | None = None,
    additional_conda_deps: list[str] | None = None,
    additional_pip_deps: list[str] | None = None,
    additional_conda_channels: list[str] | None = None,
    install_mlflow: bool = True,
) -> dict[str, Any] | None:
    """Return the conda environment of a model, or write it and return None.

    Args:
        path: a file to write.
        additional_conda_deps: packages from conda.
        additional_pip_deps: packages from PyPI.
        additional_conda_channels: channels besides conda-forge.
        install_mlflow: put mlflow first.
    """
    pip = list(additional_pip_deps or [])
    if install_mlflow and not contains_mlflow(pip):
        pip.insert(0, f"mlflow=={VERSION}")
    environment = conda_environment(pip, additional_conda_deps, additional_conda_channels)
    if path is None:
        return environment
    write_yaml(path, environment)
    return None


def environment_entry() -> dict[str, str]:
    """Return what the MLmodel says of the environment's files."""
    return {"conda": CONDA_ENV_FILE_NAME, "virtualenv": PYTHON_ENV_FILE_NAME}


def requirements_of_folder(path: str) -> list[str]:
    """Return the requirement lines of a saved model.

    Raises:
        MlflowException: it has none.
    """
    file_path = os.path.join(path, REQUIREMENTS_FILE_NAME)
    if not os.path.isfile(file_path):
        raise MlflowException(
            f"The model at '{path}' has no {REQUIREMENTS_FILE_NAME}.",
            error_code="RESOURCE_DOES_NOT_EXIST",
        )
    with open(file_path, encoding="utf-8") as file:
        return [line for line in file.read().splitlines() if line.strip()]
