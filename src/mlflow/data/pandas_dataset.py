"""Datasets made of pandas data frames."""

from __future__ import annotations

import json

from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.digest import frame_digest
from mlflow.data.evaluation_dataset import EvaluationDataset
from mlflow.data.schema import schema_of
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from mlflow.data.dataset_source import DatasetSource
    from mlflow.types.schema import Schema


class PandasDataset(Dataset):
    """A data frame.

    Args:
        df: the frame; it is not copied.
        source: where it came from.
        targets: the column that is to be predicted.
        name: `dataset` when absent.
        digest: computed from the data when absent.
        predictions: the column that was predicted.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: a column is not there.
    """

    def __init__(
        self,
        df: pd.DataFrame,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        for role, column in (("targets", targets), ("predictions", predictions)):
            if column is not None and column not in df.columns:
                raise invalid(
                    f"The specified pandas DataFrame does not contain the specified {role} column "
                    f"'{column}'."
                )
        self._df = df
        self._targets = targets
        self._predictions = predictions
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        return frame_digest(self._df)

    @property
    def df(self) -> pd.DataFrame:
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
        return {"num_rows": len(self._df), "num_elements": int(self._df.size)}

    @property
    def schema(self) -> Schema | None:
        """The columns; None for a frame that no schema describes."""
        return schema_of(self._df)

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
        """Return it as evaluators see it.

        Args:
            path: where the data came from, for the record.
            feature_names: which columns are features, or what columns of an array are called.
        """
        return EvaluationDataset(
            self._df, targets=self._targets, name=self.name, path=path,
            feature_names=feature_names, predictions=self._predictions, digest=self.digest,
        )  # fmt: skip


def from_pandas(
    df: pd.DataFrame,
    source: str | DatasetSource | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PandasDataset:
    """Make a dataset of a data frame.

    Args:
        df: the frame; it is not copied.
        source: a path or URI, which is recorded and not read; the calling program when absent.
        targets: the column that is to be predicted.
        name: `dataset` when absent.
        digest: computed from the data when absent.
        predictions: the column that was predicted.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: a column is not there;
            RESOURCE_DOES_NOT_EXIST: no kind of source is known for the URI.
    """
    found = resolve_dataset_source(source)
    return PandasDataset(df, found, targets, name, digest, predictions)
