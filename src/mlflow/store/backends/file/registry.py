"""The model registry on files: a folder for each registered model, below `models`."""

from __future__ import annotations

import os

from mlflow.entities.registry import (
    ALL_STAGES,
    STAGE_ARCHIVED,
    STAGE_DELETED_INTERNAL,
    STAGE_NONE,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)
from mlflow.store.backends.base import (
    MODEL_VERSION,
    REGISTERED_MODEL,
    Corrupt,
    Duplicate,
    Missing,
)
from mlflow.store.backends.file import metadata
from mlflow.store.backends.file.metadata import Malformed
from mlflow.store.backends.file.reading import (
    folders,
    is_folder,
    number_of,
    optional_text,
    text_of,
)
from mlflow.store.backends.file.remove import remove_folder
from mlflow.store.backends.file.tree import META, REGISTRY, is_name, refused
from mlflow.store.backends.file.uris import followed
from mlflow.store.backends.file.writing import Locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from mlflow.store.backends.file.tree import Tree

VERSION = "version-"
# Folders with a name of this form are versions in the making, or models being removed.
NEW = ".new-"


class Registry:
    """The registered models of a store.

    Args:
        tree: where they are.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._root = f"{tree.root}/{REGISTRY}"

    # --- reading -----------------------------------------------------------------------------

    def _place(self, name: str) -> str:
        """Return the folder of a registered model.

        Raises:
            Missing: there is none of this name.
        """
        place = f"{self._root}/{name}"
        if is_model_name(name) and is_folder(self._root) and is_folder(place) and has_record(place):
            return place
        raise Missing(REGISTERED_MODEL, name)

    def get(self, name: str) -> RegisteredModel:
        """See `Backend.get_registered_model`."""
        place = self._place(name)
        record = self._tree.record(place, REGISTERED_MODEL, name)
        aliases = self._aliases(place)
        newest: dict[str, ModelVersion] = {}
        for version in self._versions(name, place, aliases):
            stage = version.current_stage or STAGE_NONE
            if stage not in newest or int(newest[stage].version) < int(version.version):
                newest[stage] = version
        tags = self._tree.listings.texts(f"{place}/tags")
        try:
            return RegisteredModel(
                name,
                number_of(record, "creation_timestamp"),
                number_of(record, "last_updated_timestamp"),
                optional_text(record, "description"),
                [newest[stage] for stage in ALL_STAGES if stage in newest],
                [RegisteredModelTag(key, value) for key, value in tags.items()],
                [RegisteredModelAlias(alias, version) for alias, version in aliases.items()],
                optional_text(record, "deployment_job_id"),
                record.get("deployment_job_state"),
                text_of(record, "workspace", "default"),
            )
        except Malformed as error:
            raise Corrupt(REGISTERED_MODEL, name, f"{place}: {error}") from None

    def _aliases(self, place: str) -> dict[str, str]:
        found = self._tree.listings.texts(f"{place}/aliases")
        return {alias: version.strip() for alias, version in found.items()}

    def _numbers(self, place: str) -> list[int]:
        """Return the numbers of all versions, deleted ones included."""
        return [
            int(name[len(VERSION) :])
            for name in folders(place)
            if name.startswith(VERSION) and is_number(name[len(VERSION) :])
        ]

    def _versions(self, name: str, place: str, aliases: dict[str, str]) -> Iterator[ModelVersion]:
        for number in sorted(self._numbers(place)):
            key = (name, str(number))
            try:
                record = self._tree.record(f"{place}/{VERSION}{number}", MODEL_VERSION, key)
                if record.get("current_stage") != STAGE_DELETED_INTERNAL:
                    yield self._version_entity(name, place, str(number), record, aliases)
            except Missing:
                continue
            except Corrupt as error:
                self._tree.problems.report(f"{place}/{VERSION}{number}", error.detail)

    def _version_entity(
        self,
        name: str,
        place: str,
        version: str,
        record: dict[str, Any],
        aliases: dict[str, str],
    ) -> ModelVersion:
        folder = f"{place}/{VERSION}{version}"
        tags = self._tree.listings.texts(f"{folder}/tags")
        try:
            return ModelVersion(
                name,
                version,
                number_of(record, "creation_timestamp") or 0,
                number_of(record, "last_updated_timestamp"),
                optional_text(record, "description"),
                optional_text(record, "user_id"),
                text_of(record, "current_stage", STAGE_NONE),
                self._followed(record, "source"),
                optional_text(record, "run_id"),
                text_of(record, "status", "READY"),
                optional_text(record, "status_message"),
                [ModelVersionTag(key, value) for key, value in tags.items()],
                optional_text(record, "run_link"),
                [alias for alias, number in aliases.items() if number == version],
                optional_text(record, "model_id"),
                workspace=text_of(record, "workspace", "default"),
            )
        except Malformed as error:
            raise Corrupt(MODEL_VERSION, (name, version), f"{folder}: {error}") from None

    def _version(self, name: str, version: str) -> tuple[str, str, dict[str, Any]]:
        """Return (folder of the model, folder of the version, record).

        Raises:
            Missing: no such version, or it is deleted.
        """
        key = (name, version)
        try:
            place = self._place(name)
        except Missing:
            raise Missing(MODEL_VERSION, key) from None
        folder = f"{place}/{VERSION}{version}"
        if not is_number(version) or not is_folder(folder):
            raise Missing(MODEL_VERSION, key)
        record = self._tree.record(folder, MODEL_VERSION, key)
        if record.get("current_stage") == STAGE_DELETED_INTERNAL:
            raise Missing(MODEL_VERSION, key)
        return place, folder, record

    def get_version(self, name: str, version: str) -> ModelVersion:
        """See `Backend.get_model_version`."""
        place, _, record = self._version(name, version)
        return self._version_entity(name, place, version, record, self._aliases(place))

    def location(self, name: str, version: str) -> str | None:
        """See `Backend.model_version_location`."""
        record = self._version(name, version)[2]
        try:
            return self._followed(record, "storage_location") or self._followed(record, "source")
        except Malformed as error:
            raise Corrupt(MODEL_VERSION, (name, version), str(error)) from None

    def last_number(self, name: str) -> int:
        """Return the largest number that a version ever had; 0 when there was none."""
        return max(self._numbers(self._place(name)), default=0)

    def _followed(self, record: dict[str, Any], name: str) -> str | None:
        """Return a URI of a record; one into a store that was moved leads to where it is now."""
        recorded = optional_text(record, name)
        return followed(recorded, self._tree.root, self._tree.uri) if recorded else recorded

    def names(self) -> list[str]:
        """Return the names of the registered models."""
        if not is_folder(self._root):
            return []
        return [
            name
            for name in folders(self._root)
            if not name.startswith(NEW) and os.path.lexists(f"{self._root}/{name}/{META}")
        ]

    def every(self) -> Iterator[RegisteredModel]:
        """Yield the registered models that can be read, in no order."""
        for name in self.names():
            try:
                yield self.get(name)
            except Missing:
                continue
            except Corrupt as error:
                self._tree.problems.report(f"{self._root}/{name}", error.detail)

    def every_version(self) -> Iterator[ModelVersion]:
        """Yield the versions of all models that can be read, in no order."""
        for name in self.names():
            place = f"{self._root}/{name}"
            yield from self._versions(name, place, self._aliases(place))

    # --- models ------------------------------------------------------------------------------

    def insert(self, model: RegisteredModel) -> None:
        """See `Backend.insert_registered_model`."""
        tree = self._tree
        name = model.name
        place = f"{self._root}/{name}"
        if not is_model_name(name):
            raise Missing(REGISTERED_MODEL, name)
        try:
            tree.writer.make_folders(self._root)
            with Locked(self._root):
                if os.path.lexists(f"{place}/{META}"):
                    raise Duplicate(REGISTERED_MODEL, name)
                os.makedirs(place, exist_ok=True)
                for tag in model.tags.items():
                    tree.write_values(place, "tags", [tag])
                tree.rewrite(place, registered_record(model))
        except OSError as error:
            raise refused(error) from error
        tree.writer.settle(self._root)

    def _touch(self, name: str, place: str, changes: dict[str, Any]) -> None:
        """Change the metadata of a registered model; the caller holds its lock."""
        record = dict(self._tree.record(place, REGISTERED_MODEL, name))
        record["aliases"] = self._aliases(place)
        self._tree.rewrite(place, record | changes)

    def update(
        self, name: str, description: str | None, deployment_job_id: str | None, time: int
    ) -> None:
        """See `Backend.update_registered_model`."""
        place = self._place(name)
        changes: dict[str, Any] = {"description": description, "last_updated_timestamp": time}
        if deployment_job_id is not None:
            changes["deployment_job_id"] = deployment_job_id
        with Locked(place):
            self._touch(name, place, changes)

    def rename(self, name: str, new_name: str, time: int) -> None:
        """See `Backend.rename_registered_model`; the folder's name is what counts."""
        tree = self._tree
        if not is_model_name(new_name):
            raise Missing(REGISTERED_MODEL, new_name)
        self._place(name)
        try:
            with Locked(self._root):
                place = self._place(name)
                if os.path.lexists(f"{self._root}/{new_name}/{META}"):
                    raise Duplicate(REGISTERED_MODEL, new_name)
                changes = {"name": new_name, "last_updated_timestamp": time}
                with Locked(place):
                    target = f"{self._root}/{new_name}"
                    os.rename(place, target)
                    self._touch(name, target, changes)
                    self._rename_versions(name, target, changes)
        except OSError as error:
            raise refused(error) from error
        tree.writer.settle(self._root)

    def _rename_versions(self, name: str, place: str, changes: dict[str, Any]) -> None:
        for number in self._numbers(place):
            folder = f"{place}/{VERSION}{number}"
            try:
                record = self._tree.record(folder, MODEL_VERSION, (name, str(number)))
            except (Corrupt, Missing):
                continue
            self._tree.rewrite(folder, record | changes)

    def delete(self, name: str) -> None:
        """See `Backend.delete_registered_model`."""
        self._place(name)
        try:
            with Locked(self._root):
                place = self._place(name)
                # Without metadata it is gone at once for everybody; the rest follows, under a
                # name that no model has: what a process that dies leaves is not the next one's.
                os.unlink(f"{place}/{META}")
                gone = f"{self._root}/{NEW}{os.urandom(8).hex()}"
                os.rename(place, gone)
                remove_folder(self._tree.root, gone)
        except OSError as error:
            raise refused(error) from error
        self._tree.writer.settle(self._root)

    def write_tags(
        self,
        name: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        """See `Backend.write_registered_model_tags`."""
        place = self._place(name)
        with Locked(place):
            self._tree.write_values(place, "tags", tags)
            for key in removed:
                self._tree.remove_value(place, "tags", key)
            if time is not None:
                self._touch(name, place, {"last_updated_timestamp": time})

    def set_alias(self, name: str, alias: str, version: str, time: int) -> None:
        """See `Backend.set_alias`."""
        place = self._place(name)
        with Locked(place):
            self._version(name, version)
            self._tree.write_values(place, "aliases", [(alias, version)])
            self._touch(name, place, {"last_updated_timestamp": time})

    def delete_alias(self, name: str, alias: str, time: int) -> None:
        """See `Backend.delete_alias`."""
        place = self._place(name)
        with Locked(place):
            if self._tree.remove_value(place, "aliases", alias):
                self._touch(name, place, {"last_updated_timestamp": time})

    # --- versions ----------------------------------------------------------------------------

    def insert_version(self, version: ModelVersion, storage_location: str | None) -> str:
        """See `Backend.insert_model_version`.

        The folder is made complete beside the others and then renamed to its number, which
        fails when somebody else took the number: so numbers have no gaps, with and without
        locks.
        """
        tree = self._tree
        place = self._place(version.name)
        draft = f"{place}/{NEW}{os.urandom(8).hex()}"
        try:
            with Locked(place):
                os.mkdir(draft)
                if version.tags:
                    tree.publish_values(f"{draft}/tags", version.tags)
                number = self._take_number(version, storage_location, place, draft)
                tree.writer.settle(place)
                changes = {"last_updated_timestamp": version.creation_timestamp}
                self._touch(version.name, place, changes)
        except OSError as error:
            remove_folder(tree.root, draft)
            raise refused(error) from error
        return str(number)

    def _take_number(
        self, version: ModelVersion, storage_location: str | None, place: str, draft: str
    ) -> int:
        number = max(self._numbers(place), default=0)
        while True:
            number += 1
            record = version_record(version, number, storage_location)
            self._tree.writer.replace(f"{draft}/{META}", metadata.emit(record), draft)
            try:
                os.rename(draft, f"{place}/{VERSION}{number}")
            except OSError:
                # A folder that is not empty cannot be replaced: the number is taken.
                if not os.path.lexists(f"{place}/{VERSION}{number}"):
                    raise
            else:
                return number

    def update_version(self, name: str, version: str, description: str | None, time: int) -> None:
        """See `Backend.update_model_version`."""
        with Locked(self._version(name, version)[0]):
            _, folder, record = self._version(name, version)
            changes = {"description": description, "last_updated_timestamp": time}
            self._tree.rewrite(folder, record | changes)

    def move_version(
        self, name: str, version: str, stage: str, *, archive_existing: bool, time: int
    ) -> None:
        """See `Backend.move_model_version`."""
        place = self._version(name, version)[0]
        with Locked(place):
            _, folder, record = self._version(name, version)
            for number in self._numbers(place) if archive_existing else ():
                other = f"{place}/{VERSION}{number}"
                if other != folder:
                    self._archive(name, other, number, stage, time)
            changes = {"current_stage": stage, "last_updated_timestamp": time}
            self._tree.rewrite(folder, record | changes)
            self._touch(name, place, {"last_updated_timestamp": time})

    def _archive(self, name: str, folder: str, number: int, stage: str, time: int) -> None:
        try:
            record = self._tree.record(folder, MODEL_VERSION, (name, str(number)))
        except (Missing, Corrupt):
            return
        if record.get("current_stage") == stage:
            changes = {"current_stage": STAGE_ARCHIVED, "last_updated_timestamp": time}
            self._tree.rewrite(folder, record | changes)

    def delete_version(self, name: str, version: str, time: int) -> None:
        """See `Backend.delete_model_version`; the folder stays, so the number stays used."""
        place = self._version(name, version)[0]
        with Locked(place):
            _, folder, record = self._version(name, version)
            for alias, number in self._aliases(place).items():
                if number == version:
                    self._tree.remove_value(place, "aliases", alias)
            changes = {"current_stage": STAGE_DELETED_INTERNAL, "last_updated_timestamp": time}
            self._tree.rewrite(folder, record | changes)
            self._touch(name, place, {"last_updated_timestamp": time})

    def write_version_tags(
        self,
        name: str,
        version: str,
        tags: Sequence[tuple[str, str]],
        removed: Sequence[str] = (),
        time: int | None = None,
    ) -> None:
        """See `Backend.write_model_version_tags`."""
        place = self._version(name, version)[0]
        with Locked(place):
            folder = self._version(name, version)[1]
            self._tree.write_values(folder, "tags", tags)
            for key in removed:
                self._tree.remove_value(folder, "tags", key)
            if time is not None:
                self._touch(name, place, {"last_updated_timestamp": time})


def is_model_name(name: str) -> bool:
    """Tell whether a registered model can have this name."""
    return is_name(name) and not name.startswith(NEW)


def has_record(place: str) -> bool:
    """Tell whether a folder has metadata."""
    return os.path.lexists(f"{place}/{META}")


def is_number(text: str) -> bool:
    """Tell whether a text is a version number as folders are named by it."""
    return text.isascii() and text.isdigit() and text[0] != "0"


def registered_record(model: RegisteredModel) -> dict[str, Any]:
    """Return the metadata of a registered model."""
    return {
        "aliases": dict(model.aliases),
        "creation_timestamp": model.creation_timestamp,
        "deployment_job_id": model.deployment_job_id,
        "deployment_job_state": model.deployment_job_state,
        "description": model.description,
        "last_updated_timestamp": model.last_updated_timestamp,
        "name": model.name,
        "workspace": model.workspace,
    }


def version_record(
    version: ModelVersion, number: int, storage_location: str | None
) -> dict[str, Any]:
    """Return the metadata of a version."""
    return {
        "creation_timestamp": version.creation_timestamp,
        "current_stage": version.current_stage or STAGE_NONE,
        "deployment_job_state": version.deployment_job_state,
        "description": version.description,
        "last_updated_timestamp": version.last_updated_timestamp,
        "model_id": version.model_id,
        "name": version.name,
        "run_id": version.run_id,
        "run_link": version.run_link,
        "source": version.source,
        "status": version.status,
        "status_message": version.status_message,
        "storage_location": storage_location,
        "user_id": version.user_id,
        "version": number,
        "workspace": version.workspace,
    }
