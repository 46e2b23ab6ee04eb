"""Servers that say exactly what a test tells them to, byte by byte."""

from __future__ import annotations

import socket
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Raw:
    """Takes connections and answers each request with the next of the given answers.

    An empty answer closes the connection without a word. Requests are noted.
    """

    def __init__(self, *answers):
        self._answers = list(answers)
        self.requests = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._answers.clear()
        self._socket.close()
        with socket.socket() as poke:
            poke.connect_ex(("127.0.0.1", self.port))
        self._thread.join(10)

    def _run(self):
        while self._answers:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self._talk(connection)

    def _talk(self, connection):
        while self._answers:
            request = read_request(connection)
            if request is None:
                return
            self.requests.append(request)
            answer = self._answers.pop(0)
            if not answer:
                return
            connection.sendall(answer)
            if b"Connection: close" in answer or b"Content-Length" not in answer:
                return


def read_request(connection):
    """Return one request, None when there is no more."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode("latin-1") + "\r\n\r\n" + body.decode("latin-1")


def answer(status, body=b"{}", *headers):
    """Return the bytes of an answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
