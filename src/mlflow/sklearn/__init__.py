"""The scikit-learn flavor: saving, logging and loading estimators, and logging them by themselves."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from mlflow.exceptions import invalid
from mlflow.models.estimators import (
    PICKLE_FILE,
    SERIALIZATION_FORMAT_CLOUDPICKLE,
    SERIALIZATION_FORMAT_PICKLE,
    SERIALIZATION_FORMAT_SKOPS,
    check_format,
    load_estimator,
    write_estimator,
)
from mlflow.models.estimators import (
    SUPPORTED_SERIALIZATION_FORMATS as SUPPORTED_SERIALIZATION_FORMATS,
)
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import check_version, require_tested
from mlflow.models.folder import MLMODEL_FILE_NAME
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import local_model_folder, model_file
from mlflow.sklearn import autologging
from mlflow.tracking.autolog import autologging_integration
from mlflow.version import VERSION

FLAVOR_NAME = "sklearn"
# They decide how an estimator predicts; their versions belong beside it.
_COMPANIONS = ("numpy", "pandas", "scipy")
_SELF = sys.modules[__name__]
_logger = logging.getLogger(__name__)


def get_default_pip_requirements(
    include_cloudpickle: bool = False, include_skops: bool = False
) -> list[str]:
    """Return what every model of this flavor needs.

    Args:
        include_cloudpickle: for models saved with cloudpickle.
        include_skops: for models saved with skops.
    """
    packages = ["scikit-learn"]
    if include_cloudpickle:
        packages.append("cloudpickle")
    if include_skops:
        packages.append("skops")
    return [pinned(package) for package in packages]


def get_default_conda_env(
    include_cloudpickle: bool = False, include_skops: bool = False
) -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    packages = get_default_pip_requirements(include_cloudpickle, include_skops)
    return conda_environment([f"mlflow=={VERSION}", *packages])


# -------------------------------------------------------------------- saving


def save_model(
    sk_model: Any,
    path: str | os.PathLike[str],
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    serialization_format: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    pyfunc_predict_fn: str = "predict",
    metadata: dict[str, Any] | None = None,
    skops_trusted_types: list[str] | None = None,
    extra_files: list[str] | None = None,
) -> None:
    """Save a scikit-learn model.

    Args:
        sk_model: a fitted estimator, or anything that can be pickled.
        path: the folder; new or empty.
        conda_env: its environment, instead of the inferred one.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        serialization_format: `skops`, `cloudpickle` or `pickle`. Without it, skops is used when
            all types of the model are known to be safe, and cloudpickle, with a warning, when not.
        signature: its signature; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        pyfunc_predict_fn: the method that pyfunc's predict calls, such as `predict_proba`.
        metadata: what its author says of it.
        skops_trusted_types: types that its author vouches for in a skops file.
        extra_files: further files to keep with it.

    Raises:
        MlflowException: the format is unknown, the folder is taken, or it cannot be written in
            the format asked for.
    """
    check_format(serialization_format)
    check_version(FLAVOR_NAME)
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
    file_name, written = write_estimator(
        sk_model, folder, serialization_format, skops_trusted_types
    )
    _describe(folder, sk_model, file_name, written, pyfunc_predict_fn, skops_trusted_types)
    folder.finish(
        lambda: get_default_pip_requirements(
            include_cloudpickle=written == SERIALIZATION_FORMAT_CLOUDPICKLE,
            include_skops=written == SERIALIZATION_FORMAT_SKOPS,
        ),
        companions=_COMPANIONS,
    )


def _describe(
    folder: FlavorFolder,
    sk_model: Any,
    file_name: str,
    serialization_format: str,
    predict_fn: str,
    trusted: list[str] | None,
) -> None:
    # Without the method, the folder is readable by this flavor only.
    if hasattr(sk_model, predict_fn):
        folder.add_loader(
            "mlflow.sklearn",
            getattr(sk_model, predict_fn),
            model_path=file_name,
            predict_fn=predict_fn,
        )
    else:
        _logger.warning(
            "Model was missing function: %s. Not logging python_function flavor!", predict_fn
        )
    folder.add_flavor(
        FLAVOR_NAME,
        pickled_model=file_name,
        sklearn_version=installed_version("scikit-learn"),
        serialization_format=serialization_format,
        skops_trusted_types=trusted,
    )


def log_model(
    sk_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    serialization_format: str | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    pyfunc_predict_fn: str = "predict",
    metadata: dict[str, Any] | None = None,
    extra_files: list[str] | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
    name: str | None = None,
    skops_trusted_types: list[str] | None = None,
    **kwargs: Any,
) -> ModelInfo:
    """Log a scikit-learn model with the active run, or without one.

    Args:
        sk_model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        conda_env: see `save_model`.
        code_paths: see `save_model`.
        serialization_format: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_model`.
        extra_pip_requirements: see `save_model`.
        pyfunc_predict_fn: see `save_model`.
        metadata: see `save_model`.
        extra_files: see `save_model`.
        params: params of the logged model.
        tags: tags of the logged model.
        model_type: a free description of its kind.
        step: the run's step it belongs to.
        model_id: log into a logged model that exists.
        name: the name.
        skops_trusted_types: see `save_model`.
        kwargs: `run_id`, `prompts`, `resources` and `auth_policy` of `Model.log`.

    Returns:
        What was logged.
    """
    return Model.log(
        artifact_path,
        _SELF,
        name=name,
        sk_model=sk_model,
        conda_env=conda_env,
        code_paths=code_paths,
        serialization_format=serialization_format,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
        await_registration_for=await_registration_for,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        pyfunc_predict_fn=pyfunc_predict_fn,
        metadata=metadata,
        extra_files=extra_files,
        params=params,
        tags=tags,
        model_type=model_type,
        step=step,
        model_id=model_id,
        skops_trusted_types=skops_trusted_types,
        **kwargs,
    )


# ------------------------------------------------------------------- loading


def load_model(model_uri: str, dst_path: str | None = None) -> Any:
    """Load a scikit-learn model as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The estimator.

    Raises:
        MlflowException: there is no such model, or the loader refuses its format.
    """
    check_version(FLAVOR_NAME)
    path = local_model_folder(model_uri, dst_path)
    conf, file = model_file(path, FLAVOR_NAME, "pickled_model", PICKLE_FILE)
    return load_estimator(file, str(conf.get("serialization_format") or "pickle"))


def _load_pyfunc(path: str) -> _SklearnModelWrapper:
    # Old folders hand over the pickle itself as their data.
    if os.path.isfile(path):
        return _SklearnModelWrapper(load_estimator(path, SERIALIZATION_FORMAT_PICKLE))
    if not os.path.isfile(os.path.join(path, MLMODEL_FILE_NAME)):
        raise invalid(f"'{path}' is neither a model's folder nor its pickle.")
    return _SklearnModelWrapper(load_model(path))


class _SklearnModelWrapper:
    """An estimator as pyfunc calls it: its own methods, and itself."""

    def __init__(self, sklearn_model: Any) -> None:
        self.sklearn_model = sklearn_model

    def get_raw_model(self) -> Any:
        """Return the estimator."""
        return self.sklearn_model

    def __getattr__(self, name: str) -> Any:
        # What the estimator lacks must be missing here too.
        if name in self.__dict__ or name == "sklearn_model":
            raise AttributeError(name)
        return getattr(self.sklearn_model, name)


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
    max_tuning_runs: int | None = 5,
    log_post_training_metrics: bool = True,
    serialization_format: str = SERIALIZATION_FORMAT_CLOUDPICKLE,
    registered_model_name: str | None = None,
    pos_label: Any = None,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Log what scikit-learn trains, from now on.

    Args:
        log_input_examples: keep an example of the input with each model.
        log_model_signatures: keep a signature with each model.
        log_models: log models.
        log_datasets: log training data as dataset inputs.
        disable: switch it off.
        exclusive: log nothing into runs that the user started.
        disable_for_unsupported_versions: log nothing for versions that were not tested.
        silent: no warnings.
        max_tuning_runs: how many of a search's candidates get a run; None for all.
        log_post_training_metrics: log what functions of `sklearn.metrics` and `score` say of its
            predictions, with the run that trained it. Functions count that are looked up in
            `sklearn.metrics` after this call.
        serialization_format: how models are written.
        registered_model_name: register each model under this name.
        pos_label: the positive class of binary classifiers; weighted averages without it.
        extra_tags: tags of runs that are begun by it.
    """
    if disable:
        return
    if disable_for_unsupported_versions:
        require_tested(FLAVOR_NAME)
    autologging.enable(log_model)
