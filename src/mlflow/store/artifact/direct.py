"""Sends and fetches files of a tracking server past it, by addresses that it signed."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from mlflow.environment_variables import (
    MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD,
    MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD,
    MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE,
    MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE,
    MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE,
    MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE,
)
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.copying import digest_of, part_size, write_all
from mlflow.transport import signed
from mlflow.transport.client import LostError, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import BinaryIO, TypeVar

    from mlflow.store.artifact.paths import ArtifactPath
    from mlflow.transport.client import Answer, Stream, Transport

    T = TypeVar("T")

_API = "/api/2.0/mlflow-artifacts"
_PARALLEL = 4
_PORTION = 1 << 20
_TRIES = 3
#: Under which headers stores tell the SHA-256 that was kept with a file: AWS, Azure, Google.
_DIGESTS = tuple(f"x-{cloud}-meta-millstreamsha256" for cloud in ("amz", "ms", "goog"))


class _Credential(msgspec.Struct):
    url: str
    part_number: int
    headers: dict[str, str] = {}


class _Begun(msgspec.Struct):
    upload_id: str
    credentials: list[_Credential] = []


class _Presigned(msgspec.Struct):
    url: str
    file_size: int | str | None = None
    headers: dict[str, str] = {}


def wants_to_send(size: int) -> bool:
    """Tell whether a file is to be sent past the server."""
    least: int = MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE.get()
    return size >= max(1, least) and bool(MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD.get())


def wants_to_fetch(size: int) -> bool:
    """Tell whether a file is to be fetched past the server; its size is 0 where it is not known."""
    if not MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD.get():
        return False
    least: int = MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE.get()
    return not size or size >= least


def send(
    transport: Transport, where: ArtifactPath, file: BinaryIO, size: int, start: int = 0
) -> bool:
    """Send a file in parts, several at a time.

    Args:
        transport: to the tracking server.
        where: the path of the file there.
        file: open for reading.
        size: bytes.
        start: where in it the file begins.

    Returns:
        False, and nothing is done, where the server does not offer it.

    Raises:
        MlflowException: the server or the store refuses, or cannot be reached.
    """
    step = part_size(size, MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE.get())
    spans = [(at, min(at + step, size)) for at in range(0, size, step)]
    lock = threading.Lock()

    def part(span: tuple[int, int]) -> bytes:
        with lock:
            file.seek(start + span[0])
            data = file.read(span[1] - span[0])
        if len(data) != span[1] - span[0]:
            raise MlflowException("The file became shorter while it was sent.")
        return data

    def pieces(span: tuple[int, int]) -> Iterator[bytes]:
        for at in range(*span, _PORTION):
            yield part((at, min(at + _PORTION, span[1])))

    digest = hashlib.sha256()
    for piece in pieces((0, size)):
        digest.update(piece)
    asked = {"path": where.name, "num_parts": len(spans), "sha256": digest.hexdigest()}
    answer = _ask(transport, "create", where, asked)
    if answer.status in (404, 405, 501):
        return False
    begun = _read(answer, _Begun, "mpu/create")
    by_number = {one.part_number: one for one in begun.credentials}
    if set(by_number) != set(range(1, len(spans) + 1)):
        raise MlflowException(f"The server gave addresses for other parts of '{where}'.")

    def put(number: int) -> dict[str, object]:
        given = by_number[number]
        span = spans[number - 1]
        body = signed.Body(span[1] - span[0], lambda: pieces(span))
        sent = signed.send("PUT", given.url, body, given.headers)
        if sent.status not in (200, 201):
            raise MlflowException(f"The store refuses a part of '{where}' (status {sent.status}).")
        etag = sent.headers.get("etag", "")
        return {"part_number": number, "etag": etag, "url": given.url}

    known = {"path": where.name, "upload_id": begun.upload_id}
    try:
        parts = _each(put, range(1, len(spans) + 1))
        _checked(_ask(transport, "complete", where, {**known, "parts": parts}), "mpu/complete")
    except BaseException:
        _ask(transport, "abort", where, known)
        raise
    return True


def fetch(transport: Transport, where: ArtifactPath, file: BinaryIO) -> bool:
    """Fetch a file from where the server says, by several ranges at a time if it is large.

    Args:
        transport: to the tracking server.
        where: the path of the file there.
        file: open for writing and reading, unbuffered, empty.

    Returns:
        False, and nothing is done, where the server does not offer it.

    Raises:
        MlflowException: the store refuses, or the file does not come as it was sent.
    """
    path = f"{_API}/presigned/{quote(str(where), safe='/')}"
    answer = transport.request("GET", path, is_safe=True)
    if answer.status != 200:  # also for what is not there: the plain way says so
        return False
    given = _read(answer, _Presigned, "presigned")
    if given.file_size is None:
        return False
    size = int(given.file_size)
    step = max(MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE.get(), _PORTION)
    spans = [(at, min(at + step, size)) for at in range(0, size, step)]
    lock = threading.Lock()
    told: list[str | None] = [None]

    def get(span: tuple[int, int]) -> None:
        for _ in range(_TRIES):
            headers = {**given.headers, "Range": f"bytes={span[0]}-{span[1] - 1}"}
            with signed.fetch(given.url, headers) as stream:
                if stream.status not in (200, 206) or (stream.status == 200 and len(spans) > 1):
                    raise MlflowException(f"The store refuses '{where}' (status {stream.status}).")
                for name in _DIGESTS:
                    told[0] = stream.headers.get(name, told[0])
                if _written(stream, file, span[0], lock) == span[1]:
                    return
        raise MlflowException(f"'{where}' was cut off each time.")

    for _ in range(_TRIES):
        _each(get, spans)
        if told[0] is None or told[0] == digest_of(file).hex():
            return True
    raise MlflowException(f"'{where}' did not come as it was sent: its SHA-256 was another.")


def _written(stream: Stream, file: BinaryIO, at: int, lock: threading.Lock) -> int:
    """Write what comes to its place, and return where it ended: before its end when it broke off."""
    try:
        for data in stream.parts(_PORTION):
            with lock:
                file.seek(at)
                write_all(file, memoryview(data))
            at += len(data)
    except LostError:
        return at
    return at


def _each(work: Callable[..., T], ones: Sequence[object]) -> list[T]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(_PARALLEL, max(1, len(ones)))) as pool:
        begun = [pool.submit(work, one) for one in ones]
        try:
            return [future.result() for future in begun]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _ask(
    transport: Transport, step: str, where: ArtifactPath, fields: Mapping[str, object]
) -> Answer:
    path = f"{_API}/mpu/{step}/{quote(str(where.parent), safe='/')}"
    headers = {"Content-Type": "application/json"}
    body = msgspec.json.encode(fields)
    try:
        # Uploads that nobody completes are forgotten; one that is completed twice is an error.
        return transport.request("POST", path, body, headers, is_safe=step != "complete")
    except LostError as error:
        raise transport.unreachable(error) from error


def _checked(answer: Answer, what: str) -> Answer:
    if answer.status != 200:
        raise refusal(answer, f"{_API}/{what}")
    return answer


def _read(answer: Answer, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(_checked(answer, what).body, type=kind)
    except msgspec.MsgspecError as error:
        raise MlflowException(f"The answer of {what} cannot be read: {error}") from None
