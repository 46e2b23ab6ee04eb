"""The spaCy flavor: saving, logging and loading pipelines as spaCy's folders."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from mlflow.exceptions import invalid, not_found
from mlflow.models.deserialize import require_code_allowed, unreadable
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import library_of
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import local_model_folder, model_path
from mlflow.version import VERSION

FLAVOR_NAME = "spacy"

_DATA_FOLDER = "model.spacy"
_COMPANIONS = ("numpy", "pandas")
_SELF = sys.modules[__name__]
_logger = logging.getLogger(__name__)


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned("spacy")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def save_model(
    spacy_model: Any,
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
    """Save a spaCy pipeline; pyfunc can predict with those that categorize texts.

    Args:
        spacy_model: a `spacy.language.Language`.
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
        MlflowException: it is no pipeline, or the folder is taken.
    """
    spacy = library_of(FLAVOR_NAME)
    if not isinstance(spacy_model, spacy.language.Language):
        raise invalid(f"A {type(spacy_model).__name__} is no pipeline of spaCy.")
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
    spacy_model.to_disk(folder.file(_DATA_FOLDER))
    parts = [part for _, part in spacy_model.pipeline]
    if any(isinstance(part, spacy.pipeline.TextCategorizer) for part in parts):
        wrapper = _SpacyModelWrapper(spacy_model)
        folder.add_loader("mlflow.spacy", wrapper.predict, data=_DATA_FOLDER)
    else:
        _logger.warning(
            "The pipeline has no TextCategorizer: mlflow.spacy.load_model can load it, and "
            "mlflow.pyfunc.load_model and `mlflow models` cannot."
        )
    folder.add_flavor(FLAVOR_NAME, spacy_version=installed_version("spacy"), data=_DATA_FOLDER)
    folder.finish(get_default_pip_requirements, companions=_COMPANIONS)


def log_model(
    spacy_model: Any,
    artifact_path: str | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
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
    """Log a spaCy pipeline with the active run, or without one.

    Args:
        spacy_model: see `save_model`.
        artifact_path: the name, as MLflow 2 called it.
        conda_env: see `save_model`.
        code_paths: see `save_model`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_model`.
        input_example: see `save_model`.
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
        spacy_model=spacy_model,
        conda_env=conda_env,
        code_paths=code_paths,
        registered_model_name=registered_model_name,
        signature=signature,
        input_example=input_example,
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
    """Load a spaCy pipeline as it was saved.

    Args:
        model_uri: a path or a URI.
        dst_path: a folder to copy it to; without it, local models are read where they lie.

    Returns:
        The pipeline.

    Raises:
        MlflowException: there is no such model, or it cannot be read, or the loader refuses code.
    """
    return _load(local_model_folder(model_uri, dst_path))


def _load(folder: str) -> Any:
    return _pipeline(model_path(folder, FLAVOR_NAME, "data", _DATA_FOLDER)[1])


def _pipeline(path: str) -> Any:
    # Its configuration names functions and packages, and spaCy imports and calls them.
    require_code_allowed("a spaCy pipeline", path)
    spacy = library_of(FLAVOR_NAME)
    if not os.path.isdir(path):
        raise not_found(f"The model's folder '{path}' is not there.")
    try:
        return spacy.load(path)
    except Exception as error:
        raise unreadable(path, error) from error


def _load_pyfunc(path: str) -> _SpacyModelWrapper:
    return _SpacyModelWrapper(_pipeline(path))


class _SpacyModelWrapper:
    """A pipeline that categorizes texts, as pyfunc calls it."""

    def __init__(self, spacy_model: Any) -> None:
        self.spacy_model = spacy_model

    def get_raw_model(self) -> Any:
        """Return the pipeline."""
        return self.spacy_model

    def predict(self, dataframe: Any) -> Any:
        """Return the categories of texts, with their scores.

        Args:
            dataframe: one column of texts.

        Raises:
            MlflowException: it has another number of columns.
        """
        import pandas as pd

        columns = list(getattr(dataframe, "columns", ()))
        if len(columns) != 1:
            raise invalid("Shape of input dataframe must be (n_rows, 1column)")
        texts = dataframe[columns[0]]
        return pd.DataFrame({"predictions": texts.apply(lambda text: self.spacy_model(text).cats)})
