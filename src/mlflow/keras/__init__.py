"""The Keras flavor: saving, logging and loading models of Keras 3, whichever backend computes them."""

from __future__ import annotations

import os
import sys
from typing import Any

from mlflow._doorway import attach
from mlflow.exceptions import invalid
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import library_of, require_tested
from mlflow.models.info import ModelInfo
from mlflow.models.keras_training import Integration, enable
from mlflow.models.model import Model
from mlflow.models.networks import (
    DATA,
    KERAS_FILE,
    PROGRAM_FOLDER,
    NetworkWrapper,
    asked_quietly,
    kind_of,
    read_network,
    read_program,
    require_tensors,
    write_module,
    write_network,
)
from mlflow.models.packages import distribution_of
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import local_model_folder, model_path
from mlflow.tracking.autolog import autologging_integration, get_autologging_config
from mlflow.version import VERSION

FLAVOR_NAME = "keras"

# It decides how the model predicts; its version belongs beside it.
_COMPANIONS = ("numpy",)
_SELF = sys.modules[__name__]

__getattr__, __dir__ = attach(
    __name__,
    {"MLflowCallback": "mlflow.keras.callback", "MlflowCallback": "mlflow.keras.callback"},
)


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned("keras")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    save_exported_model: bool = False,
    conda_env: Any = None,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    save_model_kwargs: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Save a model of Keras 3.

    Args:
        model: a `keras.Model`.
        path: the folder; new or empty.
        save_exported_model: write a program that predicts and does nothing else, instead of the
            `.keras` file, which holds data only.
        conda_env: its environment, instead of the inferred one.
        mlflow_model: the model to describe.
        signature: its signature, of tensors; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        save_model_kwargs: arguments of the model's own `save`, or `export`.
        metadata: what its author says of it.

    Raises:
        MlflowException: it is no model of Keras 3, the signature has columns, or the folder is
            taken.
    """
    keras = library_of(FLAVOR_NAME)
    if kind_of(model) != FLAVOR_NAME:
        raise invalid(f"A {type(model).__name__} is no model of Keras 3.")
    require_tensors(signature)
    folder = FlavorFolder(
        path,
        mlflow_model,
        signature=signature,
        input_example=input_example,
        metadata=metadata,
        conda_env=conda_env,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
    )
    arguments = save_model_kwargs or {}
    if save_exported_model:
        write_module(folder, FLAVOR_NAME)
        model.export(folder.file(f"{DATA}/{PROGRAM_FOLDER}"), **{"verbose": False, **arguments})
    else:
        write_network(folder, model, FLAVOR_NAME, KERAS_FILE, arguments)
    folder.add_loader("mlflow.keras", asked_quietly(model).predict)
    backend = keras.backend.backend()
    folder.model.add_flavor(
        FLAVOR_NAME,
        data=DATA,
        keras_version=str(keras.__version__),
        keras_backend=backend,
        save_exported_model=save_exported_model,
    )
    modules = {type(layer).__module__ for layer in model.layers}
    folder.finish(
        get_default_pip_requirements,
        modules=modules,
        companions=(*_COMPANIONS, backend) if distribution_of(backend) else _COMPANIONS,
    )


def log_model(
    model: Any,
    artifact_path: str | None = None,
    save_exported_model: bool = False,
    conda_env: Any = None,
    signature: Any = None,
    input_example: Any = None,
    registered_model_name: str | None = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    save_model_kwargs: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Log a model of Keras 3 with the active run, or without one.

    Args:
        model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        save_exported_model: see `save_model`.
        conda_env: see `save_model`.
        signature: see `save_model`.
        input_example: see `save_model`.
        registered_model_name: register it as the next version of this model.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        save_model_kwargs: see `save_model`.
        metadata: see `save_model`.
        name: the name.
        params: params of the logged model.
        tags: tags of the logged model.
        model_type: a free description of its kind.
        step: the run's step it belongs to.
        model_id: log into a logged model that exists.

    Returns:
        What was logged.
    """
    return Model.log(
        artifact_path,
        _SELF,
        model=model,
        save_exported_model=save_exported_model,
        conda_env=conda_env,
        signature=signature,
        input_example=input_example,
        registered_model_name=registered_model_name,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        save_model_kwargs=save_model_kwargs,
        metadata=metadata,
        name=name,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
    )


def load_model(
    model_uri: str,
    dst_path: str | None = None,
    custom_objects: dict[str, Any] | None = None,
    load_model_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Load a model of Keras 3.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.
        custom_objects: classes and functions by the names that the model knows them by.
        load_model_kwargs: arguments of `keras.saving.load_model`. `safe_mode=False`, with which
            layers may bring code, needs a loader that permits code.

    Returns:
        The model; of an exported one, its program.

    Raises:
        MlflowException: there is no such model, it cannot be read, or it may run code, which the
            loader refuses.
    """
    arguments = dict(load_model_kwargs or {})
    if custom_objects is not None:
        arguments["custom_objects"] = custom_objects
    return _load(local_model_folder(model_uri, dst_path), arguments)


def _load(folder: str, arguments: dict[str, Any]) -> Any:
    library_of(FLAVOR_NAME)
    conf, data = model_path(folder, FLAVOR_NAME, "data", DATA)
    if conf.get("save_exported_model"):
        return read_program(os.path.join(data, PROGRAM_FOLDER))
    return read_network(FLAVOR_NAME, data, FLAVOR_NAME, arguments)


def _load_pyfunc(path: str) -> NetworkWrapper:
    model = _load(path, {})
    return asked_quietly(model) if hasattr(model, "predict") else NetworkWrapper(model, model.serve)


@autologging_integration(FLAVOR_NAME)
def autolog(
    log_every_epoch: bool = True,
    log_every_n_steps: int | None = None,
    log_models: bool = True,
    log_model_signatures: bool = True,
    save_exported_model: bool = False,
    log_datasets: bool = True,
    log_input_examples: bool = False,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    save_model_kwargs: dict[str, Any] | None = None,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Log what Keras trains, from now on.

    Args:
        log_every_epoch: log metrics after each epoch.
        log_every_n_steps: log metrics after so many batches.
        log_models: log models.
        log_model_signatures: keep a signature with each model.
        save_exported_model: see `save_model`.
        log_datasets: log training and validation data as dataset inputs.
        log_input_examples: keep an example of the input with each model.
        disable: switch it off.
        exclusive: log nothing into runs that the user started.
        disable_for_unsupported_versions: log nothing for versions that were not tested.
        silent: no warnings.
        registered_model_name: register each model under this name.
        save_model_kwargs: see `save_model`.
        extra_tags: tags of runs that are begun by it.
    """
    if disable:
        return
    if disable_for_unsupported_versions:
        require_tested(FLAVOR_NAME)
    enable(Integration(FLAVOR_NAME, "optimizer_", log_model, _saving, complete=False), ("keras",))


def _saving() -> dict[str, Any]:
    names = ("save_exported_model", "save_model_kwargs")
    return {name: get_autologging_config(FLAVOR_NAME, name) for name in names}
