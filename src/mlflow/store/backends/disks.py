"""Where files lie: on this machine or on another one, and where what is derived from them does."""

from __future__ import annotations

import os
import sys

from mlflow.environment_variables import MILLSTREAM_CACHE_DIR, MILLSTREAM_SHARED_FOLDER
from mlflow.exceptions import invalid

# File systems whose clocks are another machine's, or whose attributes may be served stale: there
# neither a time nor a size says that a file is unchanged, and processes share no memory.
_REMOTE = {
    "9p", "afs", "acfs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "fuse", "glusterfs",
    "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "panfs", "smb2", "smb3", "smbfs", "vboxsf",
    "virtiofs", "wekafs",
}  # fmt: skip


def is_shared(path: str) -> bool:
    """Tell whether a folder may be written by several machines, as `MILLSTREAM_SHARED_FOLDER` says.

    Args:
        path: a folder, which need not exist yet.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: the setting is none of `auto`, `always`, `never`.
    """
    chosen = MILLSTREAM_SHARED_FOLDER.get()
    if chosen not in ("auto", "always", "never"):
        raise invalid(f"MILLSTREAM_SHARED_FOLDER is {chosen!r}; it is one of auto, always, never.")
    if chosen != "auto":
        return bool(chosen == "always")
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    # What a number stands for is a disk of this machine; asking for more takes longer.
    if sys.platform == "linux" and os.major(os.stat(path).st_dev):
        return False
    return on_remote_disk(path)


def on_remote_disk(path: str) -> bool:
    """Tell whether a folder lies on a file system of another machine (or one like it).

    Args:
        path: an existing folder.

    Returns:
        True also where the system gives no way to know and the path says so (a UNC path).
    """
    real = os.path.realpath(path)
    if sys.platform == "win32":
        return _on_remote_drive(real)
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
            mounts = file.read().splitlines()
    except OSError:
        # No /proc (macOS): volumes of other machines are mounted below these.
        return real.startswith(("/Volumes/", "/net/", "/Network/"))
    best, kind = "", ""
    for line in mounts:
        fields = line.split(" ")
        point = fields[1].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind.partition(".")[0] in _REMOTE


def _on_remote_drive(real: str) -> bool:
    if real.startswith("\\\\"):
        return True
    import ctypes

    remote = 4
    windows = getattr(ctypes, "windll").kernel32  # noqa: B009 - exists on Windows only
    return bool(windows.GetDriveTypeW(os.path.splitdrive(real)[0] + "\\") == remote)


def cache_folder() -> str:
    """Return the folder for derived files of this user; it may not exist yet."""
    chosen = MILLSTREAM_CACHE_DIR.get()
    if chosen:
        return str(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
        return os.path.join(base, "millstream", "Cache")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/millstream")
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return os.path.join(
        base if os.path.isabs(base) else os.path.expanduser("~/.cache"), "millstream"
    )


def series_folder(place: str | None) -> str | None:
    """Return the folder of what is derived from the series of a store.

    Args:
        place: what tells the store from others; None for one that has no such files.
    """
    import hashlib

    if place is None:
        return None
    name = hashlib.sha256(os.fsencode(place)).hexdigest()[:40]
    return os.path.join(cache_folder(), "series", name)
