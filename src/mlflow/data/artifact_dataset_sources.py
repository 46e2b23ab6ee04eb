"""Sources that are places of files: on this machine, in object stores, below runs."""

from __future__ import annotations

import os

from mlflow.artifacts import download_artifacts
from mlflow.data.dataset_source import DatasetSource, recorded
from mlflow.store.artifact.locate import LATER, SCHEMES, scheme_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Addresses on the web have a kind of their own.
_SCHEMES = {"runs", "models", *SCHEMES, *LATER} - {"http", "https"}


class FileDatasetSource(DatasetSource):
    """A file or folder, by its URI, which is recorded as it was given.

    Args:
        uri: a path or URI.
        source_type: the name of the kind; told from the URI when absent.
    """

    def __init__(self, uri: str, source_type: str | None = None) -> None:
        self._uri = uri
        self._type = source_type or source_type_of(uri)

    @property
    def uri(self) -> str:
        """Where the data is."""
        return self._uri

    def _get_source_type(self) -> str:  # type: ignore[override]
        return self._type

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        if not isinstance(raw_source, (str, os.PathLike)):
            return False
        return scheme_of(str(raw_source)) in _SCHEMES

    @classmethod
    def _resolve(cls, raw_source: Any) -> FileDatasetSource:
        return cls(str(raw_source))

    def load(self, dst_path: str | None = None) -> str:
        """Return the local path of the data, copied to a folder if one is given."""
        return download_artifacts(self._uri, dst_path=dst_path)

    def to_dict(self) -> dict[str, Any]:
        return {"uri": self._uri}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> FileDatasetSource:
        return cls(recorded(cls, source_dict, "uri"))


def source_type_of(uri: str) -> str:
    """Return the name of the kind of source that a URI is."""
    scheme = scheme_of(uri)
    return "local" if scheme in ("", "file") else scheme.replace("-", "_")
