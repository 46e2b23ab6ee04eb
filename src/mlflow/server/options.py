"""What the command line says about one server, and how it reaches the worker processes."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from mlflow.exceptions import invalid

_CARRIER = "_MILLSTREAM_SERVER_OPTIONS"
# Where clients are told to put artifacts when the server passes them on.
PROXIED = "mlflow-artifacts:/"


class ServerOptions(NamedTuple):
    """Everything that was asked for; URIs as they were given."""

    backend_store_uri: str
    registry_store_uri: str | None = None
    default_artifact_root: str | None = None
    serve_artifacts: bool = True
    artifacts_only: bool = False
    artifacts_destination: str = "./mlartifacts"
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    static_prefix: str = ""
    allowed_hosts: str | None = None
    cors_allowed_origins: str | None = None
    disable_security_middleware: bool = False
    x_frame_options: str = "SAMEORIGIN"
    token_file: str | None = None
    insecure_no_auth: bool = False
    app_name: str | None = None
    access_log: str | None = None
    metrics_folder: str | None = None
    uvicorn: dict[str, Any] = {}
    #: The file in which worker processes tell each other what they answered.
    replay_file: str | None = None

    @property
    def artifact_root(self) -> str | None:
        """The URI below which new experiments keep their artifacts; None for the store's own."""
        if self.default_artifact_root:
            return self.default_artifact_root
        return PROXIED if self.serve_artifacts else None

    def to_environment(self) -> None:
        """Leave the options for the worker processes that this one starts."""
        os.environ[_CARRIER] = json.dumps(self._asdict())

    @classmethod
    def from_environment(cls) -> ServerOptions:
        """Return the options that the process which started this one left."""
        return cls(**json.loads(os.environ[_CARRIER]))


def check_prefix(prefix: str | None) -> str:
    """Return the prefix of all paths.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE when it does not start with `/`, or ends with it.
    """
    if not prefix:
        return ""
    if not prefix.startswith("/"):
        raise invalid("--static-prefix must begin with a '/'.")
    if prefix.endswith("/"):
        raise invalid("--static-prefix should not end with a '/'.")
    if "{" in prefix or "}" in prefix:
        raise invalid("--static-prefix cannot contain braces.")
    return prefix
