"""Estimators in files: skops where their types are known to be safe, pickles where they are not."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.deserialize import dump_pickle, dump_skops, load_pickle, load_skops
from mlflow.models.packages import installed_version

if TYPE_CHECKING:
    from mlflow.models.flavor import FlavorFolder

SERIALIZATION_FORMAT_PICKLE = "pickle"
SERIALIZATION_FORMAT_CLOUDPICKLE = "cloudpickle"
SERIALIZATION_FORMAT_SKOPS = "skops"
SUPPORTED_SERIALIZATION_FORMATS = [
    SERIALIZATION_FORMAT_SKOPS,
    SERIALIZATION_FORMAT_PICKLE,
    SERIALIZATION_FORMAT_CLOUDPICKLE,
]
PICKLE_FILE = "model.pkl"
SKOPS_FILE = "model.skops"

_logger = logging.getLogger(__name__)


def check_format(serialization_format: str | None) -> None:
    """Raise unless it is a format that estimators are written in, or None."""
    if serialization_format not in (None, *SUPPORTED_SERIALIZATION_FORMATS):
        raise invalid(
            f"Unrecognized serialization format: {serialization_format}. Please specify one of "
            f"the following supported formats: {SUPPORTED_SERIALIZATION_FORMATS}."
        )


def load_estimator(path: str, serialization_format: str) -> Any:
    """Load an estimator from a file.

    Raises:
        MlflowException: the format is unknown, or the loader refuses it.
    """
    check_format(serialization_format)
    if serialization_format == SERIALIZATION_FORMAT_SKOPS:
        return load_skops(path)
    return load_pickle(path, serialization_format)


def write_estimator(
    estimator: Any, folder: FlavorFolder, wanted: str | None, trusted: list[str] | None
) -> tuple[str, str]:
    """Write an estimator into a model's folder.

    Args:
        estimator: the estimator.
        folder: the folder.
        wanted: the format; without it, skops when all its types are known to be safe, and
            cloudpickle, with a warning, when not.
        trusted: types that its author vouches for in a skops file.

    Returns:
        The name of the file, and the format.

    Raises:
        MlflowException: it cannot be written in the format asked for.
    """
    chosen = wanted
    if wanted in (None, SERIALIZATION_FORMAT_SKOPS):
        chosen = _write_skops(estimator, folder.file(SKOPS_FILE), wanted, trusted)
    if chosen == SERIALIZATION_FORMAT_SKOPS:
        return SKOPS_FILE, chosen
    chosen = chosen or SERIALIZATION_FORMAT_CLOUDPICKLE
    try:
        dump_pickle(estimator, folder.file(PICKLE_FILE), chosen)
    except MlflowException:
        raise
    except Exception as error:
        raise MlflowException(
            f"The model cannot be written with {chosen}: {type(error).__name__}: {error}"
        ) from error
    return PICKLE_FILE, chosen


def _write_skops(
    estimator: Any, path: str, wanted: str | None, trusted: list[str] | None
) -> str | None:
    if wanted is None and installed_version("skops") is None:
        return None
    try:
        unknown = dump_skops(estimator, path, trusted)
        if not unknown:
            return SERIALIZATION_FORMAT_SKOPS
        reason = f"it holds types that skops does not know to be safe: {unknown}"
    except Exception as error:
        if wanted is not None:
            raise MlflowException(f"The model cannot be written with skops: {error}") from error
        reason = f"skops cannot write it ({type(error).__name__}: {error})"
    if os.path.exists(path):
        os.remove(path)
    if wanted is not None:
        raise invalid(
            "The saved sklearn model references untrusted types. If you are sure loading these "
            "types is safe, set the 'skops_trusted_types' parameter when calling 'log_model' or "
            f"'save_model' to the list of trusted types. Root error: {reason}"
        )
    _logger.warning(
        "The model is written with cloudpickle, because %s. Name them in `skops_trusted_types` to "
        "write it with skops, or give `serialization_format` to choose without this warning.",
        reason,
    )
    return None
