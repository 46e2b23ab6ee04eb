"""The contract of a tree of files below a root: what repositories and servers ask of any place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from mlflow.store.artifact.copying import Sink
    from mlflow.store.artifact.paths import ArtifactPath
    from mlflow.store.artifact.root import Entry


class Opened(Protocol):
    """A file that is open for reading.

    Attributes:
        size: bytes.
        modified: seconds since the epoch.
        tag: changes when the file does.
    """

    size: int
    modified: float
    tag: str

    def digest(self) -> bytes | None:
        """Return the SHA-256 of the file; None where nobody knows it without reading it twice."""

    def parts(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from one place to another, in portions.

        Raises:
            MlflowException: the file is not what it was when it was opened.
        """

    def close(self) -> None:
        """Give back what it holds."""


class Arriving(Protocol):
    """A file that is being written, and there once it is finished; nobody sees it before."""

    @property
    def file(self) -> Sink:
        """Takes the bytes."""

    def finish(self) -> None:
        """Give the file its name, in place of one that has it."""

    def discard(self) -> None:
        """Forget what was written."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None: ...


class Tree(Protocol):
    """Files and folders below a root."""

    def kind(self, where: ArtifactPath) -> str | None:
        """Return `file`, `folder`, or None for what is not there."""

    def list(self, where: ArtifactPath) -> list[Entry]:
        """Return the entries of a folder by name; none for what is no folder."""

    def walk(self, where: ArtifactPath) -> Iterator[tuple[ArtifactPath, int | None]]:
        """Yield (path, size) of all that is in a folder, at any depth; folders have no size."""

    def opened(self, where: ArtifactPath) -> Opened:
        """Open a file for reading.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: there is no such file.
        """

    def create(self, where: ArtifactPath, digest: bytes | None = None) -> Arriving:
        """Begin a file that is there once it is complete.

        Args:
            where: its name.
            digest: its SHA-256, where that is known before.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it cannot have this name.
        """

    def delete(self, where: ArtifactPath) -> None:
        """Remove a file, or a folder with all that is in it; what is not there is left so."""
