"""Artifacts that a tracking server keeps, ours or a stock MLflow's."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import msgspec

from mlflow.entities.artifacts import FileInfo
from mlflow.exceptions import MlflowException, invalid, not_found, without_password
from mlflow.store.artifact import direct
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.copying import Progress, write_all
from mlflow.store.artifact.local import walk
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.uris import PROXY_SCHEME
from mlflow.transport.client import (
    PASSING,
    Answer,
    LostError,
    NotSentError,
    Transport,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from mlflow.store.artifact.root import Root
    from mlflow.transport.client import Stream

ENDPOINT = "/mlflow-artifacts/artifacts"
_API = f"/api/2.0{ENDPOINT}"
_PORTION = 1 << 20
_MAX_REFUSAL = 1 << 16
_TRIES = 5
_DIGEST = re.compile(r"(?:^|[\s,])sha-256=:([A-Za-z0-9+/=]{44}):", re.ASCII)


class HttpArtifactRepository(ArtifactRepository):
    """A folder that a server keeps, named by `mlflow-artifacts:/path` or by its address.

    Files are sent and fetched as they are read, whatever their size; transfers that break off are
    taken up again. What a server of ours got and gave is compared by its SHA-256, elsewhere by its
    length.
    """

    PARALLEL = 8

    def __init__(
        self,
        artifact_uri: str,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
    ) -> None:
        super().__init__(artifact_uri, tracking_uri, registry_uri)
        address, path = _place_of(artifact_uri, tracking_uri)
        self._transport = Transport(address)
        self._root = ArtifactPath.parse(path.strip("/"))

    # --- sending -----------------------------------------------------------------------------

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Send a local file.

        Raises:
            FileNotFoundError: there is no such file.
            MlflowException: the server refuses it, or cannot be reached.
        """
        local_file = os.fspath(local_file)
        where = ArtifactPath.new(artifact_path).child(
            os.path.basename(os.path.normpath(local_file))
        )
        self._send_file(local_file, ArtifactPath.new(str(where)))

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Send what is in a local folder; empty folders are not kept.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST for the folder; the server refuses a file, or
                cannot be reached.
        """
        local_dir = os.fspath(local_dir)
        if not os.path.isdir(local_dir):
            raise not_found(f"No such folder: '{local_dir}'")
        target = ArtifactPath.new(artifact_path)
        found = [
            (path, ArtifactPath.new(str(where)))
            for path, where, size in walk(local_dir, target)
            if size is not None
        ]
        progress = Progress("Logging artifacts", sum(os.path.getsize(path) for path, _ in found))
        self._each(lambda one: self._send_file(*one, progress), found)
        progress.close()

    def log_stream(self, stream: BinaryIO, artifact_file: str) -> None:
        """Send what an open binary stream gives."""
        path = ArtifactPath.new(artifact_file)
        size = _size_left(stream)
        if size is None:
            super().log_stream(stream, artifact_file)
        else:
            self._send(stream, size, path, None)

    def _send_file(
        self, local_file: str, where: ArtifactPath, progress: Progress | None = None
    ) -> None:
        with open(local_file, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            own = progress or Progress("Logging artifact", size)
            self._send(file, size, where, own)
            if progress is None:
                own.close()

    def _send(
        self, source: BinaryIO, size: int, where: ArtifactPath, progress: Progress | None
    ) -> None:
        start = source.tell()
        if direct.wants_to_send(size) and direct.send(
            self._transport, self._root.join(where), source, size, start
        ):
            if progress is not None:
                progress.add(size)
            return
        headers = {"Content-Length": str(size), "Content-Type": _kind(where.name)}

        def send(tries: int) -> bool:
            source.seek(start)
            digest = hashlib.sha256()
            body = _read(source, size, digest)
            with self._transport.stream("PUT", self._path(where), body, headers) as answer:
                self._check(answer, where, tries)
                answer.read(_MAX_REFUSAL)
            return _is_right(answer, digest)

        self._try(send, where)
        if progress is not None:
            progress.add(size)

    # --- fetching ----------------------------------------------------------------------------

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """Return the files and folders directly in a folder, by name.

        Raises:
            MlflowException: the server refuses, or cannot be reached.
        """
        where = ArtifactPath.parse(path)
        whole = str(self._root.join(where))
        target = f"{_API}?{urlencode({'path': whole})}" if whole else _API
        answer = self._transport.request("GET", target, is_safe=True)
        if answer.status != 200:
            raise self._refusal(answer, where)
        try:
            listing = msgspec.json.decode(answer.body, type=_Listing)
        except msgspec.MsgspecError as error:
            here = self._transport.address.shown
            message = f"The listing of '{where}' by {here} cannot be read: {error}"
            raise MlflowException(message) from None
        found = [
            FileInfo(str(where.child(one.path)), one.is_dir, None if one.is_dir else one.size)
            for one in listing.files
        ]
        return sorted(found, key=lambda one: one.path)

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        where = ArtifactPath.parse(remote_file_path)
        with open(local_path, "w+b", buffering=0) as file:
            self._fetch_to(file, where, 0)

    def _fetch(self, path: ArtifactPath, size: int, target: Root, progress: Progress) -> None:
        # Straight to where it belongs: a large file is not written twice.
        with target.create(path) as made:
            self._fetch_to(made.file, path, size)
        progress.add(size)

    def _fetch_to(self, file: BinaryIO, path: ArtifactPath, size: int) -> None:
        whole = self._root.join(path)
        if direct.wants_to_fetch(size) and direct.fetch(self._transport, whole, file):
            return
        self._try(_Fetch(self, path, file), path)

    def delete_artifacts(self, artifact_path: str | None = None) -> None:
        """Have the server remove a file, or a folder with all that is in it."""
        where = ArtifactPath.parse(artifact_path)
        answer = self._transport.request("DELETE", self._path(where), is_safe=True)
        if answer.status not in (200, 204, 404):
            raise self._refusal(answer, where)

    # --- requests ----------------------------------------------------------------------------

    def _path(self, where: ArtifactPath) -> str:
        return f"{_API}/{quote(str(self._root.join(where)), safe='/')}"

    def _try(self, attempt: Callable[[int], bool], where: ArtifactPath) -> None:
        """Make attempts until one succeeds.

        Args:
            attempt: is told how many came before, and tells whether the file arrived as it was.
            where: the file.

        Raises:
            MlflowException: none did.
        """
        for tries in range(_TRIES):
            try:
                if attempt(tries):
                    return
            except (NotSentError, LostError) as error:
                if tries + 1 == _TRIES:
                    raise self._transport.unreachable(error) from error
                self._transport.wait(tries, None, str(error))
        raise MlflowException(
            f"'{where}' did not pass between {self._transport.address.shown} and here as it was: "
            "its SHA-256 was another each time."
        )

    def _check(self, answer: Stream, where: ArtifactPath, tries: int) -> None:
        """Check that a server does what it was asked.

        Raises:
            LostError: it may do so later.
            MlflowException: it refuses.
        """
        if answer.status in (200, 201, 204, 206):
            return
        if answer.status in PASSING and tries + 1 < _TRIES:
            raise LostError(f"status {answer.status}")
        whole = Answer(answer.status, answer.headers, answer.read(_MAX_REFUSAL))
        raise self._refusal(whole, where)

    def _refusal(self, answer: Answer, where: ArtifactPath) -> MlflowException:
        if answer.status == 404:
            return not_found(f"No such artifact: '{where}'")
        return refusal(answer, self._path(where))


class _Fetch:
    """Fetches what is missing of a file.

    Args:
        home: where it is kept.
        where: its path.
        file: open for writing.
    """

    def __init__(self, home: HttpArtifactRepository, where: ArtifactPath, file: BinaryIO) -> None:
        self._home = home
        self._where = where
        self._file = file
        self._digest = hashlib.sha256()
        self._tag: str | None = None

    def __call__(self, tries: int) -> bool:
        """Fetch it; tell whether it is now complete, and as the server has it."""
        home, done = self._home, self._file.tell()
        headers = {"Want-Repr-Digest": "sha-256=1"}
        if self._tag and done:
            headers |= {"Range": f"bytes={done}-", "If-Range": self._tag}
        with home._transport.stream("GET", home._path(self._where), b"", headers) as answer:
            home._check(answer, self._where, tries)
            if answer.status != 206:
                self._file.seek(0)
                self._file.truncate()
                self._digest = hashlib.sha256()
            self._tag = answer.headers.get("etag")
            for part in answer.parts(_PORTION):
                self._digest.update(part)
                write_all(self._file, memoryview(part))
        if _is_right(answer, self._digest):
            return True
        self._tag = None
        return False


class _Entry(msgspec.Struct):
    path: str
    is_dir: bool = False
    file_size: int | str | None = None  # text, where a server writes 64-bit numbers so

    @property
    def size(self) -> int:
        return int(self.file_size or 0)


class _Listing(msgspec.Struct):
    files: list[_Entry] = []


def _place_of(uri: str, tracking_uri: str | None) -> tuple[str, str]:
    """Return the address of the server and the path of the folder it keeps."""
    scheme, _, rest = uri.partition(":")
    if scheme != PROXY_SCHEME:
        address, endpoint, path = uri.partition(ENDPOINT)
        if not endpoint:
            raise invalid(
                f"'{without_password(uri)}' is no folder of a tracking server: its path has no '{ENDPOINT}'."
            )
        return address.removesuffix("/api/2.0").removesuffix("/ajax-api/2.0"), path
    if tracking_uri is None or not tracking_uri.startswith(("http://", "https://")):
        raise invalid(
            f"'{without_password(uri)}' is kept by a tracking server, and none is asked: set the tracking URI to "
            "its address."
        )
    if not rest.startswith("//"):
        return tracking_uri, rest
    host, _, path = rest[2:].partition("/")
    return f"{tracking_uri.partition(':')[0]}://{host}", path


def _read(source: BinaryIO, size: int, digest: hashlib._Hash) -> Iterator[bytes]:
    """Yield exactly as many bytes as were announced.

    Raises:
        MlflowException: there are fewer now.
    """
    left = size
    while left:
        part = source.read(min(_PORTION, left))
        if not part:
            raise MlflowException("The file became shorter while it was sent.")
        left -= len(part)
        digest.update(part)
        yield part


def _is_right(answer: Stream, digest: hashlib._Hash) -> bool:
    told = _DIGEST.search(answer.headers.get("repr-digest", ""))
    return told is None or base64.b64decode(told[1]) == digest.digest()


def _size_left(stream: BinaryIO) -> int | None:
    try:
        here = stream.tell()
        size = stream.seek(0, os.SEEK_END) - here
        stream.seek(here)
    except (AttributeError, OSError, ValueError):
        return None
    return size


def _kind(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
