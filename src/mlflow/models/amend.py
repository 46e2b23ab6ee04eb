"""Changing a model that is stored already: its signature and its requirements."""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from typing import TYPE_CHECKING, Literal

from mlflow.exceptions import invalid
from mlflow.models.env_files import (
    CONDA_ENV_FILE_NAME,
    requirements_of_folder,
    write_text,
)
from mlflow.models.folder import MLMODEL_FILE_NAME, read_yaml, write_yaml
from mlflow.models.model import Model
from mlflow.models.requirements import REQUIREMENTS_FILE_NAME, requirement_name
from mlflow.models.source import local_model_folder
from mlflow.store.artifact.locate import locate
from mlflow.tracking.active import registry_store, tracking_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.models.signature import ModelSignature

_logger = logging.getLogger(__name__)


def set_signature(model_uri: str, signature: ModelSignature) -> None:
    """Give a stored model a signature.

    Args:
        model_uri: the model; not a registered version, which does not change.
        signature: the signature.

    Raises:
        MlflowException: it is a registered version, or there is no such model.
    """
    root = _changeable(model_uri, "set_signature")
    with tempfile.TemporaryDirectory() as folder:
        path = _copy(root, MLMODEL_FILE_NAME, folder)
        model = Model.load(path)
        model.signature = signature
        model.save(path)
        _put(path, root)


def update_model_requirements(
    model_uri: str, operation: Literal["add", "remove"], requirement_list: list[str]
) -> None:
    """Add pip requirements to a stored model, or remove some.

    Args:
        model_uri: the model; not a registered version, which does not change.
        operation: `add` (a package that is there gets the new version) or `remove`.
        requirement_list: the requirements.

    Raises:
        MlflowException: the operation is another, or it is a registered version.
    """
    if operation not in ("add", "remove"):
        raise invalid(f"`operation` must be 'add' or 'remove', got '{operation}'.")
    root = _changeable(model_uri, "update_model_requirements")
    with tempfile.TemporaryDirectory() as folder:
        conda_path = _copy(root, CONDA_ENV_FILE_NAME, folder)
        requirements_path = _copy(root, REQUIREMENTS_FILE_NAME, folder)
        old = requirements_of_folder(folder)
        new = _changed(old, operation, requirement_list)
        write_text(requirements_path, "\n".join(new))
        conda = read_yaml(conda_path)
        conda["dependencies"] = [
            {"pip": new} if isinstance(entry, dict) and "pip" in entry else entry
            for entry in conda.get("dependencies") or []
        ]
        write_yaml(conda_path, conda)
        for path in (conda_path, requirements_path):
            _put(path, root)
    _logger.info("Done updating requirements!\n\nOld requirements:\n%s\n\nUpdated requirements:\n%s",
                 old, new)  # fmt: skip


def update_model(model_uri: str, folder: str, change: Callable[[Model, str], None]) -> None:
    """Change a stored model by more than its MLmodel.

    Args:
        model_uri: the model; not a registered version, which does not change.
        folder: an empty folder.
        change: takes the model and the folder, and writes into it the files that are added.

    Raises:
        MlflowException: it is a registered version, or there is no such model.
    """
    root = _changeable(model_uri, "persist_pretrained_model")
    path = _copy(root, MLMODEL_FILE_NAME, folder)
    model = Model.load(path)
    change(model, folder)
    model.save(path)
    # The MLmodel last: it names the others.
    for name in sorted(os.listdir(folder), key=lambda name: (name == MLMODEL_FILE_NAME, name)):
        _put(os.path.join(folder, name), root)


def _changed(old: list[str], operation: str, given: list[str]) -> list[str]:
    names = {requirement_name(line) for line in given}
    for line in given:
        if not re.match(r"\s*[A-Za-z0-9]", line):
            raise invalid(f"'{line}' is not a valid pip requirement.")
    kept = [line for line in old if requirement_name(line) not in names]
    if operation == "remove":
        for name in sorted(names - {requirement_name(line) for line in old}):
            _logger.warning("'%s' is not among the requirements of the model.", name)
        return kept
    return [*kept, *given]


def _changeable(model_uri: str, function: str) -> str:
    uri = os.fspath(model_uri)
    if uri.startswith("models:/") and not re.match(r"models:/m-[0-9a-f]{32}(/|$)", uri):
        raise invalid(
            f'Failed to change "{uri}". Model URIs with the `models:/` scheme are not supported '
            f"by {function}: a registered version does not change. Use the URI of the model it "
            "was made from, such as `runs:/<run_id>/<name>`."
        )
    return uri


def _copy(root: str, name: str, folder: str) -> str:
    source = local_model_folder(root, only=name)
    target = os.path.join(folder, name)
    shutil.copy(source, target)
    return target


def _put(path: str, root: str) -> None:
    if os.path.isdir(root):
        # Readers see the old file or the new one.
        name = os.path.basename(path)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(root, name))
            return
        temporary = os.path.join(root, f".{name}.new")
        shutil.copy(path, temporary)
        os.replace(temporary, os.path.join(root, name))
        return
    place = locate(root, tracking_store(), registry_store())
    if os.path.isdir(path):
        place.repository().log_artifacts(
            path, "/".join([*place.path.parts, os.path.basename(path)])
        )
        return
    place.repository().log_artifact(path, str(place.path) or None)
