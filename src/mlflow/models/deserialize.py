"""The one home of unsafe deserialisation: pickle, cloudpickle, joblib and skops files of models.

Whether code inside a model may run is the loader's decision alone. It is said by the environment
variable `MLFLOW_ALLOW_PICKLE_DESERIALIZATION` (on by default, as in MLflow) and, for skops files,
by the types a loader names in `MILLSTREAM_SKOPS_TRUSTED_TYPES` or with `trusting`. Nothing that
lies inside a model's folder is ever asked.
"""

from __future__ import annotations

import contextlib
import contextvars
import importlib
import logging
import os
import pickle
import sys
from typing import TYPE_CHECKING, Any

from mlflow.environment_variables import (
    MILLSTREAM_SKOPS_TRUSTED_TYPES,
    MILLSTREAM_TRUSTED_LOADERS,
)
from mlflow.exceptions import MlflowException, invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

POLICY_VARIABLE = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"

# How MLflow compresses PythonModels → the module that reads it, and the ending of the file.
COMPRESSIONS = {"lzma": ("lzma", ".xz"), "bzip2": ("bz2", ".bz2"), "gzip": ("gzip", ".gz")}

# Endings of files of weights that are pickles, or archives of them.
_PICKLED_WEIGHTS = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth")
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")
_logger = logging.getLogger(__name__)
_trusted: contextvars.ContextVar[tuple[str, ...]] = contextvars.ContextVar("trusted", default=())


def code_allowed() -> bool:
    """Tell whether models may bring code: pickles, Python files, loaders of their own.

    Raises:
        MlflowException: the variable is set to something that is neither true nor false; a
            misspelt refusal must not become a permission.
    """
    text = os.environ.get(POLICY_VARIABLE)
    if text is None:
        return True
    word = text.strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise invalid(f"{POLICY_VARIABLE} must be true or false, not {text!r}.")


def require_code_allowed(what: str, path: str) -> None:
    """Raise unless the loader permits models to bring code.

    Args:
        what: what would run, for the message.
        path: where it lies.
    """
    if not code_allowed():
        raise MlflowException(
            f"'{path}' is {what}, which can run any code when it is loaded, and "
            f"{POLICY_VARIABLE} is set to refuse that. Load it only if you trust its author: "
            f"set {POLICY_VARIABLE}=true. Better, save it anew in a safe format.",
            error_code="PERMISSION_DENIED",
        )


@contextlib.contextmanager
def trusting(types: Iterable[str]) -> Iterator[None]:
    """Trust these types in skops files that are loaded inside the block."""
    token = _trusted.set((*_trusted.get(), *types))
    try:
        yield
    finally:
        _trusted.reset(token)


def trusted_types() -> list[str]:
    """Return the types that the loader's side trusts in skops files."""
    named = MILLSTREAM_SKOPS_TRUSTED_TYPES.get()
    return [*_trusted.get(), *(name.strip() for name in named.split(",") if name.strip())]


def trusted_loaders() -> list[str]:
    """Return the loader modules that the loader's side trusts beside the known flavors."""
    named = MILLSTREAM_TRUSTED_LOADERS.get()
    return [name.strip() for name in named.split(",") if name.strip()]


# ------------------------------------------------------------------- loading


def load_pickle(path: str, module: str = "pickle", compression: str | None = None) -> Any:
    """Load one pickled object from a file.

    Args:
        path: the file.
        module: who reads it: pickle, cloudpickle, joblib or dill.
        compression: how the file is compressed, one of `COMPRESSIONS`; None when it is not.

    Returns:
        The object.

    Raises:
        MlflowException: the loader refuses pickles, there is no such file, it cannot be read, or
            the reader or the compression is unknown or not installed.
    """
    with unpickling(path):
        if module not in ("pickle", "cloudpickle", "joblib", "dill"):
            raise invalid(f"'{module}' is no reader of pickles.")
        if module == "joblib":
            return _import_reader("joblib").load(path)
        # A cloudpickle is a pickle that names cloudpickle's functions; importing it first gives a
        # clear message when it is missing.
        reader = pickle if module == "pickle" else _import_reader(module)
        with opener(compression)(path, "rb") as file:
            return reader.load(file)


@contextlib.contextmanager
def unpickling(path: str, what: str = "a pickle") -> Iterator[None]:
    """Stand around whatever unpickles a file, be it here or in a library.

    Args:
        path: the file.
        what: what it is, for the message.

    Raises:
        MlflowException: the loader refuses pickles, there is no such file, or it cannot be read.
    """
    require_code_allowed(what, path)
    _require_file(path)
    _record(path)
    try:
        yield
    except MlflowException:
        raise
    except Exception as error:
        raise unreadable(path, error) from error


def require_no_pickles(folder: str) -> None:
    """Raise when a folder of weights holds files that are unpickled, and the loader refuses that.

    Args:
        folder: the folder, whose reader picks among the files itself.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(_PICKLED_WEIGHTS):
                require_code_allowed("a pickle", os.path.join(place, name))


def unreadable(path: str, error: Exception) -> MlflowException:
    """Return the error for a model's file that its reader gave up on.

    Args:
        path: the file.
        error: what the reader said.
    """
    return MlflowException(
        f"'{path}' cannot be read: {type(error).__name__}: {error}. Either it is damaged, or it was "
        "written with other versions of its libraries; requirements.txt beside the MLmodel lists "
        "those."
    )


def opener(compression: str | None) -> Any:
    """Return the function that opens files of a compression.

    Raises:
        MlflowException: there is no such compression.
    """
    if compression is None:
        return open
    if compression not in COMPRESSIONS:
        raise invalid(
            f"{compression!r} is no compression of models: {', '.join(COMPRESSIONS)} are."
        )
    return importlib.import_module(COMPRESSIONS[compression][0]).open


def _require_file(path: str) -> None:
    # A pipe would keep its reader waiting for ever.
    if not os.path.isfile(path):
        raise not_found(f"The model's file '{path}' is not there, or is no plain file.")


def load_skops(path: str) -> Any:
    """Load an object from a skops file.

    Where the loader permits code, types of installed libraries are accepted as skops finds them;
    types of the standard library never are, unless the loader names them.

    Raises:
        MlflowException: it holds types that the loader does not trust.
    """
    io = _import_reader("skops.io")
    _require_file(path)
    trusted = trusted_types()
    try:
        unknown = [name for name in io.get_untrusted_types(file=path) if name not in trusted]
    except Exception as error:
        raise invalid(f"'{path}' is no readable skops file: {error}") from error
    refused = unknown
    if unknown and code_allowed():
        refused = [name for name in unknown if _of_standard_library(name)]
        if not refused:
            _logger.warning(
                "The model at '%s' holds types that skops does not know to be safe: %s. They are "
                "accepted because %s is not off.", path, unknown, POLICY_VARIABLE,
            )  # fmt: skip
    if refused:
        raise MlflowException(
            f"Untrusted types found in the file: {refused}. If you trust them, name them in "
            f"{MILLSTREAM_SKOPS_TRUSTED_TYPES} (comma separated) before loading; what the model itself "
            "says of them does not count.",
            error_code="PERMISSION_DENIED",
        )
    try:
        return io.load(path, trusted=[*trusted, *unknown])
    except Exception as error:
        if type(error).__name__ == "UntrustedTypesFoundException":
            raise MlflowException(str(error), error_code="PERMISSION_DENIED") from error
        raise invalid(f"'{path}' is no readable skops file: {error}") from error


def load_class(name: object, library: str, path: str) -> type:
    """Return the class of which an MLmodel says that its model is.

    Classes of the flavor's own library are taken. Others are someone's code, whose import runs it.

    Args:
        name: the class, with its module.
        library: the flavor's library.
        path: the model's folder, for messages.

    Raises:
        MlflowException: the loader refuses code, or there is no such class.
    """
    module, _, attribute = name.rpartition(".") if isinstance(name, str) else ("", "", "")
    if not module or not all(part.isidentifier() for part in str(name).split(".")):
        raise invalid(f"The model at '{path}' names a class that is none: {name!r}.")
    if module.split(".", 1)[0] != library:
        if _of_standard_library(module) or module.split(".", 1)[0] == "mlflow":
            raise invalid(f"The model at '{path}' names a class that is no model's: {name!r}.")
        require_code_allowed(f"a model of the class {name}", path)
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError as error:
        raise MlflowException(
            f"The model at '{path}' is of the class {name}, which cannot be imported: {error}"
        ) from error
    if not isinstance(found, type):
        raise invalid(f"The model at '{path}' is of the class {name}, which is not there.")
    return found


def class_name(value: object) -> str:
    """Return the name of a value's class, as `load_class` takes it."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _of_standard_library(name: str) -> bool:
    top = name.split(".", 1)[0]
    return top in sys.stdlib_module_names or top in ("builtins", "nt", "posix")


def _record(path: str) -> None:
    # Audit hooks see which file it was; the interpreter itself tells only what is looked up.
    sys.audit("mlflow.load_pickle", path)
    _logger.debug("Loading a pickle, which can run any code: '%s'.", path)


def _import_reader(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.split(".", 1)[0]
        raise MlflowException(
            f"Models of this kind need the package '{package}': pip install {package}"
        ) from error


# -------------------------------------------------------------------- saving


def dump_pickle(
    value: object, path: str, module: str = "cloudpickle", compression: str | None = None
) -> None:
    """Write one object as a pickle.

    Args:
        value: the object.
        path: the file.
        module: pickle or cloudpickle.
        compression: one of `COMPRESSIONS`; None for none.
    """
    writer = pickle if module == "pickle" else _import_reader(module)
    with opener(compression)(path, "wb") as file:
        writer.dump(value, file)


def dump_skops(value: object, path: str, trusted: list[str] | None = None) -> list[str]:
    """Write one object as a skops file.

    Args:
        value: the object.
        path: the file.
        trusted: types its author vouches for.

    Returns:
        The types in it that neither skops nor its author trusts.
    """
    io = _import_reader("skops.io")
    io.dump(value, path)
    return [name for name in io.get_untrusted_types(file=path) if name not in (trusted or [])]
