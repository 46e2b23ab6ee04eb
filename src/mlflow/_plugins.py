"""Finds entry points of installed plug-ins without reading every installed package each time.

`importlib.metadata` would cost more than all that a new run does. What was found is kept in the
user's cache folder, together with the times of the folders that packages are installed in.
"""

from __future__ import annotations

import os
import sys

from mlflow.environment_variables import MILLSTREAM_CACHE_DIR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAD = "millstream plug-ins 1"
_found: dict[str, list[tuple[str, str]]] = {}


def entry_points(group: str) -> list[tuple[str, str]]:
    """Return (name, `module:attribute`) of the entry points of a group, sorted by name.

    What is installed while the process runs is found by the next process.
    """
    if group not in _found:
        _found[group] = _find(group)
    return _found[group]


def load(target: str) -> Any:
    """Return the object that an entry point names."""
    from importlib import import_module

    module, _, attribute = target.partition(":")
    value = import_module(module)
    for name in attribute.split(".") if attribute else ():
        value = getattr(value, name)
    return value


def _find(group: str) -> list[tuple[str, str]]:
    folders = _folders()
    stamp = _stamp(group, folders)
    kept = _kept(group)
    lines = _read(kept).split("\n") if kept else []
    if lines[:2] == [_HEAD, stamp]:
        return [(name, target) for name, _, target in (one.partition("\t") for one in lines[2:])]
    found = sorted({pair for path, _ in folders for pair in _installed_in(path, group)})
    if kept:
        _keep(kept, [_HEAD, stamp, *("\t".join(pair) for pair in found)])
    return found


def _folders() -> list[tuple[str, int]]:
    """Return (path, time) of the folders that packages may be installed in."""
    found = []
    for path in dict.fromkeys(sys.path):
        try:
            found.append((path, os.stat(path or ".").st_mtime_ns))
        except OSError:
            continue
    # The program's own folder changes all the time and is where packages are not installed.
    return [(path, time) for path, time in found if "-packages" in path]


def _stamp(group: str, folders: list[tuple[str, int]]) -> str:
    return repr((group, sys.version_info[:2], folders))


def _kept(group: str) -> str | None:
    folder = MILLSTREAM_CACHE_DIR.get_raw()
    if not folder:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        if not os.path.isabs(base):
            return None
        folder = os.path.join(base, "millstream")
    return os.path.join(folder, f"plug-ins of {group}.txt")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            found = os.fstat(file.fileno())
            # A file of somebody else would choose what this process imports.
            is_own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
            return file.read() if is_own and not found.st_mode & 0o022 else ""
    except OSError:
        return ""


def _keep(path: str, lines: list[str]) -> None:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = f"{path}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write("\n".join(lines))
        os.replace(temporary, path)
    except OSError:
        return  # the next process looks again


def _installed_in(folder: str, group: str) -> list[tuple[str, str]]:
    found = []
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            text = _text(os.path.join(folder, name, "entry_points.txt"))
            if group in text:
                found += _of_group(text, group)
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _of_group(text: str, group: str) -> list[tuple[str, str]]:
    found, section = [], ""
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == group and "=" in line:
            name, _, target = line.partition("=")
            found.append((name.strip(), target.partition("[")[0].strip()))
    return found
