"""What is evaluated: a model by its URI, a loaded one, a function; and what it predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlflow._later import later_error
from mlflow.exceptions import invalid
from mlflow.pyfunc.load import load_model
from mlflow.pyfunc.loaded import PyFuncModel

if TYPE_CHECKING:
    from collections.abc import Callable

_ENV_MANAGERS = ("local", "conda", "virtualenv", "uv")
# Flavors whose estimators score themselves and predict probabilities as scikit-learn's do.
_LIKE_SKLEARN = ("mlflow.sklearn", "mlflow.xgboost")


class FunctionModel:
    """A function that predicts, as a model.

    Args:
        function: takes a data frame of features.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Return what the function predicts."""
        del params
        return self._function(data)


def subject(model: Any, env_manager: str, model_config: dict[str, Any] | None) -> Any:
    """Return what predicts, with one method `predict`; None for none.

    Args:
        model: a URI, a loaded model, a function or None.
        env_manager: where the model runs; here only in this process.
        model_config: values that replace those of a saved configuration.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is something else; NOT_IMPLEMENTED: another
            environment, or an endpoint.
    """
    if env_manager not in _ENV_MANAGERS:
        raise invalid(
            f"Invalid value for `env_manager`: {env_manager}. Must be one of {list(_ENV_MANAGERS)}"
        )
    if isinstance(model, str):
        if model.startswith("endpoints:/"):
            raise later_error("mlflow.evaluate of an endpoint")
        if env_manager != "local":
            raise later_error(f"mlflow.evaluate with env_manager='{env_manager}'")
        return load_model(model, model_config=model_config)
    if env_manager != "local":
        raise invalid(
            f"The model argument must be a string URI referring to an MLflow model when a "
            f"non-local env_manager is specified, not {type(model).__name__}."
        )
    if model is None or isinstance(model, PyFuncModel):
        return model
    if callable(model) and not hasattr(model, "predict"):
        return FunctionModel(model)
    raise invalid(
        "The model argument must be a string URI referring to an MLflow model, an instance of "
        "`mlflow.pyfunc.PyFuncModel`, a function, or None, not "
        f"{type(model).__name__}. The `predict` of an object is a function."
    )


def estimator_of(model: Any) -> Any:
    """Return the estimator inside a model if it is one like scikit-learn's, else None."""
    if not isinstance(model, PyFuncModel) or model.loader_module not in _LIKE_SKLEARN:
        return None
    try:
        return model.get_raw_model()
    except NotImplementedError:
        return None


def split_output(output: Any, column: str | None) -> tuple[Any, Any, str]:
    """Return predictions, the other columns of a model's output, and the predictions' name.

    Args:
        output: what the model gave.
        column: which of several columns are the predictions.

    Returns:
        A series; a data frame, or None; a name.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: there are several columns, and none is named or
            the named one is not there.
    """
    import numpy as np
    import pandas as pd

    if (isinstance(output, list) and output and isinstance(output[0], dict)) or isinstance(
        output, dict
    ):
        output = pd.DataFrame(output)
    elif isinstance(output, np.ndarray) and output.ndim == 2:
        output = output[:, 0] if output.shape[1] == 1 else pd.DataFrame(output)
    if not isinstance(output, pd.DataFrame):
        values = output if isinstance(output, pd.Series) else pd.Series(output)
        return values.reset_index(drop=True), None, column or "outputs"
    output = output.reset_index(drop=True)
    if column is None:
        if len(output.columns) > 1:
            raise invalid(
                "Output column name is not specified for the multi-output model. Please set the "
                "correct output column name using the `predictions` parameter."
            )
        column = output.columns[0]
    elif column not in output.columns:
        raise invalid(
            f"Output column name '{column}' is not found in the model predictions dataframe "
            f"{output.columns}. Please set the correct output column name using the `predictions` "
            "parameter."
        )
    rest = output.drop(columns=column)
    return output[column], rest if len(rest.columns) else None, str(column)
