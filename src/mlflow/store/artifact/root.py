"""The one home of file access below a folder that users name: nothing here leaves that folder."""

from __future__ import annotations

import errno
import os
import stat

from mlflow.environment_variables import MILLSTREAM_DURABILITY
from mlflow.exceptions import MlflowException, invalid, not_found
from mlflow.store.artifact.copying import copy_bytes
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.durability import make_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Self

    from mlflow.store.artifact.copying import Progress

#: A file is written under such a name and renamed when it is complete.
UNFINISHED = ".millstream-part-"

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # opening a pipe must not wait for its other end
    | getattr(os, "O_BINARY", 0)
)
_WRITE = (
    # It is read again where what arrived is compared.
    os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)

_PORTION = 1 << 20

# What says that there is nothing: the root itself may be missing, or be a file.
_ABSENT = (FileNotFoundError, NotADirectoryError)
# What opening a file or a link as a folder is answered with.
_NO_FOLDER = (errno.ENOTDIR, errno.ELOOP, errno.EMLINK)


class Entry:
    """An entry of a folder.

    Args:
        name: its name.
        is_folder: whether it is a folder; if not, it is a file.
        size: of a file, bytes; None for folders.
    """

    __slots__ = ("is_folder", "name", "size")

    def __init__(self, name: str, is_folder: bool, size: int | None) -> None:
        self.name = name
        self.is_folder = is_folder
        self.size = size


class Root:
    """A folder, and everything that can be done below it.

    Every path is an `ArtifactPath`, and every step of it is opened from the folder before it
    without following links: what a name meant when it was checked is what is opened. Links,
    devices, pipes and sockets below the root are treated as not there.

    Args:
        path: the folder; it (and what is above it) may be a link. It need not exist yet.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)

    # --- reading -----------------------------------------------------------------------------

    def kind(self, where: ArtifactPath) -> str | None:
        """Return `file`, `folder`, or None for what is not there."""
        try:
            with self._folder(where.parent) as folder:
                if not where.parts:
                    return "folder"
                return _kind(folder.stat(where.name).st_mode)
        except _ABSENT:
            return None

    def open(self, where: ArtifactPath) -> BinaryIO:
        """Open a file for reading.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: there is no such file.
        """
        if not where.parts:
            raise not_found("No such artifact: ''")
        try:
            with self._folder(where.parent) as folder:
                descriptor = folder.open(where.name, _READ)
        except OSError as error:
            raise not_found(f"No such artifact: '{where}'") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise not_found(f"No such artifact: '{where}'")
        return os.fdopen(descriptor, "rb")

    def opened(self, where: ArtifactPath) -> OpenFile:
        """Open a file for reading in portions.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: there is no such file.
        """
        return OpenFile(self.open(where))

    def list(self, where: ArtifactPath) -> list[Entry]:
        """Return the entries of a folder by name; none for what is no folder."""
        try:
            with self._folder(where) as folder:
                found = [entry for name in folder.names() if (entry := _entry(folder, name))]
        except _ABSENT:
            return []
        return sorted(found, key=lambda entry: entry.name)

    def walk(self, where: ArtifactPath) -> Iterator[tuple[ArtifactPath, int | None]]:
        """Yield (path, size) of all that is in a folder, at any depth; folders have no size."""
        for entry in self.list(where):
            path = ArtifactPath((*where.parts, entry.name))
            yield path, entry.size
            if entry.is_folder:
                yield from self.walk(path)

    def local_path(self, where: ArtifactPath) -> str:
        """Return the absolute path of a file or folder, for a caller who reads it in place.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: it is not there, or behind a link.
        """
        if self.kind(where) is None:
            raise not_found(f"No such artifact: '{where}'")
        return os.path.join(self.path, *where.parts)

    # --- writing -----------------------------------------------------------------------------

    def make_folder(self, where: ArtifactPath) -> None:
        """Make a folder, with those above it."""
        with self._folder(where, make=True):
            pass

    def write(
        self, where: ArtifactPath, source: BinaryIO, progress: Progress | None = None
    ) -> None:
        """Write a file, complete or not at all, in place of one that is there.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is the root, or a folder has its name.
        """
        with self.create(where) as made:
            copy_bytes(source, made.file, progress)

    def create(self, where: ArtifactPath, digest: bytes | None = None) -> Unfinished:
        """Begin a file that is there once it is complete; whoever asks uses it in a `with` block.

        Args:
            where: its name.
            digest: its SHA-256, which other places keep with it.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is the root, or not below folders only.
        """
        if not where.parts:
            raise invalid("An artifact needs a name.")
        return Unfinished(self, where, self._folder(where.parent, make=True))

    def link(self, where: ArtifactPath, path: str, source: BinaryIO) -> bool:
        """Give a file of this machine a second name here, in place of what is there.

        Args:
            where: the name.
            path: where the file is.
            source: the file, open; a path that leads to another one by now is not linked.

        Returns:
            False, and nothing is done, where the system cannot or may not.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is the root, or not below folders only.
        """
        if not where.parts:
            raise invalid("An artifact needs a name.")
        temporary = UNFINISHED + os.urandom(8).hex()
        with self._folder(where.parent, make=True) as folder:
            try:
                folder.link(path, temporary)
                if not os.path.samestat(folder.stat(temporary), os.fstat(source.fileno())):
                    return False
                if _is_for_disk():
                    os.fsync(source.fileno())
                folder.rename(temporary, where.name)
            except OSError:
                return False
            finally:
                folder.unlink_quietly(temporary)
            if _is_for_disk():
                folder.sync()
        return True

    def delete(self, where: ArtifactPath) -> None:
        """Remove a file, or a folder with all that is in it; links are removed, not followed.

        What is not there is left so. The root itself stays; it is emptied.
        """
        try:
            if not where.parts:
                with self._folder(where) as folder:
                    for name in folder.names():
                        _remove(folder, name)
                return
            with self._folder(where.parent) as folder:
                _remove(folder, where.name)
        except _ABSENT:
            return

    # --- folders -----------------------------------------------------------------------------

    def _folder(self, where: ArtifactPath, *, make: bool = False) -> _Folder:
        """Open a folder step by step; whoever asks closes it."""
        if make:
            make_folders(self.path, is_synced=_is_for_disk())
        folder = _open_root(self.path)
        for name in where.parts:
            below = self._below(folder, name, where, make=make)
            folder.close()
            folder = below
        return folder

    @staticmethod
    def _below(folder: _Folder, name: str, where: ArtifactPath, *, make: bool) -> _Folder:
        try:
            if make:
                folder.make(name)
            return folder.below(name)
        except FileNotFoundError:
            folder.close()
            raise
        except OSError as error:
            folder.close()
            if make and error.errno not in _NO_FOLDER:
                raise
            if make:
                raise invalid(f"'{where}' is not below folders only: '{name}' is none.") from error
            # A file, or a link, where a folder should be: below it there is nothing.
            raise FileNotFoundError(error.errno, os.strerror(error.errno or 2), name) from error


class OpenFile:
    """A file that is open for reading, in portions.

    Args:
        file: the file; closed with this.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        found = os.fstat(file.fileno())
        self.size: int = found.st_size
        self.modified: float = found.st_mtime
        self.tag = f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}"

    def digest(self) -> bytes | None:
        """Return the SHA-256 of the file, which is read for it."""
        import hashlib

        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").digest()  # type: ignore[arg-type]

    def parts(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from one place to another, in portions.

        Raises:
            MlflowException: the file became shorter.
        """
        while start < end:
            self._file.seek(start)
            part = self._file.read(min(_PORTION, end - start))
            if not part:
                raise MlflowException("A file became shorter while it was sent.")
            start += len(part)
            yield part

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Unfinished:
    """A file that is being written: at the end of its block it takes its name, or is gone.

    Args:
        root: where it will be.
        where: its name.
        folder: the folder of that name, open; closed with the block.
    """

    def __init__(self, root: Root, where: ArtifactPath, folder: _Folder) -> None:
        self._root = root
        self._where = where
        self._folder = folder
        self._temporary = UNFINISHED + os.urandom(8).hex()
        try:
            descriptor = folder.open(self._temporary, _WRITE)
        except OSError as error:
            folder.close()
            at = os.path.join(root.path, *where.parts)
            raise OSError(error.errno, error.strerror or str(error), at) from error
        #: Open for writing, unbuffered.
        self.file: BinaryIO = os.fdopen(descriptor, "wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.finish()
        else:
            self.discard()

    def finish(self) -> None:
        """Give the file its name, in place of one that has it.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: a folder has its name.
        """
        with self._folder:
            try:
                with self.file:
                    if _is_for_disk():
                        os.fsync(self.file.fileno())
                self._folder.rename(self._temporary, self._where.name)
            except BaseException as error:
                self._folder.unlink_quietly(self._temporary)
                if isinstance(error, (IsADirectoryError, PermissionError)) and (
                    self._root.kind(self._where) == "folder"
                ):
                    raise invalid(f"There is a folder at '{self._where}'.") from error
                raise
            if _is_for_disk():
                self._folder.sync()

    def discard(self) -> None:
        """Remove what was written."""
        with self._folder:
            self.file.close()
            self._folder.unlink_quietly(self._temporary)


class _Folder:
    """An open folder; names in it are looked up from its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    def below(self, name: str) -> _Folder:
        """Open a folder in this one."""
        return _Folder(os.open(name, _FOLDER, dir_fd=self._descriptor))

    def open(self, name: str, flags: int) -> int:
        """Open a file in this folder and return its descriptor."""
        return os.open(name, flags, 0o666, dir_fd=self._descriptor)

    def stat(self, name: str) -> os.stat_result:
        """Return what is known of an entry, not of what it links to."""
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def names(self) -> list[str]:
        """Return the names in this folder, without files that are being written."""
        return [one for one in os.listdir(self._descriptor) if not one.startswith(UNFINISHED)]

    def make(self, name: str) -> None:
        """Make a folder in this one, if there is none."""
        try:
            os.mkdir(name, dir_fd=self._descriptor)
        except FileExistsError:
            return
        if _is_for_disk():
            self.sync()

    def link(self, path: str, name: str) -> None:
        """Give a file that is somewhere else a name in this folder."""
        os.link(path, name, dst_dir_fd=self._descriptor)

    def rename(self, old: str, new: str) -> None:
        """Give an entry another name, in place of what has it."""
        os.rename(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    def unlink(self, name: str) -> None:
        """Remove an entry that is no folder."""
        os.unlink(name, dir_fd=self._descriptor)

    def unlink_quietly(self, name: str) -> None:
        """Remove an entry if that is possible."""
        try:
            self.unlink(name)
        except OSError:
            pass

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(name, dir_fd=self._descriptor)

    def sync(self) -> None:
        """Make names in this folder survive a power cut."""
        os.fsync(self._descriptor)


class _NamedFolder(_Folder):
    """The same where folders cannot be opened (Windows): each step is checked by name.

    A link that is put in place of a folder between check and use is not caught; making links
    needs a privilege there.
    """

    def __init__(self, path: str) -> None:
        super().__init__(-1)
        self._path = path

    def _at(self, name: str) -> str:
        return os.path.join(self._path, name)

    def close(self) -> None:
        """There is nothing to give back."""

    def below(self, name: str) -> _Folder:
        path = self._at(name)
        if _is_link(os.lstat(path)) or not os.path.isdir(path):
            raise NotADirectoryError(20, "Not a directory", path)
        return _NamedFolder(path)

    def open(self, name: str, flags: int) -> int:
        path = self._at(name)
        if not flags & os.O_CREAT and _is_link(os.lstat(path)):
            raise FileNotFoundError(2, "No such file", path)
        descriptor = os.open(path, flags, 0o666)
        if not flags & os.O_CREAT and not os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            os.close(descriptor)
            raise FileNotFoundError(2, "No such file", path)
        return descriptor

    def stat(self, name: str) -> os.stat_result:
        return os.lstat(self._at(name))

    def names(self) -> list[str]:
        return [one for one in os.listdir(self._path) if not one.startswith(UNFINISHED)]

    def make(self, name: str) -> None:
        try:
            os.mkdir(self._at(name))
        except FileExistsError:
            pass

    def link(self, path: str, name: str) -> None:
        os.link(os.path.realpath(path), self._at(name))

    def rename(self, old: str, new: str) -> None:
        os.replace(self._at(old), self._at(new))

    def unlink(self, name: str) -> None:
        os.unlink(self._at(name))

    def rmdir(self, name: str) -> None:
        os.rmdir(self._at(name))

    def sync(self) -> None:
        """Folders cannot be synchronised there."""


def _has_handles() -> bool:
    wanted = {os.open, os.stat, os.mkdir, os.unlink, os.rmdir, os.rename}
    return wanted <= os.supports_dir_fd and os.listdir in os.supports_fd


_HAS_HANDLES = _has_handles()


def _open_root(path: str) -> _Folder:
    if _HAS_HANDLES:
        # Links above and at the root are the user's own way of saying where it is.
        return _Folder(os.open(path, os.O_RDONLY | os.O_DIRECTORY))
    if not os.path.isdir(path):
        raise FileNotFoundError(2, "No such folder", path)
    return _NamedFolder(path)


def _is_link(found: os.stat_result) -> bool:
    reparse = getattr(found, "st_file_attributes", 0) & 0x400
    return stat.S_ISLNK(found.st_mode) or bool(reparse)


def _kind(mode: int) -> str | None:
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else None


def _entry(folder: _Folder, name: str) -> Entry | None:
    try:
        found = folder.stat(name)
    except FileNotFoundError:
        return None
    kind = None if _is_link(found) else _kind(found.st_mode)
    if kind is None:
        return None
    return Entry(name, kind == "folder", found.st_size if kind == "file" else None)


def _remove(folder: _Folder, name: str) -> None:
    found = folder.stat(name)
    if _is_link(found) or not stat.S_ISDIR(found.st_mode):
        folder.unlink(name)
        return
    with folder.below(name) as below:
        for one in [*below.names(), *_unfinished(below)]:
            _remove(below, one)
    folder.rmdir(name)


def _unfinished(folder: _Folder) -> list[str]:
    at = folder._path if isinstance(folder, _NamedFolder) else folder._descriptor
    return [one for one in os.listdir(at) if one.startswith(UNFINISHED)]


def _is_for_disk() -> bool:
    return MILLSTREAM_DURABILITY.get_raw() == "disk"


def refusal(error: OSError, what: str) -> MlflowException:
    """Return the error for what the system refuses, with its reason."""
    return MlflowException(f"{what}: {error.strerror or error}")
