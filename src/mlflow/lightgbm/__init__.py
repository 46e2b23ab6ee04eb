"""The LightGBM flavor: saving, logging and loading boosters as text, and estimators as skops files."""

from __future__ import annotations

import os
import sys
from typing import Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.lightgbm import autologging
from mlflow.models.deserialize import class_name, trusting
from mlflow.models.estimators import (
    SERIALIZATION_FORMAT_CLOUDPICKLE,
    SERIALIZATION_FORMAT_SKOPS,
    check_format,
    load_estimator,
    write_estimator,
)
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import library_of, require_tested
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import folder_of_data, local_model_folder, model_file
from mlflow.tracking.autolog import autologging_integration
from mlflow.version import VERSION

FLAVOR_NAME = "lightgbm"

_BOOSTER = "lightgbm.basic.Booster"
_BOOSTER_FILE = "model.lgb"
# What an estimator of LightGBM consists of beside what skops knows: MLflow writes these names with
# each model. Here they are trusted because this file says so, never because a folder does.
_OWN_TYPES = [
    "collections.OrderedDict",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "lightgbm.basic.Booster",
]
_LATER_OWN_TYPES = ["lightgbm.sklearn.LGBMRanker", "lightgbm.sklearn.LGBMModel"]
# They decide how data reaches the trees; their versions belong beside it.
_COMPANIONS = ("numpy", "pandas", "scipy")
_SELF = sys.modules[__name__]


def get_default_pip_requirements(include_cloudpickle: bool = False) -> list[str]:
    """Return what every model of this flavor needs.

    Args:
        include_cloudpickle: for models saved with cloudpickle.
    """
    more = [pinned("cloudpickle")] if include_cloudpickle else []
    return [pinned("lightgbm"), *more]


def get_default_conda_env(include_cloudpickle: bool = False) -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    packages = get_default_pip_requirements(include_cloudpickle)
    return conda_environment([f"mlflow=={VERSION}", *packages])


def save_model(
    lgb_model: Any,
    path: str | os.PathLike[str],
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    serialization_format: str | None = None,
    skops_trusted_types: list[str] | None = None,
    extra_files: list[str] | None = None,
    **kwargs: Any,
) -> None:
    """Save a LightGBM model.

    Args:
        lgb_model: a `lightgbm.Booster`, or an estimator of `lightgbm.sklearn`.
        path: the folder; new or empty.
        conda_env: its environment, instead of the inferred one.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        signature: its signature; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        metadata: what its author says of it.
        serialization_format: of estimators: `skops`, `cloudpickle` or `pickle`. Without it, skops
            is used when all types of the model are known to be safe, and cloudpickle, with a
            warning, when not. Boosters are always written as LightGBM's text.
        skops_trusted_types: further types that its author vouches for in a skops file.
        extra_files: further files to keep with it.
        kwargs: accepted as in MLflow.

    Raises:
        MlflowException: it is no model of LightGBM, the format is unknown, the folder is taken, or
            the model cannot be written in the format asked for.
    """
    lightgbm = library_of(FLAVOR_NAME)
    check_format(serialization_format)
    if not isinstance(lgb_model, (lightgbm.Booster, lightgbm.LGBMModel)):
        raise invalid(f"A {type(lgb_model).__name__} is neither a Booster nor an LGBMModel.")
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
    is_booster = isinstance(lgb_model, lightgbm.Booster)
    trusted = _vouched(lgb_model, skops_trusted_types)
    if is_booster:
        data, written = _BOOSTER_FILE, serialization_format or SERIALIZATION_FORMAT_SKOPS
        lgb_model.save_model(folder.file(data))
    else:
        data, written = write_estimator(lgb_model, folder, serialization_format, trusted)
    folder.add_loader("mlflow.lightgbm", _LGBModelWrapper(lgb_model).predict, data=data)
    folder.add_flavor(
        FLAVOR_NAME,
        lgb_version=installed_version("lightgbm"),
        data=data,
        model_class=class_name(lgb_model),
        serialization_format=written,
        skops_trusted_types=trusted if written == SERIALIZATION_FORMAT_SKOPS else None,
    )
    is_cloudpickle = not is_booster and written == SERIALIZATION_FORMAT_CLOUDPICKLE
    folder.finish(
        lambda: get_default_pip_requirements(is_cloudpickle),
        companions=_COMPANIONS if is_booster else (*_COMPANIONS, "sklearn"),
    )


def _vouched(lgb_model: Any, given: list[str] | None) -> list[str]:
    name = class_name(lgb_model)
    own = [*_OWN_TYPES, *(kind for kind in _LATER_OWN_TYPES if kind == name)]
    return [*dict.fromkeys([*own, *(given or [])])]


def log_model(
    lgb_model: Any,
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
    serialization_format: str | None = None,
    skops_trusted_types: list[str] | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Log a LightGBM model with the active run, or without one.

    Args:
        lgb_model: see `save_model`.
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
        serialization_format: see `save_model`.
        skops_trusted_types: see `save_model`.
        kwargs: `run_id`, `prompts`, `resources` and `auth_policy` of `Model.log`.

    Returns:
        What was logged.
    """
    return Model.log(
        artifact_path,
        _SELF,
        name=name,
        lgb_model=lgb_model,
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
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
        serialization_format=serialization_format,
        skops_trusted_types=skops_trusted_types,
        **kwargs,
    )


def load_model(model_uri: str, dst_path: str | None = None) -> Any:
    """Load a LightGBM model as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The Booster or the estimator.

    Raises:
        MlflowException: there is no such model, it cannot be read, or the loader refuses its
            format.
    """
    return _load(local_model_folder(model_uri, dst_path))


def _load(folder: str) -> Any:
    conf, path = model_file(folder, FLAVOR_NAME, "data", _BOOSTER_FILE)
    lightgbm = library_of(FLAVOR_NAME)
    if (conf.get("model_class") or _BOOSTER) == _BOOSTER:
        try:
            return lightgbm.Booster(model_file=path)
        except Exception as error:
            raise MlflowException(
                f"'{path}' cannot be loaded as a Booster: {type(error).__name__}: {error}"
            ) from error
    # MLflow 2 named no format: it had one.
    with trusting([*_OWN_TYPES, *_LATER_OWN_TYPES]):
        written = str(conf.get("serialization_format") or SERIALIZATION_FORMAT_CLOUDPICKLE)
        model = load_estimator(path, written)
    if not isinstance(model, lightgbm.LGBMModel):
        raise invalid(f"'{path}' holds a {type(model).__name__}, which is not LightGBM's.")
    return model


def _load_pyfunc(path: str) -> _LGBModelWrapper:
    return _LGBModelWrapper(_load(folder_of_data(path)))


class _LGBModelWrapper:
    """A Booster or an estimator as pyfunc calls it."""

    def __init__(self, lgb_model: Any) -> None:
        self.lgb_model = lgb_model
        # A class of the user may write into what it predicts on.
        self.is_read_only = class_name(lgb_model).startswith("lightgbm.")

    def get_raw_model(self) -> Any:
        """Return the Booster or the estimator."""
        return self.lgb_model

    def predict(self, data: Any) -> Any:
        """Return predictions of rows, as LightGBM takes them."""
        return self.lgb_model.predict(data)


# ----------------------------------------------------------------- autologging


@autologging_integration(FLAVOR_NAME)
def autolog(
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Log what LightGBM trains, from now on.

    Args:
        log_input_examples: keep an example of the input with each model.
        log_model_signatures: keep a signature with each model.
        log_models: log models.
        log_datasets: log training and evaluation data as dataset inputs.
        disable: switch it off.
        exclusive: log nothing into runs that the user started.
        disable_for_unsupported_versions: log nothing for versions that were not tested.
        silent: no warnings.
        registered_model_name: register each model under this name.
        extra_tags: tags of runs that are begun by it.
    """
    if disable:
        return
    if disable_for_unsupported_versions:
        require_tested(FLAVOR_NAME)
    autologging.enable(log_model)
