"""What a model needs to run: its pip requirements, inferred or given, and the pins among them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import invalid
from mlflow.models.packages import (
    distribution_of,
    distributions_of,
    installed_version,
    modules_in_folder,
)
from mlflow.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

_logger = logging.getLogger(__name__)

CONSTRAINTS_FILE_NAME = "constraints.txt"
REQUIREMENTS_FILE_NAME = "requirements.txt"

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_MLFLOW = frozenset({"mlflow", "mlflow-skinny"})
_MLFLOW_PIN = f"mlflow=={VERSION}"


def requirement_name(requirement: str) -> str:
    """Return the normalised name of a requirement; the text itself when it has none."""
    match = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", match.group(1)).lower() if match else requirement


def pinned(requirement: str, version: str | None = None, module: str | None = None) -> str:
    """Return a requirement pinned to the installed version.

    Args:
        requirement: a package, perhaps with extras.
        version: the version to pin, when known.
        module: the module whose `__version__` counts when the package is not installed as such.

    Returns:
        `package==version`; the bare package when no version is found.
    """
    package = requirement.split("[", 1)[0].strip()
    found = version or installed_version(package)
    if found is None:
        found = _module_version(module or package)
    return f"{requirement}=={found.split('+', 1)[0]}" if found else requirement


def _module_version(module: str) -> str | None:
    import sys

    # A module that is not loaded is not what the model was made with.
    loaded = sys.modules.get(module)
    version = getattr(loaded, "__version__", None)
    return str(version) if version else None


def infer_pip_requirements(
    model_uri: str,
    flavor: str | None = None,
    fallback: list[str] | None = None,
    timeout: int | None = None,
    extra_env_vars: dict[str, str] | None = None,
    uv_project_dir: str | os.PathLike[str] | None = None,
    uv_groups: list[str] | None = None,
    uv_extras: list[str] | None = None,
) -> list[str]:
    """Return the pip requirements of a saved model, from what its files name.

    Nothing is loaded: pickles are read operation by operation, sources are parsed.

    Args:
        model_uri: the model's folder.
        flavor: its flavor.
        fallback: what the flavor needs at least.
        timeout: accepted as in MLflow; nothing here takes long.
        extra_env_vars: accepted as in MLflow; no process is started.
        uv_project_dir: accepted as in MLflow.
        uv_groups: accepted as in MLflow.
        uv_extras: accepted as in MLflow.

    Returns:
        Pinned requirements, sorted; the fallback when nothing can be found.
    """
    try:
        return _inferred(str(model_uri), fallback or [])
    except Exception as error:  # noqa: BLE001 - requirements never cost the model
        _logger.warning(
            "Could not infer the pip requirements of the model at '%s' (flavor %s): %s. "
            "Using %s.", model_uri, flavor, error, fallback,
        )  # fmt: skip
        return list(fallback or [])


def _inferred(path: str, fallback: list[str], modules: Iterable[str] = ()) -> list[str]:
    own = _own_modules(path)
    named = {m for m in modules_in_folder(path) | set(modules) if m.split(".", 1)[0] not in own}
    packages = {requirement_name(name): name for name in distributions_of(named)}
    found = {name: pinned(package) for name, package in packages.items()}
    for requirement in fallback:
        found.setdefault(requirement_name(requirement), requirement)
    return [found[name] for name in sorted(found) if name not in _MLFLOW]


def requirements_of_objects(
    path: str, fallback: list[str], modules: Iterable[str] = ()
) -> list[str]:
    """Return the requirements of a model from its files, its flavor and modules known to be used.

    Args:
        path: the model's folder.
        fallback: what the flavor needs at least.
        modules: modules that the model's objects use.
    """
    try:
        return _inferred(path, fallback, modules)
    except Exception as error:  # noqa: BLE001 - requirements never cost the model
        _logger.warning("Could not infer the pip requirements of the model: %s", error)
        return list(fallback)


def _own_modules(path: str) -> set[str]:
    # Sources shipped inside the model's folder come with it.
    own: set[str] = set()
    code = os.path.join(path, "code")
    if os.path.isdir(code):
        own |= {os.path.splitext(name)[0] for name in os.listdir(code)}
    return own


def with_companions(requirements: list[str], modules: Iterable[str]) -> list[str]:
    """Return requirements with the packages of further modules pinned, where installed."""
    names = {requirement_name(requirement) for requirement in requirements}
    added = []
    for module in modules:
        package = distribution_of(module)
        if package is not None and requirement_name(package) not in names:
            added.append(pinned(package))
    return sorted([*requirements, *added])


# --------------------------------------------------------- what a user gives


def check_environment_arguments(
    conda_env: object, pip_requirements: object, extra_pip_requirements: object
) -> None:
    """Raise when more than one of the three ways to say requirements is used.

    Raises:
        ValueError: as in MLflow, which flavors of other packages catch.
    """
    if conda_env is not None and (
        pip_requirements is not None or extra_pip_requirements is not None
    ):
        raise ValueError(
            "Only one of `conda_env`, `pip_requirements`, and `extra_pip_requirements` can be "
            "specified"
        )
    if pip_requirements is not None and extra_pip_requirements is not None:
        raise ValueError(
            "Only one of `conda_env`, `pip_requirements`, and `extra_pip_requirements` can be "
            "specified"
        )


def parse_pip_requirements(pip_requirements: object) -> tuple[list[str], list[str]]:
    """Return the (requirements, constraints) that a user gave.

    Args:
        pip_requirements: a list of lines, or the path of a requirements file; lines may refer to
            further files with `-r` and to constraint files with `-c`.

    Raises:
        TypeError: it is neither.
    """
    if pip_requirements is None:
        return [], []
    if isinstance(pip_requirements, (str, os.PathLike)):
        lines = list(_lines_of_file(os.fspath(pip_requirements)))
        return _split_lines(lines, os.path.dirname(os.path.abspath(pip_requirements)))
    given: list[Any] = list(pip_requirements) if isinstance(pip_requirements, Iterable) else [None]
    if not all(isinstance(line, str) for line in given):
        raise TypeError(
            "`pip_requirements` must be either a string path to a pip requirements file on the "
            "local filesystem or an iterable of pip requirement strings, but got "
            f"`{type(pip_requirements)}`"
        )
    return _split_lines(_cleaned(given), os.getcwd())


def _lines_of_file(path: str) -> Iterator[str]:
    with open(path, encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    yield from _cleaned(text.splitlines())


def _cleaned(lines: Iterable[str]) -> list[str]:
    found = []
    for line in lines:
        text = re.sub(r"(^|\s+)#.*$", "", line).strip()
        if text:
            found.append(text)
    return found


def _split_lines(
    lines: Iterable[str], base: str, *, constraint: bool = False, depth: int = 0
) -> tuple[list[str], list[str]]:
    if depth > 20:
        raise invalid("Requirements files refer to each other in a circle.")
    requirements: list[str] = []
    constraints: list[str] = []
    for line in lines:
        option = re.match(r"(-r|--requirement|-c|--constraint)[\s=]*(.+)$", line)
        if option is None:
            (constraints if constraint else requirements).append(line)
            continue
        path = option.group(2).strip()
        path = path if os.path.isabs(path) else os.path.join(base, path)
        is_constraint = constraint or option.group(1) in ("-c", "--constraint")
        more, more_constraints = _split_lines(
            _lines_of_file(path), os.path.dirname(path), constraint=is_constraint, depth=depth + 1
        )
        requirements += more
        constraints += more_constraints
    return requirements, constraints


def contains_mlflow(requirements: Iterable[str]) -> bool:
    """Tell whether mlflow is among requirements."""
    return any(requirement_name(requirement) in _MLFLOW for requirement in requirements)


def deduplicated(requirements: Iterable[str]) -> list[str]:
    """Return requirements with each package once, later specifiers joined to the first."""
    found: dict[str, str] = {}
    for requirement in requirements:
        name = requirement_name(requirement)
        if name not in found:
            found[name] = requirement
        elif found[name] != requirement:
            found[name] = _joined(found[name], requirement)
    return list(found.values())


def _joined(first: str, second: str) -> str:
    pattern = re.compile(r"^\s*[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?\s*([^;@]*)(;.*)?$")
    one, two = pattern.match(first), pattern.match(second)
    if one is None or two is None or one.group(3) != two.group(3):
        return first
    extras = one.group(1) or two.group(1) or ""
    text = f"{one.group(2)},{two.group(2)}"
    bounds = [bound.strip() for bound in text.split(",") if bound.strip()]
    name = _NAME.match(first)
    return (
        (name.group(1) if name else first)
        + extras
        + ",".join(dict.fromkeys(bounds))
        + (one.group(3) or "")
    )


def process_pip_requirements(
    default_pip_requirements: list[str] | None,
    pip_requirements: object = None,
    extra_pip_requirements: object = None,
) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return what is written beside a model.

    Args:
        default_pip_requirements: what was inferred.
        pip_requirements: what the user wants instead.
        extra_pip_requirements: what the user wants besides.

    Returns:
        The conda environment, the requirement lines (mlflow first) and the constraint lines.
    """
    constraints: list[str] = []
    if pip_requirements is not None:
        requirements, constraints = parse_pip_requirements(pip_requirements)
    elif extra_pip_requirements is not None:
        extra, constraints = parse_pip_requirements(extra_pip_requirements)
        requirements = [*(default_pip_requirements or []), *extra]
    else:
        requirements = list(default_pip_requirements or [])
    requirements = deduplicated(requirements)
    if not contains_mlflow(requirements):
        requirements.insert(0, _MLFLOW_PIN)
    if constraints:
        requirements.append(f"-c {CONSTRAINTS_FILE_NAME}")
    return conda_environment(requirements), requirements, constraints


def conda_environment(
    pip_requirements: list[str] | None,
    conda_dependencies: list[str] | None = None,
    channels: list[str] | None = None,
) -> dict[str, Any]:
    """Return a conda environment that holds this Python and these pip requirements."""
    import platform

    pip_version = installed_version("pip")
    dependencies: list[Any] = [f"python={platform.python_version()}"]
    dependencies += conda_dependencies or []
    if pip_requirements:
        dependencies.append(f"pip<={pip_version}" if pip_version else "pip")
        dependencies.append({"pip": list(pip_requirements)})
    return {
        "name": "mlflow-env",
        "channels": ["conda-forge", *(channels or [])],
        "dependencies": dependencies,
    }
