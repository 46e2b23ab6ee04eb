"""Copies of SQLite files as they are at one moment, while others go on writing them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3

from mlflow.store.backends.sql.errors import told, trouble

_PAGES = 4096
_PRIVATE = 0o600


def copy_file(source: str, target: str) -> None:
    """Copy a SQLite file, with what its log holds, to a new file; the copy is on the disk after.

    Args:
        source: the file.
        target: the copy; it must not exist.

    Raises:
        FileExistsError: it does.
        MlflowException: what the database or the disk refused; then there is no copy.
    """
    # Made first, so that two of one name at one time cannot be, and for nobody else to read.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE))
    try:
        with (
            contextlib.closing(sqlite3.connect(source, timeout=20)) as read,
            contextlib.closing(sqlite3.connect(target)) as written,
        ):
            read.execute("PRAGMA query_only = ON")
            read.backup(written, pages=_PAGES)
        shutil.copymode(source, target)
        _settle(target)
        _settle(os.path.dirname(target) or ".")
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(target)
        if isinstance(error, sqlite3.Error):
            raise told(error, trouble(error), source) from error
        raise


def _settle(path: str) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
