"""Reading request bodies: within a size, a time, and what all of them together may hold."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive

# Bodies being read at one time may hold this many times the largest allowed body together.
_TOGETHER = 4


class ClientGoneError(Exception):
    """The client left before its request was complete."""


class BodyError(Exception):
    """A body that is not read.

    Args:
        status: the HTTP status that says so.
        message: what the client is told.
        closing: whether the connection ends: what is left of the body would be taken for the next
            request.
    """

    def __init__(self, status: int, message: str, *, closing: bool) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.closing = closing


class Bodies:
    """Reads the bodies of one server.

    Args:
        largest: bytes that one body may have.
        timeout: seconds in which it must arrive.
    """

    def __init__(self, largest: int, timeout: float) -> None:
        self.largest = largest
        self.timeout = timeout
        self.held = 0

    async def read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """Return the body of a request.

        Args:
            headers: of the request; `content-length` refuses what is too long before it is sent.
            receive: the request's messages.

        Raises:
            BodyError: it is too long or too slow, or the server holds too many bodies.
            ClientGoneError: the client left.
        """
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared[:20]) > self.largest:
            raise self._too_large()
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.timeout):
                while True:
                    message = await _next_message(receive)
                    chunk: bytes = message.get("body", b"")
                    is_last = not message.get("more_body", False)
                    if is_last and not chunks and len(chunk) <= self.largest:
                        return chunk
                    chunks.append(chunk)
                    size += len(chunk)
                    self.held += len(chunk)
                    if size > self.largest:
                        raise self._too_large()
                    if self.held > _TOGETHER * self.largest:
                        raise BodyError(503, "The server is busy.", closing=False)
                    if is_last:
                        return b"".join(chunks)
        except TimeoutError:
            raise BodyError(408, "The body did not arrive in time.", closing=True) from None
        finally:
            self.held -= size

    async def stream(self, receive: Receive) -> AsyncIterator[bytes]:
        """Yield the parts of a body of any size as they arrive; each must arrive in time.

        Raises:
            BodyError: the next part is too slow.
            ClientGoneError: the client left.
        """
        while True:
            try:
                async with asyncio.timeout(self.timeout):
                    message = await _next_message(receive)
            except TimeoutError:
                text = "The body did not arrive in time."
                raise BodyError(408, text, closing=True) from None
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return

    def _too_large(self) -> BodyError:
        return BodyError(413, f"A body may have {self.largest} bytes, not more.", closing=True)


async def _next_message(receive: Receive) -> Any:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message
