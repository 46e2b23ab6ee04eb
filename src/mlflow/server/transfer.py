"""Files on their way: bodies into files, files into answers, in portions and without waiting."""

from __future__ import annotations

import base64
import binascii
import hashlib
import mimetypes
import re
import threading
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlflow.exceptions import invalid
from mlflow.server.messages import Answer
from mlflow.store.artifact.copying import write_all

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable
    from typing import Any

    from mlflow.server.messages import Request
    from mlflow.server.roots import Spot
    from mlflow.store.artifact.tree import Arriving, Opened

    Work = Callable[[Callable[[], Any]], asyncio.Future[Any]]

#: A digest of what a request carries (RFC 9530), which is compared; and of a file, in an answer.
SENT_DIGEST, FILE_DIGEST = b"content-digest", b"repr-digest"
WANTED_DIGEST = b"want-repr-digest"
_DIGEST = re.compile(rb"(?:^|[\s,])sha-256=:([A-Za-z0-9+/=]{44}):", re.ASCII)
_RANGE = re.compile(rb"bytes=([0-9]{0,19})-([0-9]{0,19})", re.ASCII)
_PORTION = 1 << 20
# What a browser would run, or show as a page of this server.
INERT = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
)


async def receive(request: Request, spot: Spot, work: Work) -> bytes:
    """Write the body of a request to a file, whole or not at all.

    Returns:
        The SHA-256 of the file.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: the file cannot have this name, or what arrived
            is not what the sender sent.
        ClientGoneError: the client left.
    """
    expected = _sent_digest(request)
    parts = request.stream()
    arriving = _Arriving(await work(partial(spot.root.create, spot.path, expected)))
    try:
        waiting = bytearray()
        async for part in parts:
            waiting += part
            if len(waiting) >= _PORTION:
                await work(partial(arriving.write, waiting))
                waiting = bytearray()
        if waiting:
            await work(partial(arriving.write, waiting))
        digest = arriving.digest.digest()
        if expected not in (None, digest):
            raise invalid("The body is not what was sent: its SHA-256 is another. Send it again.")
        await work(arriving.finish)
    except BaseException:
        # Also when the client left: nobody else would remove it.
        arriving.discard()
        raise
    return digest


class _Arriving:
    """A file that threads write to, one at a time.

    A request that is cancelled leaves its last portion to a thread: the lock keeps the descriptor
    open until that is done, and then the file is gone.
    """

    def __init__(self, made: Arriving) -> None:
        self.digest = hashlib.sha256()
        self._made = made
        self._lock = threading.Lock()
        self._is_open = True

    def write(self, data: bytearray) -> None:
        with self._lock:
            if self._is_open:
                self.digest.update(data)
                write_all(self._made.file, memoryview(data))

    def finish(self) -> None:
        with self._lock:
            if self._is_open:
                self._is_open = False
                self._made.finish()

    def discard(self) -> None:
        with self._lock:
            if self._is_open:
                self._is_open = False
                self._made.discard()


def _sent_digest(request: Request) -> bytes | None:
    given = request.headers.get(SENT_DIGEST)
    found = None if given is None else _DIGEST.search(given)
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True)
    except binascii.Error:
        raise invalid("The header Content-Digest cannot be read.") from None


def digest_header(name: bytes, digest: bytes) -> tuple[bytes, bytes]:
    """Return the header that tells a SHA-256."""
    return name, b"sha-256=:" + base64.b64encode(digest) + b":"


async def answer_file(request: Request, spot: Spot, work: Work) -> Answer:
    """Return the answer with a file, or with the range of it that is asked for.

    Raises:
        MlflowException: RESOURCE_DOES_NOT_EXIST.
    """
    file: Opened = await work(partial(spot.root.opened, spot.path))
    try:
        tag = b'"%s"' % file.tag.encode()
        headers = [
            (b"content-type", _kind(spot.path.name)),
            (b"content-disposition", disposition(spot.path.name)),
            (b"etag", tag),
            (b"last-modified", formatdate(file.modified, usegmt=True).encode()),
            (b"accept-ranges", b"bytes"),
            (b"cache-control", b"private, no-cache"),
            *INERT,
        ]
        if request.headers.get(b"if-none-match") == tag:
            file.close()
            return Answer(304, b"", tuple(headers), None, file.size)
        span = _span(request, tag, file.size)
        start, end = span or (0, file.size)
        if span is not None and start >= end:
            file.close()
            size = (b"content-range", b"bytes */%d" % file.size)
            return Answer(416, b"", (*headers, size))
        if b"sha-256" in request.headers.get(WANTED_DIGEST, b""):
            digest = await work(file.digest)
            if digest is not None:
                headers.append(digest_header(FILE_DIGEST, digest))
        if span is not None:
            told = b"bytes %d-%d/%d" % (start, end - 1, file.size)
            headers.append((b"content-range", told))
        status = 200 if span is None else 206
        if request.method == "HEAD":
            file.close()
            return Answer(status, b"", tuple(headers), None, end - start)
        parts = _parts(file, start, end, work)
        return Answer(status, b"", tuple(headers), parts, end - start)
    except BaseException:
        file.close()
        raise


async def _parts(file: Opened, start: int, end: int, work: Work) -> AsyncGenerator[bytes]:
    portions = file.parts(start, end)
    try:
        while (part := await work(partial(next, portions, None))) is not None:
            yield part
    finally:
        file.close()


def _span(request: Request, tag: bytes, size: int) -> tuple[int, int] | None:
    """Return (start, end) of the range that is asked for; None for the whole file.

    A range that is not in the file is empty.
    """
    given = request.headers.get(b"range")
    if given is None or request.headers.get(b"if-range", tag) != tag:
        return None
    found = _RANGE.fullmatch(given.strip())
    if found is None or found[0] == b"bytes=-":
        return None  # several ranges, or another unit: to pass over it is allowed
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size


def _kind(name: str) -> bytes:
    kind, encoding = mimetypes.guess_type(name)
    if kind is None or encoding is not None:
        return b"application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    return kind.encode()


def disposition(name: str) -> bytes:
    """Return the header that has a browser save what is sent, under a name."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    encoded = quote(name.encode("utf-8", "surrogateescape"))
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}".encode()
