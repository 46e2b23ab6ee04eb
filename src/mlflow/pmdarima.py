"""The pmdarima flavor: saving, logging and loading ARIMA models, which are pickles."""

from __future__ import annotations

import numbers
import os
import sys
from typing import Any

from mlflow.exceptions import invalid
from mlflow.models.deserialize import dump_pickle, load_pickle
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import FLAVORS, library_of
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import folder_of_data, local_model_folder, model_file
from mlflow.version import VERSION

FLAVOR_NAME = "pmdarima"

_DATA_FILE = FLAVORS[FLAVOR_NAME].data
# They decide how the model predicts; their versions belong beside it.
_COMPANIONS = ("numpy", "pandas", "scipy", "sklearn", "statsmodels")
_SELF = sys.modules[__name__]


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned("pmdarima")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    pmdarima_model: Any,
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
) -> None:
    """Save a pmdarima model.

    Args:
        pmdarima_model: a fitted ARIMA, or a pipeline that ends in one.
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

    Raises:
        MlflowException: it is no model of pmdarima, or the folder is taken.
    """
    library_of(FLAVOR_NAME)
    kinds = {base.__module__.partition(".")[0] for base in type(pmdarima_model).__mro__}
    if FLAVOR_NAME not in kinds:
        raise invalid(f"A {type(pmdarima_model).__name__} is no model of pmdarima.")
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
    dump_pickle(pmdarima_model, folder.file(_DATA_FILE), "pickle")
    wrapper = _PmdarimaModelWrapper(pmdarima_model)
    folder.add_loader("mlflow.pmdarima", wrapper.predict, data=_DATA_FILE)
    folder.add_flavor(
        FLAVOR_NAME,
        pmdarima_version=installed_version("pmdarima"),
        data=_DATA_FILE,
        model_type=type(pmdarima_model).__name__,
    )
    folder.finish(get_default_pip_requirements, companions=_COMPANIONS)


def log_model(
    pmdarima_model: Any,
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
    """Log a pmdarima model with the active run, or without one.

    Args:
        pmdarima_model: see `save_model`.
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
        pmdarima_model=pmdarima_model,
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
    """Load a pmdarima model as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The model.

    Raises:
        MlflowException: there is no such model, or it cannot be read, or the loader refuses
            pickles.
    """
    return _load(local_model_folder(model_uri, dst_path))


def _load(folder: str) -> Any:
    library_of(FLAVOR_NAME)
    return load_pickle(model_file(folder, FLAVOR_NAME, "data", _DATA_FILE)[1])


def _load_pyfunc(path: str) -> _PmdarimaModelWrapper:
    return _PmdarimaModelWrapper(_load(folder_of_data(path)))


class _PmdarimaModelWrapper:
    """An ARIMA model as pyfunc calls it."""

    def __init__(self, pmdarima_model: Any) -> None:
        self.pmdarima_model = pmdarima_model

    def get_raw_model(self) -> Any:
        """Return the model."""
        return self.pmdarima_model

    def predict(self, dataframe: Any) -> Any:
        """Return a forecast.

        Args:
            dataframe: one row that says `n_periods`, and may say `X`, `return_conf_int` and
                `alpha`, the arguments of pmdarima's own `predict`.

        Returns:
            A DataFrame of `yhat` and, where they are asked for, `yhat_lower` and `yhat_upper`.

        Raises:
            MlflowException: it is no such row.
        """
        import pandas as pd

        columns = list(getattr(dataframe, "columns", ()))
        if "n_periods" not in columns:
            raise invalid(
                f"The provided prediction configuration pd.DataFrame columns ({columns}) do not "
                "contain the required column `n_periods` for specifying future prediction periods "
                "to generate."
            )
        if len(dataframe) != 1:
            raise invalid(
                f"The provided prediction pd.DataFrame contains {len(dataframe)} rows. Only 1 row "
                "should be supplied."
            )
        row = {name: dataframe[name].iloc[0] for name in columns}
        periods = row["n_periods"]
        if not isinstance(periods, numbers.Integral):
            raise invalid(
                f"The provided `n_periods` value {periods} must be an integer. "
                f"provided type: {type(periods)}"
            )
        alpha = row.get("alpha", 0.05)
        if not isinstance(alpha, numbers.Real):
            raise invalid(f"`alpha` must be a number, not {alpha!r}.")
        arguments = {"n_periods": int(periods), "X": row.get("X"), "alpha": alpha}
        if not row.get("return_conf_int", False):
            return pd.DataFrame({"yhat": self._forecast(arguments)})
        forecast, bounds = self._forecast({**arguments, "return_conf_int": True})
        return pd.DataFrame(
            {"yhat": forecast, "yhat_lower": bounds[:, 0], "yhat_upper": bounds[:, 1]}
        )

    def _forecast(self, arguments: dict[str, Any]) -> Any:
        return self.pmdarima_model.predict(**arguments)
