"""Datasets made of Spark data frames."""

from __future__ import annotations

import json
import logging
import os
from hashlib import md5

from mlflow.data.dataset import Dataset
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.delta_dataset_source import DeltaDatasetSource
from mlflow.data.evaluation_dataset import EvaluationDataset
from mlflow.data.schema import schema_of
from mlflow.data.spark_dataset_source import SparkDatasetSource
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.data.dataset_source import DatasetSource
    from mlflow.types.schema import Schema

_COUNTING = 5  # ms that a record may wait for a number of rows
_EVALUATED = 10_000  # rows that models are evaluated on

_logger = logging.getLogger(__name__)


class SparkDataset(Dataset):
    """A data frame of Spark.

    Args:
        df: the frame.
        source: where it came from.
        targets: the column that is to be predicted.
        name: `dataset` when absent.
        digest: made of what Spark knows of the query when absent; no data is read.
        predictions: the column that was predicted.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no such frame, or a column is not there.
    """

    def __init__(
        self,
        df: Any,
        source: DatasetSource,
        targets: str | None = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: str | None = None,
    ) -> None:
        if not hasattr(df, "semanticHash"):
            raise invalid(f"A Spark DataFrame is expected, not {type(df).__name__}.")
        for role, column in (("targets", targets), ("predictions", predictions)):
            if column is not None and column not in df.columns:
                raise invalid(
                    f"The specified Spark dataset does not contain the specified {role} column "
                    f"'{column}'."
                )
        self._df = df
        self._targets = targets
        self._predictions = predictions
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        number = int(self._df.semanticHash())
        data = number.to_bytes(8, "little", signed=True)
        return md5(data, usedforsecurity=False).hexdigest()[:8]

    @property
    def df(self) -> Any:
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
        """About how many rows there are, where Spark can tell at once."""
        try:
            count = self._df.rdd.countApprox(_COUNTING)
        except Exception as error:  # noqa: BLE001 - a session elsewhere has no such thing
            _logger.debug("Spark does not count the rows: %s", error)
            count = 0
        return {"approx_count": count if count > 0 else "unknown"}

    @property
    def schema(self) -> Schema | None:
        """The columns; None for a frame with a type that no schema has."""
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
        """Return its first rows as evaluators see them, as a data frame of pandas.

        Args:
            path: where the data came from, for the record.
            feature_names: which columns are features.
        """
        return EvaluationDataset(
            self._df.limit(_EVALUATED).toPandas(), targets=self._targets, name=self.name,
            path=path, feature_names=feature_names, predictions=self._predictions,
            digest=self.digest,
        )  # fmt: skip


def from_spark(
    df: Any,
    path: str | None = None,
    table_name: str | None = None,
    version: str | None = None,
    sql: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> SparkDataset:
    """Make a dataset of a Spark data frame.

    Args:
        df: the frame.
        path: the files that it was read from; nothing is read.
        table_name: the table that it was read from.
        version: the version of the Delta table at the path.
        sql: the query that it came from.
        targets: the column that is to be predicted.
        name: `dataset` when absent.
        digest: made of what Spark knows of the query when absent.
        predictions: the column that was predicted.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is no such frame, a column is not there, or
            it came from several places.
    """
    given = {"path": path, "table_name": table_name, "sql": sql}
    said = {kind: value for kind, value in given.items() if value is not None}
    if len(said) > 1:
        raise invalid("Must specify at most one of `path`, `table_name`, or `sql`.")
    source: DatasetSource
    if not said:
        source = resolve_dataset_source(None)
    elif path is not None and os.path.isdir(os.path.join(path, "_delta_log")):
        source = DeltaDatasetSource(path, None, None if version is None else int(version))
    else:
        source = SparkDatasetSource(**said)
    return SparkDataset(df, source, targets, name, digest, predictions)


def load_delta(
    path: str | None = None,
    table_name: str | None = None,
    version: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
) -> SparkDataset:
    """Make a dataset of a Delta table, which Spark reads with the Delta package.

    Args:
        path: the folder of the table.
        table_name: the name of the table.
        version: the version; the latest when absent.
        targets: the column that is to be predicted.
        name: `dataset` when absent.
        digest: made of what Spark knows of the query when absent.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: there is not exactly one of path and name, or a
            column is not there; pyspark is not installed.
    """
    if (path is None) == (table_name is None):
        raise invalid("Must specify exactly one of `table_name` or `path`.")
    source = DeltaDatasetSource(path, table_name, None if version is None else int(version))
    return SparkDataset(source.load(), source, targets, name, digest)
