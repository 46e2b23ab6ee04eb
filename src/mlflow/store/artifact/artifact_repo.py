"""The contract of a place that keeps artifacts; stores and plug-ins subclass it."""

from __future__ import annotations

import os

from mlflow.exceptions import MlflowException, not_found
from mlflow.store.artifact.copying import Progress
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.root import Root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO, TypeVar

    from mlflow.entities.artifacts import FileInfo

    T = TypeVar("T")

# A listing that never ends, or nests for ever, is some server's mistake or malice.
MAX_FILES = 1_000_000


class ArtifactRepository:
    """A tree of files below a URI.

    A subclass implements `log_artifact`, `log_artifacts`, `list_artifacts` and `_download_file`,
    and `delete_artifacts` where it can. Paths are relative, with slashes. What a listing says is
    not trusted: whatever it names, downloads stay in the folder they go to.

    Args:
        artifact_uri: the root of the tree.
        tracking_uri: for places that ask a tracking server.
        registry_uri: for places that ask a model registry.
    """

    #: How many files are on their way at a time.
    PARALLEL = 1

    def __init__(
        self,
        artifact_uri: str,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
    ) -> None:
        self.artifact_uri = artifact_uri
        self.tracking_uri = tracking_uri
        self.registry_uri = registry_uri

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Copy a local file to the tree, in place of one of the same name.

        Args:
            local_file: the file.
            artifact_path: the folder to put it in; the root when absent.
        """
        raise NotImplementedError

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Copy what is in a local folder to the tree.

        Args:
            local_dir: the folder.
            artifact_path: the folder to put it in; the root when absent.
        """
        raise NotImplementedError

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Write a file of the tree from an open binary stream.

        Args:
            stream: is read to its end.
            artifact_file: the path of the file.
        """
        from tempfile import TemporaryDirectory

        path = ArtifactPath.new(artifact_file)
        with TemporaryDirectory() as folder:
            Root(folder).write(ArtifactPath((path.name,)), stream)
            self.log_artifact(os.path.join(folder, path.name), str(path.parent) or None)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders directly in a folder; none for a file.

        Args:
            path: the folder; the root when absent.

        Returns:
            Entries by name; their paths are relative to the root.
        """
        raise NotImplementedError

    def download_artifacts(self, artifact_path: str, dst_path: str | None = None) -> str:
        """Copy a file or folder of the tree to the local disk.

        Args:
            artifact_path: the file or folder; empty for the whole tree.
            dst_path: the local folder to put it in, made if need be; a new temporary one when
                absent.

        Returns:
            The local path of the file or folder.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; INVALID_PARAMETER_VALUE.
        """
        wanted = ArtifactPath.parse(artifact_path)
        target = Root(dst_path if dst_path is not None else _new_folder())
        files = self._files(wanted)
        if files is None:
            files = [(wanted, 0)]
        progress = Progress("Downloading artifacts", sum(size for _, size in files))
        target.make_folder(ArtifactPath(()))
        self._each(lambda one: self._fetch(*one, target, progress), files)
        progress.close()
        where = os.path.join(target.path, *wanted.parts)
        if not files:
            if wanted.parts:
                raise not_found(
                    f"Failed to download artifacts from path '{wanted}', please ensure that the "
                    "path is correct."
                )
            target.make_folder(wanted)
        return where

    def _each(self, work: Callable[[T], None], ones: Sequence[T]) -> None:
        """Do the same for all, several at a time where that helps.

        Raises:
            Exception: what the first that failed raised; what had not begun is left out.
        """
        if self.PARALLEL == 1 or len(ones) < 2:
            for one in ones:
                work(one)
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(self.PARALLEL, len(ones))) as pool:
            begun = [pool.submit(work, one) for one in ones]
            try:
                for future in begun:
                    future.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _fetch(self, path: ArtifactPath, size: int, target: Root, progress: Progress) -> None:
        """Download one file to a name of our own, then move it to where it belongs."""
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            temporary = os.path.join(folder, "file")
            try:
                self._download_file(str(path), temporary)
            except FileNotFoundError as error:
                raise not_found(f"No such artifact: '{path}'") from error
            with open(temporary, "rb") as file:
                target.write(path, file)
        progress.add(size)

    def _files(self, wanted: ArtifactPath) -> list[tuple[ArtifactPath, int]] | None:
        """Return (path, size) of the files in a folder; None for what is a file, or nothing."""
        if wanted.parts and not self._is_directory(str(wanted)):
            return None
        found: list[tuple[ArtifactPath, int]] = []
        folders = [wanted]
        while folders:
            folder = folders.pop()
            for info in self.list_artifacts(str(folder) or None):
                path = _inside(folder, info.path)
                if info.is_dir:
                    folders.append(path)
                else:
                    found.append((path, info.file_size or 0))
                if len(found) + len(folders) > MAX_FILES:
                    raise MlflowException(f"'{wanted}' has more than {MAX_FILES} files.")
        return found

    def _is_directory(self, artifact_path: str) -> bool:
        """Tell whether a path is a folder with something in it."""
        return bool(self.list_artifacts(artifact_path))

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        """Copy one file of the tree to a local path, whose folder exists."""
        raise NotImplementedError

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Remove a file, or a folder with all that is in it.

        Args:
            artifact_path: the file or folder; everything when absent.
        """
        raise MlflowException(f"{type(self).__name__} cannot remove artifacts.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.artifact_uri!r})"


def _inside(folder: ArtifactPath, listed: str) -> ArtifactPath:
    """Return a listed path, which must be one step below the folder that was listed."""
    path = ArtifactPath.parse(listed)
    if path.parent != folder or not path.parts:
        raise MlflowException(f"The listing of '{folder}' names '{path}', which is not in it.")
    return path


def _new_folder() -> str:
    from tempfile import mkdtemp

    return mkdtemp(prefix="mlflow-")
