"""State dictionaries of PyTorch: tensors by name, read without running any code."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from mlflow.exceptions import invalid
from mlflow.models.deserialize import unpickling, unreadable
from mlflow.models.flavors import library_of
from mlflow.models.source import local_model_folder
from mlflow.tracking.fluent import log_artifacts

STATE_FILE = "state_dict.pth"
_FLAVOR = "pytorch"


def save_state_dict(
    state_dict: dict[str, Any], path: str | os.PathLike[str], **kwargs: Any
) -> None:
    """Save a state dictionary.

    Args:
        state_dict: what a module's or an optimizer's `state_dict` returns.
        path: the folder to put it into.
        kwargs: arguments of `torch.save`.

    Raises:
        TypeError: it is no dictionary.
    """
    torch = library_of(_FLAVOR)
    if not isinstance(state_dict, dict):
        raise TypeError(
            f"Invalid object type for `state_dict`: {type(state_dict)}. Must be an instance of "
            "`dict`"
        )
    os.makedirs(path, exist_ok=True)
    torch.save(state_dict, os.path.join(path, STATE_FILE), **kwargs)


def log_state_dict(state_dict: dict[str, Any], artifact_path: str, **kwargs: Any) -> None:
    """Log a state dictionary with the active run.

    Args:
        state_dict: see `save_state_dict`.
        artifact_path: the folder among the run's artifacts.
        kwargs: arguments of `torch.save`.
    """
    with tempfile.TemporaryDirectory() as folder:
        save_state_dict(state_dict, folder, **kwargs)
        log_artifacts(folder, artifact_path)


def load_state_dict(state_dict_uri: str, **kwargs: Any) -> dict[str, Any]:
    """Load a state dictionary.

    Args:
        state_dict_uri: the folder it was saved or logged into.
        kwargs: arguments of `torch.load`. `weights_only=False`, which reads a pickle that holds
            more than tensors, needs a loader that permits pickles.

    Returns:
        The dictionary.

    Raises:
        MlflowException: there is none, or it holds more than tensors.
    """
    torch = library_of(_FLAVOR)
    path = os.path.join(local_model_folder(state_dict_uri), STATE_FILE)
    if kwargs.get("weights_only") is False:
        with unpickling(path):
            return dict(torch.load(path, **kwargs))
    try:
        found = torch.load(path, **{**kwargs, "weights_only": True})
    except Exception as error:
        raise unreadable(path, error) from error
    if not isinstance(found, dict):
        raise invalid(f"'{path}' holds a {type(found).__name__}, which is no state dictionary.")
    return found
