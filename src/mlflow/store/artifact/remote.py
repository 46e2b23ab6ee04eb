"""Artifact repositories over trees that are not on this machine: object stores, file servers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlflow.entities.artifacts import FileInfo
from mlflow.exceptions import not_found
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.copying import Progress, copy_bytes
from mlflow.store.artifact.filesystems import FilesystemTree
from mlflow.store.artifact.local import walk
from mlflow.store.artifact.objects import ObjectTree
from mlflow.store.artifact.paths import ArtifactPath

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from mlflow.store.artifact.root import Root

# Larger files go one after the other: each is sent in several parts at a time.
_LARGE = 32 << 20


class TreeArtifactRepository(ArtifactRepository):
    """A folder somewhere else, named by a URI."""

    PARALLEL = 8
    #: Makes the tree of a URI.
    tree_of: Callable[[str], Any]

    def __init__(
        self,
        artifact_uri: str,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
    ) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        self.tree = type(self).tree_of(artifact_uri)

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Send a local file.

        Raises:
            FileNotFoundError: there is no such file.
            MlflowException: the place refuses it, or cannot be reached.
        """
        local_file = os.fspath(local_file)
        name = os.path.basename(os.path.normpath(local_file))
        where = ArtifactPath.new(str(ArtifactPath.new(artifact_path).child(name)))
        progress = Progress("Logging artifact", os.stat(local_file).st_size)
        self.tree.send(where, local_file, progress)
        progress.close()

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Send what is in a local folder; empty folders are not kept.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the folder; the place refuses a file, or
                cannot be reached.
        """
        local_dir = os.fspath(local_dir)
        if not os.path.isdir(local_dir):
            raise not_found(f"No such folder: '{local_dir}'")
        target = ArtifactPath.new(artifact_path)
        found = [
            (path, ArtifactPath.new(str(where)), size)
            for path, where, size in walk(local_dir, target)
            if size is not None
        ]
        progress = Progress("Logging artifacts", sum(size for _, _, size in found))

        def send(one: tuple[str, ArtifactPath, int]) -> None:
            self.tree.send(one[1], one[0], progress)

        self._each(send, [one for one in found if one[2] < _LARGE])
        for one in found:
            if one[2] >= _LARGE:
                send(one)
        progress.close()

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Send what an open binary stream gives."""
        with self.tree.create(ArtifactPath.new(artifact_file)) as made:
            copy_bytes(stream, made.file)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders directly in a folder, by name.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: the path leads elsewhere; the place refuses.
        """
        where = ArtifactPath.parse(path)
        prefix = f"{where}/" if where.parts else ""
        return [
            FileInfo(prefix + entry.name, entry.is_folder, entry.size)
            for entry in self.tree.list(where)
        ]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        with open(local_path, "w+b", buffering=0) as file:
            self.tree.fetch(ArtifactPath.parse(remote_file_path), file)

    def _fetch(self, path: ArtifactPath, size: int, target: Root, progress: Progress) -> None:
        # Straight to where it belongs: a large file is not written twice.
        with target.create(path) as made:
            self.tree.fetch(path, made.file, progress)

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Remove a file, or a folder with all that is in it."""
        self.tree.delete(ArtifactPath.parse(artifact_path))


class ObjectArtifactRepository(TreeArtifactRepository):
    """Artifacts in S3, Google Cloud Storage, Azure, and stores that speak their protocols."""

    tree_of = ObjectTree


class FilesystemArtifactRepository(TreeArtifactRepository):
    """Artifacts on what fsspec reaches: HDFS, SFTP, FTP."""

    tree_of = FilesystemTree
