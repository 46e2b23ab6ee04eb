"""Artifacts in a folder of this machine."""

from __future__ import annotations

import os
import stat

from mlflow.entities.artifacts import FileInfo
from mlflow.environment_variables import MILLSTREAM_ARTIFACT_LINKS
from mlflow.exceptions import invalid, not_found
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.copying import Progress
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.root import Root
from mlflow.store.artifact.uris import local_path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class LocalArtifactRepository(ArtifactRepository):
    """A folder, named by a path or a `file:` URI."""

    def __init__(
        self,
        artifact_uri: str,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
    ) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        self._root = Root(local_path_of(artifact_uri))

    @property
    def artifact_dir(self) -> str:
        """The folder."""
        return self._root.path

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Copy a local file to the folder.

        Raises:
            FileNotFoundError: there is no such file.
            MlflowException: INVALID_PARAMETER_VALUE.
        """
        folder = ArtifactPath.new(artifact_path)
        local_file = os.fspath(local_file)
        name = os.path.basename(os.path.normpath(local_file))
        self._copy(local_file, folder.child(name))

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Copy what is in a local folder to the folder; links in it are followed.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE; RESOURCE_DOES_NOT_EXIST.
        """
        local_dir = os.fspath(local_dir)
        if not os.path.isdir(local_dir):
            raise not_found(f"No such folder: '{local_dir}'")
        target = ArtifactPath.new(artifact_path)
        # The list is complete before the first copy: the target may be inside the source.
        found = list(walk(local_dir, target))
        progress = Progress("Logging artifacts", sum(size or 0 for _, _, size in found))
        self._root.make_folder(target)
        for path, where, size in found:
            if size is None:
                self._root.make_folder(where)
            else:
                self._copy(path, where, progress)
        progress.close()

    def _copy(self, path: str, where: ArtifactPath, progress: Progress | None = None) -> None:
        with os.fdopen(os.open(path, _READ), "rb", buffering=0) as source:
            found = os.fstat(source.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise invalid(f"'{path}' is not a file; only files can be artifacts.")
            at = os.path.join(self._root.path, *where.parts)
            if os.path.exists(at) and os.path.samestat(found, os.stat(at)):
                return  # it is there already, as when a script writes below the artifact URI
            own = progress or Progress("Logging artifact", found.st_size)
            if MILLSTREAM_ARTIFACT_LINKS.get() and self._root.link(where, path, source):
                own.add(found.st_size)
            else:
                self._root.write(where, source, own)
            if progress is None:
                own.close()

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Write a file of the folder from an open binary stream."""
        self._root.write(ArtifactPath.new(artifact_file), stream)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders directly in a folder, by name.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: the path leads elsewhere.
        """
        where = ArtifactPath.parse(path)
        prefix = f"{where}/" if where.parts else ""
        return [
            FileInfo(prefix + entry.name, entry.is_folder, entry.size)
            for entry in self._root.list(where)
        ]

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        """Return the path of a file or folder, or of a copy of it where a place for one is given.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE.
        """
        wanted = ArtifactPath.parse(artifact_path)
        kind = self._root.kind(wanted)
        if kind is None:
            raise not_found(
                f"No such artifact: '{wanted}'"
                if wanted.parts
                else f"No such artifact: '{self.artifact_uri}'"
            )
        if dst_path is None:
            return self._root.local_path(wanted)
        target = Root(dst_path)
        if target.path == self._root.path:
            return self._root.local_path(wanted)
        target.make_folder(wanted if kind == "folder" else ArtifactPath(()))
        found = [(wanted, 0)] if kind == "file" else list(self._root.walk(wanted))
        progress = Progress("Downloading artifacts", sum(size or 0 for _, size in found))
        for path, size in found:
            if size is None:
                target.make_folder(path)
                continue
            with self._root.open(path) as source:
                target.write(path, source, progress)
        progress.close()
        return os.path.join(target.path, *wanted.parts)

    def _is_directory(self, artifact_path: str) -> bool:
        return self._root.kind(ArtifactPath.parse(artifact_path)) == "folder"

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        folder, name = os.path.split(os.path.abspath(local_path))
        with self._root.open(ArtifactPath.parse(remote_file_path)) as source:
            Root(folder).write(ArtifactPath((name,)), source)

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Remove a file, or a folder with all that is in it; links are not followed."""
        self._root.delete(ArtifactPath.parse(artifact_path))


def walk(
    folder: str, where: ArtifactPath, above: Sequence[tuple[int, int]] = ()
) -> Iterator[tuple[str, ArtifactPath, int | None]]:
    """Yield (local path, artifact path, size) of all in a local folder; folders have no size.

    Links are followed.

    Args:
        folder: the folder.
        where: what it is called below the root.
        above: the folders it is in, as (device, inode).

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: a link leads to a folder that it is in.
    """
    found = os.stat(folder)
    place = (found.st_dev, found.st_ino)
    if place in above:
        raise invalid(f"'{folder}' is a link to a folder that it is in.")
    with os.scandir(folder) as entries:
        inside = sorted(entries, key=lambda entry: entry.name)
    for entry in inside:
        path = where.child(entry.name)
        if entry.is_dir():
            yield entry.path, path, None
            yield from walk(entry.path, path, [*above, place])
        else:
            yield entry.path, path, entry.stat().st_size
