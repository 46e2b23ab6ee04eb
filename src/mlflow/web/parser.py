"""The HTTP parser of the servers, which bounds what stands in front of a body, in bytes and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

MAX_HEAD = 65_536
"""Bytes a request line and its headers may take: what uvicorn's other parser, h11, allows."""

HEAD_SECONDS = 30.0
"""How long a request line and its headers may take to arrive; twice that before it is noticed."""

ENDLESS = "millstream.endless"
"""The key of a scope under which an answer without an end puts what ends it: servers do when they do."""

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ImportError:
    HTTP: Any = "auto"  # h11, which has this bound of its own
else:

    class BoundedHttp(HttpToolsProtocol):
        """httptools without endless heads: the parser itself would collect them for ever."""

        _head = 0
        _in_head = True
        _boundaries = 0
        # Since when a head has been on its way; None between requests, where others keep the time.
        _since: float | None = None
        _watch: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            """Wait for the first request, for a while."""
            super().connection_made(transport)
            self._since = self.loop.time()
            self._watch = self.loop.call_later(HEAD_SECONDS, self._check)

        def connection_lost(self, exc: Exception | None) -> None:
            """Stop looking at the time."""
            super().connection_lost(exc)
            if self._watch is not None:
                self._watch.cancel()

        def shutdown(self) -> None:
            """End with the server, as soon as the answer under way is complete."""
            super().shutdown()
            under_way: Any = self.cycle
            if under_way is not None and ENDLESS in under_way.scope:
                under_way.scope[ENDLESS]()

        def _check(self) -> None:
            """Close a connection that holds a place with half a head."""
            if self.transport.is_closing():
                return
            if self._since is not None and self.loop.time() - self._since >= HEAD_SECONDS:
                self.transport.close()
                return
            self._watch = self.loop.call_later(HEAD_SECONDS, self._check)

        def data_received(self, data: bytes) -> None:
            """Parse what came, unless it is more head than a client has reason to send."""
            before = self._boundaries
            super().data_received(data)
            # Data that begins or ends a request holds other things than head; the next will tell.
            if not self._in_head or self._boundaries != before:
                return
            self._head += len(data)
            if self._head > MAX_HEAD and not self.transport.is_closing():
                self._refuse()

        def on_message_begin(self) -> None:
            """Count anew for each request."""
            self._begin()
            self._since = self.loop.time()
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            """Take the request, or refuse a head that came in one piece."""
            size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
            if size > MAX_HEAD:
                self._refuse()
                return
            self._in_head = False
            self._since = None
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            """Pass a body on, unless its request was refused."""
            if not self._in_head:
                super().on_body(body)

        def on_message_complete(self) -> None:
            """End a request; the next bytes are a head again."""
            if not self._in_head:
                super().on_message_complete()
            self._begin()

        def _begin(self) -> None:
            self._head, self._in_head, self._since = 0, True, None
            self._boundaries += 1

        def _refuse(self) -> None:
            text = b"The headers of the request are too long."
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
                b"content-type: text/plain; charset=utf-8\r\n"
                b"content-length: %d\r\n\r\n%s" % (len(text), text)
            )
            self.transport.close()

    HTTP = BoundedHttp
