"""From the URI of artifacts to the place that keeps them: entry points, then a table of schemes."""

from __future__ import annotations

from importlib import import_module

from mlflow import _plugins
from mlflow.exceptions import MlflowException, invalid, not_found, without_password
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.uris import (
    ModelsUri,
    is_local,
    join_uri,
    local_path_of,
    parse_models_uri,
    parse_runs_uri,
    scheme_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.store.artifact.artifact_repo import ArtifactRepository
    from mlflow.store.artifact.tree import Tree
    from mlflow.store.base import AbstractStore

__all__ = [
    "ModelsUri",
    "artifact_repository",
    "is_local",
    "join_uri",
    "local_path_of",
    "locate",
    "parse_models_uri",
    "parse_runs_uri",
    "scheme_of",
    "source_of",
    "tree_of",
]

# Scheme → where its class is.
_OBJECTS = "mlflow.store.artifact.remote:ObjectArtifactRepository"
_FILES = "mlflow.store.artifact.remote:FilesystemArtifactRepository"
SCHEMES = {
    "": "mlflow.store.artifact.local:LocalArtifactRepository",
    "file": "mlflow.store.artifact.local:LocalArtifactRepository",
    "http": "mlflow.store.artifact.http:HttpArtifactRepository",
    "https": "mlflow.store.artifact.http:HttpArtifactRepository",
    "mlflow-artifacts": "mlflow.store.artifact.http:HttpArtifactRepository",
    **dict.fromkeys(("s3", "r2", "b2", "gs", "wasb", "wasbs", "abfs", "abfss"), _OBJECTS),
    **dict.fromkeys(("ftp", "hdfs", "sftp"), _FILES),
}

# Schemes of MLflow that later versions fill, with what they will need.
LATER = {
    "dbfs": "Databricks",
    "viewfs": "a client of Hadoop's federated file systems",
}

PLUGINS = "mlflow.artifact_repository"


def artifact_repository(
    uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> ArtifactRepository:
    """Return the place that keeps the artifacts below a URI of storage.

    Args:
        uri: a path, `file:…`, or another scheme of the table or of a plug-in; an installed plug-in
            wins over the table, as in MLflow.
        tracking_uri: for places that ask a tracking server.
        registry_uri: for places that ask a model registry.

    Raises:
        MlflowException: the scheme is not known, or is of a later version.
    """
    scheme = scheme_of(uri)
    plugin = _plugin(scheme, uri, tracking_uri, registry_uri)
    if plugin is not None:
        return plugin
    home = SCHEMES.get(scheme)
    if home is not None:
        module, _, name = home.partition(":")
        made: ArtifactRepository = getattr(import_module(module), name)(
            uri, tracking_uri, registry_uri
        )
        return made
    if scheme in LATER:
        raise MlflowException(
            f"Artifacts at {scheme}: are not in this version of Millstream ({LATER[scheme]} will "
            f"be needed): {without_password(uri)}"
        )
    known = sorted({*SCHEMES, "runs", "models"})
    raise MlflowException(
        f"Could not find a registered artifact repository for: {without_password(uri)}. "
        f"Currently registered schemes are: {known}"
    )


def tree_of(uri: str) -> Tree:
    """Return the tree of files below a URI of storage, for a server that passes it on.

    Args:
        uri: a path, `file:…`, or the URI of a place that is not another server.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no such place.
    """
    if is_local(uri):
        made: Tree = import_module("mlflow.store.artifact.root").Root(local_path_of(uri))
        return made
    if SCHEMES.get(scheme_of(uri)) not in (_OBJECTS, _FILES):
        raise invalid(f"A server cannot keep artifacts at '{without_password(uri)}'.")
    repository: Any = artifact_repository(uri)
    tree: Tree = repository.tree
    return tree


def _plugin(
    scheme: str, uri: str, tracking_uri: str | None, registry_uri: str | None
) -> ArtifactRepository | None:
    """Return the place of an installed plug-in for the scheme, or None."""
    made = _plugins.offered(PLUGINS, scheme) if scheme else None
    if made is None:
        return None
    try:
        return made(uri, tracking_uri, registry_uri)  # type: ignore[no-any-return]
    except TypeError:
        return made(uri)  # type: ignore[no-any-return]


def has_plugin(scheme: str) -> bool:
    """Tell whether an installed plug-in offers a scheme."""
    return any(name.lower() == scheme for name, _ in _plugins.entry_points(PLUGINS))


class Place:
    """Where an artifact is.

    Args:
        root: the URI of the root that keeps it.
        path: the file or folder below that root.
        model_id: the logged model that it is (or is in), where that is known.
        server: the tracking server whose record says so.
    """

    def __init__(
        self,
        root: str,
        path: ArtifactPath,
        model_id: str | None = None,
        server: str | None = None,
    ) -> None:
        self.root = root
        self.path = path
        self.model_id = model_id
        self.server = server

    @property
    def uri(self) -> str:
        """The URI of the file or folder itself."""
        return join_uri(self.root, str(self.path))

    def repository(self) -> ArtifactRepository:
        """Return the place that keeps the root."""
        return artifact_repository(self.root, self.server)


def locate(uri: str, store: AbstractStore, registry: AbstractStore) -> Place:
    """Find where the artifact of any URI is.

    Args:
        uri: a path, `file:…`, `runs:/…`, `models:/…`, or a URI of storage.
        store: looks up runs and logged models.
        registry: looks up registered models.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a URI that is none or leads elsewhere;
            RESOURCE_DOES_NOT_EXIST.
    """
    scheme = scheme_of(uri)
    if scheme == "runs":
        return _of_run(uri, store)
    if scheme == "models":
        return _of_model(parse_models_uri(uri), store, registry, 0)
    if scheme in ("", "file"):
        # A root of its own: the last name is looked up below the folder that holds it.
        path = local_path_of(uri)
        folder, _, name = path.replace("\\", "/").rpartition("/") if _nt() else path.rpartition("/")
        return Place(folder or "/", ArtifactPath((name,) if name else ()))
    if "?" in uri or "#" in uri or {"..", "."} & {*uri.split("/")}:
        shown = without_password(uri)
        raise invalid(f"{shown!r} has a query, a fragment or a part that leads elsewhere.")
    root, _, name = uri.rstrip("/").rpartition("/")
    return Place(root, ArtifactPath.parse(name), None, _server_of(store))


def _server_of(store: AbstractStore) -> str | None:
    # A plug-in's store need not know of it.
    return getattr(store, "artifact_server", None)


def _nt() -> bool:
    import os

    return os.name == "nt"


def _of_run(uri: str, store: AbstractStore) -> Place:
    wanted = parse_runs_uri(uri)
    run = store.get_run(wanted.run_id)
    root = run.info.artifact_uri
    if not root:  # an empty one would be the working folder
        raise not_found(f"Run '{wanted.run_id}' says not where its artifacts are.")
    server = _server_of(store)
    if not wanted.path.parts:
        return Place(root, wanted.path, None, server)
    model = _logged_model(store, run.info.experiment_id, wanted.run_id, wanted.path.parts[0])
    if model is not None:
        model_id, location = model
        return Place(location, ArtifactPath(wanted.path.parts[1:]), model_id, server)
    return Place(root, wanted.path, None, server)


def _logged_model(
    store: AbstractStore, experiment_id: str, run_id: str, name: str
) -> tuple[str, str] | None:
    """Return (id, location) of the newest logged model of this name that the run produced."""
    if any(mark in name for mark in "'\"/:.%`"):
        return None
    try:
        found = store.search_logged_models(
            [experiment_id], f"source_run_id = '{run_id}' AND name = '{name}'", max_results=1
        )
    except MlflowException:
        return None
    return (found[0].model_id, found[0].artifact_location) if found else None


# A version whose source is another version, and so on: longer chains are a mistake.
_MAX_HOPS = 10


def _of_model(wanted: ModelsUri, store: AbstractStore, registry: AbstractStore, hops: int) -> Place:
    if hops > _MAX_HOPS:
        raise invalid("The source of the model version leads to itself.")
    if wanted.model_id is not None:
        model = store.get_logged_model(wanted.model_id)
        return Place(model.artifact_location, wanted.path, model.model_id, _server_of(store))
    version = wanted.version_in(registry)
    uri = registry.get_model_version_download_uri(wanted.name or "", version)
    if not uri:
        raise not_found(f"Version {version} of model '{wanted.name}' says not where it is.")
    if scheme_of(uri) == "models":
        inner = _of_model(parse_models_uri(uri), store, registry, hops + 1)
    elif scheme_of(uri) == "runs":
        inner = _of_run(uri, store)
    else:
        inner = Place(uri, ArtifactPath(()), None, _server_of(registry))
    model_id = registry.get_model_version(wanted.name or "", version).model_id
    return Place(inner.uri, wanted.path, inner.model_id or model_id, inner.server)


def source_of(source: str, store: AbstractStore) -> tuple[str, str | None]:
    """Return (source to keep, logged model id) for a version that is made from a URI.

    `runs:/…` is turned into where the run keeps it, so that the version outlives a change of
    tracking URI.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST for an unknown run.
    """
    scheme = scheme_of(source)
    if scheme == "runs":
        place = _of_run(source, store)
        return place.uri, place.model_id
    if scheme == "models":
        wanted = parse_models_uri(source)
        if wanted.model_id is not None:
            return source, wanted.model_id
    return source, None
