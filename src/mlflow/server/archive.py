"""Folders on their way: a ZIP archive that is made while it is sent, in constant memory."""

from __future__ import annotations

import re
import time
import zipfile
from functools import partial
from typing import TYPE_CHECKING

from mlflow.exceptions import not_found
from mlflow.server.messages import Answer
from mlflow.server.transfer import INERT, disposition

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

    from mlflow.server.roots import Spot
    from mlflow.server.transfer import Work
    from mlflow.store.artifact.paths import ArtifactPath

_EARLIEST = 315_619_200  # 1980-01-02: archives know no time before 1980
_PLAIN_FILE = 0o100644 << 16
# On Windows a backslash separates folders, and `C:x` starts on another drive.
_MISREAD = re.compile(r"[\x00-\x1f\x7f\\]|(?<=^[A-Za-z]):")


async def answer_archive(spot: Spot, name: str, work: Work) -> Answer:
    """Return the answer with a folder as a ZIP archive.

    What is in the folder when its turn comes is sent; a file that can then not be read ends the
    answer before its end, which a client sees.

    Args:
        spot: the folder.
        name: of the archive, without its ending.
        work: has a thread do something.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST: there is no such folder.
    """
    if await work(partial(spot.root.kind, spot.path)) != "folder":
        raise not_found(f"No such folder of artifacts: '{spot.path}'")
    headers = (
        (b"content-type", b"application/zip"),
        (b"content-disposition", disposition(f"{name}.zip")),
        (b"cache-control", b"private, no-cache"),
        *INERT,
    )
    return Answer(200, b"", headers, _parts(spot, work))


async def _parts(spot: Spot, work: Work) -> AsyncGenerator[bytes]:
    portions = _portions(spot)
    try:
        while (part := await work(partial(next, portions, None))) is not None:
            yield part
    finally:
        portions.close()


def _portions(spot: Spot) -> Generator[bytes]:
    """Yield the archive: files as they are, as most artifacts are packed already."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for path, size in spot.root.walk(spot.path):
            if size is not None:
                yield from _file(archive, sink, spot, path)
    yield sink.take()


def _file(archive: zipfile.ZipFile, sink: _Sink, spot: Spot, path: ArtifactPath) -> Iterator[bytes]:
    file = spot.root.opened(path)
    try:
        name = "/".join(map(_entry_name, path.parts[len(spot.path.parts) :]))
        entry = zipfile.ZipInfo(name, time.gmtime(max(file.modified, _EARLIEST))[:6])
        entry.external_attr = _PLAIN_FILE
        with archive.open(entry, "w", force_zip64=True) as member:
            for data in file.parts(0, file.size):
                member.write(data)
                yield sink.take()
    finally:
        file.close()
    yield sink.take()


def _entry_name(name: str) -> str:
    """Return a name without what leads elsewhere, or is taken for something else, on some system."""
    return _MISREAD.sub(lambda found: f"%{ord(found[0]):02X}", name)


class _Sink:
    """What an archive is written to, from which portions are taken; it cannot go back."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes, /) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: what was written is there to be taken."""

    def close(self) -> None:
        """Do nothing; the archive does not own it."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken, self._waiting = bytes(self._waiting), bytearray()
        return taken
