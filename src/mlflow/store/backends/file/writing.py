"""Writes that others see whole or not at all, and locks between processes."""

from __future__ import annotations

import itertools
import os

from mlflow.store.durability import make_folders, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: writers are kept apart by exclusive creation alone.
    fcntl = None

_EXTRA = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _EXTRA
# O_NONBLOCK: opening a pipe must not wait for its other end.
APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND | _EXTRA | getattr(os, "O_NONBLOCK", 0)
_MODE = 0o666
_NAMELESS = getattr(os, "O_TMPFILE", 0)
_names = itertools.count()


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the data; a full disk raises `OSError`."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])


class Writer:
    """Creates and replaces small files.

    Args:
        durable: whether what was written survives a power cut: data and folder reach the disk
            before a call returns. Without it, it survives the death of every process.
    """

    def __init__(self, *, durable: bool) -> None:
        self.durable = durable
        self._nameless = bool(_NAMELESS) and os.path.isdir("/proc/self/fd")

    def publish(self, path: str, data: bytes) -> None:
        """Write a new file in a folder that nobody reads yet."""
        descriptor = os.open(path, NEW, _MODE)
        try:
            write_all(descriptor, data)
            if self.durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def create(self, path: str, data: bytes, near: str) -> bool:
        """Write a new file; it appears with its content.

        Args:
            path: the file.
            data: its content.
            near: a folder on the same file system where a temporary file disturbs nobody.

        Returns:
            False when there is one already, which is left as it is.
        """
        if self._nameless:
            done = self._create_nameless(path, data, near)
            if done is not None:
                return done
        temporary = self._temporary(near, data)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:
            # No hard links here. Two first writers of one name are kept apart by the caller's
            # lock, where there is one.
            if os.path.lexists(path):
                return False
            os.replace(temporary, path)
            return True
        finally:
            _forget(temporary)
            self.settle(os.path.dirname(path))
        return True

    def _create_nameless(self, path: str, data: bytes, near: str) -> bool | None:
        """Create through a file without a name; None where the system has no such thing."""
        try:
            descriptor = os.open(near, os.O_WRONLY | _NAMELESS | os.O_CLOEXEC, _MODE)
        except OSError as error:
            if isinstance(error, (FileNotFoundError, PermissionError)):
                raise
            self._nameless = False
            return None
        try:
            write_all(descriptor, data)
            if self.durable:
                os.fsync(descriptor)
            # A directory descriptor makes Python use linkat(2), which follows the link in /proc.
            os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor)
        except FileExistsError:
            return False
        finally:
            os.close(descriptor)
        self.settle(os.path.dirname(path))
        return True

    def replace(self, path: str, data: bytes, near: str) -> None:
        """Write a file, new or not: readers see the old content or the new.

        Args:
            path: the file.
            data: its content.
            near: a folder on the same file system where a temporary file disturbs nobody.
        """
        temporary = self._temporary(near, data)
        try:
            os.replace(temporary, path)
        except OSError:
            _forget(temporary)
            raise
        self.settle(os.path.dirname(path))

    def _temporary(self, near: str, data: bytes) -> str:
        path = f"{near}/.{os.getpid()}-{next(_names)}-{os.urandom(4).hex()}.tmp"
        try:
            self.publish(path, data)
        except OSError:
            _forget(path)
            raise
        return path

    def settle(self, folder: str) -> None:
        """At the durable level, bring the names in a folder to the disk."""
        if self.durable:
            settle(folder)

    def make_folders(self, path: str) -> None:
        """Make a folder, with those above it, unless it is there."""
        make_folders(path, is_synced=self.durable)


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


# The locks that this process holds now; a forked child lets go of its copies.
_held: dict[int, Locked] = {}


def _let_go() -> None:
    for descriptor, lock in _held.items():
        lock._descriptor = -1  # by the end of its block the number may be another file's
        try:
            os.close(descriptor)
        except OSError:
            pass
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


class Locked:
    """Keeps other processes and threads from changing what belongs to a folder meanwhile.

    It is advisory, ends with the process, and leaves no file. Where the system has no such locks
    the work goes on without.

    Args:
        folder: the folder.
    """

    __slots__ = ("_descriptor", "_folder", "_is_sure")

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._descriptor = -1
        self._is_sure = False

    def __enter__(self) -> None:
        if fcntl is None:
            return
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        self._descriptor = os.open(self._folder, flags)
        _held[self._descriptor] = self
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            self._is_sure = True
        except OSError:  # a network file system that locks no folders
            pass

    def __exit__(self, *_: object) -> None:
        if self._descriptor < 0:
            return
        try:
            # Said aloud: a child that another thread forked meanwhile has a copy of the
            # descriptor, and closing ours alone would leave the lock with the child.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError:
            pass
        _held.pop(self._descriptor, None)
        os.close(self._descriptor)
        self._descriptor = -1


class Making(Locked):
    """Makes a folder; in the block it is filled, and nobody else makes the same one.

    What somebody left there who died, or whose disk failed, before it was whole is removed first.
    Where the system has no locks it stays, and is in the way.

    Args:
        folder: the folder.
        is_whole: tells whether what is there is whole.

    Raises:
        FileExistsError: it is.
    """

    __slots__ = ("_is_whole",)

    def __init__(self, folder: str, is_whole: Callable[[], bool]) -> None:
        super().__init__(folder)
        self._is_whole = is_whole

    def __enter__(self) -> None:
        try:
            os.mkdir(self._folder)
        except FileExistsError:
            super().__enter__()
            try:
                if not self._is_sure or self._is_whole():
                    raise
                _empty(self._folder)
            except BaseException:
                self.__exit__()
                raise
        else:
            super().__enter__()


def _empty(folder: str) -> None:
    import shutil

    for name in os.listdir(folder):
        path = f"{folder}/{name}"
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
