"""Datasets made of datasets of Hugging Face."""

from __future__ import annotations

import json

from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.digest import frame_digest
from mlflow.data.evaluation_dataset import EvaluationDataset
from mlflow.data.huggingface_dataset_source import HuggingFaceDatasetSource
from mlflow.data.schema import schema_of
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.data.dataset_source import DatasetSource
    from mlflow.types.schema import Schema

_SEEN = 10_000  # rows that digest and schema are made of


class HuggingFaceDataset(Dataset):
    """A `datasets.Dataset`.

    Args:
        ds: the data; it is not copied.
        source: where it came from.
        targets: the column that is to be predicted.
        name: `dataset` when absent.
        digest: computed from the data when absent.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: a column is not there.
    """

    def __init__(
        self,
        ds: Any,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        if targets is not None and targets not in ds.column_names:
            raise invalid(
                "The specified Hugging Face dataset does not contain the specified targets column "
                f"'{targets}'."
            )
        self._ds = ds
        self._targets = targets
        super().__init__(source, name, digest)

    def _head(self) -> Any:
        """Return the first rows as a data frame of pandas."""
        return self._ds.select(range(min(_SEEN, len(self._ds)))).to_pandas()

    def _compute_digest(self) -> str:
        return frame_digest(self._head())

    @property
    def ds(self) -> Any:
        """The data."""
        return self._ds

    @property
    def targets(self) -> str | None:
        """The column that is to be predicted."""
        return self._targets

    @property
    def profile(self) -> Any:
        """The number of rows, and the sizes that the dataset itself knows."""
        return {
            "num_rows": self._ds.num_rows,
            "dataset_size": self._ds.dataset_size,
            "size_in_bytes": self._ds.size_in_bytes,
        }

    @property
    def schema(self) -> Schema | None:
        """The columns; None for data that no schema describes."""
        return schema_of(self._head())

    def to_dict(self) -> dict[str, str | None]:
        """Return what is recorded; values are text, and None for a schema that is not there."""
        schema = self.schema
        return {
            **super().to_dict(),
            "schema": None if schema is None else json.dumps({"mlflow_colspec": schema.to_dict()}),
            "profile": json.dumps(self.profile),
        }

    def to_evaluation_dataset(
        self, path: str | None = None, feature_names: list[str] | None = None
    ) -> EvaluationDataset:
        """Return it as evaluators see it, as a data frame of pandas.

        Args:
            path: where the data came from, for the record.
            feature_names: which columns are features.
        """
        return EvaluationDataset(
            self._ds.to_pandas(), targets=self._targets, name=self.name, path=path,
            feature_names=feature_names, digest=self.digest,
        )  # fmt: skip


def from_huggingface(
    ds: Any,
    path: str | None = None,
    targets: str | None = None,
    data_dir: str | None = None,
    data_files: Any = None,
    revision: Any = None,
    name: str | None = None,
    digest: str | None = None,
    trust_remote_code: bool | None = None,
    source: str | DatasetSource | None = None,
) -> HuggingFaceDataset:
    """Make a dataset of a `datasets.Dataset`.

    Args:
        ds: the data; it is not copied.
        path: what it was loaded from: its name on the hub, or a loader such as `json`.
        targets: the column that is to be predicted.
        data_dir: the folder that it was loaded from.
        data_files: the files that it was loaded from.
        revision: the version that was loaded.
        name: `dataset` when absent.
        digest: computed from the data when absent.
        trust_remote_code: whether code that comes with it may run when it is loaded again.
        source: a path or URI, in the place of `path`; the calling program when both are absent.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no such dataset, or a column is not there;
            RESOURCE_DOES_NOT_EXIST: no kind of source is known for the URI.
    """
    kind = type(ds)
    # Told by name: who has such a dataset has the library loaded already.
    if ("datasets.arrow_dataset", "Dataset") not in (
        (one.__module__, one.__name__) for one in kind.__mro__
    ):
        raise invalid(
            "The specified Hugging Face dataset must be an instance of `datasets.Dataset`. "
            f"Instead, found an instance of: {kind}"
        )
    found: DatasetSource
    if path is not None:
        found = HuggingFaceDatasetSource(
            path, ds.config_name, data_dir, data_files, ds.split, revision, trust_remote_code
        )
    else:
        found = resolve_dataset_source(source)
    return HuggingFaceDataset(ds, found, targets, name, digest)
