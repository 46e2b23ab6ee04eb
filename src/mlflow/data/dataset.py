"""The contract of a dataset: what is recorded of data that a run uses."""

from __future__ import annotations

import json

from mlflow.entities.run import Dataset as DatasetEntity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlflow.data.dataset_source import DatasetSource


class Dataset:
    """Data with a name, a digest and a source.

    Args:
        source: where it came from.
        name: `dataset` when absent.
        digest: computed from the data when absent.
    """

    def __init__(
        self, source: DatasetSource, name: str | None = None, digest: str | None = None
    ) -> None:
        self._name = name
        self._source = source
        self._digest = digest or self._compute_digest()

    def _compute_digest(self) -> str:
        """Return a short fingerprint of the data."""
        msg = f"{type(self).__name__} has no _compute_digest: pass a digest."
        raise NotImplementedError(msg)

    @property
    def name(self) -> str:
        """The name."""
        return self._name if self._name is not None else "dataset"

    @property
    def digest(self) -> str:
        """A short fingerprint of the data."""
        return self._digest

    @property
    def source(self) -> DatasetSource:
        """Where it came from."""
        return self._source

    @property
    def profile(self) -> Any:
        """Summary figures."""
        return None

    @property
    def schema(self) -> Any:
        """Its columns or tensors."""
        return None

    def _get_source_type(self) -> str:
        return self._source._get_source_type()

    def to_dict(self) -> dict[str, str | None]:
        """Return what is recorded; values are text. Kinds with schema and profile add these."""
        return {
            "name": self.name,
            "digest": self.digest,
            "source": self._source.to_json(),
            "source_type": self._get_source_type(),
        }

    def to_json(self) -> str:
        """Return what is recorded, as JSON."""
        return json.dumps(self.to_dict())

    def _to_mlflow_entity(self) -> DatasetEntity:
        """Return what stores keep."""
        found: dict[str, Any] = self.to_dict()
        return DatasetEntity(**found)
