"""What the command line says about a server."""

from __future__ import annotations

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.options import ServerOptions, check_prefix


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, "mlflow-artifacts:/"), ({"serve_artifacts": False}, None),
     ({"default_artifact_root": "s3://b"}, "s3://b")],
)  # fmt: skip
def test_where_artifacts_go(options, expected):
    """Through the server, unless it is told otherwise."""
    assert expected == ServerOptions("x", **options).artifact_root


def test_worker_processes_get_the_same(monkeypatch):
    """Through the environment."""
    monkeypatch.setenv("_MILLSTREAM_SERVER_OPTIONS", "")
    options = ServerOptions("x", port=7, static_prefix="/p", uvicorn={"log_level": "debug"})
    options.to_environment()

    assert options == ServerOptions.from_environment()


@pytest.mark.parametrize(("prefix", "expected"), [(None, ""), ("", ""), ("/a/b", "/a/b")])
def test_prefixes(prefix, expected):
    """A path."""
    assert expected == check_prefix(prefix)


@pytest.mark.parametrize("prefix", ["a", "/a/", "/", "/{a}"])
def test_bad_prefixes(prefix):
    """What could not be a path in front of others."""
    with pytest.raises(MlflowException, match="--static-prefix"):
        check_prefix(prefix)
