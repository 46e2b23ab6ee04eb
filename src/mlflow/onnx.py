"""The ONNX flavor: saving, logging and loading models, and running them with ONNX Runtime."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.deserialize import code_allowed, unreadable
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import FLAVORS, library_of
from mlflow.models.folder import confined
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import distribution_of, installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import folder_of_data, local_model_folder, model_file
from mlflow.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAVOR_NAME = "onnx"
ONNX_EXECUTION_PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]

_DATA_FILE = FLAVORS[FLAVOR_NAME].data
_TENSOR_FILE = "model.onnx.data"
_CPU = "CPUExecutionProvider"
_COMPANIONS = ("numpy", "pandas")
# Option of a session → what MLmodel files may say of it; None for any value.
_OPTIONS: dict[str, dict[Any, str] | None] = {
    **dict.fromkeys(
        "enable_cpu_mem_arena enable_mem_pattern enable_mem_reuse execution_order "
        "inter_op_num_threads intra_op_num_threads log_severity_level log_verbosity_level logid "
        "use_deterministic_compute use_per_session_threads".split()
    ),
    "execution_mode": {"parallel": "ORT_PARALLEL", "sequential": "ORT_SEQUENTIAL"},
    "graph_optimization_level": {
        0: "ORT_DISABLE_ALL",
        1: "ORT_ENABLE_BASIC",
        2: "ORT_ENABLE_EXTENDED",
        99: "ORT_ENABLE_ALL",
    },
}
_ENUMERATIONS = {
    "execution_mode": "ExecutionMode",
    "graph_optimization_level": "GraphOptimizationLevel",
}
# They write files, wherever the folder says; they are kept with a model and never obeyed.
_FILE_OPTIONS = ("enable_profiling", "optimized_model_filepath", "profile_file_prefix")
_CONFIG = "extra_session_config"
_SELF = sys.modules[__name__]
_logger = logging.getLogger(__name__)


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [
        pinned("onnx"),
        # There are distributions for several processors, of the same module.
        pinned(distribution_of("onnxruntime") or "onnxruntime", module="onnxruntime"),
    ]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    onnx_model: Any,
    path: str | os.PathLike[str],
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    onnx_execution_providers: list[Any] | None = None,
    onnx_session_options: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    save_as_external_data: bool = True,
    extra_files: list[str] | None = None,
    **kwargs: Any,
) -> None:
    """Save an ONNX model, whose format holds data only.

    Args:
        onnx_model: an `onnx.ModelProto`.
        path: the folder; new or empty.
        conda_env: its environment, instead of the inferred one.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        signature: its signature; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        onnx_execution_providers: what runs it, in order of preference; NVIDIA processors and then the CPU when None.
        onnx_session_options: options of the session that runs it, by name.
        metadata: what its author says of it.
        save_as_external_data: keep large tensors in a file beside it, which models above 2 GB need.
        extra_files: further files to keep with it.
        kwargs: accepted as in MLflow.

    Raises:
        MlflowException: it is no ONNX model, there is no such option, or the folder is taken.
    """
    onnx = library_of(FLAVOR_NAME)
    if not isinstance(onnx_model, onnx.ModelProto):
        raise invalid(f"A {type(onnx_model).__name__} is no ONNX model: give an onnx.ModelProto.")
    providers = [*(onnx_execution_providers or ONNX_EXECUTION_PROVIDERS)]
    _check_options(onnx_session_options)
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
    _write(onnx, onnx_model, folder.file(_DATA_FILE), save_as_external_data)

    def predict(data: Any) -> Any:
        session = _session(folder.file(_DATA_FILE), providers, onnx_session_options)
        return _OnnxModelWrapper(session).predict(data)

    folder.add_loader("mlflow.onnx", predict, data=_DATA_FILE)
    folder.add_flavor(
        FLAVOR_NAME,
        onnx_version=installed_version("onnx"),
        data=_DATA_FILE,
        providers=providers,
        onnx_session_options=onnx_session_options,
    )
    folder.finish(get_default_pip_requirements, companions=_COMPANIONS)


def _write(onnx: Any, onnx_model: Any, path: str, beside: bool) -> None:
    if not beside:
        onnx.save_model(onnx_model, path)
        return
    try:
        onnx.save_model(onnx_model, path, save_as_external_data=True, location=_TENSOR_FILE)
    finally:
        # Writing takes the tensors out of the model, which its owner goes on using.
        onnx.load_external_data_for_model(onnx_model, os.path.dirname(path))
        for tensor in _tensors(onnx_model):
            if tensor.data_location == tensor.DEFAULT:
                tensor.ClearField("data_location")


def _check_options(options: object) -> None:
    if options is None:
        return
    if not isinstance(options, dict):
        raise TypeError(f"Argument onnx_session_options should be a dict, not {type(options)}")
    known = {**_OPTIONS, **dict.fromkeys(_FILE_OPTIONS), _CONFIG: None}
    for key, value in options.items():
        if key not in known:
            raise ValueError(
                f"Key {key} in onnx_session_options is not a valid ONNX Runtime session options "
                f"key; it takes {sorted(known)}"
            )
        allowed = known[key]
        text = value.lower() if isinstance(value, str) else value
        if allowed is not None and text not in allowed:
            raise ValueError(
                f"Value for key {key} in onnx_session_options should be one of "
                f"{[*allowed]}, not {value}"
            )


def log_model(
    onnx_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    onnx_execution_providers: list[Any] | None = None,
    onnx_session_options: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    save_as_external_data: bool = True,
    extra_files: list[str] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Log an ONNX model with the active run, or without one.

    Args:
        onnx_model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        conda_env: see `save_model`.
        code_paths: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        onnx_execution_providers: see `save_model`.
        onnx_session_options: see `save_model`.
        metadata: see `save_model`.
        save_as_external_data: see `save_model`.
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
        onnx_model=onnx_model,
        conda_env=conda_env,
        code_paths=code_paths,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        onnx_execution_providers=onnx_execution_providers,
        onnx_session_options=onnx_session_options,
        metadata=metadata,
        save_as_external_data=save_as_external_data,
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
    """Load an ONNX model as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The `onnx.ModelProto`.

    Raises:
        MlflowException: there is no such model, or it cannot be read.
    """
    return _load(local_model_folder(model_uri, dst_path))


def _load(folder: str) -> Any:
    _, path = model_file(folder, FLAVOR_NAME, "data", _DATA_FILE)
    onnx = library_of(FLAVOR_NAME)
    _check_tensors(path)
    try:
        # By its path, which models above 2 GB need.
        onnx.checker.check_model(path)
        return onnx.load(path)
    except Exception as error:
        raise unreadable(path, error) from error


def _check_tensors(path: str) -> None:
    """Raise when a model names files outside of its folder as those of its tensors."""
    onnx = library_of(FLAVOR_NAME)
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:
        raise unreadable(path, error) from error
    for tensor in _tensors(model):
        for entry in tensor.external_data:
            if entry.key == "location":
                confined(os.path.dirname(path), entry.value, "The tensor file")


def _tensors(model: Any) -> Iterator[Any]:
    # Tensors stand in graphs, in attributes of their nodes, and in functions; graphs in attributes.
    waiting: list[Any] = [model]
    while waiting:
        message = waiting.pop()
        for field, value in message.ListFields():
            if field.type != field.TYPE_MESSAGE:
                continue
            found = value if hasattr(value, "add") else [value]
            if field.message_type.name == "TensorProto":
                yield from found
            else:
                waiting.extend(found)


# ------------------------------------------------------------------- running


def _load_pyfunc(path: str) -> _OnnxModelWrapper:
    folder = folder_of_data(path)
    conf, file = model_file(folder, FLAVOR_NAME, "data", _DATA_FILE)
    _check_tensors(file)
    providers = conf.get("providers")
    # MLflow 1 named none.
    if not isinstance(providers, list) or not providers:
        providers = ONNX_EXECUTION_PROVIDERS
    return _OnnxModelWrapper(_session(file, providers, conf.get("onnx_session_options")))


def _session(path: str, providers: list[Any], options: object) -> Any:
    runtime = library_of(FLAVOR_NAME, "onnxruntime")
    try:
        return runtime.InferenceSession(
            path,
            sess_options=_session_options(runtime, options),
            providers=_usable(providers, runtime.get_available_providers()),
        )
    except MlflowException:
        raise
    except Exception as error:
        raise unreadable(path, error) from error


def _usable(providers: list[Any], available: list[str]) -> list[Any]:
    usable: list[Any] = []
    for provider in providers:
        # YAML knows no pairs; their options can name libraries to load.
        name, *more = provider if isinstance(provider, (list, tuple)) and provider else [provider]
        if name not in available:
            continue
        usable.append((name, more[0]) if more and more[0] and code_allowed() else name)
    return usable or [_CPU]


def _session_options(runtime: Any, given: object) -> Any:
    made = runtime.SessionOptions()
    options = given if isinstance(given, dict) else {}
    for key, value in options.items():
        if key == _CONFIG and isinstance(value, dict) and code_allowed():
            for name, entry in value.items():
                made.add_session_config_entry(str(name), str(entry))
        elif key in _ENUMERATIONS:
            named = _OPTIONS[key] or {}
            text = value.lower() if isinstance(value, str) else value
            if text not in named:
                raise invalid(f"The model's option {key!r} is {value!r}, which is none.")
            setattr(made, key, getattr(getattr(runtime, _ENUMERATIONS[key]), named[text]))
        elif key in _OPTIONS:
            setattr(made, key, value)
        else:
            _logger.warning(
                "The model's option %r is not used: it can write files or load libraries.", key
            )
    return made


class _OnnxModelWrapper:
    """A session of ONNX Runtime as pyfunc calls it."""

    def __init__(self, session: Any) -> None:
        self.rt = session
        self.inputs = [(entry.name, entry.type) for entry in session.get_inputs()]
        self.output_names = [entry.name for entry in session.get_outputs()]

    def get_raw_model(self) -> Any:
        """Return the session."""
        return self.rt

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions: a DataFrame for a DataFrame, else arrays by the outputs' names.

        Numbers of double precision are made single where the model's input is single.

        Args:
            data: a DataFrame, an array for a model of one input, or a dictionary of arrays.
            params: accepted as in MLflow.

        Raises:
            MlflowException: it does not fit the model's inputs.
            TypeError: it is of another type.
        """
        import numpy as np
        import pandas as pd

        is_frame = isinstance(data, pd.DataFrame)
        if isinstance(data, dict):
            feeds = {name: np.asarray(value) for name, value in data.items()}
        elif is_frame and len(self.inputs) > 1:
            feeds = {name: np.asarray(self._column(data, name)) for name, _ in self.inputs}
        elif is_frame or isinstance(data, np.ndarray):
            feeds = {self._only_input(): data.to_numpy() if is_frame else data}
        else:
            raise TypeError(
                "Input should be a dictionary or a numpy array or a pandas.DataFrame, got "
                f"'{type(data)}'"
            )
        for name, kind in self.inputs:
            if kind == "tensor(float)" and name in feeds and feeds[name].dtype == np.float64:
                feeds[name] = feeds[name].astype(np.float32)
        outputs = self.rt.run(self.output_names, feeds)
        answer = dict(zip(self.output_names, outputs, strict=True))
        return self._framed(answer) if is_frame else answer

    def _only_input(self) -> str:
        if len(self.inputs) != 1:
            raise invalid(
                "Unable to map numpy array input to the expected model input. Numpy arrays can "
                "only be used as input for MLflow ONNX models that have a single input. This model "
                f"requires {len(self.inputs)} inputs. Please pass in data as either a dictionary or "
                "a DataFrame with the following tensors: "
                f"{[name for name, _ in self.inputs]}."
            )
        return str(self.inputs[0][0])

    def _column(self, frame: Any, name: str) -> Any:
        if name not in frame.columns:
            raise invalid(f"The model's input {name!r} is not among {[*frame.columns]}.")
        return frame[name]

    def _framed(self, answer: dict[str, Any]) -> Any:
        import pandas as pd

        columns = {
            name: value.reshape(-1) if hasattr(value, "reshape") else value
            for name, value in answer.items()
        }
        lengths = {name: len(value) for name, value in columns.items()}
        if len(set(lengths.values())) > 1:
            raise invalid(
                f"The model's outputs are of different lengths, {lengths}, and make no DataFrame: "
                "give the input as a dictionary of arrays."
            )
        return pd.DataFrame(columns)
