"""What a call that returned survives: one setting, `MILLSTREAM_DURABILITY`."""

from __future__ import annotations

import os

from mlflow.environment_variables import MILLSTREAM_DURABILITY
from mlflow.exceptions import invalid

# In the order of what they cost. The first and the last concern calls that do not wait: these
# survive nothing, or do wait for the store after all. The others are those of a store itself.
MEMORY, OS, DISK, SERVER = LEVELS = ("memory", "os", "disk", "server")


def level(chosen: str | None = None) -> str:
    """Return the level that a caller chose, or the setting's.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is none of `LEVELS`.
    """
    found = chosen or MILLSTREAM_DURABILITY.get()
    if found not in LEVELS:
        raise invalid(f"MILLSTREAM_DURABILITY is {found!r}; it is one of {', '.join(LEVELS)}.")
    return str(found)


def settle(folder: str) -> None:
    """Bring the names in a folder to the disk.

    Raises:
        OSError: the disk failed.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders and orders names itself
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(path: str, mode: int = 0o777, *, is_synced: bool) -> None:
    """Make a folder, with those above it, unless it is there.

    Args:
        path: the folder.
        mode: permissions of the folder itself.
        is_synced: whether the names of the new ones are to be on the disk.

    Raises:
        OSError: it cannot be made, or a file has its name.
    """
    new = []
    here = os.path.abspath(path)
    while is_synced and not os.path.isdir(here):
        new.append(here)
        here = os.path.dirname(here)
    os.makedirs(path, mode, exist_ok=True)
    for one in reversed(new):
        settle(os.path.dirname(one))


def settle_all(folder: str) -> None:
    """Bring a folder with all that is in it to the disk.

    Raises:
        OSError: the disk failed.
    """
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            path = os.path.join(place, name)
            if os.path.islink(path):
                continue
            descriptor = os.open(path, os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        settle(place)
