"""Removing what was deleted for good, and nothing that is outside the store."""

from __future__ import annotations

import os

from mlflow.store.artifact.uris import is_local, local_path_of
from mlflow.store.backends.base import (
    EXPERIMENT,
    RUN,
    BackendError,
    Missing,
)
from mlflow.store.backends.file.experiments import DELETED, stage_of
from mlflow.store.backends.file.reading import folders, is_folder
from mlflow.store.backends.file.tree import META, is_id, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from mlflow.store.backends.file.tree import Tree


def remove_folder(root: str, path: str) -> None:
    """Remove a folder below a root with all that is in it; links in it are not followed.

    Raises:
        ValueError: it is not below the root.
    """
    # The parent is resolved and the last name is not: a link is removed, never what it names.
    parent = os.path.realpath(os.path.dirname(path))
    name = os.path.basename(path)
    if name in ("", ".", "..") or (parent != root and not parent.startswith(root + os.sep)):
        raise ValueError(f"{path} is not below {root}, so it is not removed")
    import shutil

    if os.path.islink(path):
        os.unlink(path)
    elif os.path.lexists(path):
        shutil.rmtree(path)


def deleted(tree: Tree, kind: str, before: int) -> list[str]:
    """See `Backend.list_deleted`."""
    found = []
    for key, place in _places(tree, kind):
        try:
            record = tree.record(place, kind, key)
        except BackendError:
            continue
        in_trash = kind == EXPERIMENT and place.startswith(tree.trash + "/")
        if (in_trash or stage_of(record) == DELETED) and _when(record, kind) <= before:
            found.append(key)
    return found


def _places(tree: Tree, kind: str) -> Iterator[tuple[str, str]]:
    for experiment_id, experiment in tree.experiment_places():
        if kind == EXPERIMENT:
            yield experiment_id, experiment
        elif kind == RUN:
            yield from tree.run_places(experiment)
        elif is_folder(f"{experiment}/models"):
            for name in folders(f"{experiment}/models"):
                if is_id(name):
                    yield name, f"{experiment}/models/{name}"


def _when(record: dict[str, Any], kind: str) -> int:
    """Return when a thing was deleted; 0 when nobody wrote it down."""
    name = {RUN: "deleted_time", EXPERIMENT: "last_update_time"}.get(kind, "last_updated_timestamp")
    value = record.get(name)
    return value if type(value) is int else 0


def moved_artifacts(tree: Tree, artifact_uri: str) -> str:
    """See `Backend.moved_artifacts`."""
    path = local_path_of(artifact_uri) if is_local(artifact_uri) else ""
    experiment_id, slash, rest = path.removeprefix(f"{tree.root}/").partition("/")
    trashed = f"{tree.trash}/{experiment_id}"
    if not path.startswith(f"{tree.root}/") or not slash or not is_id(experiment_id):
        return artifact_uri
    if os.path.lexists(f"{tree.root}/{experiment_id}") or not is_folder(trashed):
        return artifact_uri
    return f"{trashed}/{rest}"


def purge(tree: Tree, kind: str, ids: Iterable[str]) -> None:
    """See `Backend.purge`."""
    find: Any = {RUN: tree.run_place, EXPERIMENT: tree.experiment_place}.get(kind, tree.model_place)
    chosen = []
    for key in ids:
        place = find(key)
        in_trash = kind == EXPERIMENT and place.startswith(tree.trash + "/")
        if not in_trash and stage_of(tree.record(place, kind, key)) != DELETED:
            raise Missing(kind, key)
        chosen.append(place)
    for place in chosen:
        try:
            # Without metadata it is nothing any more, also when the rest cannot be removed.
            os.unlink(f"{place}/{META}")
            remove_folder(tree.root, place)
        except OSError as error:
            raise refused(error) from error
        tree.writer.settle(os.path.dirname(place))
