"""A real server in a thread of the test's own process."""

from __future__ import annotations

import asyncio
import socket
import threading

import uvicorn

from mlflow.web.parser import HTTP


class Served:
    """Answers on a port of its own; which application does, a test says.

    Args:
        app: the application at the start.
        options: further settings of uvicorn.
    """

    def __init__(self, app=None, **options):
        self.app = app
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        scheme = "https" if "ssl_certfile" in options else "http"
        self.uri = f"{scheme}://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            self, http=HTTP, ws="none", log_level="critical", access_log=False,
            loop="asyncio", lifespan="off", timeout_graceful_shutdown=5, **options,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run)

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)

    def _run(self):
        asyncio.run(self._server.serve([self._socket]))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
