"""The source of data that Spark reads: a path, a table, or a query."""

from __future__ import annotations

from mlflow.data.dataset_source import DatasetSource
from mlflow.exceptions import MlflowException, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KINDS = ("path", "table_name", "sql")


class SparkDatasetSource(DatasetSource):
    """What Spark reads.

    Args:
        path: files.
        table_name: a table.
        sql: a query.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: it is not exactly one of these.
    """

    def __init__(
        self, path: str | None = None, table_name: str | None = None, sql: str | None = None
    ) -> None:
        given = dict(zip(_KINDS, (path, table_name, sql), strict=True))
        self._said = {kind: value for kind, value in given.items() if value is not None}
        if len(self._said) != 1:
            raise invalid('Must specify exactly one of "path", "table_name", or "sql"')

    @staticmethod
    def _get_source_type() -> str:
        return "spark"

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        del raw_source
        return False

    @classmethod
    def _resolve(cls, raw_source: Any) -> SparkDatasetSource:
        raise invalid(f"A source of Spark is made by from_spark, not {raw_source!r}.")

    def load(self, **kwargs: Any) -> Any:
        """Return the data as a Spark data frame.

        Args:
            kwargs: options of Spark's reader of files.

        Raises:
            MlflowException: pyspark is not installed.
        """
        ((kind, value),) = self._said.items()
        spark = session()
        if kind == "path":
            return spark.read.load(value, **kwargs)
        return spark.read.table(value) if kind == "table_name" else spark.sql(value)

    def to_dict(self) -> dict[str, Any]:
        return dict(self._said)

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> SparkDatasetSource:
        return cls(**{kind: source_dict.get(kind) for kind in _KINDS})


def session() -> Any:
    """Return the active Spark session, or a new one.

    Raises:
        MlflowException: pyspark is not installed.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise MlflowException(
            "Spark reads the data, and pyspark is not installed: pip install pyspark"
        ) from error
    return SparkSession.builder.getOrCreate()
