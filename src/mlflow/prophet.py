"""The Prophet flavor: saving, logging and loading forecasts as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from mlflow.exceptions import invalid
from mlflow.models.deserialize import unreadable
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import FLAVORS, library_of
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import folder_of_data, local_model_folder, model_file
from mlflow.version import VERSION

FLAVOR_NAME = "prophet"

_DATA_FILE = FLAVORS[FLAVOR_NAME].data
# They decide how data reaches the model; their versions belong beside it.
_COMPANIONS = ("numpy", "pandas")
_SELF = sys.modules[__name__]


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned("prophet")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    pr_model: Any,
    path: str | os.PathLike[str],
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    extra_files: list[str] | None = None,
) -> None:
    """Save a Prophet model as JSON, which holds data only.

    Args:
        pr_model: a fitted `prophet.Prophet`.
        path: the folder; new or empty.
        conda_env: its environment, instead of the inferred one.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        signature: its signature; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        metadata: what its author says of it.
        extra_files: further files to keep with it.

    Raises:
        MlflowException: it is no fitted model, or the folder is taken.
    """
    prophet = library_of(FLAVOR_NAME)
    if not isinstance(pr_model, prophet.Prophet) or pr_model.history is None:
        raise invalid(f"A {type(pr_model).__name__} is no fitted Prophet model.")
    folder = FlavorFolder(
        path,
        mlflow_model,
        signature=signature,
        input_example=input_example,
        metadata=metadata,
        code_paths=code_paths,
        extra_files=extra_files,
        conda_env=conda_env,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
    )
    serialize = library_of(FLAVOR_NAME, "prophet.serialize")
    with open(folder.file(_DATA_FILE), "w", encoding="utf-8") as file:
        # Text in text, as MLflow has it.
        json.dump(serialize.model_to_json(pr_model), file)
    folder.add_loader("mlflow.prophet", _ProphetModelWrapper(pr_model).predict, data=_DATA_FILE)
    folder.add_flavor(
        FLAVOR_NAME,
        prophet_version=installed_version("prophet"),
        data=_DATA_FILE,
        model_type=type(pr_model).__name__,
    )
    folder.finish(get_default_pip_requirements, companions=_COMPANIONS)


def log_model(
    pr_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    extra_files: list[str] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Log a Prophet model with the active run, or without one.

    Args:
        pr_model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        conda_env: see `save_model`.
        code_paths: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        metadata: see `save_model`.
        extra_files: see `save_model`.
        name: the name.
        params: params of the logged model.
        tags: tags of the logged model.
        model_type: a free description of its kind.
        step: the run's step it belongs to.
        model_id: log into a logged model that exists.
        kwargs: `run_id`, `prompts`, `resources` and `auth_policy` of `Model.log`.

    Returns:
        What was logged.
    """
    return Model.log(
        artifact_path,
        _SELF,
        pr_model=pr_model,
        conda_env=conda_env,
        code_paths=code_paths,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        metadata=metadata,
        extra_files=extra_files,
        name=name,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
        **kwargs,
    )


def load_model(model_uri: str, dst_path: str | None = None) -> Any:
    """Load a Prophet model as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The model.

    Raises:
        MlflowException: there is no such model, or it cannot be read.
    """
    return _load(local_model_folder(model_uri, dst_path))


def _load(folder: str) -> Any:
    _, path = model_file(folder, FLAVOR_NAME, "data", _DATA_FILE)
    serialize = library_of(FLAVOR_NAME, "prophet.serialize")
    try:
        with open(path, encoding="utf-8") as file:
            return serialize.model_from_json(json.load(file))
    except Exception as error:
        raise unreadable(path, error) from error


def _load_pyfunc(path: str) -> _ProphetModelWrapper:
    return _ProphetModelWrapper(_load(folder_of_data(path)))


class _ProphetModelWrapper:
    """A Prophet model as pyfunc calls it."""

    def __init__(self, pr_model: Any) -> None:
        self.pr_model = pr_model

    def get_raw_model(self) -> Any:
        """Return the model."""
        return self.pr_model

    def predict(self, dataframe: Any) -> Any:
        """Return the forecast of the days in the column `ds`."""
        return self.pr_model.predict(dataframe)
