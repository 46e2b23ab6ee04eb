"""The source of data that came from a program: the tags of that program."""

from __future__ import annotations

from mlflow.data.dataset_source import DatasetSource
from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class CodeDatasetSource(DatasetSource):
    """A program, by its context tags.

    Args:
        tags: user, source file, git commit and so on.
    """

    def __init__(self, tags: dict[str, Any]) -> None:
        self._tags = tags

    @staticmethod
    def _get_source_type() -> str:
        return "code"

    @staticmethod
    def _can_resolve(raw_source: Any) -> bool:
        del raw_source
        return False

    @classmethod
    def _resolve(cls, raw_source: Any) -> CodeDatasetSource:
        raise invalid(f"Code is recorded by its tags, not made from {raw_source!r}.")

    def load(self) -> Any:
        """Raise: running the program again is the way to its data."""
        msg = "Data that came from code cannot be loaded; run the program that is named in the tags"
        raise NotImplementedError(f"{msg}: {self._tags}")

    def to_dict(self) -> dict[str, Any]:
        return {"tags": self._tags}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> CodeDatasetSource:
        return cls(source_dict.get("tags") or {})
