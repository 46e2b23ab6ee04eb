"""Running the scoring server: sockets, worker processes, signals, and models that hang."""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
from typing import Any, NoReturn

import uvicorn

from mlflow.environment_variables import MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT
from mlflow.exceptions import MlflowException, invalid
from mlflow.models.source import local_model_folder
from mlflow.pyfunc import load_model
from mlflow.scoring.app import ScoringApp, Settings
from mlflow.web.parser import HTTP

_MODEL = "_MILLSTREAM_SCORING_MODEL"
_HOST = "_MILLSTREAM_SCORING_HOST"
_FAILURE = "_MILLSTREAM_SCORING_FAILURE"
_HUNG = 70
_logger = logging.getLogger("mlflow.scoring")


def serve(
    model_uri: str,
    *,
    host: str = "127.0.0.1",
    port: int = 5000,
    timeout: int | None = None,
    workers: int = 1,
) -> None:
    """Serve a model until interrupted.

    Args:
        model_uri: a model's URI or path.
        host: the address to listen on.
        port: the port to listen on.
        timeout: seconds a request may take.
        workers: how many processes answer.

    Raises:
        MlflowException: the model cannot be loaded, or the port cannot be had.
    """
    if workers < 1:
        msg = f"--workers must be 1 at least, not {workers}"
        raise invalid(msg)
    if timeout is not None:
        MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT.set(timeout)
    # Looked up here, so that it is downloaded once and workers need not find it again.
    folder = local_model_folder(model_uri)
    options: dict[str, Any] = {
        "http": HTTP,
        "host": host,
        "port": port,
        "access_log": False,
        "log_level": "info",
        "server_header": False,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": 5,
    }
    if workers > 1:
        _serve_by_workers(folder, host, workers, options)
    else:
        _serve_here(folder, host, options)


# ── one process ──────────────────────────────────────────────────────────────────────────────────


def _serve_here(folder: str, host: str, options: dict[str, Any]) -> None:
    settings = Settings.from_environment(host)
    # Windows has no way to replace a process; the server goes on answering 503 there.
    on_stuck = _begin_anew if os.name == "posix" else None
    app = ScoringApp(_loaded(folder), settings, on_stuck=on_stuck)
    server = uvicorn.Server(uvicorn.Config(app, **options))
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    except SystemExit:
        # uvicorn has said why; a click command turns this into its own exit code.
        msg = f"the scoring server could not listen on {host}:{options['port']}"
        raise MlflowException(msg) from None
    if app.runner.busy:
        # The interpreter would wait for the thread in which the model hangs.
        _leave(0 if server.started else 3)
    if not server.started:
        sys.exit(3)


def _loaded(folder: str) -> Any:
    try:
        return load_model(folder)
    except MlflowException:
        raise
    except Exception as error:
        # Whatever the model's own code or an unpickler raised: one line, not a trace of ours.
        msg = f"The model at '{folder}' cannot be loaded: {type(error).__name__}: {error}"
        raise MlflowException(msg) from error


def _begin_anew() -> None:
    # A thread that hangs cannot be ended. The same command in the same process is a fresh server,
    # as the supervisor's next worker would be.
    _logger.error("the server begins anew, because its model hangs")
    _flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - our own command line, no shell


def _leave(code: int) -> NoReturn:
    _flush()
    os._exit(code)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


# ── worker processes ─────────────────────────────────────────────────────────────────────────────


def _serve_by_workers(folder: str, host: str, workers: int, options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="mlflow-scoring-") as place:
        failure = os.path.join(place, "failure")
        os.environ.update({_MODEL: folder, _HOST: host, _FAILURE: failure})
        target = "mlflow.scoring.server:application"
        uvicorn.run(target, factory=True, workers=workers, **options)
        if os.path.exists(failure):
            with open(failure, encoding="utf-8") as file:
                raise MlflowException(file.read())


def application() -> ScoringApp:
    """Return the application of one worker process; the environment names the model."""
    settings = Settings.from_environment(os.environ.get(_HOST, "127.0.0.1"))
    try:
        model = _loaded(os.environ[_MODEL])
    except MlflowException as error:
        # The supervisor would send worker after worker into the same failure.
        with open(os.environ[_FAILURE], "w", encoding="utf-8") as file:
            file.write(error.message)
        os.kill(os.getppid(), signal.SIGTERM)
        sys.exit(1)
    return ScoringApp(model, settings, on_stuck=lambda: _leave(_HUNG))
