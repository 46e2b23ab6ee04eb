"""The statsmodels flavor: saving, logging and loading the results of fits, which are pickles."""

from __future__ import annotations

import os
import sys
from typing import Any

from mlflow.exceptions import invalid
from mlflow.models.deserialize import unpickling
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import FLAVORS, library_of, require_tested
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import folder_of_data, local_model_folder, model_file
from mlflow.statsmodels import autologging
from mlflow.tracking.autolog import autologging_integration
from mlflow.version import VERSION

FLAVOR_NAME = "statsmodels"
STATSMODELS_DATA_SUBPATH = FLAVORS[FLAVOR_NAME].data

# They decide how data reaches the model; their versions belong beside it.
_COMPANIONS = ("numpy", "pandas", "scipy")
_SELF = sys.modules[__name__]


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned("statsmodels")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    statsmodels_model: Any,
    path: str | os.PathLike[str],
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    remove_data: bool = False,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
    extra_files: list[str] | None = None,
) -> None:
    """Save a statsmodels model.

    Args:
        statsmodels_model: the results of a fit.
        path: the folder; new or empty.
        conda_env: its environment, instead of the inferred one.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        remove_data: leave the training data out, as `save` of statsmodels does.
        signature: its signature; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        metadata: what its author says of it.
        extra_files: further files to keep with it.

    Raises:
        MlflowException: it is no fitted model, or the folder is taken.
    """
    library_of(FLAVOR_NAME)
    if not callable(getattr(statsmodels_model, "save", None)):
        raise invalid(
            f"A {type(statsmodels_model).__name__} is no fitted model of statsmodels: it has no "
            "`save`. Give the results that `fit` returns."
        )
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
    statsmodels_model.save(folder.file(STATSMODELS_DATA_SUBPATH), remove_data)
    wrapper = _StatsmodelsModelWrapper(statsmodels_model)
    folder.add_loader("mlflow.statsmodels", wrapper.predict, data=STATSMODELS_DATA_SUBPATH)
    folder.add_flavor(
        FLAVOR_NAME,
        statsmodels_version=installed_version("statsmodels"),
        data=STATSMODELS_DATA_SUBPATH,
    )
    folder.finish(get_default_pip_requirements, companions=_COMPANIONS)


def log_model(
    statsmodels_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    registered_model_name: str | None = None,
    remove_data: bool = False,
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
    """Log a statsmodels model with the active run, or without one.

    Args:
        statsmodels_model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        conda_env: see `save_model`.
        code_paths: see `save_model`.
        registered_model_name: register it as the next version of this model.
        remove_data: see `save_model`.
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
        statsmodels_model=statsmodels_model,
        conda_env=conda_env,
        code_paths=code_paths,
        registered_model_name=registered_model_name,
        remove_data=remove_data,
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
    """Load a statsmodels model as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The results of the fit.

    Raises:
        MlflowException: there is no such model, or it cannot be read, or the loader refuses
            pickles.
    """
    return _load(local_model_folder(model_uri, dst_path))


def _load(folder: str) -> Any:
    _, path = model_file(folder, FLAVOR_NAME, "data", STATSMODELS_DATA_SUBPATH)
    # Its own reader knows where classes of older versions have gone.
    reader = library_of(FLAVOR_NAME, "statsmodels.iolib.smpickle")
    with unpickling(path):
        return reader.load_pickle(path)


def _load_pyfunc(path: str) -> _StatsmodelsModelWrapper:
    return _StatsmodelsModelWrapper(_load(folder_of_data(path)))


class _StatsmodelsModelWrapper:
    """The results of a fit as pyfunc calls them."""

    def __init__(self, statsmodels_model: Any) -> None:
        self.statsmodels_model = statsmodels_model

    def get_raw_model(self) -> Any:
        """Return the results of the fit."""
        return self.statsmodels_model

    def predict(self, dataframe: Any) -> Any:
        """Return predictions.

        Args:
            dataframe: rows of data; for a model of a time series, one row that says from `start`
                to `end`.

        Raises:
            MlflowException: the model is of a time series, and the data is no such row.
        """
        from statsmodels.tsa.base.tsa_model import TimeSeriesModel

        if not isinstance(getattr(self.statsmodels_model, "model", None), TimeSeriesModel):
            return self.statsmodels_model.predict(dataframe)
        names = getattr(dataframe, "columns", ())
        if "start" not in names or "end" not in names or len(dataframe) != 1:
            raise invalid(
                "prediction dataframes for a TimeSeriesModel must have exactly one row and include "
                "columns called start and end"
            )
        row = dataframe.iloc[0]
        return self.statsmodels_model.predict(start=row["start"], end=row["end"])


# ----------------------------------------------------------------- autologging


@autologging_integration(FLAVOR_NAME)
def autolog(
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: dict[str, str] | None = None,
) -> None:
    """Log what statsmodels fits, from now on.

    Args:
        log_models: log models.
        log_datasets: accepted as in MLflow, which logs none of statsmodels' either.
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
