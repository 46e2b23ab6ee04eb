"""The contract of a source: what is recorded of where data came from."""

from __future__ import annotations

import json

from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class DatasetSource:
    """Where data came from. Sources are recorded; nothing is fetched until `load` is called."""

    @staticmethod
    def _get_source_type() -> str:
        """Return the name of this kind of source, as records have it."""
        raise NotImplementedError

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        """Tell whether this kind of source can be made from what a user gave."""
        raise NotImplementedError

    @classmethod
    def _resolve(cls, raw_source: Any) -> DatasetSource:
        """Make a source from what a user gave."""
        raise NotImplementedError

    def load(self) -> Any:
        """Return the data, or a local path of it."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return what is recorded."""
        raise NotImplementedError

    def to_json(self) -> str:
        """Return what is recorded, as JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> DatasetSource:
        """Make a source from what was recorded."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, source_json: str) -> DatasetSource:
        """Make a source from what was recorded, as JSON."""
        return cls.from_dict(json.loads(source_json))


def recorded(kind: type[DatasetSource], source_dict: dict[str, Any], key: str) -> str:
    """Return what a record holds under a key.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: there is no such key, or no text in it.
    """
    found = source_dict.get(key)
    if found is None:
        raise invalid(f'Failed to parse {kind.__name__}. Missing expected key: "{key}"')
    if not isinstance(found, str):
        raise invalid(f'Failed to parse {kind.__name__}. "{key}" must be text, got {found!r}')
    return found
