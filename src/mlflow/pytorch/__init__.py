"""The PyTorch flavor: saving, logging and loading modules, as traced graphs or as pickles."""

from __future__ import annotations

import logging
import os
import sys
import zipfile
from typing import Any

from mlflow._doorway import attach
from mlflow.environment_variables import MLFLOW_DEFAULT_PREDICTION_DEVICE
from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.models.checkpoints import fetch_checkpoint
from mlflow.models.deserialize import unpickling
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import FLAVORS, library_of, require_tested
from mlflow.models.folder import MLMODEL_FILE_NAME
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import local_model_folder, model_path
from mlflow.pytorch import autologging
from mlflow.pytorch.exported import EXPORTED_FILE, evaluating, load_exported, write_exported
from mlflow.pytorch.states import load_state_dict as load_state_dict
from mlflow.pytorch.states import log_state_dict as log_state_dict
from mlflow.pytorch.states import save_state_dict as save_state_dict
from mlflow.tracking.autolog import autologging_integration
from mlflow.version import VERSION

FLAVOR_NAME = "pytorch"
SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_PT2 = "pt2"
# What folders of MLflow say their pickles are written and read with; it is cloudpickle.
PICKLE_MODULE = "mlflow.pytorch.pickle_module"

_DATA, PICKLE_FILE = FLAVORS[FLAVOR_NAME].data.split("/")
_PICKLE_INFO_FILE = "pickle_module_info.txt"
# Their pickles are read by the standard one.
_PLAIN_READERS = frozenset({PICKLE_MODULE, "pickle", "cloudpickle"})
_COMPANIONS = ("numpy", "pandas")
_SELF = sys.modules[__name__]
_logger = logging.getLogger(__name__)

__getattr__, __dir__ = attach(
    __name__, {"MlflowModelCheckpointCallback": "mlflow.pytorch.callback"}
)


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned("torch"), pinned("cloudpickle")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    pytorch_model: Any,
    path: str | os.PathLike[str],
    conda_env: Any = None,
    mlflow_model: Model | None = None,
    code_paths: list[str] | None = None,
    pickle_module: Any = None,
    signature: Any = None,
    input_example: Any = None,
    extra_files: list[str] | None = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    export_model: bool = False,
    serialization_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Save a PyTorch model.

    Args:
        pytorch_model: a `torch.nn.Module`.
        path: the folder; new or empty.
        conda_env: its environment, instead of the inferred one.
        mlflow_model: the model to describe.
        code_paths: sources it needs.
        pickle_module: the module that pickles it; cloudpickle when None.
        signature: its signature; inferred from the input example when None.
        input_example: an example of its input.
        extra_files: further files to keep with it.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        metadata: what its author says of it.
        export_model: the older way to ask for `pt2`.
        serialization_format: `pt2`, a traced graph that holds no Python and needs an input example,
            or `pickle`. Without it, `pt2` is used where it can be, and else pickle, with a warning.
        kwargs: arguments of `torch.save`.

    Raises:
        MlflowException: the format is unknown, the model cannot be written in it, or the folder
            is taken.
        TypeError: it is no module of PyTorch.
    """
    torch = library_of(FLAVOR_NAME)
    if not isinstance(pytorch_model, torch.nn.Module):
        raise TypeError("Argument 'pytorch_model' should be a torch.nn.Module")
    wanted = _wanted_format(serialization_format, export_model, torch, pytorch_model)
    input_example = _as_arrays(input_example)
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
    os.makedirs(folder.file(_DATA))
    pickler = getattr(pickle_module, "__name__", PICKLE_MODULE)
    written = wanted
    if wanted != SERIALIZATION_FORMAT_PICKLE:
        written = _export(folder, pytorch_model, input_example, signature, wanted)
    if written == SERIALIZATION_FORMAT_PICKLE:
        _write_pickle(folder, pytorch_model, pickle_module, pickler, kwargs)

    def predict(data: Any) -> Any:
        with evaluating(pytorch_model):
            return _PyTorchWrapper(pytorch_model, None).predict(data)

    folder.add_loader(
        "mlflow.pytorch",
        predict,
        data=_DATA,
        pickle_module_name=pickler,
        model_config={"device": None},
    )
    folder.add_flavor(FLAVOR_NAME, model_data=_DATA, pytorch_version=str(torch.__version__))
    is_pickle = written == SERIALIZATION_FORMAT_PICKLE
    folder.finish(
        get_default_pip_requirements,
        modules={type(part).__module__ for part in pytorch_model.modules()} if is_pickle else (),
        companions=_COMPANIONS,
    )


def _wanted_format(given: str | None, export_model: bool, torch: Any, model: Any) -> str | None:
    if given not in (None, SERIALIZATION_FORMAT_PICKLE, SERIALIZATION_FORMAT_PT2):
        raise invalid(
            "The `serialization_format` param value must be one of 'pickle' or 'pt2', not "
            f"{given!r}."
        )
    if export_model and given == SERIALIZATION_FORMAT_PICKLE:
        raise invalid(
            "Cannot set both `export_model=True` and `serialization_format='pickle'`. Please use "
            "only the `serialization_format` argument."
        )
    wanted = SERIALIZATION_FORMAT_PT2 if export_model else given
    if isinstance(model, torch.jit.ScriptModule):
        if wanted == SERIALIZATION_FORMAT_PT2:
            raise invalid(
                "The 'pt2' serialization format is not supported for torch.jit.ScriptModule "
                "models, please set `serialization_format` to 'pickle'."
            )
        # TorchScript is a format of its own; there is nothing to warn of.
        return SERIALIZATION_FORMAT_PICKLE
    return wanted


def _as_arrays(example: Any) -> Any:
    return example.detach().cpu().numpy() if hasattr(example, "detach") else example


def _export(
    folder: FlavorFolder, model: Any, example: Any, signature: Any, wanted: str | None
) -> str:
    try:
        write_exported(model, example, signature, folder.file(f"{_DATA}/{EXPORTED_FILE}"))
    except MlflowException as error:
        if wanted is not None:
            raise
        _logger.warning(
            "The model is written as a pickle, which can run any code when it is loaded: %s",
            error.message,
        )
        return SERIALIZATION_FORMAT_PICKLE
    return SERIALIZATION_FORMAT_PT2


def _write_pickle(
    folder: FlavorFolder, model: Any, module: Any, name: str, arguments: dict[str, Any]
) -> None:
    torch = library_of(FLAVOR_NAME)
    path = folder.file(f"{_DATA}/{PICKLE_FILE}")
    with open(folder.file(f"{_DATA}/{_PICKLE_INFO_FILE}"), "w", encoding="utf-8") as file:
        file.write(name)
    if isinstance(model, torch.jit.ScriptModule):
        torch.jit.save(model, path)
        return
    pickler = module or library_of(FLAVOR_NAME, PICKLE_MODULE)
    torch.save(model, path, pickle_module=pickler, **arguments)


def log_model(
    pytorch_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    pickle_module: Any = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    extra_files: list[str] | None = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    name: str | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    export_model: bool = False,
    serialization_format: str | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Log a PyTorch model with the active run, or without one.

    Args:
        pytorch_model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        conda_env: see `save_model`.
        code_paths: see `save_model`.
        pickle_module: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
        await_registration_for: seconds to wait for the version.
        extra_files: see `save_model`.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        metadata: see `save_model`.
        name: the name.
        params: params of the logged model.
        tags: tags of the logged model.
        model_type: a free description of its kind.
        step: the run's step it belongs to.
        model_id: log into a logged model that exists.
        export_model: see `save_model`.
        serialization_format: see `save_model`.
        kwargs: `run_id`, `prompts`, `resources` and `auth_policy` of `Model.log`.

    Returns:
        What was logged.
    """
    return Model.log(
        artifact_path,
        _SELF,
        pytorch_model=pytorch_model,
        conda_env=conda_env,
        code_paths=code_paths,
        pickle_module=pickle_module,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        await_registration_for=await_registration_for,
        extra_files=extra_files,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        metadata=metadata,
        name=name,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
        export_model=export_model,
        serialization_format=serialization_format,
        **kwargs,
    )


def load_model(model_uri: str, dst_path: str | None = None, **kwargs: Any) -> Any:
    """Load a PyTorch model.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.
        kwargs: arguments of `torch.load`, such as `map_location`, for models that are pickles.

    Returns:
        The module as it was saved; of a `pt2` file, the module of its graph.

    Raises:
        MlflowException: there is no such model, it cannot be read, or the loader refuses pickles.
    """
    folder = local_model_folder(model_uri, dst_path)
    return _load(model_path(folder, FLAVOR_NAME, "model_data", _DATA)[1], **kwargs)


def _load(data: str, **arguments: Any) -> Any:
    torch = library_of(FLAVOR_NAME)
    exported = os.path.join(data, EXPORTED_FILE)
    if os.path.isfile(exported):
        return load_exported(exported)
    # MLflow 1 named the file itself.
    path = data if os.path.isfile(data) else os.path.join(data, PICKLE_FILE)
    with unpickling(path, "a pickled PyTorch model"):
        if _is_script(path):
            return torch.jit.load(path, map_location=arguments.get("map_location"))
        reader = arguments.pop("pickle_module", None) or _reader(data)
        # A whole module is more than weights; whoever asks for the reader's guard may have it.
        arguments.setdefault("weights_only", False)
        return torch.load(path, pickle_module=reader, **arguments)


def _is_script(path: str) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _reader(data: str) -> Any:
    info = os.path.join(data, _PICKLE_INFO_FILE)
    if not os.path.isfile(info):
        return None
    with open(info, encoding="utf-8") as file:
        name = file.read(1000).strip()
    if name in _PLAIN_READERS:
        return None
    if not all(part.isidentifier() for part in name.split(".")):
        raise invalid(f"'{info}' names a module that is none: {name!r}.")
    return library_of(FLAVOR_NAME, name)


def _load_pyfunc(path: str, model_config: dict[str, Any] | None = None) -> _PyTorchWrapper:
    torch = library_of(FLAVOR_NAME)
    device = (model_config or {}).get("device") or MLFLOW_DEFAULT_PREDICTION_DEVICE.get()
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    # MLflow 1 handed over the folder of the model.
    if os.path.isfile(os.path.join(path, MLMODEL_FILE_NAME)):
        path = model_path(path, FLAVOR_NAME, "model_data", _DATA)[1]
    if not os.path.exists(path):
        raise not_found(f"The model's data '{path}' is not there.")
    try:
        model = _load(path, map_location=torch.device(device))
        for part in model.modules():
            # As `eval` does, which the modules of graphs do not have.
            part.training = False
        return _PyTorchWrapper(model.to(device), device)
    except RuntimeError as error:
        raise invalid(f"The model cannot be put on the device {device!r}: {error}") from error


class _PyTorchWrapper:
    """A module as pyfunc calls it."""

    def __init__(self, pytorch_model: Any, device: str | None) -> None:
        self.pytorch_model = pytorch_model
        self.device = device

    def get_raw_model(self) -> Any:
        """Return the module."""
        return self.pytorch_model

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return predictions: a DataFrame for a DataFrame, an array for an array.

        Args:
            data: rows; a DataFrame's are given to the module as single precision numbers.
            params: accepted as in MLflow.

        Raises:
            TypeError: it is something else, or the module answers no single tensor.
        """
        import numpy as np
        import pandas as pd

        torch = library_of(FLAVOR_NAME)
        if params and "device" in params:
            raise ValueError(
                "device' can no longer be specified as an inference parameter. It must be "
                "specified at load time. Please specify the device at load time, for example: "
                "`mlflow.pyfunc.load_model(model_uri, model_config={'device': 'cuda'})`."
            )
        if isinstance(data, (list, dict)):
            raise TypeError(
                "The PyTorch flavor does not support List or Dict input types. Please use a "
                "pandas.DataFrame or a numpy.ndarray"
            )
        if not isinstance(data, (pd.DataFrame, np.ndarray)):
            raise TypeError("Input data should be pandas.DataFrame or numpy.ndarray")
        array = data.to_numpy(dtype=np.float32) if isinstance(data, pd.DataFrame) else data
        rows = torch.from_numpy(array)
        with torch.no_grad():
            answer = self.pytorch_model(rows if self.device is None else rows.to(self.device))
        if not isinstance(answer, torch.Tensor):
            raise TypeError(
                "Expected PyTorch model to output a single output tensor, but got output of type "
                f"'{type(answer)}'"
            )
        values = answer.cpu().numpy()
        if isinstance(data, pd.DataFrame):
            return pd.DataFrame(values, index=data.index)
        return values


def load_checkpoint(
    model_class: Any,
    run_id: str | None = None,
    epoch: int | None = None,
    global_step: int | None = None,
    kwargs: dict[str, Any] | None = None,
) -> Any:
    """Load a checkpoint that was logged while Lightning trained a model.

    Args:
        model_class: the class of the model, a `LightningModule`.
        run_id: the run; the active one when None.
        epoch: the epoch it is of.
        global_step: the number of batches before it; the last one when neither is given.
        kwargs: arguments of the class's `load_from_checkpoint`.

    Returns:
        The model.

    Raises:
        MlflowException: there is no such checkpoint, or the loader refuses pickles.
    """
    path, _ = fetch_checkpoint(run_id, epoch, global_step)
    with unpickling(path, "a checkpoint of Lightning"):
        return model_class.load_from_checkpoint(path, **(kwargs or {}))


@autologging_integration(FLAVOR_NAME)
def autolog(
    log_every_n_epoch: int = 1,
    log_every_n_step: int | None = None,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: dict[str, str] | None = None,
    checkpoint: bool = True,
    checkpoint_monitor: str = "val_loss",
    checkpoint_mode: str = "min",
    checkpoint_save_best_only: bool = True,
    checkpoint_save_weights_only: bool = False,
    checkpoint_save_freq: str | int = "epoch",
    log_model_signatures: bool = True,
) -> None:
    """Log what Lightning trains, from now on. Loops of one's own are not logged.

    Args:
        log_every_n_epoch: log metrics after so many epochs.
        log_every_n_step: log metrics after so many batches.
        log_models: log models.
        log_datasets: accepted as in MLflow; loaders of data are not described.
        disable: switch it off.
        exclusive: log nothing into runs that the user started.
        disable_for_unsupported_versions: log nothing for versions that were not tested.
        silent: no warnings.
        registered_model_name: register each model under this name.
        extra_tags: tags of runs that are begun by it.
        checkpoint: keep checkpoints.
        checkpoint_monitor: the metric that tells which is the best.
        checkpoint_mode: `min` or `max`: which values of it are better.
        checkpoint_save_best_only: keep one, the best so far; without, all of them.
        checkpoint_save_weights_only: keep weights alone.
        checkpoint_save_freq: `epoch`, or after how many batches.
        log_model_signatures: keep a signature with each model.
    """
    if disable:
        return
    if disable_for_unsupported_versions:
        require_tested(FLAVOR_NAME)
    autologging.enable(log_model)
