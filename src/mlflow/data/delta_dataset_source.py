"""The source of data in a Delta table, which Spark reads with the Delta package."""

from __future__ import annotations

from mlflow.data.dataset_source import DatasetSource
from mlflow.data.spark_dataset_source import session
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DeltaDatasetSource(DatasetSource):
    """A Delta table, perhaps at a version.

    Args:
        path: the folder of the table.
        delta_table_name: the name of the table.
        delta_table_version: the version; the latest when absent.
        delta_table_id: the id of the table in a catalog.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: there is not exactly one of path and name.
    """

    def __init__(
        self,
        path: str | None = None,
        delta_table_name: str | None = None,
        delta_table_version: int | None = None,
        delta_table_id: str | None = None,
    ) -> None:
        if (path is None) == (delta_table_name is None):
            raise invalid('Must specify exactly one of "path" or "table_name"')
        self.path = path
        self.delta_table_name = delta_table_name
        self.delta_table_version = delta_table_version
        self.delta_table_id = delta_table_id

    @staticmethod
    def _get_source_type() -> str:
        return "delta_table"

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        del raw_source
        return False

    @classmethod
    def _resolve(cls, raw_source: Any) -> DeltaDatasetSource:
        raise invalid(f"A Delta table is named by load_delta, not {raw_source!r}.")

    def load(self, **kwargs: Any) -> Any:
        """Return the data as a Spark data frame.

        Args:
            kwargs: options of Spark's reader.

        Raises:
            MlflowException: pyspark is not installed.
        """
        reader = session().read.format("delta").options(**kwargs)
        if self.delta_table_version is not None:
            reader = reader.option("versionAsOf", self.delta_table_version)
        if self.path is not None:
            return reader.load(self.path)
        return reader.table(self.delta_table_name)

    def to_dict(self) -> dict[str, Any]:
        found = {
            "path": self.path,
            "delta_table_name": self.delta_table_name,
            "delta_table_version": self.delta_table_version,
            "delta_table_id": self.delta_table_id,
        }
        return {key: value for key, value in found.items() if value is not None}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> DeltaDatasetSource:
        return cls(
            source_dict.get("path"),
            source_dict.get("delta_table_name"),
            source_dict.get("delta_table_version"),
            source_dict.get("delta_table_id"),
        )
