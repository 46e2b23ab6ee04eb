"""Which installed packages a model stands on: found from its files and objects, loading nothing."""

from __future__ import annotations

import ast
import dis
import importlib.metadata
import os
import pickletools
import sys
import types
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

from mlflow.models.deserialize import COMPRESSIONS, opener

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Where the module and the distribution differ; the rest is asked of the installation.
_DISTRIBUTION_OF = {
    "cloudpickle": "cloudpickle",
    "joblib": "joblib",
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "skl2onnx": "skl2onnx",
    "sklearn": "scikit-learn",
    "skops": "skops",
}
# Never pinned beside a model: the pin of mlflow comes first and by itself, the rest are tools.
_NEVER = frozenset({"mlflow", "millstream", "pip", "setuptools", "wheel", "__main__", "builtins"})

# The last two are those of flavors.
_PICKLES = (".pkl", ".pickle", ".pmd", ".statsmodels")

_COMPRESSION_OF = {ending: name for name, (_, ending) in COMPRESSIONS.items()}

# A pickle of more operations is data, and what it stands on has been named long before.
_MAX_OPERATIONS = 2_000_000


@cache
def installed_version(package: str) -> str | None:
    """Return the version of an installed distribution, local label cut; None when absent."""
    try:
        return importlib.metadata.version(package).split("+", 1)[0]
    except importlib.metadata.PackageNotFoundError:
        return None


@cache
def _distributions_of_modules() -> dict[str, list[str]]:
    return {
        name: list(found) for name, found in importlib.metadata.packages_distributions().items()
    }


@cache
def distribution_of(module: str) -> str | None:
    """Return the distribution that a module comes from; None for the standard library and own code.

    Args:
        module: a dotted name; only its first part counts.
    """
    top = module.split(".", 1)[0]
    if top in _NEVER or top in sys.stdlib_module_names:
        return None
    known = _DISTRIBUTION_OF.get(top)
    if known is not None and installed_version(known) is not None:
        return known
    found = _distributions_of_modules().get(top)
    if not found or found[0] in _NEVER:
        return None
    # Namespace packages belong to several; the one of the same name is the best guess.
    same = [name for name in found if name.lower().replace("-", "_") == top.lower()]
    return (same or found)[0]


def distributions_of(modules: Iterable[str]) -> set[str]:
    """Return the distributions that modules come from."""
    found = (distribution_of(module) for module in modules)
    return {name for name in found if name is not None}


# --------------------------------------------------------------------- files


def modules_in_folder(path: str) -> set[str]:
    """Return the modules that the pickles, skops files and sources in a model's folder name."""
    modules: set[str] = set()
    for folder, _, names in os.walk(path):
        for name in names:
            modules |= _modules_in_file(os.path.join(folder, name))
    return modules


def _modules_in_file(path: str) -> set[str]:
    plain, extension = os.path.splitext(path.lower())
    compression = _COMPRESSION_OF.get(extension)
    if compression is not None:
        extension = os.path.splitext(plain)[1]
    try:
        if extension in _PICKLES:
            return modules_in_pickle(path, compression)
        if extension == ".skops":
            return modules_in_skops(path) | {"skops"}
        if extension == ".py":
            return modules_in_source(path)
    except (OSError, ValueError, SyntaxError, KeyError, zipfile.BadZipFile, RecursionError):
        # What cannot be read adds nothing; the model's weights matter more.
        return set()
    return set()


def modules_in_pickle(path: str, compression: str | None = None) -> set[str]:
    """Return the modules that a pickle names, without running any of it.

    Args:
        path: the file.
        compression: how it is compressed, as `deserialize.COMPRESSIONS` names it.
    """
    modules: set[str] = set()
    strings: list[str] = []
    memo: dict[int, str] = {}
    last: str | None = None
    expects_module = False
    with opener(compression)(path, "rb") as file:
        for count, (operation, value, _) in enumerate(pickletools.genops(file)):
            name, argument = operation.name, str(value)
            if name in ("SHORT_BINUNICODE", "BINUNICODE", "UNICODE", "BINUNICODE8"):
                last = argument
                strings.append(argument)
                if expects_module:
                    modules.add(argument)
                expects_module = False
            elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
                memo[len(memo) if name == "MEMOIZE" else int(argument)] = last or ""
            elif name in ("BINGET", "LONG_BINGET", "GET"):
                strings.append(memo.get(int(argument), ""))
            elif name == "STACK_GLOBAL" and len(strings) > 1:
                modules.add(strings[-2])
                expects_module = strings[-1] == "subimport"
                last = None
            elif name == "GLOBAL":
                module, _, attribute = argument.partition(" ")
                modules.add(module)
                expects_module = attribute == "subimport"
                last = None
            elif name not in ("PROTO", "FRAME"):
                last = None
            if count > _MAX_OPERATIONS:
                break
    return {module for module in modules if module}


def modules_in_skops(path: str) -> set[str]:
    """Return the modules that a skops file names."""
    import json

    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
    modules, waiting = set(), [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            module = value.get("__module__")
            if isinstance(module, str):
                modules.add(module)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return modules


def modules_in_source(path: str) -> set[str]:
    """Return the modules that a Python file imports."""
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), filename=path)
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module)
    return modules


# ------------------------------------------------------------------- objects


def modules_of_object(value: Any) -> set[str]:
    """Return the modules that an object's class or a function uses, imports in bodies included.

    Cloudpickle writes classes of a script by value; the imports inside their methods show nowhere
    in the pickle but as names.
    """
    modules: set[str] = set()
    seen: set[int] = set()
    for function in _functions_of(value):
        _add_modules_of_function(function, modules, seen)
    kind = value if isinstance(value, type) else type(value)
    for base in kind.__mro__:
        modules.add(base.__module__)
    return modules


def _functions_of(value: Any) -> Iterator[types.FunctionType]:
    if isinstance(value, types.FunctionType):
        yield value
        return
    kind = value if isinstance(value, type) else type(value)
    for base in kind.__mro__:
        if base.__module__.split(".", 1)[0] in ("mlflow", "builtins"):
            continue
        for member in vars(base).values():
            function = getattr(member, "__func__", member)
            if isinstance(function, types.FunctionType):
                yield function


def _add_modules_of_function(
    function: types.FunctionType, modules: set[str], seen: set[int]
) -> None:
    if id(function) in seen:
        return
    seen.add(id(function))
    modules.add(function.__module__ or "")
    for code in _codes(function.__code__):
        for instruction in dis.get_instructions(code):
            if instruction.opname == "IMPORT_NAME":
                modules.add(str(instruction.argval))
        for name in code.co_names:
            used = function.__globals__.get(name)
            if isinstance(used, types.ModuleType):
                modules.add(used.__name__)
            elif isinstance(used, types.FunctionType):
                if used.__module__ == function.__module__:
                    _add_modules_of_function(used, modules, seen)
                else:
                    modules.add(used.__module__ or "")
            elif isinstance(used, type):
                modules.add(used.__module__)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
