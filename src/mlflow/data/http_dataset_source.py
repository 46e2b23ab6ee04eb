"""The source of data that came from the web: its address, which is recorded and never fetched."""

from __future__ import annotations

from mlflow._later import later_error
from mlflow.data.dataset_source import DatasetSource, recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class HTTPDatasetSource(DatasetSource):
    """An address on the web.

    Args:
        url: starts with `http:` or `https:`.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        """The address."""
        return self._url

    @staticmethod
    def _get_source_type() -> str:
        return "http"

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        return isinstance(raw_source, str) and raw_source.lower().startswith(
            ("http://", "https://")
        )

    @classmethod
    def _resolve(cls, raw_source: Any) -> HTTPDatasetSource:
        return cls(raw_source)

    def load(self, dst_path: str | None = None) -> str:
        """Raise: this version reaches out to no one."""
        raise later_error("HTTPDatasetSource.load")

    def to_dict(self) -> dict[str, Any]:
        return {"url": self._url}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> HTTPDatasetSource:
        return cls(recorded(cls, source_dict, "url"))
