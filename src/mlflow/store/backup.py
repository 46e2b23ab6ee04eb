"""Backups of stores: records and artifacts in one folder, with the digest of every file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlflow.exceptions import (
    DATA_LOSS,
    RESOURCE_ALREADY_EXISTS,
    MlflowException,
    invalid,
    without_password,
)
from mlflow.store import locate
from mlflow.store.artifact.copying import write_all
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.root import Root
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.file.uris import to_path
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.rows import copy_all
from mlflow.store.backends.sql.schema import EMPTY, check_schema, prepare
from mlflow.store.backends.sql.snapshots import copy_file
from mlflow.store.backends.sql.urls import SQLITE
from mlflow.store.migrate import all_experiments, all_logged_models, all_runs, backend_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, BinaryIO

    from mlflow.store.backends.base import Backend

MANIFEST = "manifest.json"
FORMAT = 1
FILES = "files"
_RECORDS, _ARTIFACTS, _DATABASE = "records", "artifacts", "store.db"
_CHUNK = 1 << 20
_PARTIAL = ".partial"

# Size and SHA-256 of a file.
Print = tuple[int, str]


class Contents:
    """What a backup holds, as its manifest says.

    Args:
        kind: `files`, or the dialect of the database.
        files: sizes and digests, by path in the backup.
        places: where each folder of artifacts came from, by its path in the backup.
        elsewhere: how many things keep their artifacts outside of this machine, by scheme: those
            are not in the backup.
        made: when, as text.
    """

    def __init__(
        self,
        kind: str,
        files: dict[str, Print],
        places: dict[str, str],
        elsewhere: dict[str, int],
        made: str,
    ) -> None:
        self.kind = kind
        self.files = files
        self.places = places
        self.elsewhere = elsewhere
        self.made = made


# --- making --------------------------------------------------------------------------------------


def back_up(uri: str, folder: str) -> Contents:
    """Write a store's records and artifacts to a new folder, while others go on using the store.

    A database is copied as it was at one moment. Of a file store each file is; what is logged
    meanwhile is in the backup or not. Artifacts are copied where they are files of this machine.

    Args:
        uri: the store.
        folder: where; it must not exist. It is there when it is complete.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST: there is no such store.
            RESOURCE_ALREADY_EXISTS: the folder is there.
    """
    backend = backend_of(uri, must_exist=True)
    folder = os.path.abspath(folder)
    if os.path.lexists(folder):
        raise MlflowException(f"{folder!r} is there already.", RESOURCE_ALREADY_EXISTS)
    partial = folder + _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(f"{partial}/{_RECORDS}")
    # Records come last: what they name was there when the artifacts were copied, or came later.
    inside = backend.tree.root if isinstance(backend, FileBackend) else None
    places, elsewhere = _places(backend, inside)
    target = Root(partial)
    files: dict[str, Print] = {}
    for name, place in places.items():
        files |= _copy_folder(Root(place), target, ArtifactPath(tuple(name.split("/"))))
    files |= _copy_records(backend, target)
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    kind = FILES if inside is not None else _database_of(backend).dialect
    contents = Contents(kind, files, places, elsewhere, made)
    with open(f"{partial}/{MANIFEST}", "w", encoding="ascii") as file:
        json.dump({"format": FORMAT, **vars(contents)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.rename(partial, folder)
    return contents


def _database_of(backend: Backend) -> Database:
    if not isinstance(backend, SqlBackend):
        raise invalid(f"There is no backup of {backend!r}: it is neither a folder nor a database.")
    return backend._database


def _copy_records(backend: Backend, target: Root) -> dict[str, Print]:
    records = ArtifactPath((_RECORDS,))
    if isinstance(backend, FileBackend):
        return _copy_folder(Root(backend.tree.root), target, records)
    database = _database_of(backend)
    path = os.path.join(target.path, _RECORDS, _DATABASE)
    if database.dialect == SQLITE:
        copy_file(str(database.url.database), path)
    else:
        copy = Database(f"sqlite:///{path}")
        prepare(copy, "")
        copy_all(database, copy)
        copy.run(lambda connection: connection.exec_driver_sql("PRAGMA journal_mode = DELETE"))
        copy.close()
    where = records.child(_DATABASE)
    with target.open(where) as file:
        return {str(where): _print(_chunks(file))}


def _places(backend: Backend, inside: str | None) -> tuple[dict[str, str], dict[str, int]]:
    """Return the folders of artifacts of this machine, and how many things have theirs elsewhere.

    Args:
        backend: the store.
        inside: the folder whose content is copied anyway.
    """
    found: set[str] = set()
    elsewhere: Counter[str] = Counter()
    for location in _locations(backend):
        path = to_path(location)
        if path is None:
            elsewhere[location.partition(":")[0]] += 1
        elif os.path.isabs(path) and os.path.isdir(path):
            found.add(os.path.realpath(path))
    chosen: list[str] = [] if inside is None else [inside]
    for path in sorted(found):
        if not any(path == one or path.startswith(one + os.sep) for one in chosen):
            chosen.append(path)
    outside = [path for path in chosen if path != inside]
    return {f"{_ARTIFACTS}/{number}": path for number, path in enumerate(outside)}, dict(elsewhere)


def _locations(backend: Backend) -> Iterator[str]:
    ids = []
    for experiment in all_experiments(backend):
        ids.append(experiment.experiment_id)
        location = experiment.artifact_location
        # A folder named by the id is the experiment's own; another one may hold anything.
        if location.rstrip("/").rsplit("/", 1)[-1] == experiment.experiment_id:
            yield location
        elif to_path(location) is not None:
            yield f"{location.rstrip('/')}/traces"
    for run in all_runs(backend, ids):
        yield run.info.artifact_uri or ""
    for model in all_logged_models(backend, ids):
        yield model.artifact_location


# --- checking and restoring ----------------------------------------------------------------------


def check(folder: str) -> Contents:
    """Compare every file of a backup with its digest.

    Returns:
        What is in it.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no backup. DATA_LOSS: a file is missing or
            is not what it was.
    """
    contents = _read_manifest(folder)
    root = Root(folder)
    wrong = []
    for name, kept in contents.files.items():
        where = _path(name)
        if root.kind(where) != "file":
            wrong.append(f"{name} is missing")
            continue
        with root.open(where) as file:
            if _print(_chunks(file)) != kept:
                wrong.append(f"{name} is not what it was")
    if wrong:
        shown = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise MlflowException(f"The backup {folder!r} is damaged: {shown}.", DATA_LOSS)
    return contents


def restore(folder: str, uri: str, *, artifacts: bool) -> Contents:
    """Make a store from a backup, after checking it.

    Args:
        folder: the backup.
        uri: the store; nothing may be there yet.
        artifacts: whether artifacts go back to where they came from. A file that is there and
            differs is in the way: then nothing is restored.

    Raises:
        MlflowException: as `check`; RESOURCE_ALREADY_EXISTS: something is there.
    """
    contents = check(folder)
    root = Root(folder)
    files = locate.scheme_of(uri) == "file"
    if files != (contents.kind == FILES):
        wanted = "a folder" if contents.kind == FILES else "a database"
        raise invalid(
            f"The backup holds {wanted}'s records, and {without_password(uri)!r} is none. Restore "
            "it as what it was, then use `mlflow migrate`."
        )
    places = contents.places.items() if artifacts else ()
    for name, place in places:
        _check_free(contents, name, Root(place))
    if files:
        _restore_files(root, locate.path_of(uri))
    else:
        _restore_database(os.path.join(folder, _RECORDS, _DATABASE), uri)
    for name, place in places:
        _copy_folder(root, Root(place), ArtifactPath(()), _path(name))
    return contents


def _check_free(contents: Contents, name: str, place: Root) -> None:
    for path, kept in contents.files.items():
        if not path.startswith(f"{name}/"):
            continue
        where = _path(path[len(name) + 1 :])
        if place.kind(where) is None:
            continue
        with place.open(where) as file:
            if _print(_chunks(file)) != kept:
                raise MlflowException(
                    f"{os.path.join(place.path, *where.parts)!r} is there, and is not what the "
                    "backup holds. Nothing was restored.",
                    RESOURCE_ALREADY_EXISTS,
                )


def _restore_files(root: Root, path: str) -> None:
    if os.path.lexists(path) and (not os.path.isdir(path) or os.listdir(path)):
        raise MlflowException(f"{path!r} is there already.", RESOURCE_ALREADY_EXISTS)
    partial = path + _PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    os.makedirs(partial)
    _copy_folder(root, Root(partial), ArtifactPath(()), ArtifactPath((_RECORDS,)))
    if os.path.isdir(path):
        os.rmdir(path)
    os.rename(partial, path)


def _restore_database(source: str, uri: str) -> None:
    path = locate.file_of(uri)
    if path is not None:
        if os.path.lexists(path):
            raise MlflowException(f"{path!r} is there already.", RESOURCE_ALREADY_EXISTS)
        partial = path + _PARTIAL
        if os.path.lexists(partial):
            os.unlink(partial)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        copy_file(source, partial)
        os.rename(partial, path)
        return
    target = Database(uri)
    kept = Database(f"sqlite:///file:{quote(source)}?mode=ro&uri=true")
    try:
        place = target.place
        if target.run(lambda connection: check_schema(connection, place)) != EMPTY:
            raise MlflowException(f"{place} holds a store already.", RESOURCE_ALREADY_EXISTS)
        prepare(target, "")
        copy_all(kept, target)
    finally:
        kept.close()
        target.close()


def _read_manifest(folder: str) -> Contents:
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
            found = json.load(file)
        if found["format"] != FORMAT:
            raise invalid(
                f"The backup {folder!r} has the format {found['format']!r}, not {FORMAT}."
            )
        files = {
            str(name): (int(size), str(digest)) for name, (size, digest) in found["files"].items()
        }
        places = {str(name): str(place) for name, place in found["places"].items()}
        elsewhere = {str(scheme): int(count) for scheme, count in found["elsewhere"].items()}
        contents = Contents(str(found["kind"]), files, places, elsewhere, str(found["made"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise invalid(f"{folder!r} is no backup: {error}") from None
    for name in (*files, *places):
        _path(name)
    if not all(os.path.isabs(place) for place in places.values()):
        raise invalid(f"{folder!r} is no backup: it names places that are no absolute paths.")
    return contents


def _path(text: str) -> ArtifactPath:
    """Return a path of the manifest, which leads nowhere but down.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it does not.
    """
    parts = tuple(text.split("/"))
    if any(
        part in ("", ".", "..") or "\0" in part or (os.sep != "/" and os.sep in part)
        for part in parts
    ):
        raise invalid(f"A manifest names {text!r}, which is no path in a backup.")
    return ArtifactPath(parts)


# --- bytes ---------------------------------------------------------------------------------------


def _copy_folder(
    source: Root, target: Root, below: ArtifactPath, start: ArtifactPath | None = None
) -> dict[str, Print]:
    """Copy the files of a folder; return what they are, by path in the target.

    Args:
        source: where.
        target: to where.
        below: the folder there.
        start: the folder in the source; None for all of it.
    """
    start = start or ArtifactPath(())
    prints: dict[str, Print] = {}
    for path, size in source.walk(start):
        where = below.join(ArtifactPath(path.parts[len(start.parts) :]))
        if size is None:
            target.make_folder(where)
            continue
        try:
            file = source.open(path)
        except MlflowException:  # gone since the folder was listed
            continue
        with file, target.create(where) as made:
            prints[str(where)] = _print(_through(_chunks(file), made.file))
    return prints


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _through(chunks: Iterable[bytes], target: Any) -> Iterator[bytes]:
    for chunk in chunks:
        write_all(target, memoryview(chunk))
        yield chunk


def _print(chunks: Iterable[bytes]) -> Print:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()
