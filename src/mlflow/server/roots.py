"""The places whose files a server reads and writes, and which of them a URI means.

A URI in a record was written by a user. It is never followed: it only ever says which of the
operator's own places is meant, and where below it.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from mlflow.exceptions import PERMISSION_DENIED, MlflowException, invalid, without_password
from mlflow.store.artifact.locate import tree_of
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.root import Root
from mlflow.store.artifact.uris import PROXY_SCHEME, is_local, local_path_of, scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlflow.store.artifact.tree import Tree


class Spot(NamedTuple):
    """A file or folder below a root."""

    root: Tree
    path: ArtifactPath

    def below(self, path: ArtifactPath) -> Spot:
        """Return what a path means from here."""
        return Spot(self.root, self.path.join(path))


class ArtifactRoots:
    """The folders of one server.

    Args:
        destination: where the artifacts are that the server passes on: a path, or a URI of storage.
        others: further places that records may name.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: one of them is no such place; or a library that
            it needs is missing.
    """

    def __init__(self, destination: str, others: Iterable[str] = ()) -> None:
        self.proxied = tree_of(destination)
        named = [(destination, self.proxied), *((one, tree_of(one)) for one in others)]
        self._folders = [tree for _, tree in named if isinstance(tree, Root)]
        self._remote = [(one.rstrip("/"), tree) for one, tree in named if not is_local(one)]

    def spot(self, path: ArtifactPath) -> Spot:
        """Return what a path means in the place that the server passes on."""
        return Spot(self.proxied, path)

    def is_direct(self) -> bool:
        """Tell whether clients can send and fetch files past the server, where it keeps them.

        Raises:
            MlflowException: the store cannot be opened.
        """
        if isinstance(self.proxied, Root):
            return False
        # Loaded only where there is such a store.
        found: bool = import_module("mlflow.store.artifact.multipart").is_offered(self.proxied)
        return found

    def find(self, uri: str) -> Spot:
        """Return what a URI in a record means.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is no URI of artifacts that a server
                keeps; PERMISSION_DENIED: it names a place outside of the folders.
        """
        scheme = scheme_of(uri)
        if scheme == PROXY_SCHEME:
            path = uri[len(PROXY_SCHEME) + 1 :]
            if not path.startswith("/") or path.startswith("//"):
                raise invalid(f"'{_shown(uri)}' must be written {PROXY_SCHEME}:/path.")
            return Spot(self.proxied, ArtifactPath.parse(path[1:]))
        if not uri:
            raise invalid("The server keeps no artifacts at ''.")
        for place, tree in self._remote:
            if uri == place or uri.startswith(f"{place}/"):
                return Spot(tree, ArtifactPath.parse(uri[len(place) + 1 :]))
        if scheme not in ("", "file"):
            raise invalid(
                f"The server keeps no artifacts at '{_shown(uri)}'. Its operator can add that "
                "place to MILLSTREAM_SERVER_ARTIFACT_ROOTS."
            )
        path = local_path_of(uri)
        for root in self._folders:
            below = _below(root.path, path)
            if below is not None:
                return Spot(root, ArtifactPath.parse(below))
        raise MlflowException(
            "These artifacts are outside of the folders of this server. Its operator can add "
            "their folder to MILLSTREAM_SERVER_ARTIFACT_ROOTS.",
            PERMISSION_DENIED,
        )

    def reaches(self, uri: str) -> bool:
        """Tell whether a URI in a record means something that this server reads and writes."""
        try:
            self.find(uri)
        except MlflowException:
            return False
        return True


def _below(root: str, path: str) -> str | None:
    for one in (root, os.path.realpath(root)):
        if path == one:
            return ""
        if path.startswith(one.rstrip(os.sep) + os.sep):
            return path[len(one.rstrip(os.sep)) + 1 :].replace(os.sep, "/")
    return None


def _shown(uri: str) -> str:
    shown = without_password(uri)
    return shown if len(shown) <= 100 else f"{shown[:100]}…"
