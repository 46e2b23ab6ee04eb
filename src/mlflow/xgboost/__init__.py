"""The XGBoost flavor: saving, logging and loading boosters and estimators in XGBoost's own formats."""

from __future__ import annotations

import inspect
import logging
import os
import sys
from typing import Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.deserialize import class_name, load_class
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import library_of, require_tested
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import distribution_of, installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import folder_of_data, local_model_folder, model_file
from mlflow.tracking.autolog import autologging_integration
from mlflow.version import VERSION
from mlflow.xgboost import autologging

FLAVOR_NAME = "xgboost"

# The last two are names of MLflow 2 for what XGBoost writes when it knows no better.
_FORMATS = ("ubj", "json", "xgb", "deprecated")
_BOOSTER = "xgboost.core.Booster"
_DEFAULT_FILE = "model.xgb"
# They decide how data reaches the trees; their versions belong beside it.
_COMPANIONS = ("numpy", "pandas", "scipy")
_SELF = sys.modules[__name__]
_logger = logging.getLogger(__name__)


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    # There is a distribution without code for graphics processors, of the same module.
    return [pinned(distribution_of("xgboost") or "xgboost", module="xgboost")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    xgb_model: Any,
    path: str | os.PathLike[str],
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    model_format: str = "ubj",
    metadata: dict[str, Any] | None = None,
    extra_files: list[str] | None = None,
    **kwargs: Any,
) -> None:
    """Save an XGBoost model. Both formats hold data only: loading them runs no code.

    Args:
        xgb_model: an `xgboost.Booster`, or an estimator of `xgboost.sklearn`.
        path: the folder; new or empty.
        conda_env: its environment, instead of the inferred one.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        signature: its signature; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        model_format: `ubj` or `json`.
        metadata: what its author says of it.
        extra_files: further files to keep with it.
        kwargs: accepted as in MLflow.

    Raises:
        MlflowException: it is no model of XGBoost, the format is unknown, or the folder is taken.
    """
    xgboost = library_of(FLAVOR_NAME)
    if model_format not in _FORMATS:
        raise invalid(f"model_format must be one of {_FORMATS}; it cannot be {model_format!r}.")
    if not isinstance(xgb_model, _kinds(xgboost)):
        raise invalid(f"A {type(xgb_model).__name__} is neither a Booster nor an XGBModel.")
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
    data = f"model.{model_format}"
    xgb_model.save_model(folder.file(data))
    folder.add_loader("mlflow.xgboost", _XGBModelWrapper(xgb_model).predict, data=data)
    folder.add_flavor(
        FLAVOR_NAME,
        xgb_version=installed_version(distribution_of("xgboost") or "") or xgboost.__version__,
        data=data,
        model_class=class_name(xgb_model),
        model_format=model_format,
    )
    is_estimator = not isinstance(xgb_model, xgboost.Booster)
    folder.finish(
        get_default_pip_requirements,
        companions=(*_COMPANIONS, "sklearn") if is_estimator else _COMPANIONS,
    )


def log_model(
    xgb_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    model_format: str = "ubj",
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
    """Log an XGBoost model with the active run, or without one.

    Args:
        xgb_model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        conda_env: see `save_model`.
        code_paths: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        model_format: see `save_model`.
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
        name=name,
        xgb_model=xgb_model,
        conda_env=conda_env,
        code_paths=code_paths,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        model_format=model_format,
        metadata=metadata,
        extra_files=extra_files,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
        **kwargs,
    )


def load_model(model_uri: str, dst_path: str | None = None) -> Any:
    """Load an XGBoost model as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The Booster or the estimator.

    Raises:
        MlflowException: there is no such model, it cannot be read, or it is of a class that the
            loader does not permit.
    """
    return _load(local_model_folder(model_uri, dst_path))


def _load(folder: str) -> Any:
    conf, path = model_file(folder, FLAVOR_NAME, "data", _DEFAULT_FILE)
    xgboost = library_of(FLAVOR_NAME)
    name = conf.get("model_class") or _BOOSTER
    kind: Any = load_class(name, "xgboost", folder)
    if not issubclass(kind, _kinds(xgboost)):
        raise invalid(f"The model at '{folder}' is of the class {name}, which is not XGBoost's.")
    try:
        model = kind()
        model.load_model(path)
    except Exception as error:
        reason = str(error).partition("\nStack trace:")[0].strip()
        raise MlflowException(
            f"'{path}' cannot be loaded as {name}: {type(error).__name__}: {reason}"
        ) from error
    return model


def _kinds(xgboost: Any) -> Any:
    return (xgboost.Booster, xgboost.XGBModel)


def _load_pyfunc(path: str) -> _XGBModelWrapper:
    return _XGBModelWrapper(_load(folder_of_data(path)))


class _XGBModelWrapper:
    """A Booster or an estimator as pyfunc calls it."""

    def __init__(self, xgb_model: Any) -> None:
        self.xgb_model = xgb_model
        # A class of the user may write into what it predicts on.
        self.is_read_only = class_name(xgb_model).startswith("xgboost.")
        # The first is the data.
        self._accepted = [*inspect.signature(xgb_model.predict).parameters][1:]

    def get_raw_model(self) -> Any:
        """Return the Booster or the estimator."""
        return self.xgb_model

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions.

        Args:
            data: rows, as XGBoost takes them.
            params: further arguments of the model's own `predict`; unknown ones are ignored.
        """
        xgboost = library_of(FLAVOR_NAME)
        given = params or {}
        unknown = sorted(given.keys() - set(self._accepted))
        if unknown:
            _logger.warning("XGBoost's predict takes no %s; they are ignored.", unknown)
        known = {key: value for key, value in given.items() if key in self._accepted}
        if isinstance(self.xgb_model, xgboost.Booster):
            data = xgboost.DMatrix(data)
        return self.xgb_model.predict(data, **known)


# ----------------------------------------------------------------- autologging


@autologging_integration(FLAVOR_NAME)
def autolog(
    importance_types: list[str] | None = None,
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    model_format: str = "ubj",
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Log what XGBoost trains, from now on.

    Args:
        importance_types: kinds of importance of features, such as `gain`; `weight` without.
        log_input_examples: keep an example of the input with each model.
        log_model_signatures: keep a signature with each model.
        log_models: log models.
        log_datasets: log training and evaluation data as dataset inputs.
        disable: switch it off.
        exclusive: log nothing into runs that the user started.
        disable_for_unsupported_versions: log nothing for versions that were not tested.
        silent: no warnings.
        registered_model_name: register each model under this name.
        model_format: see `save_model`.
        extra_tags: tags of runs that are begun by it.
    """
    if disable:
        return
    if disable_for_unsupported_versions:
        require_tested(FLAVOR_NAME)
    autologging.enable(log_model)
