"""A small object store on files that speaks as much of S3 as large transfers need; it checks nothing.

usage: python bucket.py FOLDER PORT
"""

from __future__ import annotations

import os
import re
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

PORTION = 1 << 20
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
# Headers that were sent with a file and are given back: key → headers.
_said: dict[str, dict[str, str]] = {}
_lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    folder = "."

    def _split(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        return unquote(parts.path).strip("/"), dict(parse_qsl(parts.query, keep_blank_values=True))

    def _file(self, key: str) -> str:
        return os.path.join(self.folder, quote(key, safe=""))

    def _keep(self, path: str) -> None:
        left = int(self.headers.get("content-length", 0))
        with open(path + ".new", "wb", buffering=0) as file:
            while left:
                data = self.rfile.read(min(PORTION, left))
                if not data:
                    raise ConnectionError
                left -= len(data)
                file.write(data)
        os.replace(path + ".new", path)

    def _answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _note(self, key: str) -> None:
        with _lock:
            _said[key] = {
                n: v for n, v in self.headers.items() if n.lower().startswith("x-amz-meta-")
            }

    def do_PUT(self) -> None:
        """Keep a file, or a part of one."""
        key, query = self._split()
        if "partNumber" in query:
            self._keep(f"{self._file(key)}.{int(query['partNumber']):05}")
        elif "/" in key:
            self._note(key)
            self._keep(self._file(key))
        self._answer(200, b"", {"ETag": f'"{os.urandom(16).hex()}"'})

    def do_POST(self) -> None:
        """Begin or complete an upload, or remove files."""
        key, query = self._split()
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if "uploads" in query:
            self._note(key)
            name, tag = "InitiateMultipartUploadResult", "<UploadId>u</UploadId>"
        elif "uploadId" in query:
            self._join(key)
            name, tag = "CompleteMultipartUploadResult", '<ETag>"e"</ETag>'
        else:
            name, tag = "DeleteResult", ""
        bucket, _, path = key.partition("/")
        text = f"<{name}><Bucket>{bucket}</Bucket><Key>{escape(path)}</Key>{tag}</{name}>"
        self._answer(200, text.encode(), {"Content-Type": "application/xml"})

    def _join(self, key: str) -> None:
        path = self._file(key)
        base = os.path.basename(path) + "."
        parts = sorted(one for one in os.listdir(self.folder) if one.startswith(base))
        first, *others = (os.path.join(self.folder, one) for one in parts)
        with open(first, "r+b") as whole:
            whole.seek(0, os.SEEK_END)
            for one in others:
                with open(one, "rb") as part:
                    left = os.fstat(part.fileno()).st_size
                    while left:
                        left -= os.copy_file_range(part.fileno(), whole.fileno(), left)
                os.remove(one)
        os.replace(first, path)

    def do_DELETE(self) -> None:
        """Forget an upload, or remove a file."""
        self._answer(204)

    def do_HEAD(self) -> None:
        """Say what is known of a file."""
        self.do_GET()

    def do_GET(self) -> None:
        """Send a file, or a range of it, or a list."""
        key, query = self._split()
        if "list-type" in query:
            self._list(key, query.get("prefix", ""))
            return
        try:
            file: Any = open(self._file(key), "rb")  # noqa: SIM115 - closed below
        except FileNotFoundError:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            given = _RANGE.fullmatch(self.headers.get("range", ""))
            start = int(given[1]) if given else 0
            end = min(int(given[2]) + 1, size) if given and given[2] else size
            self.send_response(206 if given else 200)
            headers = {"Content-Length": str(end - start), "ETag": '"e"', "Accept-Ranges": "bytes",
                       "Last-Modified": formatdate(usegmt=True), **_said.get(key, {})}  # fmt: skip
            if given:
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.flush()
            if self.command == "GET" and end > start:
                try:
                    self.connection.sendfile(file, start, end - start)
                except OSError:
                    self.close_connection = True

    def _list(self, bucket: str, prefix: str) -> None:
        text = f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
        text += "<IsTruncated>false</IsTruncated>"
        for name in sorted(os.listdir(self.folder)):
            key = unquote(name).partition("/")[2]
            if key.startswith(prefix) and "/" not in key[len(prefix) :]:
                size = os.path.getsize(os.path.join(self.folder, name))
                text += (
                    f'<Contents><Key>{escape(key)}</Key><Size>{size}</Size><ETag>"e"</ETag>'
                    "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                )
        self._answer(
            200, (text + "</ListBucketResult>").encode(), {"Content-Type": "application/xml"}
        )

    def log_message(self, *arguments: object) -> None:
        """Nobody reads it."""


class Server(ThreadingHTTPServer):
    """Serves each connection in a thread."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *arguments: object) -> None:
        """A client that leaves is no news."""


if __name__ == "__main__":
    Handler.folder = sys.argv[1]
    Server(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
