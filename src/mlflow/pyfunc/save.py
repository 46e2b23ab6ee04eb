"""Saving and logging models that pyfunc loads: PythonModels, functions, code, loader modules."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import invalid
from mlflow.models.code_model import checked_code_path, load_code_model
from mlflow.models.flavor import LOADER_FLAVOR, FlavorFolder
from mlflow.models.folder import checked_model_config, confined, copy_into
from mlflow.models.model import Model
from mlflow.models.packages import modules_in_source, modules_of_object
from mlflow.models.requirements import conda_environment, pinned
from mlflow.pyfunc.model import (
    PythonModelContext,
    _PythonModelPyfuncWrapper,
    as_python_model,
    copy_artifacts,
    predict_function,
    write_python_model,
)
from mlflow.pyfunc.type_hints import signature_of_hints
from mlflow.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.models.info import ModelInfo

_CODE_LOADER = "mlflow.pyfunc.loaders.code_model"
_MODEL_LOADER = "mlflow.pyfunc.model"
_SELF = sys.modules[__name__]


def get_default_pip_requirements() -> list[str]:
    """Return what every PythonModel needs."""
    return [pinned("cloudpickle")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment(_with_mlflow(get_default_pip_requirements()))


def _with_mlflow(requirements: list[str]) -> list[str]:
    return [f"mlflow=={VERSION}", *requirements]


def save_model(
    path: str | os.PathLike[str],
    loader_module: str | None = None,
    data_path: str | None = None,
    code_paths: list[str] | None = None,
    infer_code_paths: bool = False,
    conda_env: Any = None,
    mlflow_model: Model | None = None,
    python_model: Any = None,
    artifacts: dict[str, str] | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    model_config: Any = None,
    streamable: bool | None = None,
    resources: Any = None,
    auth_policy: Any = None,
    uv_project_path: Any = None,
    uv_groups: list[str] | None = None,
    uv_extras: list[str] | None = None,
    **kwargs: Any,
) -> None:
    """Save a model that pyfunc loads.

    Args:
        path: the folder; new or empty.
        loader_module: the module whose `_load_pyfunc` loads `data_path`.
        data_path: a file or folder for the loader.
        code_paths: sources the model needs.
        infer_code_paths: accepted as in MLflow; sources are not inferred in this version.
        conda_env: its environment, instead of the inferred one.
        mlflow_model: the model to describe.
        python_model: a PythonModel, a function of one argument, or the path of a Python file.
        artifacts: name → URI of files the model reads.
        signature: its signature.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        metadata: what its author says of it.
        model_config: its configuration.
        streamable: whether it predicts one by one; found out when None.
        resources: what serving it needs.
        auth_policy: how it authenticates.
        uv_project_path: accepted as in MLflow.
        uv_groups: accepted as in MLflow.
        uv_extras: accepted as in MLflow.
        kwargs: `model` for `mlflow_model`, as MLflow 1 called it.

    Raises:
        MlflowException: neither or both of `python_model` and `loader_module` are given, or the
            folder is taken.
    """
    mlflow_model = kwargs.pop("model", None) or mlflow_model
    if kwargs:
        raise TypeError(f"save_model() got unexpected keyword arguments: {sorted(kwargs)}")
    _check_kinds(loader_module, data_path, python_model, artifacts)
    config = checked_model_config(model_config)
    folder = FlavorFolder(
        path,
        mlflow_model,
        signature=signature,
        input_example=input_example,
        metadata=metadata,
        code_paths=code_paths,
        conda_env=conda_env,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
    )
    for key, value in (("resources", resources), ("auth_policy", auth_policy)):
        if value:
            setattr(folder.model, key, value)
    if python_model is None:
        _save_with_loader(folder, str(loader_module), data_path, streamable, config)
    else:
        _save_python_model(folder, python_model, artifacts, streamable, config)


def _check_kinds(loader_module: Any, data_path: Any, python_model: Any, artifacts: Any) -> None:
    first = {"loader_module": loader_module, "data_path": data_path}
    second = {"python_model": python_model, "artifacts": artifacts}
    given_first = [name for name, value in first.items() if value]
    given_second = [name for name, value in second.items() if value is not None]
    if given_first and given_second:
        raise invalid(
            f"The following sets of parameters cannot be specified together: {set(first)} and "
            f"{set(second)}. All parameters in one set must be `None`. Instead, found the "
            f"following values: {first} and {second}"
        )
    if loader_module is None and python_model is None:
        raise invalid(
            "Either `loader_module` or `python_model` must be specified. A `loader_module` should "
            "be a python module. A `python_model` should be a subclass of PythonModel"
        )


def _save_with_loader(
    folder: FlavorFolder,
    loader_module: str,
    data_path: str | None,
    streamable: bool | None,
    config: dict[str, Any] | None,
) -> None:
    data = None
    if data_path is not None:
        data = f"data/{copy_into(os.fspath(data_path), folder.file('data'))}"
    _add_loader(folder, loader_module, None, config, data=data, streamable=bool(streamable))
    folder.finish(get_default_pip_requirements, modules=[loader_module])


def _save_python_model(
    folder: FlavorFolder,
    python_model: Any,
    artifacts: dict[str, str] | None,
    streamable: bool | None,
    config: dict[str, Any] | None,
) -> None:
    entries: dict[str, Any] = {}
    code_path = None
    if isinstance(python_model, (str, os.PathLike)):
        code_path = checked_code_path(os.fspath(python_model))
        model = as_python_model(load_code_model(code_path, config))
        modules = modules_in_source(code_path) if code_path.endswith(".py") else set()
        copy_into(code_path, folder.path)
    else:
        model = as_python_model(python_model)
        entries = write_python_model(model, folder.path)
        modules = modules_of_object(getattr(model, "func", model))
    if artifacts:
        entries["artifacts"] = copy_artifacts(artifacts, folder.path)
    if streamable is None:
        streamable = _streams(model)

    folder.sign(signature_of_hints(predict_function(model)), is_signature_from_type_hint=True)

    def predict(data: Any, params: dict[str, Any] | None = None) -> Any:
        return _for_example(folder, model, entries, config).predict(data, params=params)

    _add_loader(
        folder,
        _CODE_LOADER if code_path else _MODEL_LOADER,
        predict,
        config,
        model_code_path=os.path.basename(code_path) if code_path else None,
        streamable=streamable,
        cloudpickle_version=pinned("cloudpickle").partition("==")[2] or None,
        **entries,
    )
    folder.finish(get_default_pip_requirements, modules=modules)


def _add_loader(
    folder: FlavorFolder,
    loader_module: str,
    predict: Callable[..., Any] | None,
    config: dict[str, Any] | None,
    **entries: Any,
) -> None:
    known = {key: value for key, value in entries.items() if value is not None}
    folder.add_loader(loader_module, predict, model_config=config, **known)
    # Other flavors say it of themselves; here there is no other.
    folder.model.flavors[LOADER_FLAVOR]["code"] = folder.code


def _streams(model: Any) -> bool:
    method = getattr(type(model), "predict_stream", None)
    return method is not None and not getattr(method, "__module__", "").startswith("mlflow.")


def _for_example(
    folder: FlavorFolder, model: Any, entries: dict[str, Any], config: dict[str, Any] | None
) -> _PythonModelPyfuncWrapper:
    # The object itself predicts the example; a second copy is not loaded for it. It is not held
    # against a signature, which would keep the example's params from it: there is none yet.
    paths = {
        name: confined(folder.path, entry["path"], "The artifact")
        for name, entry in (entries.get("artifacts") or {}).items()
    }
    context = PythonModelContext(paths, config)
    if hasattr(model, "load_context"):
        model.load_context(context=context)
    return _PythonModelPyfuncWrapper(model, context)


def log_model(
    artifact_path: str | None = None,
    loader_module: str | None = None,
    data_path: str | None = None,
    code_paths: list[str] | None = None,
    infer_code_paths: bool = False,
    conda_env: Any = None,
    python_model: Any = None,
    artifacts: dict[str, str] | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    model_config: Any = None,
    streamable: bool | None = None,
    resources: Any = None,
    auth_policy: Any = None,
    uv_project_path: Any = None,
    uv_groups: list[str] | None = None,
    uv_extras: list[str] | None = None,
    prompts: list[Any] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Log a model that pyfunc loads; the arguments are those of `save_model` and `Model.log`.

    Args:
        artifact_path: the name, as MLflow 2 called it.
        loader_module: see `save_model`.
        data_path: see `save_model`.
        code_paths: see `save_model`.
        infer_code_paths: see `save_model`.
        conda_env: see `save_model`.
        python_model: see `save_model`.
        artifacts: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        metadata: see `save_model`.
        model_config: see `save_model`.
        streamable: see `save_model`.
        resources: see `save_model`.
        auth_policy: see `save_model`.
        uv_project_path: see `save_model`.
        uv_groups: see `save_model`.
        uv_extras: see `save_model`.
        prompts: URIs of prompts it uses.
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
        name=name,
        loader_module=loader_module,
        data_path=data_path,
        code_paths=code_paths,
        infer_code_paths=infer_code_paths,
        conda_env=conda_env,
        python_model=python_model,
        artifacts=artifacts,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        metadata=metadata,
        model_config=model_config,
        streamable=streamable,
        resources=resources,
        auth_policy=auth_policy,
        prompts=prompts,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
    )
