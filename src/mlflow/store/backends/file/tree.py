"""The layout of `mlruns`: where experiments, runs and models are, and how a store is made."""

from __future__ import annotations

import errno
import os
import time

from mlflow.exceptions import invalid
from mlflow.store.backends.base import EXPERIMENT, LOGGED_MODEL, RUN, Corrupt, Missing, ReadOnly
from mlflow.store.backends.file import metadata
from mlflow.store.backends.file.listing import Listings
from mlflow.store.backends.file.reading import (
    Problems,
    Records,
    Unreadable,
    check_folders,
    folders,
    is_folder,
    key_path,
    make_parent,
)
from mlflow.store.backends.file.uris import to_uri
from mlflow.store.backends.file.writing import Locked, Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

META = "meta.yaml"
TRASH = ".trash"
REGISTRY = "models"
DEFAULT = "0"
# A folder of an experiment is a run when it has these.
RUN_FOLDERS = ("metrics", "params", "artifacts")
# Folders of an experiment that are no runs.
RESERVED = frozenset({"tags", "datasets", "traces", "models", TRASH})
_MAX_PLACES = 20_000
# What a system answers that does not let this store be written.
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)
_ID_LENGTH = 256


def is_name(text: str) -> bool:
    """Tell whether a text can name one folder of the store."""
    return bool(text) and text not in (".", "..") and "/" not in text and "\0" not in text


def is_id(text: str) -> bool:
    """Tell whether a text can be the id of an experiment, a run or a logged model."""
    if not text or len(text) > _ID_LENGTH or text in RESERVED or not text[0].isalnum():
        return False
    return text.isalnum() or text.replace("-", "").replace("_", "").isalnum()


class Tree:
    """One store on disk, and what this process remembers of it.

    Nothing remembered is believed without a look at the file it came from.

    Args:
        root: the absolute path of the store, links resolved.
        durable: see `Writer`.
        artifact_root: the URI below which new experiments keep their artifacts; that of the store
            when None.
    """

    def __init__(self, root: str, *, durable: bool, artifact_root: str | None = None) -> None:
        self.root = root
        self.uri = to_uri(root)
        self.artifact_root = (artifact_root or self.uri).rstrip("/")
        self.writer = Writer(durable=durable)
        self.records = Records()
        self.problems = Problems()
        self.listings = Listings(self.problems)
        self._runs: dict[str, str] = {}
        self._models: dict[str, str] = {}
        self._born = False

    # --- birth -------------------------------------------------------------------------------

    def be_born(self) -> None:
        """Make the store with its default experiment, unless it is there.

        A store that cannot be written is left as it is: it may still be read.
        """
        if self._born and os.path.isdir(self.root):
            return
        try:
            self.writer.make_folders(f"{self.root}/{TRASH}")
            if not self._has_default():
                with Locked(self.root):
                    if not self._has_default():
                        self._insert_default()
        except (PermissionError, NotADirectoryError) as error:
            if isinstance(error, PermissionError) and not os.path.lexists(self.root):
                raise refused(error) from error  # there is nothing to be read, either
            return
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            return
        self._born = True

    def _has_default(self) -> bool:
        return any(os.path.exists(f"{base}/{DEFAULT}/{META}") for base in (self.root, self.trash))

    def _insert_default(self) -> None:
        now = time.time_ns() // 1_000_000
        location = f"{self.artifact_root}/{DEFAULT}"
        self.publish_experiment(experiment_record(DEFAULT, "Default", location, now), ())

    def publish_experiment(self, record: dict[str, Any], tags: Iterable[tuple[str, str]]) -> None:
        """Make the folder of an experiment; it is one once its metadata is there.

        Raises:
            FileExistsError: the id is taken.
        """
        place = f"{self.root}/{record['experiment_id']}"
        try:
            os.mkdir(place)
        except FileExistsError:
            # What a process that died left behind holds nothing but, perhaps, tags.
            if record["experiment_id"] != DEFAULT or os.path.exists(f"{place}/{META}"):
                raise
        for key, value in tags:
            path = key_path(f"{place}/tags", key)
            make_parent(f"{place}/tags", path, self.writer)
            self.writer.replace(path, value.encode("utf-8"), place)
        self.writer.create(f"{place}/{META}", metadata.emit(record), place)
        self.writer.settle(self.root)

    # --- places ------------------------------------------------------------------------------

    @property
    def trash(self) -> str:
        """The folder of deleted experiments."""
        return f"{self.root}/{TRASH}"

    def experiment_places(self, *, deleted: bool | None = None) -> Iterator[tuple[str, str]]:
        """Yield (id, folder) of the experiments: active, deleted, or both."""
        if not deleted:
            for name in folders(self.root):
                if name not in (TRASH, REGISTRY) and is_id(name):
                    yield name, f"{self.root}/{name}"
        if deleted is not False:
            for name in folders(self.trash):
                if is_id(name):
                    yield name, f"{self.trash}/{name}"

    def experiment_place(self, experiment_id: str) -> str:
        """Return the folder of an experiment.

        Raises:
            Missing: there is none with this id.
        """
        if is_id(experiment_id) and experiment_id != REGISTRY:
            for base in (self.root, self.trash):
                place = f"{base}/{experiment_id}"
                if is_folder(place) and os.path.lexists(f"{place}/{META}"):
                    return place
        raise Missing(EXPERIMENT, experiment_id)

    def run_place(self, run_id: str) -> str:
        """Return the folder of a run.

        The cost does not depend on the number of runs: each experiment is asked for the name.

        Raises:
            Missing: there is none with this id.
        """
        place = self._runs.get(run_id)
        if place is not None and os.path.lexists(f"{place}/{META}"):
            return place
        if is_id(run_id):
            for _, experiment in self.experiment_places():
                place = f"{experiment}/{run_id}"
                if self.is_run(place):
                    self.remember_run(run_id, place)
                    return place
        self._runs.pop(run_id, None)
        raise Missing(RUN, run_id)

    def remember_run(self, run_id: str, place: str) -> None:
        """Note where a run is."""
        if len(self._runs) >= _MAX_PLACES:
            self._runs = {}
        self._runs[run_id] = place

    def is_run(self, place: str) -> bool:
        """Tell whether a folder is a run whose making was finished."""
        return os.path.lexists(f"{place}/{META}") and all(
            [is_folder(place), *(os.path.isdir(f"{place}/{name}") for name in RUN_FOLDERS)]
        )

    def run_places(self, experiment: str) -> Iterator[tuple[str, str]]:
        """Yield (id, folder) of the runs in the folder of an experiment.

        One that was complete once is not looked into again; its metadata may be gone by now.
        """
        for name in folders(experiment):
            place = f"{experiment}/{name}"
            if self._runs.get(name) == place:
                yield name, place
            elif is_id(name) and self.is_run(place):
                self.remember_run(name, place)
                yield name, place

    def model_place(self, model_id: str) -> str:
        """Return the folder of a logged model.

        Raises:
            Missing: there is none with this id.
        """
        place = self._models.get(model_id)
        if place is not None and os.path.lexists(f"{place}/{META}"):
            return place
        if is_id(model_id):
            for _, experiment in self.experiment_places():
                place = f"{experiment}/{REGISTRY}/{model_id}"
                if os.path.lexists(f"{place}/{META}") and is_folder(place):
                    if len(self._models) >= _MAX_PLACES:
                        self._models = {}
                    self._models[model_id] = place
                    return place
        raise Missing(LOGGED_MODEL, model_id)

    # --- records -----------------------------------------------------------------------------

    def record(self, place: str, kind: str, key: object) -> dict[str, Any]:
        """Return the metadata of a folder.

        Raises:
            Missing: there is none.
            Corrupt: it cannot be read.
        """
        try:
            return self.records.read(f"{place}/{META}")
        except FileNotFoundError:
            raise Missing(kind, key) from None
        except Unreadable as error:
            raise Corrupt(kind, key, str(error)) from None

    def rewrite(self, place: str, record: dict[str, Any]) -> None:
        """Replace the metadata of a folder.

        Raises:
            ReadOnly: the store cannot be written.
        """
        path, data = f"{place}/{META}", metadata.emit(record)
        try:
            self.writer.replace(path, data, place)
        except OSError as error:
            raise refused(error) from error
        self.records.note(path, data, record)

    def write_values(self, place: str, name: str, values: Iterable[tuple[str, str]]) -> None:
        """Set texts by key in one of the folders of a place: its tags or params.

        Raises:
            ReadOnly: the store cannot be written.
        """
        folder = f"{place}/{name}"
        try:
            for key, value in values:
                path = key_path(folder, key)
                make_parent(folder, path, self.writer)
                self.writer.replace(path, value.encode("utf-8"), place)
        except OSError as error:
            raise refused(error) from error

    def publish_values(self, folder: str, values: Mapping[str, str]) -> None:
        """Make a folder of texts by key that nobody reads yet."""
        os.mkdir(folder)
        # In order, so that a key comes before those that need a folder of its name.
        for key, value in sorted(values.items()):
            path = key_path(folder, key)
            if "/" in key:
                make_parent(folder, path, self.writer)
            self.writer.publish(path, value.encode("utf-8"))
            if "/" in key:
                self.writer.settle(os.path.dirname(path))
        self.writer.settle(folder)

    def remove_value(self, place: str, name: str, key: str) -> bool:
        """Remove a text by key; return whether it was there."""
        folder = f"{place}/{name}"
        path = key_path(folder, key)
        try:
            if not check_folders(folder, path):
                return False
            os.unlink(path)
        except (FileNotFoundError, IsADirectoryError):
            return False
        except OSError as error:
            if os.path.isdir(path):  # what macOS calls not permitted
                return False
            raise refused(error) from error
        self.writer.settle(os.path.dirname(path))
        return True

    def has_value(self, place: str, name: str, key: str) -> bool:
        """Tell whether there is a text of this key."""
        folder = f"{place}/{name}"
        path = key_path(folder, key)
        return check_folders(folder, path) and os.path.isfile(path) and not os.path.islink(path)


def experiment_record(experiment_id: str, name: str, location: str, time: int) -> dict[str, Any]:
    """Return the metadata of a new experiment."""
    return {
        "artifact_location": location,
        "creation_time": time,
        "effective_trace_archival_retention": None,
        "experiment_id": experiment_id,
        "last_update_time": time,
        "lifecycle_stage": "active",
        "name": name,
        "trace_location": None,
        "workspace": "default",
    }


def refused(error: OSError) -> Exception:
    """Return what a failed write is reported as: the store's fault, or the system's own error."""
    if isinstance(error, PermissionError) or error.errno in _REFUSED:
        detail = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        return ReadOnly("store", "", detail)
    if isinstance(error, IsADirectoryError):
        path = error.filename2 or error.filename
        return invalid(
            f"This key cannot be kept: on files a key is a path, and {path!r} is a folder, as "
            "there are keys below it."
        )
    return error
