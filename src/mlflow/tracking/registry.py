"""Fluent functions of the model registry."""

from __future__ import annotations

import sys

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.locate import locate, scheme_of
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.client_registry import DEFAULT_AWAIT_SECONDS
from mlflow.tracking.searching import all_pages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.entities.registry import ModelVersion, RegisteredModel


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: int | None = DEFAULT_AWAIT_SECONDS,
    *,
    tags: dict[str, Any] | None = None,
    env_pack: Any = None,
) -> ModelVersion:
    """Make a model the next version of a registered model, which is made if missing.

    Args:
        model_uri: `runs:/<run id>/<name>`, `models:/m-…`, a folder and so on.
        name: the registered model.
        await_registration_for: seconds to wait until it is ready; None or 0 not to wait.
        tags: tags of the version.
        env_pack: a later version.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    if env_pack is not None:
        raise MlflowException("env_pack is not in this version of Millstream.")
    client = MlflowClient()
    source, run_id, model_id = _source(client, model_uri)
    try:
        client.create_registered_model(name)
        _say(f"Successfully registered model '{name}'.")
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
            raise
        _say(f"Registered model '{name}' already exists. Creating a new version of this model...")
    version = client.create_model_version(
        name,
        source,
        run_id,
        tags=tags,
        await_creation_for=await_registration_for,
        model_id=model_id,
    )
    _say(f"Created version '{version.version}' of model '{name}'.")
    return version


def _source(client: MlflowClient, uri: str) -> tuple[str, str | None, str | None]:
    """Return (source, run id, logged model id) of the model at a URI, which must be there."""
    scheme = scheme_of(uri)
    if scheme not in ("runs", "models"):
        return uri, None, None
    place = locate(uri, client._store, client._registry)
    if scheme == "runs":
        # It names the folder of a model: a version of nothing would be found out when it is served.
        if not place.repository()._is_directory(str(place.path)):
            raise MlflowException(f"There is no model at '{uri}'.", "RESOURCE_DOES_NOT_EXIST")
        run_id = uri.partition(":/")[2].partition("/")[0]
    else:
        run_id = None
    if place.model_id is None:
        return place.uri, run_id, None
    model = client.get_logged_model(place.model_id)
    return f"models:/{place.model_id}", model.source_run_id, place.model_id


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def search_registered_models(
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[RegisteredModel]:
    """Return the registered models that match, by name by default.

    Args:
        max_results: at most so many; None for all.
        filter_string: such as `name LIKE 'wine%' AND tags.team = 'a'`.
        order_by: such as `["last_updated_timestamp DESC"]`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
    """
    client = MlflowClient()
    return all_pages(
        lambda size, token: client.search_registered_models(filter_string, size, order_by, token),
        max_results,
        100,
    )


def search_model_versions(
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[ModelVersion]:
    """Return the versions that match, by name and falling number by default.

    Args:
        max_results: at most so many; None for all.
        filter_string: such as `name = 'wine' AND run_id = '…'`.
        order_by: such as `["version_number ASC"]`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what cannot be read.
    """
    client = MlflowClient()
    return all_pages(
        lambda size, token: client.search_model_versions(filter_string, size, order_by, token),
        max_results,
        10_000,
    )


def set_model_version_tag(
    name: str, version: str | None = None, key: str | None = None, value: Any = None
) -> None:
    """Set a tag of a version of a registered model.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
    """
    MlflowClient().set_model_version_tag(name, version, key, value)
