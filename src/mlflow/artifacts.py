"""Finds, downloads and reads artifacts by URI, wherever they are."""

from __future__ import annotations

import os
from io import BytesIO

from mlflow.exceptions import BAD_REQUEST, MlflowException, invalid
from mlflow.store.artifact.locate import join_uri, locate
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.tracking.active import registry_store, resolve_tracking_uri, tracking_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.entities.artifacts import FileInfo
    from mlflow.store.artifact.locate import Place


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | None = None,
    tracking_uri: str | None = None,
    registry_uri: str | None = None,
) -> str:
    """Return the local path of a file or folder.

    Args:
        artifact_uri: a path, `file:…`, `runs:/…`, `models:/…` and so on; or else
        run_id: a run.
        artifact_path: below the run's artifacts (or below the URI).
        dst_path: a local folder to copy it into, made if need be. Without one, local artifacts are
            returned in place and others copied to a temporary folder.
        tracking_uri: where the run is; the current tracking URI when absent.
        registry_uri: where the registered model is.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    place = _place(artifact_uri, run_id, artifact_path, tracking_uri, registry_uri)
    if dst_path is not None:
        dst_path = os.fspath(dst_path)
    # What was asked for keeps its last name only, as in MLflow 3: the folder it is in is the root.
    root = join_uri(place.root, str(place.path.parent))
    parent = type(place)(root, ArtifactPath(()), None, place.server)
    return parent.repository().download_artifacts(place.path.name, dst_path)


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """Return the files and folders directly in a folder.

    Args:
        artifact_uri: a path, `file:…`, `runs:/…`, `models:/…` and so on; or else
        run_id: a run.
        artifact_path: below the run's artifacts (or below the URI).
        tracking_uri: where the run is; the current tracking URI when absent.

    Returns:
        Entries by name, with paths relative to the root of the run's or model's artifacts.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    place = _place(artifact_uri, run_id, artifact_path, tracking_uri, None)
    return place.repository().list_artifacts(str(place.path) or None)


def _place(
    artifact_uri: str | None,
    run_id: str | None,
    artifact_path: str | None,
    tracking_uri: str | None,
    registry_uri: str | None,
) -> Place:
    if (artifact_uri is None) == (run_id is None):
        raise invalid("Exactly one of `run_id` or `artifact_uri` must be specified")
    uri = f"runs:/{run_id}" if artifact_uri is None else os.fspath(artifact_uri)
    if artifact_path:
        uri = f"{uri.rstrip('/')}/{artifact_path}"
    store = tracking_store(resolve_tracking_uri(tracking_uri))
    return locate(uri, store, registry_store(registry_uri or tracking_uri))


def _read(artifact_uri: str) -> bytes:
    path = download_artifacts(artifact_uri)
    if os.path.isdir(path):
        raise invalid(f"'{artifact_uri}' is a folder; name a file in it.")
    with open(path, "rb") as file:
        return file.read()


def load_text(artifact_uri: str) -> str:
    """Return the content of an artifact as text.

    Raises:
        MlflowException: BAD_REQUEST: it is no UTF-8 text; RESOURCE_DOES_NOT_EXIST.
    """
    try:
        return _read(artifact_uri).decode()
    except UnicodeDecodeError as error:
        raise MlflowException(
            f"Artifact '{artifact_uri}' is not valid UTF-8. To read a file in another encoding, "
            "download it with `mlflow.artifacts.download_artifacts` and open it with the correct "
            "`encoding`.",
            BAD_REQUEST,
        ) from error


def load_dict(artifact_uri: str) -> Any:
    """Return the content of a JSON artifact.

    Raises:
        MlflowException: BAD_REQUEST: it is no JSON; RESOURCE_DOES_NOT_EXIST.
    """
    import json

    try:
        return json.loads(_read(artifact_uri))
    except ValueError as error:
        msg = "Unable to form a JSON object from file content"
        raise MlflowException(msg, BAD_REQUEST) from error


def load_image(artifact_uri: str) -> Any:
    """Return an artifact as a PIL image.

    Raises:
        MlflowException: BAD_REQUEST: it is no image; RESOURCE_DOES_NOT_EXIST.
    """
    from PIL import Image

    data = _read(artifact_uri)
    try:
        return Image.open(BytesIO(data))
    except OSError as error:
        msg = "Unable to form a PIL Image object from file content"
        raise MlflowException(msg, BAD_REQUEST) from error


# ----------------------------------------------------------- names that integrations import


def _download_artifact_from_uri(
    artifact_uri: str,
    output_path: str | None = None,
    lineage_header_info: Any = None,
    tracking_uri: str | None = None,
    registry_uri: str | None = None,
) -> str:
    """Return the local path of a file or folder; see `download_artifacts`."""
    return download_artifacts(
        artifact_uri, dst_path=output_path, tracking_uri=tracking_uri, registry_uri=registry_uri
    )


def get_artifact_uri(
    run_id: str, artifact_path: str | None = None, tracking_uri: str | None = None
) -> str:
    """Return the URI of a run's artifacts, or of a path below.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE.
    """
    run = tracking_store(resolve_tracking_uri(tracking_uri)).get_run(run_id)
    return join_uri(run.info.artifact_uri or "", artifact_path)
