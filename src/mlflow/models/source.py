"""Where a model's folder is on this machine: plain paths at once, other URIs by downloading."""

from __future__ import annotations

import os
from typing import Any

from mlflow.artifacts import download_artifacts
from mlflow.exceptions import not_found
from mlflow.models.deserialize import code_allowed
from mlflow.models.folder import add_code_path, confined, flavor_configuration


def local_model_folder(
    model_uri: str | os.PathLike[str], dst_path: str | None = None, only: str | None = None
) -> str:
    """Return the local folder (or one file of it) of a model.

    Args:
        model_uri: a path, or a URI of any scheme.
        dst_path: a folder to copy it to; without it, local models are used where they lie.
        only: one file of the folder is enough.

    Returns:
        The path.

    Raises:
        MlflowException: there is nothing.
    """
    uri = os.fspath(model_uri)
    scheme = uri.split(":", 1)[0] if ":" in uri else ""
    # One letter before a colon is a drive.
    if len(scheme) < 2 and dst_path is None:
        path = os.path.join(uri, only) if only and os.path.isdir(uri) else uri
        if not os.path.exists(path):
            raise not_found(f"No such artifact: '{uri}'")
        return path
    if only is not None:
        uri = uri.rstrip("/") + "/" + only
    return str(download_artifacts(artifact_uri=uri, dst_path=dst_path))


def model_path(path: str, flavor: str, key: str, default: str) -> tuple[dict[str, Any], str]:
    """Return what a folder's MLmodel says of a flavor, and where its model lies.

    The code that came with the model can be imported from then on, where the loader permits that.

    Args:
        path: the folder.
        flavor: the flavor.
        key: where its configuration names the file or the folder.
        default: what it is when none is named.

    Raises:
        MlflowException: there is no such flavor, or it names something outside of the folder.
    """
    conf = flavor_configuration(path, flavor)
    if conf.get("code") and code_allowed():
        add_code_path(confined(path, conf["code"], "The code folder"))
    return conf, confined(path, conf.get(key) or default, "The model file")


def model_file(path: str, flavor: str, key: str, default: str) -> tuple[dict[str, Any], str]:
    """Return what `model_path` does, for a model that is one file.

    Raises:
        MlflowException: as `model_path`, or there is no such file.
    """
    conf, file = model_path(path, flavor, key, default)
    if not os.path.isfile(file):
        raise not_found(f"The model's file '{file}' is not there, or is no plain file.")
    return conf, file


def folder_of_data(path: str) -> str:
    """Return the folder of a model whose `_load_pyfunc` is given this path.

    Args:
        path: the file that the MLmodel names as its data; of old folders, the folder itself.
    """
    return path if os.path.isdir(path) else os.path.dirname(path)
