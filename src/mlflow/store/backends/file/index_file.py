"""Where the snapshot of a run index is kept, and how it is read and replaced."""

from __future__ import annotations

import os
import stat

from mlflow.store.backends.disks import cache_folder

_MAGIC = b"millstream run index 1\n"
_HEAD = len(_MAGIC) + 32
MAX_SNAPSHOT = 2**31


def snapshot_path(root: str) -> str:
    """Return where the snapshot of a store is kept: a name made of the store's real path."""
    import hashlib

    name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:40]
    return os.path.join(cache_folder(), "runs", f"{name}.index")


def load(root: str) -> bytes | None:
    """Return the database in the snapshot of a store.

    Args:
        root: the folder of the store.

    Returns:
        The bytes; None when there is no snapshot, or it is damaged, or not a file of this user.
    """
    import hashlib

    body = _content(snapshot_path(root))
    head = _MAGIC + hashlib.sha256(body[_HEAD:]).digest()
    return body[_HEAD:] if body[:_HEAD] == head else None


def _content(path: str) -> bytes:
    """Return the content of a plain file of this user; nothing when it is not one."""
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        # A link, a pipe or a device is neither followed nor waited for.
        handle = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return b""
    try:
        found = os.fstat(handle)
        foreign = hasattr(os, "geteuid") and found.st_uid != os.geteuid()
        if foreign or not stat.S_ISREG(found.st_mode) or found.st_size > MAX_SNAPSHOT:
            return b""
        with open(handle, "rb", closefd=False) as file:
            return file.read(MAX_SNAPSHOT)
    except OSError:
        return b""
    finally:
        os.close(handle)


def save(root: str, body: bytes) -> None:
    """Replace the snapshot of a store, in one act; trouble is not reported, as nothing is lost.

    Args:
        root: the folder of the store.
        body: the database.
    """
    import hashlib

    path = snapshot_path(root)
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with open(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(_MAGIC + hashlib.sha256(body).digest())
            file.write(body)
        os.replace(temporary, path)
    except OSError:
        try:
            os.unlink(temporary)
        except OSError:
            pass
