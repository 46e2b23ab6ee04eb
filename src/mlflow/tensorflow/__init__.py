"""The TensorFlow flavor: saving, logging and loading models of Keras and modules of TensorFlow."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from mlflow._doorway import attach
from mlflow.exceptions import invalid
from mlflow.models.checkpoints import fetch_checkpoint
from mlflow.models.deserialize import code_allowed, dump_pickle, load_pickle
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import library_of, require_tested
from mlflow.models.folder import MLMODEL_FILE_NAME
from mlflow.models.info import ModelInfo
from mlflow.models.keras_training import Integration, enable
from mlflow.models.model import Model
from mlflow.models.networks import (
    DATA,
    H5_FILE,
    KERAS_FILE,
    NetworkWrapper,
    asked_quietly,
    kind_of,
    read_h5,
    read_network,
    read_program,
    require_tensors,
    write_network,
)
from mlflow.models.packages import distribution_of
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import local_model_folder, model_path
from mlflow.tracking.autolog import autologging_integration, get_autologging_config
from mlflow.version import VERSION

FLAVOR_NAME = "tensorflow"

_MODULE = "tensorflow.keras"
_PROGRAM = "tf2model"
_FORMATS = {"tf": KERAS_FILE, "keras": KERAS_FILE, "h5": H5_FILE}
_FORMAT_FILE = "save_format.txt"
# Classes and functions that a model needs besides Keras' own: those it was saved with, and those
# that were registered with Keras at that time.
_OBJECTS_FILE = "custom_objects.cloudpickle"
_REGISTERED_FILE = "global_custom_objects.cloudpickle"
_KERAS, _MODULE_TYPE, _ESTIMATOR = "keras", "tf2-module", "tf1-estimator"
_COMPANIONS = ("cloudpickle", "numpy")
_SELF = sys.modules[__name__]
_logger = logging.getLogger(__name__)

__getattr__, __dir__ = attach(
    __name__,
    dict.fromkeys(
        ("MLflowCallback", "MlflowCallback", "MlflowModelCheckpointCallback"),
        "mlflow.tensorflow.callback",
    ),
)


def get_default_pip_requirements(include_cloudpickle: bool = False) -> list[str]:
    """Return what every model of this flavor needs.

    Args:
        include_cloudpickle: whether custom objects come with it.
    """
    # There is a distribution without code for graphics processors, of the same module.
    found = [pinned(distribution_of("tensorflow") or "tensorflow", module="tensorflow")]
    return [*found, pinned("cloudpickle")] if include_cloudpickle else found


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    model: Any,
    path: str | os.PathLike[str],
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    custom_objects: dict[str, Any] | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    saved_model_kwargs: dict[str, Any] | None = None,
    keras_model_kwargs: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    extra_files: list[str] | None = None,
) -> None:
    """Save a model of Keras as a `.keras` file, or a module of TensorFlow as a SavedModel.

    Args:
        model: a `tf.keras.Model` or a `tf.Module`.
        path: the folder; new or empty.
        conda_env: its environment, instead of the inferred one.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        custom_objects: classes and functions by the names that the model knows them by. They and
            what is registered with Keras are kept as pickles beside the model.
        signature: its signature, of tensors; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        saved_model_kwargs: arguments of `tf.saved_model.save`.
        keras_model_kwargs: arguments of the model's own `save`; `save_format` may be `h5`.
        metadata: what its author says of it.
        extra_files: further files to keep with it.

    Raises:
        MlflowException: it is no such model, the format is unknown, the signature has columns, or
            the folder is taken.
    """
    tensorflow = library_of(FLAVOR_NAME)
    keras = kind_of(model)
    if keras is None and not isinstance(
        model, (tensorflow.Module, tensorflow.__internal__.tracking.AutoTrackable)
    ):
        raise invalid(f"Unknown model type: {type(model)}")
    arguments = dict(keras_model_kwargs or {})
    written_as = arguments.pop("save_format", "tf")
    if written_as not in _FORMATS:
        raise invalid(f"save_format must be one of {sorted(_FORMATS)}, not {written_as!r}.")
    require_tensors(signature)
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
    if keras is None:
        tensorflow.saved_model.save(model, folder.file(_PROGRAM), **(saved_model_kwargs or {}))
        folder.add_loader("mlflow.tensorflow", NetworkWrapper(model, _calling(model)).predict)
        folder.add_flavor(FLAVOR_NAME, saved_model_dir=_PROGRAM, model_type=_MODULE_TYPE)
        folder.finish(get_default_pip_requirements, companions=_COMPANIONS)
        return
    module = _MODULE if keras == "keras" else keras
    write_network(folder, model, module, _FORMATS[written_as], arguments)
    with open(folder.file(f"{DATA}/{_FORMAT_FILE}"), "w", encoding="utf-8") as file:
        file.write(written_as)
    _write_objects(folder, custom_objects, _keras_of(module))
    folder.add_loader("mlflow.tensorflow", asked_quietly(model).predict, data=DATA)
    folder.add_flavor(
        FLAVOR_NAME,
        data=DATA,
        model_type=_KERAS,
        # As in MLflow: it is TensorFlow's.
        keras_version=str(tensorflow.__version__),
        save_format=written_as,
    )
    folder.finish(
        get_default_pip_requirements,
        modules={type(layer).__module__ for layer in model.layers},
        companions=_COMPANIONS,
    )


def _keras_of(module: str) -> Any:
    # Which Keras it is, TensorFlow decides when it is first asked.
    return library_of(FLAVOR_NAME).keras if module == _MODULE else library_of(FLAVOR_NAME, module)


def get_global_custom_objects() -> dict[str, Any] | None:
    """Return the classes and functions that are registered with Keras; None without Keras."""
    try:
        return dict(_registered(_keras_of(_MODULE)))
    except AttributeError:
        return None


def _registered(keras: Any) -> dict[str, Any]:
    found: dict[str, Any] = keras.utils.get_custom_objects()
    return found


def _write_objects(folder: FlavorFolder, given: dict[str, Any] | None, keras: Any) -> None:
    for name, objects in ((_OBJECTS_FILE, given), (_REGISTERED_FILE, dict(_registered(keras)))):
        if objects:
            dump_pickle(objects, folder.file(f"{DATA}/{name}"))


def log_model(
    model: Any,
    artifact_path: str | None = None,
    custom_objects: dict[str, Any] | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    signature: Any = None,
    input_example: Any = None,
    registered_model_name: str | None = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    saved_model_kwargs: dict[str, Any] | None = None,
    keras_model_kwargs: dict[str, Any] | None = None,
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
    """Log a model of Keras or a module of TensorFlow with the active run, or without one.

    Args:
        model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        custom_objects: see `save_model`.
        conda_env: see `save_model`.
        code_paths: see `save_model`.
        signature: see `save_model`.
        input_example: see `save_model`.
        registered_model_name: register it as the next version of this model.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        saved_model_kwargs: see `save_model`.
        keras_model_kwargs: see `save_model`.
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
        model=model,
        custom_objects=custom_objects,
        conda_env=conda_env,
        code_paths=code_paths,
        signature=signature,
        input_example=input_example,
        registered_model_name=registered_model_name,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        saved_model_kwargs=saved_model_kwargs,
        keras_model_kwargs=keras_model_kwargs,
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


def load_model(
    model_uri: str,
    dst_path: str | None = None,
    saved_model_kwargs: dict[str, Any] | None = None,
    keras_model_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Load a model of Keras, or a module of TensorFlow.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.
        saved_model_kwargs: arguments of `tf.saved_model.load`.
        keras_model_kwargs: arguments of Keras' own `load_model`. `safe_mode=False`, with which
            layers may bring code, needs a loader that permits code.

    Returns:
        The model; of an estimator of TensorFlow 1, the function that answers it.

    Raises:
        MlflowException: there is no such model, it cannot be read, or it may run code, which the
            loader refuses.
    """
    folder = local_model_folder(model_uri, dst_path)
    return _load(folder, saved_model_kwargs or {}, keras_model_kwargs or {})[1]


def _load(
    folder: str, program_arguments: dict[str, Any], keras_arguments: dict[str, Any]
) -> tuple[str, Any]:
    library_of(FLAVOR_NAME)
    conf, data = model_path(folder, FLAVOR_NAME, "data", DATA)
    # Folders of MLflow 1 do not say what they hold.
    kind = conf.get("model_type") or (_ESTIMATOR if "saved_model_dir" in conf else _KERAS)
    if kind == _KERAS:
        return kind, _read_keras(data, keras_arguments)
    program = model_path(folder, FLAVOR_NAME, "saved_model_dir", _PROGRAM)[1]
    if kind == _MODULE_TYPE:
        return kind, read_program(program, program_arguments)
    if kind != _ESTIMATOR:
        raise invalid(f"The model at '{folder}' is of a kind that is not known: {kind!r}.")
    tags = program_arguments.pop("tags", conf.get("meta_graph_tags"))
    loaded = read_program(program, {**program_arguments, "tags": tags})
    key = conf.get("signature_def_key")
    if key not in loaded.signatures:
        raise invalid(f"The model at '{folder}' has no signature {key!r}.")
    function = loaded.signatures[key]
    # The function only borrows the variables of the program.
    function._program = loaded
    return kind, function


def _read_keras(data: str, given: dict[str, Any]) -> Any:
    arguments = dict(given)
    objects: dict[str, Any] = {}
    left = []
    for name in (_REGISTERED_FILE, _OBJECTS_FILE):
        path = os.path.join(data, name)
        if not os.path.isfile(path):
            continue
        if code_allowed():
            objects.update(load_pickle(path, "cloudpickle"))
        else:
            left.append(name)
    if left:
        # Whether the model uses any of them, Keras finds out, and what the caller gives is enough.
        _logger.warning("Custom objects were left out, since they are pickles: %s", left)
    objects.update(arguments.pop("custom_objects", None) or {})
    if objects:
        arguments["custom_objects"] = objects
    return read_network(FLAVOR_NAME, data, _MODULE, arguments)


def _load_pyfunc(path: str) -> Any:
    if not os.path.isfile(os.path.join(path, MLMODEL_FILE_NAME)):
        # It is the data of a model of Keras.
        return asked_quietly(_read_keras(path, {"compile": False}))
    kind, model = _load(path, {}, {"compile": False})
    if kind == _KERAS:
        return asked_quietly(model)
    if kind == _ESTIMATOR:
        return _EstimatorWrapper(model)
    return NetworkWrapper(model, _calling(model))


def _calling(model: Any) -> Any:
    tensorflow = library_of(FLAVOR_NAME)

    def predict(data: Any) -> Any:
        if isinstance(data, dict):
            return model({key: tensorflow.constant(value) for key, value in data.items()})
        return model(tensorflow.constant(data))

    return predict


class _EstimatorWrapper:
    """An estimator of TensorFlow 1 as pyfunc calls it."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def get_raw_model(self) -> Any:
        """Return the function."""
        return self.function

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return what the function answers, as a DataFrame.

        Args:
            data: a DataFrame or a dictionary, whose columns are the function's arguments.
            params: accepted as in MLflow.
        """
        import numpy as np
        import pandas as pd

        tensorflow = library_of(FLAVOR_NAME)
        columns = {key: tensorflow.constant(np.asarray(data[key])) for key in data}
        answer = self.function(**columns)
        return pd.DataFrame({key: list(value.numpy()) for key, value in answer.items()})


def load_checkpoint(
    model: Any = None,
    run_id: str | None = None,
    epoch: int | None = None,
    global_step: int | None = None,
) -> Any:
    """Load a checkpoint that was logged while a model was trained.

    Args:
        model: a model to load weights into, for checkpoints that have weights alone.
        run_id: the run; the active one when None.
        epoch: the epoch it is of.
        global_step: the number of batches before it; the last one when neither is given.

    Returns:
        The model.

    Raises:
        MlflowException: there is no such checkpoint, it has weights alone and no model was given,
            or it is a whole model, which may bring code, and the loader refuses code.
    """
    path, weights_only = fetch_checkpoint(run_id, epoch, global_step)
    if weights_only:
        if model is None:
            raise invalid(
                "The latest checkpoint is weights-only, 'model' argument must be provided"
            )
        model.load_weights(path)
        return model
    loaded = read_h5(_keras_of(_MODULE), path, {})
    if model is None:
        return loaded
    model.set_weights(loaded.get_weights())
    return model


@autologging_integration(FLAVOR_NAME)
def autolog(
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    log_input_examples: bool = False,
    log_model_signatures: bool = True,
    saved_model_kwargs: dict[str, Any] | None = None,
    keras_model_kwargs: dict[str, Any] | None = None,
    extra_tags: dict[str, str] | None = None,
    log_every_epoch: bool = True,
    log_every_n_steps: int | None = None,
    checkpoint: bool = True,
    checkpoint_monitor: str = "val_loss",
    checkpoint_mode: str = "min",
    checkpoint_save_best_only: bool = True,
    checkpoint_save_weights_only: bool = False,
    checkpoint_save_freq: str | int = "epoch",
) -> None:
    """Log what Keras trains with TensorFlow, from now on.

    Args:
        log_models: log models.
        log_datasets: log training and validation data as dataset inputs.
        disable: switch it off.
        exclusive: log nothing into runs that the user started.
        disable_for_unsupported_versions: log nothing for versions that were not tested.
        silent: no warnings.
        registered_model_name: register each model under this name.
        log_input_examples: keep an example of the input with each model.
        log_model_signatures: keep a signature with each model.
        saved_model_kwargs: see `save_model`.
        keras_model_kwargs: see `save_model`.
        extra_tags: tags of runs that are begun by it.
        log_every_epoch: log metrics after each epoch.
        log_every_n_steps: log metrics after so many batches.
        checkpoint: keep checkpoints.
        checkpoint_monitor: the metric that tells which is the best.
        checkpoint_mode: `min` or `max`: which values of it are better.
        checkpoint_save_best_only: keep one, the best so far; without, all of them.
        checkpoint_save_weights_only: keep weights alone.
        checkpoint_save_freq: `epoch`, or after how many batches.
    """
    if disable:
        return
    if disable_for_unsupported_versions:
        require_tested(FLAVOR_NAME)
    one = Integration(FLAVOR_NAME, "opt_", log_model, _saving, complete=True)
    enable(one, ("keras", "tf_keras"))


def _saving() -> dict[str, Any]:
    names = ("saved_model_kwargs", "keras_model_kwargs")
    return {name: get_autologging_config(FLAVOR_NAME, name) for name in names}
