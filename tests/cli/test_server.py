"""`mlflow server` and `mlflow ui`."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from mlflow.cli import COMMANDS, cli
from mlflow.cli.server import server, uvicorn_options
from mlflow.exceptions import MlflowException


@pytest.fixture
def served(monkeypatch):
    """What the server would be started with."""
    import mlflow.server.process

    found = []
    monkeypatch.setattr(mlflow.server.process, "serve", found.append)
    return found


def run(*arguments, **environment):
    return CliRunner().invoke(cli, arguments, env=environment)


@pytest.mark.parametrize("command", ["server", "ui"])
def test_defaults(served, command, tmp_path):
    """Files in ./mlruns, on this machine only."""
    done = run(command)

    assert 0 == done.exit_code, done.output
    assert "Backend store URI not provided. Using file://" in done.output
    options = served[0]
    assert options.backend_store_uri.endswith("/mlruns")
    assert ("127.0.0.1", 5000, 1, "", True) == (
        options.host, options.port, options.workers, options.static_prefix, options.serve_artifacts,
    )  # fmt: skip


def test_the_usual_options(served):
    """As stock MLflow names them."""
    done = run(
        "server", "--backend-store-uri", "sqlite:///x.db", "--registry-store-uri", "./models",
        "--default-artifact-root", "s3://b", "-h", "0.0.0.0", "-p", "7", "-w", "3",
        "--static-prefix", "/ml", "--no-serve-artifacts", "--artifacts-destination", "/data",
        "--uvicorn-opts", "--log-level debug",
    )  # fmt: skip

    assert (0, "") == (done.exit_code, done.output)
    options = served[0]
    assert ("sqlite:///x.db", "./models", "s3://b", "0.0.0.0", 7, 3, "/ml", False, "/data") == (  # noqa: S104
        options.backend_store_uri, options.registry_store_uri, options.default_artifact_root,
        options.host, options.port, options.workers, options.static_prefix,
        options.serve_artifacts, options.artifacts_destination,
    )  # fmt: skip
    assert {"log_level": "debug"} == options.uvicorn


def test_the_environment(served):
    """Options have variables, as in stock MLflow."""
    run("server", MLFLOW_BACKEND_STORE_URI="memory:", MLFLOW_PORT="8", MLFLOW_HOST="::1")

    assert ("memory:", 8, "::1") == (
        served[0].backend_store_uri, served[0].port, served[0].host,
    )  # fmt: skip


def test_a_tracking_uri_is_no_backend(served):
    """A server does not serve itself because its user's programs use it."""
    run("server", MLFLOW_TRACKING_URI="http://127.0.0.1:5000")

    assert served[0].backend_store_uri.startswith("file:")


@pytest.mark.parametrize(
    "arguments",
    [("--gunicorn-opts", "-t 9"), ("--waitress-opts", "x"), ("--dev",),
     ("--secrets-cache-ttl", "60"), ("--trace-archival-config", "x")],
)  # fmt: skip
def test_options_without_a_use(served, arguments):
    """Are said once, and the server starts."""
    done = run("server", "--backend-store-uri", "memory:", *arguments)

    assert 0 == done.exit_code
    assert done.output.startswith(f"{arguments[0]} has no use here")
    assert 1 == len(served)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--app-name", "custom"), "basic-auth"),
     (("--app-name", "basic-auth", "--token-file", "t"), "--token-file"), (("--enable-workspaces",), "workspaces"),
     (("--static-prefix", "x"), "--static-prefix"), (("--uvicorn-opts", "--nope"), "--uvicorn-opts"),
     (("--uvicorn-opts", "--port 5"), "are options of this command"),
     (("--artifacts-only",), "--artifacts-only"), (("--port", "70000"), "70000")],
)  # fmt: skip
def test_what_does_not_start(served, arguments, words):
    """What would be a promise that is not kept, or makes no sense."""
    done = run("server", "--backend-store-uri", "memory:", *arguments)

    assert 0 != done.exit_code
    assert words in done.output
    assert [] == served


def test_uvicorn_options():
    """Only what is given, in the types uvicorn takes."""
    assert {} == uvicorn_options(None)
    assert {"ssl_keyfile": "k", "timeout_keep_alive": 9} == uvicorn_options(
        "--ssl-keyfile k --timeout-keep-alive 9"
    )
    with pytest.raises(MlflowException):
        uvicorn_options("'")


def test_every_option_of_stock_is_there():
    """Those of MLflow 3.17.2, `--help` aside."""
    stock = (
        "--allowed-hosts --app-name --artifacts-destination --artifacts-only --backend-store-uri "
        "--cors-allowed-origins --default-artifact-root --dev --disable-security-middleware "
        "--disable-workspaces --enable-workspaces --expose-prometheus --gunicorn-opts --host "
        "--no-serve-artifacts --port --read-replica-backend-store-uri --registry-store-uri "
        "--secrets-cache-max-size --secrets-cache-ttl --serve-artifacts --static-prefix "
        "--trace-archival-config --uvicorn-opts --waitress-opts --workers --workspace-store-uri "
        "--x-frame-options -h -p -w"
    ).split()
    ours = {
        name
        for option in server.params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }

    assert set() == set(stock) - ours
    assert {"server", "ui"} <= COMMANDS.keys()
