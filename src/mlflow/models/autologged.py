"""What the integrations of automatic logging share: options, points, datasets, examples, models."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import mlflow.data as datasets
from mlflow.entities.run import Metric, Param
from mlflow.models.signature import infer_signature
from mlflow.tracking.autolog import get_autologging_config
from mlflow.tracking.values import as_dataset_input

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlflow.tracking.client import MlflowClient

_EXAMPLE_ROWS = 5
# A value of a param longer than this is cut by the store; describing it is not worth the time.
_MAX_PARAM_CHARACTERS = 6000

_logger = logging.getLogger("mlflow.utils.autologging_utils")


class part:  # noqa: N801 - reads as a statement
    """A part of what is logged; one that fails leaves the others.

    Args:
        flavor: the integration.
        what: the part, as the warning calls it.
    """

    def __init__(self, flavor: str, what: str) -> None:
        self._flavor = flavor
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        silent = get_autologging_config(self._flavor, "silent", False)
        _logger.log(
            logging.DEBUG if silent else logging.WARNING,
            "Autologging of %s left out %s: %s: %s",
            self._flavor,
            self._what,
            type(error).__name__,
            # Libraries in C++ add pages of their stack.
            str(error).partition("\n")[0],
        )
        _logger.debug("The reason:", exc_info=error)
        return True


def is_wanted(flavor: str, option: str, default: bool = True) -> bool:
    """Tell whether an integration was enabled with an option.

    Args:
        flavor: the integration.
        option: its argument.
        default: what counts when it has no such argument.
    """
    return bool(get_autologging_config(flavor, option, default))


# ---------------------------------------------------------------- params, points


def log_new_params(client: MlflowClient, run_id: str, params: Mapping[str, Any]) -> None:
    """Log params that a run has not got yet.

    A second training in one run cannot change what the first has logged; it adds what is new.

    Args:
        client: where the run is.
        run_id: the run.
        params: name → value.
    """
    known = client.get_run(run_id).data.params
    client.log_batch(
        run_id,
        params=[Param(key, value) for key, value in as_text(params).items() if key not in known],
    )


def as_text(params: Mapping[str, Any]) -> dict[str, str]:
    """Return params as a run keeps them."""
    return {str(key): str(value)[:_MAX_PARAM_CHARACTERS] for key, value in params.items()}


def points(
    values: Mapping[str, float],
    model_id: str | None = None,
    dataset: Any = None,
    step: int = 0,
) -> list[Metric]:
    """Return one point of this moment for each value.

    Args:
        values: name → value.
        model_id: the logged model that they describe.
        dataset: what they were measured on.
        step: the step of all of them.
    """
    now = int(time.time() * 1000)
    measured = (dataset.name, dataset.digest) if dataset is not None else (None, None)
    return [Metric(key, value, now, step, model_id, *measured) for key, value in values.items()]


# -------------------------------------------------------------------------- data


def log_dataset(
    client: MlflowClient, run_id: str, X: Any, y: Any, context: str, name: str | None = None
) -> Any:
    """Note that a run used a frame or an array; return the dataset, or None for other things.

    Args:
        client: where the run is.
        run_id: the run.
        X: the features.
        y: the targets, or None.
        context: what they were used for.
        name: its name; `dataset` when absent.
    """
    dataset: Any = None
    if hasattr(X, "columns") and hasattr(X, "iloc"):
        dataset = datasets.from_pandas(X, name=name)
    elif hasattr(X, "dtype") and hasattr(X, "shape") and not hasattr(X, "tocsr"):
        targets = y if hasattr(y, "dtype") else None
        dataset = datasets.from_numpy(features=X, targets=targets, name=name)
    if dataset is not None:
        client.log_inputs(run_id, [as_dataset_input(dataset, context)])
    return dataset


def first_rows(X: Any) -> Any:
    """Return a copy of the first rows of some data; None where it has none that can be taken."""
    if hasattr(X, "iloc"):
        return X.iloc[:_EXAMPLE_ROWS].copy()
    if hasattr(X, "dtype") and getattr(X, "shape", None):
        return X[:_EXAMPLE_ROWS].copy()
    return list(X[:_EXAMPLE_ROWS]) if isinstance(X, list) else None


# ------------------------------------------------------------------------- models


def log_trained(
    flavor: str,
    log_model: Callable[..., Any],
    model: Any,
    predict: Callable[[Any], Any] | None,
    example: Any,
    *,
    name: str = "model",
    registered: bool = True,
    **arguments: Any,
) -> str:
    """Log a model with the signature, the example and the registration that were asked for.

    Args:
        flavor: the integration.
        log_model: the flavor's function.
        model: the model.
        predict: gives what the model makes of an example; None when it makes nothing.
        example: rows like those it was trained on; None when there are none.
        name: the model's name.
        registered: whether `registered_model_name` is about this model.
        arguments: further ones of `log_model`.

    Returns:
        The id of the logged model.
    """
    signature = None
    if example is not None and is_wanted(flavor, "log_model_signatures"):
        with part(flavor, "the signature"):
            signature = infer_signature(example, predict(example) if predict else None)
    info = log_model(
        model,
        name=name,
        signature=signature,
        input_example=example if is_wanted(flavor, "log_input_examples", False) else None,
        registered_model_name=(
            get_autologging_config(flavor, "registered_model_name") if registered else None
        ),
        **arguments,
    )
    return str(info.model_id)
