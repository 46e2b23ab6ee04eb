"""What went into runs and came out of them, on files: datasets, logged models."""

from __future__ import annotations

import hashlib
import os

from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    RunInputs,
    RunOutputs,
)
from mlflow.store.backends.file import metadata
from mlflow.store.backends.file.metadata import MAX_DATASET_BYTES, Malformed
from mlflow.store.backends.file.reading import (
    Unreadable,
    folders,
    is_folder,
    number_of,
    optional_text,
    text_of,
)
from mlflow.store.backends.file.tree import META, is_name, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from mlflow.store.backends.file.tree import Tree

_DATASET = "DATASET"
_MODEL_KINDS = ("MODEL", "MODEL_INPUT", "RUN_INPUT")


def _name_of(*parts: str) -> str:
    """Return the name that MLflow gives the record of these parts."""
    return hashlib.md5("".join(parts).encode("utf-8"), usedforsecurity=False).hexdigest()


class Inputs:
    """Inputs and outputs of the runs of a store.

    Args:
        tree: where they are.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    # --- writing -----------------------------------------------------------------------------

    def write(
        self,
        place: str,
        datasets: Sequence[DatasetInput],
        models: Sequence[LoggedModelInput],
        final: str | None = None,
    ) -> None:
        """Add inputs to the run in a folder; what is there stays as it is.

        Args:
            place: the folder.
            datasets: datasets.
            models: logged models.
            final: what the folder will be, when that is still being made.
        """
        experiment, run_id = (final or place).rsplit("/", 1)
        for used in datasets:
            dataset_id = self._keep_dataset(experiment, used.dataset)
            record = {
                "destination_id": run_id,
                "destination_type": "RUN",
                "source_id": dataset_id,
                "source_type": _DATASET,
                "tags": {tag.key: tag.value for tag in used.tags},
            }
            self._put(f"{place}/inputs/{_name_of(dataset_id, run_id)}", record)
        for model in models:
            record = {
                "destination_id": model.model_id,
                "destination_type": "RUN",
                "source_id": model.model_id,
                "source_type": "MODEL",
                "tags": {},
            }
            self._put(f"{place}/inputs/{_name_of(model.model_id, run_id)}", record)

    def _keep_dataset(self, experiment: str, dataset: Dataset) -> str:
        dataset_id = _name_of(dataset.name, dataset.digest)
        record = {
            "digest": dataset.digest,
            "name": dataset.name,
            "profile": dataset.profile,
            "schema": dataset.schema,
            "source": dataset.source,
            "source_type": dataset.source_type,
        }
        self._put(f"{experiment}/datasets/{dataset_id}", record)
        return dataset_id

    def write_outputs(self, place: str, models: Sequence[LoggedModelOutput]) -> None:
        """Add outputs to the run in a folder; what is there stays as it is."""
        for model in models:
            record = {
                "destination_id": model.model_id,
                "destination_type": "MODEL_OUTPUT",
                "source_id": model.model_id,
                "source_type": "RUN_OUTPUT",
                "step": model.step,
                "tags": {},
            }
            self._put(f"{place}/outputs/{model.model_id}", record)

    def _put(self, place: str, record: dict[str, Any]) -> None:
        """Write a record in a folder of its own, unless it is there."""
        writer = self._tree.writer
        try:
            if os.path.lexists(f"{place}/{META}"):
                return
            writer.make_folders(place)
            # The parent of both folders: a file there disturbs neither runs nor listings.
            near = place.rsplit("/", 2)[0]
            writer.create(f"{place}/{META}", metadata.emit(record), near)
        except OSError as error:
            raise refused(error) from error

    # --- reading -----------------------------------------------------------------------------

    def read(self, place: str) -> tuple[RunInputs, RunOutputs]:
        """Return what went into the run in a folder and what came out."""
        datasets: list[DatasetInput] = []
        models: list[LoggedModelInput] = []
        for record, path in self._records(f"{place}/inputs"):
            try:
                kind = text_of(record, "source_type")
                source = text_of(record, "source_id")
                if kind in _MODEL_KINDS:
                    models.append(LoggedModelInput(source))
                elif kind == _DATASET:
                    experiment = place.rsplit("/", 1)[0]
                    found = self._dataset_input(experiment, source, record)
                    datasets.append(found)
            except (Malformed, Unreadable, FileNotFoundError) as error:
                self._tree.problems.report(path, str(error))
        outputs: list[LoggedModelOutput] = []
        for record, path in self._records(f"{place}/outputs"):
            try:
                outputs.append(
                    LoggedModelOutput(
                        text_of(record, "destination_id"), number_of(record, "step") or 0
                    )
                )
            except Malformed as error:
                self._tree.problems.report(path, str(error))
        return RunInputs(datasets, models), RunOutputs(outputs)

    def _records(self, folder: str) -> list[tuple[dict[str, Any], str]]:
        """Return the records of the folders in a folder, oldest first, each with its path."""
        found = []
        names = folders(folder) if is_folder(folder) else []
        for name in names:
            path = f"{folder}/{name}/{META}"
            try:
                record = self._tree.records.read(path)
                found.append((os.lstat(path).st_mtime_ns, name, record, path))
            except FileNotFoundError:
                continue
            except Unreadable as error:
                self._tree.problems.report(path, str(error))
        found.sort(key=lambda one: one[:2])
        return [(record, path) for _, _, record, path in found]

    def _dataset_input(
        self, experiment: str, dataset_id: str, record: dict[str, Any]
    ) -> DatasetInput:
        place = f"{experiment}/datasets/{dataset_id}"
        if not is_name(dataset_id) or not is_folder(place):
            raise Malformed(f"it names the dataset {dataset_id!r}, which is not there")
        kept = self._tree.records.read(f"{place}/{META}", MAX_DATASET_BYTES)
        dataset = Dataset(
            text_of(kept, "name"),
            text_of(kept, "digest"),
            text_of(kept, "source_type"),
            text_of(kept, "source"),
            optional_text(kept, "schema"),
            optional_text(kept, "profile"),
        )
        tags = record.get("tags")
        pairs = tags.items() if isinstance(tags, dict) else ()
        return DatasetInput(dataset, [InputTag(str(key), str(value)) for key, value in pairs])
