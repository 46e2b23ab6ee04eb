"""Record what old clients of MLflow ask a server, and what a stock server answers.

Usage: python tools/record_client_requests.py STOCK_PYTHON CLIENT_PYTHON...

Each CLIENT_PYTHON is the interpreter of an environment with an old MLflow (`mlflow-skinny==1.30.0`,
`protobuf<3.21`, `setuptools<80`); it runs tests/compat/old_client.py through a proxy in front of a
stock server. Requests of clients that are not Python's are in tests/compat/written_requests.json.
Both become tests/compat/client_requests.json.
"""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COMPAT = ROOT / "tests" / "compat"
sys.path.insert(0, str(ROOT))

from tests.compat.replaying import ROOT_OF_ARTIFACTS, parsed, send  # noqa: E402 - the tests are no installed package
from tests.interop.stock_server import stock_server  # noqa: E402


def asked(address: str, request: dict[str, Any]) -> tuple[int, str]:
    """Ask the stock server, which serves no preview paths any more; old clients ask for those."""
    return send(address, {**request, "path": request["path"].replace("/preview/", "/")})


def proxied(address: str, noted: list[dict[str, Any]]) -> http.server.ThreadingHTTPServer:
    """Return a server that passes requests on to another, and notes them with their answers."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = {
                "method": self.command,
                "path": self.path,
                "type": self.headers.get("Content-Type"),
                "body": body.decode() if body else None,
            }
            status, text = asked(address, request)
            noted.append({**request, "status": status, "answer": parsed(text)})
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing of each request."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Proxy, f"do_{method}", Proxy.pass_on)
    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)


def recorded(python: str, address: str) -> list[dict[str, Any]]:
    """Run the program of an old client; return its requests and the answers, in order."""
    noted: list[dict[str, Any]] = []
    with proxied(address, noted) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{proxy.server_address[1]}"
        program = str(COMPAT / "old_client.py")
        subprocess.run([python, "-W", "ignore", program, uri], check=True, timeout=300)
        proxy.shutdown()
    return noted


def written(requests: list[dict[str, Any]], address: str) -> list[dict[str, Any]]:
    """Send requests that were written by hand; `{run}` and such are what answers before had."""
    noted, known = [], {}
    for one in requests:
        text = json.dumps({"path": one["path"], "body": one.get("body")})
        for name, value in known.items():
            text = text.replace("{" + name + "}", value)
        filled = json.loads(text)
        body = None if filled["body"] is None else json.dumps(filled["body"])
        request = {"method": one["method"], "path": filled["path"], "type": "application/json"}
        status, text = asked(address, {**request, "body": body})
        answer = parsed(text)
        for name, path in one.get("keep", {}).items():
            value = answer
            for key in path.split("."):
                value = value[key]
            known[name] = value
        noted.append({**request, "body": body, "status": status, "answer": answer})
    return noted


def main() -> None:
    """Write tests/compat/client_requests.json."""
    stock, *clients = sys.argv[1:]
    found = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        stock_server(stock, folder, ROOT_OF_ARTIFACTS) as server,
    ):
        for python in clients:
            version = subprocess.run(
                [python, "-W", "ignore", "-c", "import mlflow; print(mlflow.__version__)"],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            found[f"python {version.stdout.strip()}"] = recorded(python, server.uri)
        for name, requests in json.loads((COMPAT / "written_requests.json").read_text()).items():
            found[name] = written(requests, server.uri)
    (COMPAT / "client_requests.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
