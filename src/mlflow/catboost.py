"""The CatBoost flavor: saving, logging and loading models in CatBoost's own formats."""

from __future__ import annotations

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

FLAVOR_NAME = "catboost"

_DATA_FILE = FLAVORS[FLAVOR_NAME].data
_DEFAULT_FORMAT = "cbm"
# They decide how data reaches the trees; their versions belong beside it.
_COMPANIONS = ("numpy", "pandas", "scipy")
_SELF = sys.modules[__name__]


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned("catboost")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    cb_model: Any,
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
    **kwargs: Any,
) -> None:
    """Save a CatBoost model, in formats that hold data only: loading them runs no code.

    Args:
        cb_model: a `catboost.CatBoost`, or an estimator that derives from it.
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
        kwargs: arguments of its `save_model`, such as `format`.

    Raises:
        MlflowException: it is no model of CatBoost, or the folder is taken.
    """
    catboost = library_of(FLAVOR_NAME)
    if not isinstance(cb_model, catboost.CatBoost):
        raise invalid(f"A {type(cb_model).__name__} is no CatBoost model.")
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
    cb_model.save_model(folder.file(_DATA_FILE), **kwargs)
    folder.add_loader("mlflow.catboost", _CatboostModelWrapper(cb_model).predict, data=_DATA_FILE)
    folder.add_flavor(
        FLAVOR_NAME,
        catboost_version=installed_version("catboost"),
        data=_DATA_FILE,
        model_type=_kind_of(cb_model, catboost),
        save_format=kwargs.get("format", _DEFAULT_FORMAT),
    )
    folder.finish(get_default_pip_requirements, companions=_COMPANIONS)


def _kind_of(cb_model: Any, catboost: Any) -> str:
    # Somebody's own class is loaded as the one of CatBoost's that it derives from.
    own: dict[str, Any] = vars(catboost)
    names: list[str] = [
        kind.__name__ for kind in type(cb_model).__mro__ if own.get(kind.__name__) is kind
    ]
    return names[0]


def log_model(
    cb_model: Any,
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
    """Log a CatBoost model with the active run, or without one.

    Args:
        cb_model: see `save_model`.
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
        cb_model=cb_model,
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
    """Load a CatBoost model as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The model, of the class that it was saved as.

    Raises:
        MlflowException: there is no such model, or it cannot be read.
    """
    return _load(local_model_folder(model_uri, dst_path))


def _load(folder: str) -> Any:
    conf, path = model_file(folder, FLAVOR_NAME, "data", _DATA_FILE)
    catboost = library_of(FLAVOR_NAME)
    name = conf.get("model_type") or "CatBoost"
    kind = vars(catboost).get(name) if isinstance(name, str) else None
    if not isinstance(kind, type) or not issubclass(kind, catboost.CatBoost):
        raise invalid(f"The model at '{folder}' is a {name!r}, which is no model of CatBoost.")
    model: Any = kind()
    try:
        model.load_model(path, format=conf.get("save_format") or _DEFAULT_FORMAT)
    except Exception as error:
        raise unreadable(path, error) from error
    return model


def _load_pyfunc(path: str) -> _CatboostModelWrapper:
    return _CatboostModelWrapper(_load(folder_of_data(path)))


class _CatboostModelWrapper:
    """A CatBoost model as pyfunc calls it."""

    def __init__(self, cb_model: Any) -> None:
        self.cb_model = cb_model

    def get_raw_model(self) -> Any:
        """Return the model."""
        return self.cb_model

    def predict(self, dataframe: Any) -> Any:
        """Return predictions of rows, as CatBoost takes them."""
        return self.cb_model.predict(dataframe)
