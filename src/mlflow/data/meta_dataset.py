"""Datasets of which only the source is known: nothing of the data is held."""

from __future__ import annotations

import json

from mlflow.data.dataset import Dataset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.data.dataset_source import DatasetSource
    from mlflow.types.schema import Schema


class MetaDataset(Dataset):
    """A source with a name, and perhaps a schema.

    Args:
        source: where the data is.
        name: `dataset` when absent.
        digest: computed from the other facts when absent.
        schema: its columns or tensors.
    """

    def __init__(
        self,
        source: DatasetSource,
        name: str | None = None,
        digest: str | None = None,
        schema: Schema | None = None,
    ) -> None:
        self._schema = schema
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        from hashlib import sha256

        facts = {
            "name": self.name,
            "source": self.source.to_json(),
            "source_type": self._get_source_type(),
            "schema": "" if self._schema is None else self._schema.to_dict(),
        }
        return sha256(json.dumps(facts).encode()).hexdigest()[:8]

    @property
    def schema(self) -> Schema | None:
        """Its columns or tensors."""
        return self._schema

    def to_dict(self) -> dict[str, str | None]:
        """Return what is recorded; values are text."""
        found = super().to_dict()
        if self._schema is not None:
            found["schema"] = json.dumps(_described(self._schema))
        return found


def _described(schema: Schema) -> dict[str, object]:
    key = "mlflow_tensorspec" if schema.is_tensor_spec() else "mlflow_colspec"
    return {key: schema.to_dict()}
