"""A relay between a client and a server that counts how often the client had to wait."""

from __future__ import annotations

import contextlib
import select
import socket
import threading


class Relay:
    """Passes bytes on between clients and one server.

    A round trip is a turn of the conversation: the client speaks after the server has spoken.

    Attributes:
        port: where it listens, on this machine.
        trips: turns so far.
        cut: what ends a connection when the client sends it: the server gets it, and the client no
            answer.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.trips = 0
        self.cut: bytes | None = None
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open += [client, server]
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        speaker = server
        dying = False
        try:
            while True:
                for one in select.select([client, server], [], [])[0]:
                    data = one.recv(1 << 20)
                    if not data:
                        return
                    if one is client and speaker is not client:
                        self.trips += 1
                    speaker = one
                    if dying and one is server:
                        return  # it has done what it was asked
                    other = server if one is client else client
                    other.sendall(data)
                    if one is client and self.cut is not None and self.cut in data:
                        self.cut = None
                        dying = True
        except (OSError, ValueError):
            return
        finally:
            for one in (client, server):
                one.close()

    def close(self) -> None:
        """Stop listening and end the connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone wakes nobody on Linux
        self._listener.close()
        for one in self._open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        self._thread.join(timeout=5)
