"""One entry of an artifact listing."""

from __future__ import annotations

from mlflow.entities.base import Entity


class FileInfo(Entity):
    """A file or folder below an artifact root."""

    _fields = (
        "file_size",
        "is_dir",
        "path",
    )

    def __init__(
        self,
        path: str,
        is_dir: bool,
        file_size: int | None,
    ) -> None:
        self._path = path
        self._is_dir = is_dir
        self._file_size = file_size

    @property
    def path(self) -> str:
        """The path relative to the root, with `/`."""
        return self._path

    @property
    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self._is_dir

    @property
    def file_size(self) -> int | None:
        """The size in bytes; None for folders."""
        return self._file_size
