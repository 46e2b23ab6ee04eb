"""The shap flavor: explanations logged to runs, and explainers saved as shap writes them."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import invalid
from mlflow.models.deserialize import unpickling
from mlflow.models.flavor import FlavorFolder
from mlflow.models.flavors import FLAVORS, library_of
from mlflow.models.folder import confined
from mlflow.models.info import ModelInfo
from mlflow.models.model import Model
from mlflow.models.packages import installed_version
from mlflow.models.requirements import conda_environment, pinned
from mlflow.models.source import local_model_folder, model_file
from mlflow.tracking.files import get_artifact_uri, log_artifacts
from mlflow.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

FLAVOR_NAME = "shap"

_EXPLANATION, _UNDERLYING = "model_explanations_shap", "underlying_model"
_FILE = FLAVORS[FLAVOR_NAME].data
_BACKGROUND = 100  # rows that stand for the data
# The flavor that saves the model which an explainer asks, where its function is `predict`.
_SAVED_BY = "sklearn"
_SELF = sys.modules[__name__]


def get_default_pip_requirements() -> list[str]:
    """Return what every model of this flavor needs."""
    return [pinned("shap")]


def get_default_conda_env() -> dict[str, Any]:
    """Return the conda environment of `get_default_pip_requirements`."""
    return conda_environment([f"mlflow=={VERSION}", *get_default_pip_requirements()])


def log_explanation(
    predict_function: Callable[..., Any], features: Any, artifact_path: str | None = None
) -> str:
    """Explain predictions with shap, and log the values and a figure to the active run.

    Args:
        predict_function: the function that predicts, such as the `predict` of an estimator.
        features: what is explained: a data frame or an array of rows.
        artifact_path: the folder in the run.

    Returns:
        The URI of the folder.

    Raises:
        MlflowException: shap is not installed.
    """
    import numpy as np

    shap = library_of(FLAVOR_NAME)
    pyplot = import_module("matplotlib.pyplot")
    folder = _EXPLANATION if artifact_path is None else artifact_path
    background = shap.kmeans(features, min(_BACKGROUND, len(features)))
    explainer = shap.KernelExplainer(predict_function, background)
    values = explainer.shap_values(features)
    with tempfile.TemporaryDirectory() as place:
        np.save(os.path.join(place, "base_values.npy"), explainer.expected_value)
        np.save(os.path.join(place, "shap_values.npy"), values)
        figure = pyplot.figure()
        try:
            shap.summary_plot(values, features, plot_type="bar", show=False)
            # shap draws several outputs on a figure of its own choice.
            pyplot.gcf().savefig(os.path.join(place, "summary_bar_plot.png"), bbox_inches="tight")
        finally:
            pyplot.close(pyplot.gcf())
            pyplot.close(figure)
        log_artifacts(place, folder)
    return get_artifact_uri(folder)


def save_explainer(
    explainer: Any,
    path: str | os.PathLike[str],
    serialize_model_using_mlflow: bool = True,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Save an explainer.

    Args:
        explainer: of shap.
        path: the folder; new or empty.
        serialize_model_using_mlflow: save the estimator that it asks in a format of its own.
        conda_env: its environment, instead of the inferred one.
        code_paths: sources it needs.
        mlflow_model: the model to describe.
        signature: its signature; inferred from the input example when None.
        input_example: an example of its input.
        pip_requirements: its requirements, instead of the inferred ones.
        extra_pip_requirements: requirements besides the inferred ones.
        metadata: what its author says of it.

    Raises:
        MlflowException: it is no explainer, shap is not installed, or the folder is taken.
    """
    shap = library_of(FLAVOR_NAME)
    if not isinstance(explainer, shap.Explainer):
        raise invalid(f"A {type(explainer).__name__} is no explainer of shap.")
    folder = FlavorFolder(
        path, mlflow_model, signature=signature, input_example=input_example, metadata=metadata,
        code_paths=code_paths, conda_env=conda_env, pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
    )  # fmt: skip
    estimator = _estimator_of(explainer) if serialize_model_using_mlflow else None
    if estimator is not None:
        flavor: str | None = _SAVED_BY
        saver: Any = import_module(FLAVORS[_SAVED_BY].module)
        saver.save_model(estimator, folder.file(_UNDERLYING), pip_requirements=[])
        serializers: dict[str, Any] = {"model_saver": False}
    else:
        flavor = "unknown" if serialize_model_using_mlflow else None
        serializers = {}
    with open(folder.file(_FILE), "wb") as file:
        explainer.save(file, **serializers)
    folder.add_loader(
        "mlflow.shap", _Explained(explainer).predict,
        model_path=_FILE, underlying_model_flavor=flavor,
    )  # fmt: skip
    folder.add_flavor(
        FLAVOR_NAME, shap_version=installed_version("shap"), serialized_explainer=_FILE,
        underlying_model_flavor=flavor,
    )  # fmt: skip
    folder.finish(get_default_pip_requirements, companions=("numpy", "pandas", "scikit-learn"))


def _estimator_of(explainer: Any) -> Any:
    """Return the estimator of scikit-learn whose `predict` an explainer asks; None for others."""
    function = getattr(explainer.model, "inner_model", None)
    estimator = getattr(function, "__self__", None)
    kind = type(estimator)
    is_sklearn = any(one.__module__ == "sklearn.base" for one in kind.__mro__)
    return estimator if is_sklearn and getattr(function, "__name__", "") == "predict" else None


# What `Model.log` calls.
save_model = save_explainer


def log_explainer(
    explainer: Any,
    artifact_path: str | None = None,
    serialize_model_using_mlflow: bool = True,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    registered_model_name: str | None = None,
    signature: Any = None,
    input_example: Any = None,
    await_registration_for: int | None = 300,
    pip_requirements: Any = None,
    extra_pip_requirements: Any = None,
    name: str | None = None,
    metadata: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    tags: dict[str, Any] | None = None,
    model_type: str | None = None,
    step: int = 0,
    model_id: str | None = None,
) -> ModelInfo:
    """Log an explainer with the active run, or without one.

    Args:
        explainer: see `save_explainer`.
        artifact_path: the name, as MLflow 2 called it.
        serialize_model_using_mlflow: see `save_explainer`.
        conda_env: see `save_explainer`.
        code_paths: see `save_explainer`.
        registered_model_name: register it as the next version of this model.
        signature: see `save_explainer`.
        input_example: see `save_explainer`.
        await_registration_for: seconds to wait for the version.
        pip_requirements: see `save_explainer`.
        extra_pip_requirements: see `save_explainer`.
        name: the name.
        metadata: see `save_explainer`.
        params: params of the logged model.
        tags: tags of the logged model.
        model_type: a free description of its kind.
        step: the run's step it belongs to.
        model_id: log into a logged model that exists.

    Returns:
        What was logged.
    """
    return Model.log(
        artifact_path, _SELF, explainer=explainer,
        serialize_model_using_mlflow=serialize_model_using_mlflow,
        conda_env=conda_env, code_paths=code_paths, registered_model_name=registered_model_name,
        signature=signature, input_example=input_example,
        await_registration_for=await_registration_for, pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements, name=name, metadata=metadata,
        params=params, tags=tags, model_type=model_type, step=step, model_id=model_id,
    )  # fmt: skip


def load_explainer(model_uri: str) -> Any:
    """Load an explainer as it was saved.

    Args:
        model_uri: a path or a URI.

    Returns:
        The explainer of shap.

    Raises:
        MlflowException: there is no such explainer, it cannot be read, or the loader refuses
            pickles.
    """
    return _load(local_model_folder(model_uri))


def _load(folder: str) -> Any:
    conf, path = model_file(folder, FLAVOR_NAME, "serialized_explainer", _FILE)
    shap = library_of(FLAVOR_NAME)
    flavor = conf.get("underlying_model_flavor")
    loaders: dict[str, Any] = {}
    if flavor not in (None, "unknown"):
        if flavor not in FLAVORS or not FLAVORS[flavor].ready:
            raise invalid(
                f"The explainer asks a model of the flavor {flavor!r}, which is not here."
            )
        place = confined(folder, _UNDERLYING, "The model that the explainer asks")
        model = import_module(FLAVORS[flavor].module).load_model(place)
        loaders["model_loader"] = lambda file: model.predict
    with unpickling(path), open(path, "rb") as file:
        return shap.Explainer.load(file, **loaders)


def _load_pyfunc(path: str) -> _Explained:
    return _Explained(_load(path))


class _Explained:
    """An explainer as pyfunc calls it."""

    def __init__(self, explainer: Any) -> None:
        self._explainer = explainer

    def get_raw_model(self) -> Any:
        """Return the explainer."""
        return self._explainer

    def predict(self, dataframe: Any) -> Any:
        """Return how far each feature moves the prediction of each row.

        Args:
            dataframe: rows of features.
        """
        return self._explainer(dataframe).values
