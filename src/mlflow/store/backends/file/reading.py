"""Reading a store that anybody may have written: plain files only, bounded, and reported."""

from __future__ import annotations

import errno
import os
import stat
import time

from mlflow.exceptions import invalid
from mlflow.store.backends.file import metadata
from mlflow.store.backends.file.metadata import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from mlflow.store.backends.file.writing import Writer

READ = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
# A tag may be longer than the rules of today allow; more than this is no tag.
MAX_VALUE = 4 << 20
# File times move in ticks: a file that changed this recently may change again unnoticed.
_TICK = 50_000_000
_MAX_CACHED = 20_000
# A file that is no record, and was written this moment, is read so often again, seconds apart.
_ATTEMPTS, _PAUSE = 3, 0.001
_MAX_DEPTH = 128


# The process, or the machine, has no file handles or memory left.
_NOT_NOW = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Unreadable(Exception):
    """A file of the store that cannot be read; the text says which and why."""


def is_folder(path: str) -> bool:
    """Tell whether a folder, and no link to one, is at a path."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def unopened(path: str, error: OSError) -> Exception:
    """Return what it means that a file could not be opened: something of it, or of this process.

    What cannot be read is left out of listings; a process without handles would leave out all.
    """
    if error.errno in _NOT_NOW:
        return error
    return Unreadable(f"{path}: {'it is a link' if os.path.islink(path) else error.strerror}")


def read_file(path: str, limit: int) -> bytes:
    """Return the content of a plain file.

    Raises:
        FileNotFoundError: there is none.
        Unreadable: it is a link, a pipe, a device, a folder, too long, or the system refuses.
        OSError: this process cannot open anything now.
    """
    try:
        descriptor = os.open(path, READ)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise unopened(path, error) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable(f"{path}: it is no plain file")
        if found.st_size > limit:
            raise Unreadable(f"{path}: it is longer than {limit} bytes")
        data = os.read(descriptor, found.st_size + 1)
        while len(data) < found.st_size:
            more = os.read(descriptor, found.st_size - len(data))
            if not more:
                break
            data += more
        return data
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    finally:
        os.close(descriptor)


def plain_files(folder: str, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield (key, path) of each plain file below a folder; links and devices are passed over."""
    if not depth and not is_folder(folder):
        return
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_file(follow_symlinks=False):
            yield prefix + entry.name, entry.path
        elif entry.is_dir(follow_symlinks=False) and depth < _MAX_DEPTH:
            yield from plain_files(entry.path, f"{prefix}{entry.name}/", depth + 1)


def folders(path: str) -> list[str]:
    """Return the names of the folders in a folder, links left out; none when it is missing."""
    try:
        with os.scandir(path) as entries:
            return [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def key_path(folder: str, key: str) -> str:
    """Return the path of the file of a metric, param or tag.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a key that would leave the folder.
    """
    if "/" in key or key in ("", ".", "..") or "\0" in key:
        parts = key.split("/")
        if "\0" in key or any(part in ("", ".", "..") for part in parts):
            raise invalid(f"Invalid key {key!r}: it is no path below a folder.")
    return f"{folder}/{key}"


def make_parent(folder: str, path: str, writer: Writer) -> None:
    """Make the folders that the file of a key with slashes needs; links are not passed through.

    Args:
        folder: the folder that the key is below; made as well.
        path: what `key_path` returned.
        writer: brings the names of new folders to the disk, where that is asked for.
    """
    if path.rfind("/") == len(folder) and is_folder(folder):
        return
    here = folder
    for part in ["", *path[len(folder) + 1 :].split("/")[:-1]]:
        here = f"{here}/{part}" if part else here
        try:
            os.mkdir(here)
            writer.settle(os.path.dirname(here))
        except FileExistsError:
            if not is_folder(here):
                name = path[len(folder) + 1 :]
                raise invalid(
                    f"The key {name!r} cannot be kept: on files a key is a path, and "
                    f"{here[len(folder) + 1 :] or os.path.basename(folder)!r} is no folder."
                ) from None


def check_folders(folder: str, path: str) -> bool:
    """Tell whether the folders between a folder and the file of a key are no links."""
    here = folder
    if not is_folder(here):
        return False
    for part in path[len(folder) + 1 :].split("/")[:-1]:
        here = f"{here}/{part}"
        if not is_folder(here):
            return False
    return True


class Problems:
    """What was found in the store that cannot be read: told once, and kept for who asks."""

    _LIMIT = 1000

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def report(self, path: str, reason: str) -> None:
        """Note that a file or folder cannot be read; warn when that is new."""
        if path in self.found or len(self.found) >= self._LIMIT:
            return
        self.found[path] = reason
        import warnings

        text = reason if path in reason else f"{path}: {reason}"
        # Names come from whoever wrote the store, and warnings go to terminals.
        shown = text if text.isprintable() else ascii(text)
        warnings.warn(f"Left out of the store: {shown}", stacklevel=4)


Stamp = tuple[int, int, int]


def stamp_of(found: os.stat_result) -> Stamp:
    """Return what changes when a file does."""
    return (found.st_ino, found.st_mtime_ns, found.st_size)


class Records:
    """The parsed metadata files of a store, kept as long as the files stay the same.

    A file that may have changed since without showing it is read again; where it says what it
    said, or what this process wrote, it is not parsed again.
    """

    def __init__(self) -> None:
        # By path: how the file looked when that was enough to know it (else None), what it held
        # (else None), and what that means.
        self._kept: dict[str, tuple[Stamp | None, bytes | None, dict[str, Any]]] = {}

    def read(
        self, path: str, limit: int = metadata.MAX_BYTES, attempts: int = _ATTEMPTS
    ) -> dict[str, Any]:
        """Return a record; the caller must not change it.

        Args:
            path: the file.
            limit: refuse content longer than this.
            attempts: how often a file that is being written may be read again.

        Raises:
            FileNotFoundError: there is no such file.
            Unreadable: it cannot be read or is no record.
        """
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(path) from None
        except (OSError, ValueError) as error:
            raise Unreadable(f"{path}: {error}") from None
        stamp = stamp_of(found)
        kept = self._kept.get(path)
        if kept is not None and kept[0] == stamp:
            return kept[2]
        # Asked before the reading, which may take longer than a tick.
        is_settled = settled(found.st_mtime_ns)
        data = read_file(path, limit)
        if kept is not None and kept[1] == data:
            record = kept[2]
        else:
            try:
                record = metadata.parse(data, limit)
            except Malformed as error:
                if attempts and (not is_settled or attempts < _ATTEMPTS):
                    # Stock MLflow empties such a file before it writes it anew.
                    time.sleep(_PAUSE)
                    return self.read(path, limit, attempts - 1)
                raise Unreadable(f"{path}: {error}") from None
        if is_settled:
            self._keep(path, stamp, None, record)
        else:
            self._keep(path, None, data, record)
        return record

    def note(self, path: str, data: bytes, record: dict[str, Any]) -> None:
        """Remember what was written to a file just now; the caller must not change the record."""
        self._keep(path, None, data, record)

    def _keep(
        self, path: str, stamp: Stamp | None, data: bytes | None, record: dict[str, Any]
    ) -> None:
        if len(self._kept) >= _MAX_CACHED:
            self._kept = {}
        self._kept[path] = (stamp, data, record)


def settled(changed: int) -> bool:
    """Tell whether a file that changed at this time would show that it changed again."""
    return changed < time.time_ns() - _TICK


def text_of(record: dict[str, Any], name: str, default: str = "") -> str:
    """Return a text of a record; numbers that YAML made of digits are text again.

    Raises:
        Malformed: it is no text.
    """
    value = record.get(name)
    if type(value) is str:
        return value
    if value is None:
        return default
    if type(value) is int:
        return str(value)
    raise Malformed(f"{name} is {type(value).__name__}, not text")


def optional_text(record: dict[str, Any], name: str) -> str | None:
    """Return a text of a record or None.

    Raises:
        Malformed: it is neither.
    """
    return None if record.get(name) is None else text_of(record, name)


def number_of(record: dict[str, Any], name: str) -> int | None:
    """Return a whole number of a record or None.

    Raises:
        Malformed: it is neither.
    """
    value = record.get(name)
    if value is None or type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise Malformed(f"{name} is {type(value).__name__}, not a whole number")
