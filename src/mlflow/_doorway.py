"""How names are found without importing anything first: lazy attributes and MLflow's old paths."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType
    from typing import Any


def load(module: str) -> ModuleType:
    """Import a module by its full name and return it."""
    # `importlib` would be one more import; `__import__` returns the top package.
    __import__(module)
    return sys.modules[module]


def attach(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package whose names are loaded on first use.

    A name is looked up in `homes`, then among the package's submodules, then among the names of
    later versions. What was found is kept in the package, so that it is looked up once and can be
    replaced by a caller.

    Args:
        package: the package's `__name__`.
        homes: full module name by attribute; a value `module:attribute` gives another name there.
    """

    def __getattr__(name: str) -> Any:
        home = homes.get(name)
        if home is not None:
            module, _, attribute = home.partition(":")
            value = getattr(load(module), attribute or name)
            setattr(sys.modules[package], name, value)
            return value
        if not name.startswith("__"):
            full = f"{package}.{name}"
            try:
                return load(full)
            except ModuleNotFoundError as error:
                if error.name != full:
                    raise
            later = load("mlflow._later").inside(package, name)
            if later is not None:
                setattr(sys.modules[package], name, later)
                return later
        msg = f"module {package!r} has no attribute {name!r}"
        raise AttributeError(msg)

    def __dir__() -> list[str]:
        submodules = load("mlflow._paths").submodules(package)
        return sorted({*vars(sys.modules[package]), *homes, *submodules})

    return __getattr__, __dir__


class PathFinder:
    """Answers imports of MLflow's module paths that have their content elsewhere here.

    It stands last on `sys.meta_path` and is asked only when no file answers.
    """

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> Any:
        """Return a module specification for a known path; None for all others."""
        del path, target
        if not fullname.startswith("mlflow."):
            return None
        return load("mlflow._paths").find(fullname)


def install() -> None:
    """Put the finder at the end of the import path, once."""
    if not any(entry is PathFinder for entry in sys.meta_path):
        sys.meta_path.append(PathFinder)
