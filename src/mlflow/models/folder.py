"""The folder of a model on disk: its paths, code and extra files, and reading its YAML safely."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from typing import Any

import yaml

from mlflow.exceptions import MlflowException, invalid, not_found

MLMODEL_FILE_NAME = "MLmodel"
CODE_KEY = "code"
CODE_FOLDER = "code"
EXTRA_FILES_KEY = "extra_files"
EXTRA_FILES_FOLDER = "extra_files"

# An MLmodel is a page of text; what is larger was not written by a model's author.
_MAX_YAML_BYTES = 16 * 1024 * 1024
_MAX_YAML_VALUES = 1_000_000
_MAX_YAML_DEPTH = 100

_logger = logging.getLogger(__name__)


# ---------------------------------------------------------------------- YAML


def read_yaml(path: str) -> Any:
    """Read a YAML file of a model with the safe loader, bounded in size.

    Args:
        path: the file.

    Returns:
        The value.

    Raises:
        MlflowException: it is no YAML, too large, or unfolds into too many values.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if os.stat(path).st_size > _MAX_YAML_BYTES:
            raise invalid(f"'{path}' is larger than {_MAX_YAML_BYTES} bytes; refusing to read it.")
        with open(path, "rb") as file:
            text = file.read()
        _check_nesting(text, loader, path)
        value = yaml.load(text, Loader=loader)  # noqa: S506 - one of the two safe loaders
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise invalid(f"'{path}' is not valid YAML: {error}") from error
    _check_unfolded_size(value, path)
    return value


def _check_nesting(text: bytes, loader: Any, path: str) -> None:
    # The C loader builds nested values recursively and ends the process when the stack does.
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > _MAX_YAML_DEPTH:
                raise invalid(f"'{path}' is nested deeper than {_MAX_YAML_DEPTH} levels.")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1


def _check_unfolded_size(value: Any, path: str) -> None:
    # Aliases make a small file stand for billions of values, or for itself.
    waiting, seen = [value], 0
    while waiting:
        seen += 1
        if seen > _MAX_YAML_VALUES:
            raise invalid(f"'{path}' unfolds into more than {_MAX_YAML_VALUES} values.")
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def write_yaml(path: str, value: Any) -> None:
    """Write a value as block-style YAML with sorted keys."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    with open(path, "w", encoding="utf-8") as file:
        yaml.dump(value, file, Dumper=dumper, default_flow_style=False, allow_unicode=True)


# --------------------------------------------------------------------- paths


def confined(root: str, relative: object, what: str) -> str:
    """Return the path of a file that an MLmodel names, which must lie inside the model's folder.

    Args:
        root: the model's folder.
        relative: what the MLmodel says.
        what: the key that says it, for the message.

    Returns:
        The joined path, symbolic links unresolved.

    Raises:
        MlflowException: it is absolute, climbs out, or a symbolic link leads out.
    """
    text = str(relative)
    parts = text.replace("\\", "/").split("/")
    if not text or "\0" in text or os.path.isabs(text) or ".." in parts or ":" in parts[0]:
        raise invalid(f"{what} {text!r} of the model is not a path inside the model's folder.")
    path = os.path.join(root, text)
    real_root = os.path.realpath(root)
    real = os.path.realpath(path)
    if real != real_root and not real.startswith(real_root + os.sep):
        raise invalid(f"{what} {text!r} of the model leads outside the model's folder.")
    return path


def prepare_target(path: str | os.PathLike[str]) -> str:
    """Make the folder a model is saved to; it must be new or empty.

    Raises:
        MlflowException: there is something in it (RESOURCE_ALREADY_EXISTS).
    """
    text = os.fspath(path)
    if os.path.exists(text) and (not os.path.isdir(text) or os.listdir(text)):
        raise MlflowException(
            f"Path '{text}' already exists and is not empty", error_code="RESOURCE_ALREADY_EXISTS"
        )
    os.makedirs(text, exist_ok=True)
    return text


def total_size(path: str) -> int:
    """Return the bytes of all files below a folder."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            total += os.lstat(os.path.join(folder, name)).st_size
    return total


def copy_into(source: str, folder: str) -> str:
    """Copy a file or a folder into a folder under its own name; return that name."""
    name = os.path.basename(os.path.normpath(os.path.abspath(source)))
    target = os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    if os.path.isdir(source):
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
    return name


# ---------------------------------------------------------------------- code


def copy_code(
    code_paths: list[str] | None, path: str | os.PathLike[str], default_subpath: str = CODE_FOLDER
) -> str | None:
    """Copy the sources that a model needs into its folder.

    Args:
        code_paths: files and folders.
        path: the model's folder.
        default_subpath: the folder inside it.

    Returns:
        The folder's name, for the MLmodel; None without sources.

    Raises:
        MlflowException: it is no list, or one does not exist.
    """
    check_code_paths(code_paths)
    if not code_paths:
        return None
    folder = os.path.join(os.fspath(path), default_subpath)
    for source in code_paths:
        source_path = os.path.realpath(source)
        if os.path.realpath(folder).startswith(source_path + os.sep):
            raise invalid(
                f"Failed to copy the specified code path '{source}' into the model artifacts: "
                "the model's folder lies inside it. Save the model elsewhere, or name a sub-folder."
            )
        copy_into(source, folder)
    return default_subpath


def check_code_paths(code_paths: object) -> None:
    """Raise when `code_paths` is neither None nor a list of existing paths."""
    if code_paths is None:
        return
    if not isinstance(code_paths, list):
        raise TypeError(f"Argument code_paths should be a list, not {type(code_paths)}")
    for source in code_paths:
        if not os.path.exists(source):
            raise invalid(
                f"Failed to copy the specified code path '{source}' into the model artifacts: "
                "it does not exist."
            )


def add_code_path(folder: str) -> None:
    """Make a model's own modules importable, behind everything that is importable already.

    A model's `json.py` must not stand before the standard library's.
    """
    if folder not in sys.path:
        sys.path.append(folder)


def copy_extra_files(extra_files: list[str] | None, path: str) -> dict[str, Any]:
    """Copy files that a user gave with a model; return what its flavor says of them."""
    if not extra_files:
        return {}
    if not isinstance(extra_files, list):
        raise TypeError("Extra files argument should be a list")
    folder = os.path.join(path, EXTRA_FILES_FOLDER)
    entries = []
    for source in extra_files:
        name = copy_into(os.fspath(source), folder)
        entries.append({"path": f"{EXTRA_FILES_FOLDER}/{name}"})
    return {EXTRA_FILES_KEY: entries}


# -------------------------------------------------------------------- config


def flavor_configuration(model_path: str, flavor_name: str) -> dict[str, Any]:
    """Return what the MLmodel of a folder says under one flavor.

    Raises:
        MlflowException: no MLmodel, or no such flavor (RESOURCE_DOES_NOT_EXIST).
    """
    flavors = all_flavor_configurations(model_path)
    if flavor_name not in flavors:
        raise not_found(
            f'Model does not have the "{flavor_name}" flavor; it has {sorted(flavors)}.'
        )
    conf = flavors[flavor_name]
    return conf if isinstance(conf, dict) else {}


def all_flavor_configurations(model_path: str) -> dict[str, Any]:
    """Return the `flavors` of the MLmodel in a folder."""
    path = os.path.join(model_path, MLMODEL_FILE_NAME)
    if not os.path.isfile(path):
        raise not_found(f'Could not find an "{MLMODEL_FILE_NAME}" configuration file at "{path}"')
    value = read_yaml(path)
    flavors = value.get("flavors") if isinstance(value, dict) else None
    if not isinstance(flavors, dict):
        raise invalid(f'"{path}" names no flavors.')
    return flavors


def overridden_config(
    saved: dict[str, Any] | None, given: dict[str, Any] | None, logger: logging.Logger = _logger
) -> dict[str, Any] | None:
    """Return a model's saved configuration with the keys that a loader gives anew.

    Keys that were not saved are left out, with a warning, as in MLflow.
    """
    if not given:
        return saved
    known = dict(saved or {})
    unknown = sorted(set(given) - set(known))
    if unknown:
        logger.warning("The model config has no keys %s; they are ignored.", unknown)
    known.update({key: value for key, value in given.items() if key in known})
    return known


def checked_model_config(model_config: object) -> dict[str, Any] | None:
    """Return a model configuration given as a dictionary or as the path of a YAML file.

    Raises:
        MlflowException: the file is missing or holds no mapping, or the type is another.
    """
    if model_config is None:
        return None
    if isinstance(model_config, (str, os.PathLike)):
        path = os.path.abspath(os.fspath(model_config))
        if not os.path.isfile(path):
            raise invalid(f"An invalid `model_config` file was passed. '{path}' does not exist.")
        model_config = read_yaml(path)
    if not isinstance(model_config, dict):
        raise invalid(
            "An invalid `model_config` structure was passed: it must be a dictionary, or the path "
            f"of a YAML file that holds one, not {type(model_config).__name__}."
        )
    try:
        yaml.safe_dump(model_config)
    except yaml.YAMLError as error:
        raise invalid(
            f"Values in the provided `model_config` are of an unsupported type: {error}"
        ) from error
    return model_config
