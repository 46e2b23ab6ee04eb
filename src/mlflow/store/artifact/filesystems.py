"""A tree of files on what fsspec reaches: HDFS, SFTP, FTP and the like."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mlflow.exceptions import MlflowException, invalid, not_found, without_password
from mlflow.store.artifact.copying import copy_bytes, write_all
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.root import UNFINISHED, Entry
from mlflow.store.artifact.uris import scheme_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Self

    from mlflow.store.artifact.copying import Progress

_PORTION = 1 << 20


class FilesystemTree:
    """What is below a path of a file system.

    Args:
        uri: such as `sftp://user@host/path`.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        parts = urlsplit(uri)
        if parts.query or parts.fragment:
            raise invalid(f"'{without_password(uri)}' has a query or a fragment.")
        self._base = "/" + str(ArtifactPath.parse(unquote(parts.path).lstrip("/")))
        self._system: Any = None

    def _at(self, where: ArtifactPath) -> str:
        return "/".join([self._base.rstrip("/"), *where.parts]) or "/"

    @property
    def system(self) -> Any:
        """Fsspec's file system, connected.

        Raises:
            MlflowException: a library is missing; it cannot be reached.
        """
        if self._system is None:
            self._system = _connected(self.uri)
        return self._system

    # --- reading -----------------------------------------------------------------------------

    def kind(self, where: ArtifactPath) -> str | None:
        """Return `file`, `folder`, or None for what is not there."""
        try:
            found = self.system.info(self._at(where))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._refusal(error, where) from error
        return "folder" if found["type"] == "directory" else "file"

    def list(self, where: ArtifactPath) -> list[Entry]:
        """Return the entries of a folder by name; none for what is no folder."""
        if self.kind(where) != "folder":
            return []
        self.system.invalidate_cache(self._at(where))
        entries = []
        for one in self.system.ls(self._at(where), detail=True):
            name = one["name"].rstrip("/").rpartition("/")[2]
            kind = one["type"]
            if name.startswith(UNFINISHED) or kind not in ("file", "directory"):
                continue
            where.child(name)
            is_folder = kind == "directory"
            entries.append(Entry(name, is_folder, None if is_folder else one["size"]))
        return sorted(entries, key=lambda entry: entry.name)

    def walk(self, where: ArtifactPath) -> Iterator[tuple[ArtifactPath, int | None]]:
        """Yield (path, size) of all that is in a folder, at any depth; folders have no size."""
        for entry in self.list(where):
            path = where.child(entry.name)
            yield path, entry.size
            if entry.is_folder:
                yield from self.walk(path)

    def opened(self, where: ArtifactPath) -> OpenRemote:
        """Open a file for reading.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: there is no such file.
        """
        if not where.parts or self.kind(where) != "file":
            raise not_found(f"No such artifact: '{where}'")
        try:
            return OpenRemote(self.system, self._at(where))
        except OSError as error:
            raise self._refusal(error, where) from error

    def fetch(self, where: ArtifactPath, file: BinaryIO, progress: Progress | None = None) -> None:
        """Write a file of the tree to a local one.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; it does not come whole.
        """
        one = self.opened(where)
        try:
            for part in one.parts(0, one.size):
                write_all(file, memoryview(part))
        finally:
            one.close()
        if progress is not None:
            progress.add(one.size)

    # --- writing -----------------------------------------------------------------------------

    def send(self, where: ArtifactPath, path: str, progress: Progress | None = None) -> None:
        """Copy a local file to the tree, complete or not at all, in place of one that is there."""
        with open(path, "rb") as source, self.create(where) as made:
            copy_bytes(source, made.file, progress)

    def create(self, where: ArtifactPath, digest: bytes | None = None) -> Renamed:
        """Begin a file that is there once it is complete; whoever asks uses it in a `with` block.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is the root, or a folder has its name.
        """
        if not where.parts:
            raise invalid("An artifact needs a name.")
        if self.kind(where) == "folder":
            raise invalid(f"There is a folder at '{where}'.")
        folder = self._at(where.parent)
        try:
            self.system.makedirs(folder, exist_ok=True)
            return Renamed(self.system, folder, self._at(where))
        except OSError as error:
            raise self._refusal(error, where) from error

    def delete(self, where: ArtifactPath) -> None:
        """Remove a file, or a folder with all that is in it; what is not there is left so."""
        try:
            if self.kind(where) is not None:
                self.system.rm(self._at(where), recursive=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._refusal(error, where) from error

    def _refusal(self, error: OSError, where: ArtifactPath) -> MlflowException:
        shown = without_password(self.uri)
        return MlflowException(f"'{where}' below {shown}: {error.strerror or error}")


class OpenRemote:
    """A file of such a file system, open for reading."""

    def __init__(self, system: Any, path: str) -> None:
        found = system.info(path)
        self._file = system.open(path, "rb")
        self.size: int = found["size"]
        changed = found.get("mtime") or found.get("modified") or found.get("created") or 0
        self.modified = float(changed.timestamp() if hasattr(changed, "timestamp") else 0)
        self.tag = f"{self.modified:.3f}-{self.size:x}"

    def digest(self) -> bytes | None:
        """Nobody knows it."""
        return None

    def parts(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from one place to another, in portions.

        Raises:
            MlflowException: the file became shorter.
        """
        self._file.seek(start)
        while start < end:
            part = self._file.read(min(_PORTION, end - start))
            if not part:
                raise MlflowException("A file became shorter while it was read.")
            start += len(part)
            yield part

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Renamed:
    """A file that is written under a name of our own, and renamed when it is complete."""

    def __init__(self, system: Any, folder: str, path: str) -> None:
        self._system = system
        self._temporary = f"{folder.rstrip('/')}/{UNFINISHED}{os.urandom(8).hex()}"
        self._path = path
        #: Takes the bytes.
        self.file = system.open(self._temporary, "wb")

    def finish(self) -> None:
        """Give the file its name, in place of one that has it."""
        self.file.close()
        if self._system.exists(self._path):
            self._system.rm_file(self._path)  # few of them replace a file
        self._system.mv(self._temporary, self._path)

    def discard(self) -> None:
        """Remove what was written."""
        try:
            self.file.close()
            self._system.rm_file(self._temporary)
        except OSError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.finish()
        else:
            self.discard()


def _connected(uri: str) -> Any:
    scheme = scheme_of(uri)
    try:
        import fsspec
    except ImportError:
        raise MlflowException(
            f"Artifacts at {scheme}: need the library fsspec: pip install 'millstream[remote]'"
        ) from None
    parts = urlsplit(uri)
    given = {
        "host": parts.hostname,
        "port": parts.port,
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
    }
    if scheme == "hdfs":
        given["user"] = given.pop("username")
        given.pop("password")
        given["host"] = given["host"] or "default"
    options = {name: value for name, value in given.items() if value is not None}
    try:
        return fsspec.filesystem(scheme, **options)
    except (ImportError, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise MlflowException(f"{without_password(uri)} cannot be reached: {reason}") from error
