"""A server that speaks the protocol of S3, and a proxy in front of it that fails on demand."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import logging
import threading
import urllib.parse

import urllib3

BUCKET = "artifacts"
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret-of-tests",
    "AWS_DEFAULT_REGION": "us-east-1",
    # No file of whoever runs the tests has a say.
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/credentials",
    "AWS_CONFIG_FILE": "/nowhere/config",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_HOP = ("transfer-encoding", "connection", "content-length", "date", "server")


class Asked:
    """A request as the proxy saw it."""

    def __init__(self, handler, body):
        self.method = handler.command
        self.path, _, query = handler.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = body


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on; `fault`, if set, is asked first and may answer in its place."""

    daemon_threads = True

    def __init__(self, upstream):
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.pool = urllib3.PoolManager(maxsize=16, block=False)
        self.asked: list[Asked] = []
        self.fault = None
        self.lock = threading.Lock()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """A client that breaks off is what tests do."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _any(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        asked = Asked(self, body)
        with self.server.lock:
            self.server.asked.append(asked)
        fault = self.server.fault
        if fault is not None and fault(self, asked):
            return
        self.answer(*self.upstream(asked))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any

    def upstream(self, asked):
        expected = asked.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        if expected != "UNSIGNED-PAYLOAD" and expected != hashlib.sha256(asked.body).hexdigest():
            return self.refusal(400, "XAmzContentSHA256Mismatch")  # moto does not look
        # Azure has the date signed.
        headers = {n: v for n, v in asked.headers.items() if n not in _HOP or n == "date"}
        answer = self.server.pool.request(
            asked.method, f"{self.server.upstream}{self.path}", body=asked.body, headers=headers,
            redirect=False, retries=False,
        )  # fmt: skip
        headers = [(n, v) for n, v in answer.headers.items() if n.lower() not in _HOP]
        length = answer.headers.get("content-length") if asked.method == "HEAD" else None
        return answer.status, headers, answer.data, length

    def refusal(self, status, code, message="of the test"):
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return status, [("content-type", "application/xml")], text.encode(), None

    def answer(self, status, headers, data, length=None, cut=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", length or str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(data if cut is None else data[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *arguments):
        """Nobody reads it."""


@contextlib.contextmanager
def bucket_server():
    """Run one; give the proxy."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    proxy = Proxy(f"http://{host}:{port}")
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    urllib3.request("PUT", f"{proxy.upstream}/{BUCKET}")
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
        proxy.pool.clear()
        server.stop()


def times(count, answer, only=None):
    """Return a fault that answers the first requests (of a method) in the server's place."""
    left = [count]
    lock = threading.Lock()

    def fault(handler, asked):
        with lock:
            if (only and asked.method != only) or not left[0]:
                return False
            left[0] -= 1
        answer(handler, asked)
        return True

    fault.left = left
    return fault


def refuse(status, code):
    """Answer with an error of S3."""
    return lambda handler, asked: handler.answer(*handler.refusal(status, code))


def cut(handler, asked):
    """Answer with half of the body."""
    status, headers, data, _ = handler.upstream(asked)
    handler.answer(status, headers, data, cut=len(data) // 2)


def flip(handler, asked):
    """Answer with one byte that is another."""
    status, headers, data, _ = handler.upstream(asked)
    if data:
        data = data[:-1] + bytes([data[-1] ^ 1])
    handler.answer(status, headers, data)


def damage(handler, asked):
    """Pass on a body with one byte that is another."""
    asked.body = asked.body[:-1] + b"\xff"
    handler.answer(*handler.upstream(asked))
