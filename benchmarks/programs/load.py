"""A small HTTP/1.1 load client on plain sockets, so that the client is not what is measured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any


def request(path: str, body: bytes, host: str = "localhost") -> bytes:
    """Return the bytes of one POST of JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Client(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last is complete."""

    def __init__(self, message: Callable[[], bytes], until: float, times: list[float]) -> None:
        self.message = message
        self.until = until
        self.times = times
        self.buffer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failed: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._send()

    def _send(self) -> None:
        message = self.message()
        self.started = time.perf_counter()
        self.transport.write(message)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self.buffer) < end + 4 + length:
            return
        now = time.perf_counter()
        if not head.startswith(b"http/1.1 200"):
            self.failed = self.buffer[:500]
            now = self.until
        else:
            self.times.append(now - self.started)
        self.buffer = b""
        if now >= self.until:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("closed"))


async def _load(
    port: int, message: Callable[[], bytes], connections: int, seconds: float
) -> tuple[list[float], float]:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    start = time.perf_counter()
    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(
            lambda: _Client(message, start + seconds, times), "127.0.0.1", port
        )
        clients.append(client)
    for client in clients:
        await client.done
        if client.failed is not None:
            raise RuntimeError(client.failed)
    return times, time.perf_counter() - start


def load(
    port: int, message: bytes | Callable[[], bytes], connections: int, seconds: float
) -> dict[str, Any]:
    """Return requests a second and the latencies, in milliseconds; `waits_ms` are quantiles of them.

    Args:
        port: of a server on this machine.
        message: a request that is sent over and over, or what makes the next one.
        connections: how many wait for answers at a time.
        seconds: for how long.
    """
    if isinstance(message, bytes):
        same = message
        message = lambda: same  # noqa: E731 - a constant
    times, took = asyncio.run(_load(port, message, connections, seconds))
    times.sort()
    return {
        "connections": connections,
        "requests": len(times),
        "per_second": round(len(times) / took, 1),
        "median_ms": round(times[len(times) // 2] * 1000, 4),
        "p95_ms": round(times[int(len(times) * 0.95)] * 1000, 4),
        "waits_ms": [round(times[len(times) * n // 20] * 1000, 4) for n in range(20)],
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 4),
    }
