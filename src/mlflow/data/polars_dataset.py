"""Datasets made of polars data frames."""

from __future__ import annotations

import json
import logging

from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.evaluation_dataset import EvaluationDataset
from mlflow.exceptions import invalid
from mlflow.types.datatypes import Array, Object, Property
from mlflow.types.schema import ColSpec, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import polars as pl

    from mlflow.data.dataset_source import DatasetSource

_TYPES = {
    **dict.fromkeys(("Int8", "Int16", "Int32", "UInt8", "UInt16"), "integer"),
    **dict.fromkeys(("Int64", "UInt32"), "long"),
    **dict.fromkeys(("String", "Categorical", "Enum"), "string"),
    **dict.fromkeys(("Date", "Datetime"), "datetime"),
    "Float32": "float",
    "Float64": "double",
    "Boolean": "boolean",
    "Binary": "binary",
}

_logger = logging.getLogger(__name__)


class PolarsDataset(Dataset):
    """A data frame of polars.

    Args:
        df: the frame; it is not copied.
        source: where it came from.
        targets: the column that is to be predicted.
        name: `dataset` when absent.
        digest: computed from the data when absent, by polars, as MLflow does: it is the same
            wherever the version of polars is.
        predictions: the column that was predicted.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no such frame, or a column is not there.
    """

    def __init__(
        self,
        df: pl.DataFrame,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        if not hasattr(df, "hash_rows"):
            raise invalid(f"A polars DataFrame is expected, not {type(df).__name__}.")
        for role, column in (("targets", targets), ("predictions", predictions)):
            if column is not None and column not in df.columns:
                raise invalid(f"DataFrame does not contain specified {role} column: '{column}'")
        self._df = df
        self._targets = targets
        self._predictions = predictions
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        return str(self._df.hash_rows().sum())

    @property
    def df(self) -> pl.DataFrame:
        """The frame."""
        return self._df

    @property
    def targets(self) -> str | None:
        """The column that is to be predicted."""
        return self._targets

    @property
    def predictions(self) -> str | None:
        """The column that was predicted."""
        return self._predictions

    @property
    def profile(self) -> Any:
        """Numbers of rows and of cells."""
        return {"num_rows": self._df.height, "num_elements": self._df.height * self._df.width}

    @property
    def schema(self) -> Schema | None:
        """The columns; None for a frame with a type that no schema has."""
        try:
            return Schema([
                ColSpec(_type(column.dtype), column.name, required=column.count() > 0)
                for column in self._df
            ])  # fmt: skip
        except KeyError as error:
            _logger.warning("No schema describes the dataset: it has the type %s.", error)
            return None

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
        import pandas as pd

        # Not `to_pandas`, which would need pyarrow.
        frame = pd.DataFrame(self._df.to_dict(as_series=False))
        return EvaluationDataset(
            frame, targets=self._targets, name=self.name, path=path,
            feature_names=feature_names, predictions=self._predictions, digest=self.digest,
        )  # fmt: skip


def _type(dtype: Any) -> Any:
    """Return the type that a schema has for one of polars.

    Raises:
        KeyError: there is none.
    """
    name = str(dtype.base_type())
    if name in ("List", "Array"):
        return Array(_type(dtype.inner))
    if name == "Struct":
        return Object([Property(field.name, _type(field.dtype)) for field in dtype.fields])
    return _TYPES[name]


def from_polars(
    df: pl.DataFrame,
    source: str | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PolarsDataset:
    """Make a dataset of a polars data frame.

    Args:
        df: the frame; it is not copied.
        source: a path or URI, which is recorded and not read; the calling program when absent.
        targets: the column that is to be predicted.
        name: `dataset` when absent.
        digest: computed from the data when absent.
        predictions: the column that was predicted.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no such frame, or a column is not there;
            RESOURCE_DOES_NOT_EXIST: no kind of source is known for the URI.
    """
    return PolarsDataset(df, resolve_dataset_source(source), targets, name, digest, predictions)
