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
    from collections.abc import Callable, Iterator
    from typing import Any

_HEAD = "millstream plug-ins 2"
_GROUPS = "mlflow."
_INFO = (".dist-info", ".egg-info")
# The standard library brings no plug-ins, and is on every path.
_STANDARD = os.path.dirname(getattr(os, "__file__", "")) or "\0"

Found = dict[str, list[tuple[str, str]]]
# What is on the path → group → its entry points.
_found: dict[tuple[str, ...], Found] = {}


def entry_points(group: str) -> list[tuple[str, str]]:
    """Return (name, `module:attribute`) of the entry points of a group, sorted by name.

    What is installed while the process runs is found by the next process; what is put on the path,
    at once.

    Args:
        group: one of `mlflow`'s, such as `mlflow.tracking_store`.
    """
    path = tuple(sys.path)
    found = _found.get(path)
    if found is None:
        found = _found[path] = _find()
    return found.get(group, [])


def load(target: str) -> Any:
    """Return the object that an entry point names."""
    from importlib import import_module

    module, _, attribute = target.partition(":")
    value = import_module(module)
    for name in attribute.split(".") if attribute else ():
        value = getattr(value, name)
    return value


def offered(group: str, *names: str) -> Any:
    """Return what an installed plug-in offers under one of some names, None where none does.

    A plug-in that cannot be loaded is passed over with a warning, as in MLflow.

    Args:
        group: the group of entry points.
        names: what it may be called, in lower case.
    """
    for name, target in entry_points(group):
        if name.lower() in names:
            try:
                return load(target)
            except Exception as error:  # noqa: BLE001 - plug-ins raise anything
                import logging

                logging.getLogger(__name__).warning(
                    "The plug-in %r (%s) of the entry points %r cannot be used: %s: %s",
                    name, target, group, type(error).__name__, error,
                )  # fmt: skip
    return None


class Registry:
    """Providers of one kind in the order in which they are asked: those added, then plug-ins'.

    Attributes:
        group: the entry points under which installed plug-ins offer providers.
    """

    group = ""

    def __init__(self) -> None:
        self._registry: list[Any] = []
        self._has_plugins = False

    def add(self, make: Callable[[], Any]) -> None:
        """Add a provider, given what makes it."""
        self._registry.append(make())

    def register_entrypoints(self) -> None:
        """Add the providers that installed plug-ins offer, once."""
        if self._has_plugins:
            return
        self._has_plugins = True
        for name, target in entry_points(self.group):
            try:
                self.add(load(target))
            except Exception as error:  # noqa: BLE001 - plug-ins raise anything
                self.warn(name, error)

    def warn(self, name: str, error: Exception) -> None:
        """Say that a provider is passed over."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        return iter(self._registry)


def _find() -> Found:
    folders = _folders()
    stamp = repr((sys.version_info[:2], folders))
    kept = _kept()
    lines = _read(kept).split("\n") if kept else []
    if lines[:2] != [_HEAD, stamp]:
        rows = sorted({row for path, _ in folders for row in _installed_in(path)})
        lines = [_HEAD, stamp, *("\t".join(row) for row in rows)]
        if kept:
            _keep(kept, lines)
    found: Found = {}
    for line in lines[2:]:
        group, _, pair = line.partition("\t")
        name, _, target = pair.partition("\t")
        found.setdefault(group, []).append((name, target))
    return found


def _folders() -> list[tuple[str, Any]]:
    """Return (path, what changes when something is installed there) of the folders on the path."""
    found: list[tuple[str, Any]] = []
    for path in dict.fromkeys(sys.path):
        try:
            if "-packages" in path:
                found.append((path, os.stat(path).st_mtime_ns))
            elif not path.startswith(_STANDARD):
                # The program's own folder changes all the time; what is installed in it does not.
                names = [one for one in os.listdir(path or ".") if one.endswith(_INFO)]
                if names:
                    places = [os.path.join(path, one) for one in sorted(names)]
                    found.append((path, [(one, os.stat(one).st_mtime_ns) for one in places]))
        except OSError:
            continue
    return found


def _kept() -> str | None:
    folder = MILLSTREAM_CACHE_DIR.get_raw()
    if not folder:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        if not os.path.isabs(base):
            return None
        folder = os.path.join(base, "millstream")
    return os.path.join(folder, "plug-ins.txt")


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


def _installed_in(folder: str) -> list[tuple[str, str, str]]:
    """Return (group, name, target) of MLflow's entry points of what is installed in a folder."""
    found = []
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    for name in names:
        if name.endswith(_INFO):
            text = _text(os.path.join(folder, name, "entry_points.txt"))
            if _GROUPS in text:
                found += _rows(text)
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _rows(text: str) -> list[tuple[str, str, str]]:
    found, section = [], ""
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section.startswith(_GROUPS) and "=" in line:
            name, _, target = line.partition("=")
            found.append((section, name.strip(), target.partition("[")[0].strip()))
    return found
