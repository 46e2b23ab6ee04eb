"""The table of flavors: which module loads which, the library it needs, and how to install it."""

from __future__ import annotations

import functools
import importlib
import logging
import re
import sys
from types import ModuleType
from typing import Any, NamedTuple

from mlflow.exceptions import MlflowException, invalid
from mlflow.models.deserialize import code_allowed, trusted_loaders
from mlflow.models.packages import distribution_of, installed_version

_logger = logging.getLogger(__name__)


class FlavorInfo(NamedTuple):
    """One flavor.

    Attributes:
        module: the module that saves and loads it.
        library: the module of the library whose models it holds; empty for none.
        packages: what to install.
        data: the file that holds its models where an MLmodel names none; empty for flavors that
            this version does not save and load.
        tested: the first and the last version of the library that it was tested with, here or by
            MLflow.
    """

    module: str
    library: str
    packages: str
    data: str = ""
    tested: tuple[str, str] | None = None

    @property
    def ready(self) -> bool:
        """Whether this version saves and loads it."""
        return bool(self.data)


FLAVORS: dict[str, FlavorInfo] = {
    "catboost": FlavorInfo("mlflow.catboost", "catboost", "catboost", "model.cb", ("1.2", "1.2")),
    "diffusers": FlavorInfo("mlflow.diffusers", "diffusers", "diffusers peft"),
    "dspy": FlavorInfo("mlflow.dspy", "dspy", "dspy"),
    "h2o": FlavorInfo("mlflow.h2o", "h2o", "h2o"),
    "johnsnowlabs": FlavorInfo("mlflow.johnsnowlabs", "johnsnowlabs", "johnsnowlabs"),
    "keras": FlavorInfo("mlflow.keras", "keras", "keras", "data/model.keras", ("3.7", "3.15")),
    "langchain": FlavorInfo("mlflow.langchain", "langchain", "langchain"),
    "lightgbm": FlavorInfo(
        "mlflow.lightgbm", "lightgbm", "lightgbm skops", "model.lgb", ("4.6", "4.7")
    ),
    "llama_index": FlavorInfo("mlflow.llama_index", "llama_index", "llama-index"),
    "onnx": FlavorInfo("mlflow.onnx", "onnx", "onnx onnxruntime", "model.onnx", ("1.18", "1.23")),
    "openai": FlavorInfo("mlflow.openai", "openai", "openai"),
    "paddle": FlavorInfo("mlflow.paddle", "paddle", "paddlepaddle"),
    "pmdarima": FlavorInfo("mlflow.pmdarima", "pmdarima", "pmdarima", "model.pmd", ("2.1", "2.1")),
    "promptlab": FlavorInfo("mlflow._promptlab", "openai", "openai"),
    "prophet": FlavorInfo("mlflow.prophet", "prophet", "prophet", "model.pr", ("1.1", "1.5")),
    "python_function": FlavorInfo("mlflow.pyfunc", "", "cloudpickle pandas", "python_model.pkl"),
    "pytorch": FlavorInfo("mlflow.pytorch", "torch", "torch", "data/model.pth", ("2.5", "2.14")),
    "sentence_transformers": FlavorInfo(
        "mlflow.sentence_transformers",
        "sentence_transformers",
        "sentence-transformers",
        "model.sentence_transformer/modules.json",
        ("3.2", "6.2"),
    ),
    "shap": FlavorInfo("mlflow.shap", "shap", "shap", "explainer.shap", ("0.47", "0.51")),
    "sklearn": FlavorInfo(
        "mlflow.sklearn", "sklearn", "scikit-learn skops", "model.pkl", ("1.6", "1.9")
    ),
    "spacy": FlavorInfo("mlflow.spacy", "spacy", "spacy", "model.spacy/config.cfg", ("3.8", "3.8")),
    "spark": FlavorInfo("mlflow.spark", "pyspark", "pyspark"),
    "statsmodels": FlavorInfo(
        "mlflow.statsmodels", "statsmodels", "statsmodels", "model.statsmodels", ("0.14", "0.15")
    ),
    "tensorflow": FlavorInfo(
        "mlflow.tensorflow", "tensorflow", "tensorflow", "data/model.keras", ("2.17", "2.21")
    ),
    "transformers": FlavorInfo(
        "mlflow.transformers",
        "transformers",
        "transformers torch",
        "model/config.json",
        ("4.45", "5.17"),
    ),
    "xgboost": FlavorInfo("mlflow.xgboost", "xgboost", "xgboost", "model.xgb", ("2.1", "3.4")),
}

# Loader modules that MLmodel files name and that are no flavor's own module.
_INNER_LOADERS = {
    "mlflow.pyfunc.model",
    "mlflow.pyfunc.loaders.code_model",
    "mlflow.pyfunc.loaders.chat_agent",
    "mlflow.pyfunc.loaders.chat_model",
    "mlflow.pyfunc.loaders.responses_agent",
}
_BY_MODULE = {info.module: name for name, info in FLAVORS.items()}

# Modules of the standard library are no loaders of models; neither are the parts of this one.
_NEVER = frozenset({"mlflow", "builtins"})


def import_loader(loader_module: object, model_path: str) -> ModuleType:
    """Import the module that an MLmodel names as its loader.

    Args:
        loader_module: the name.
        model_path: the model's folder, for messages.

    Returns:
        The module; it has `_load_pyfunc`.

    Raises:
        MlflowException: the name is no loader's, the loader's side does not trust it, this version
            does not have the flavor, or its library is not installed.
    """
    name = _checked_name(loader_module, model_path)
    flavor = _BY_MODULE.get(name)
    if flavor is not None and not FLAVORS[flavor].ready:
        raise not_in_this_version(flavor)
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise _cannot_import(name, flavor, model_path, error) from error
    if not hasattr(module, "_load_pyfunc"):
        raise invalid(f"'{name}', the loader of the model at '{model_path}', has no _load_pyfunc.")
    return module


def library_of(flavor: str, module: str | None = None) -> Any:
    """Import the library of a flavor and return it.

    Args:
        flavor: the flavor.
        module: another module that it needs.

    Raises:
        MlflowException: it is not installed; the message has the line that installs it.
    """
    info = FLAVORS[flavor]
    check_version(flavor)
    try:
        library = importlib.import_module(info.library)
        return importlib.import_module(module) if module else library
    except ImportError as error:
        raise MlflowException(
            f"Models of the flavor '{flavor}' need: pip install {info.packages} ({error})"
        ) from error


@functools.cache
def check_version(flavor: str) -> None:
    """Warn once when a flavor's library is older or newer than those it was tested with."""
    found = _untested(flavor)
    if found is not None:
        _logger.warning(
            "Models of the flavor '%s' %s. They are saved and loaded all the same.", flavor, found
        )


def require_tested(flavor: str) -> None:
    """Refuse a library that is older or newer than those its flavor was tested with.

    Raises:
        MlflowException: it is.
    """
    found = _untested(flavor)
    if found is not None:
        raise MlflowException(f"The flavor and its autologging {found}.")


def _untested(flavor: str) -> str | None:
    info = FLAVORS[flavor]
    version = installed_version(distribution_of(info.library) or info.library)
    if info.tested is None or version is None:
        return None
    first, last = info.tested
    # The ends stand for all of their patches.
    here = _numbers(version)[: len(_numbers(last))]
    if _numbers(first) <= here <= _numbers(last):
        return None
    return f"were tested with {info.library} {first} to {last}; {version} is installed"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _checked_name(loader_module: object, model_path: str) -> str:
    name = str(loader_module)
    top = name.split(".", 1)[0]
    if not isinstance(loader_module, str) or not all(p.isidentifier() for p in name.split(".")):
        raise invalid(f"The model at '{model_path}' names a loader that is no module: {name!r}.")
    if name in _BY_MODULE or name in _INNER_LOADERS or name in trusted_loaders():
        return name
    if top in _NEVER or _in_standard_library(top):
        raise invalid(f"The model at '{model_path}' names a loader that loads no models: {name!r}.")
    if not code_allowed():
        raise MlflowException(
            f"The model at '{model_path}' is loaded by the module {name!r}, which is not one of "
            "the known flavors, and MLFLOW_ALLOW_PICKLE_DESERIALIZATION is off. If you trust it, "
            "name it in MILLSTREAM_TRUSTED_LOADERS (comma separated).",
            error_code="PERMISSION_DENIED",
        )
    return name


def _in_standard_library(top: str) -> bool:
    return top in sys.stdlib_module_names


def _cannot_import(
    name: str, flavor: str | None, model_path: str, error: ImportError
) -> MlflowException:
    if flavor is not None and FLAVORS[flavor].packages:
        packages = FLAVORS[flavor].packages
        return MlflowException(
            f"The model at '{model_path}' is of the flavor '{flavor}'. Loading it needs: "
            f"pip install {packages} ({error})"
        )
    return MlflowException(
        f"Cannot import '{name}', the loader of the model at '{model_path}': {error}. Install "
        "the package it comes from; 'pip install -r requirements.txt' in the model's folder does."
    )


def not_in_this_version(flavor: str) -> MlflowException:
    """Return the error for a flavor that this version cannot save or load."""
    return MlflowException(
        f"The flavor '{flavor}' is not in this version of Millstream: its models can be stored, "
        "found and downloaded, but not saved or loaded here yet.",
        error_code="NOT_IMPLEMENTED",
    )
