"""The commands `mlflow server` and `mlflow ui`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import click
from click.core import ParameterSource

from mlflow.exceptions import MlflowException, invalid
from mlflow.server.options import ServerOptions, check_prefix
from mlflow.tracking.active import default_uri

# Options of MLflow that have no use here: what is said when one is given.
_NO_USE = {
    "gunicorn_opts": "the server runs on uvicorn; --uvicorn-opts is read",
    "waitress_opts": "the server runs on uvicorn; --uvicorn-opts is read",
    "dev": "the server does not reload its own code",
    "read_replica_backend_store_uri": "reads and writes go to the backend store",
    "secrets_cache_ttl": "the server keeps no secrets",
    "secrets_cache_max_size": "the server keeps no secrets",
    "trace_archival_config": "there are no traces yet",
    "workspace_store_uri": "there are no workspaces yet",
}
# Options whose promise the server could not keep: it does not start instead.
_REFUSED = {
    "enable_workspaces": "There are no workspaces yet.",
}

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--backend-store-uri", envvar="MLFLOW_BACKEND_STORE_URI", metavar="URI",
                 help="Where runs are kept: a folder or a database. By default ./mlruns."),
    click.option("--read-replica-backend-store-uri",
                 envvar="MLFLOW_READ_REPLICA_BACKEND_STORE_URI", metavar="URI", help="Not used."),
    click.option("--registry-store-uri", envvar="MLFLOW_REGISTRY_STORE_URI", metavar="URI",
                 help="Where registered models are kept, when not with the runs."),
    click.option("--default-artifact-root", envvar="MLFLOW_DEFAULT_ARTIFACT_ROOT", metavar="URI",
                 help="Where new experiments keep their artifacts. By default the server passes "
                 "them on."),
    click.option("--serve-artifacts/--no-serve-artifacts", envvar="MLFLOW_SERVE_ARTIFACTS",
                 default=True, help="Whether the server passes artifacts on."),
    click.option("--artifacts-only", envvar="MLFLOW_ARTIFACTS_ONLY", is_flag=True,
                 help="Pass artifacts on, and answer nothing else."),
    click.option("--artifacts-destination", envvar="MLFLOW_ARTIFACTS_DESTINATION", metavar="URI",
                 default="./mlartifacts", show_default=True,
                 help="Where the artifacts go that the server passes on."),
    click.option("--host", "-h", envvar="MLFLOW_HOST", metavar="HOST", default="127.0.0.1",
                 show_default=True, help="The address to listen on."),
    click.option("--port", "-p", envvar="MLFLOW_PORT", type=click.IntRange(0, 65535),
                 default=5000, show_default=True, help="The port to listen on."),
    click.option("--workers", "-w", envvar="MLFLOW_WORKERS", type=int, default=None,
                 help="Processes that answer, on PostgreSQL and MySQL. By default 1."),
    click.option("--static-prefix", envvar="MLFLOW_STATIC_PREFIX", metavar="/PATH", default=None,
                 help="What stands in front of all paths."),
    click.option("--allowed-hosts", envvar="MLFLOW_SERVER_ALLOWED_HOSTS", default=None,
                 help="Host names, separated by commas, under which the server answers."),
    click.option("--cors-allowed-origins", envvar="MLFLOW_SERVER_CORS_ALLOWED_ORIGINS",
                 default=None, help="Origins of other pages, separated by commas, that may ask."),
    click.option("--disable-security-middleware",
                 envvar="MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE", is_flag=True,
                 help="Answer under every host name and to pages of every origin."),
    click.option("--x-frame-options", envvar="MLFLOW_SERVER_X_FRAME_OPTIONS",
                 default="SAMEORIGIN", show_default=True,
                 help="Which pages may frame this one: SAMEORIGIN, DENY or NONE."),
    click.option("--token-file", envvar="MILLSTREAM_TOKEN_FILE", metavar="FILE", default=None,
                 help="The tokens that open the server, one a line; made with a random one when "
                 "there is no such file."),
    click.option("--insecure-no-auth", envvar="MILLSTREAM_INSECURE_NO_AUTH", is_flag=True,
                 help="Let everybody who reaches the server read and change everything."),
    click.option("--uvicorn-opts", envvar="MLFLOW_UVICORN_OPTS", default=None, metavar="OPTIONS",
                 help="Further options of uvicorn, such as '--ssl-keyfile k --ssl-certfile c'."),
    click.option("--gunicorn-opts", envvar="MLFLOW_GUNICORN_OPTS", default=None, help="Not used."),
    click.option("--waitress-opts", default=None, help="Not used."),
    click.option("--dev", is_flag=True, help="Not used."),
    click.option("--expose-prometheus", envvar="MLFLOW_EXPOSE_PROMETHEUS", metavar="FOLDER",
                 default=None, help="Where several workers keep what /metrics tells; /metrics "
                 "answers without it, too."),
    click.option("--access-log", envvar="MILLSTREAM_ACCESS_LOG", metavar="FILE", default=None,
                 help="Write a line of JSON for each request; '-' for standard output."),
    click.option("--app-name", type=click.Choice(["basic-auth"]), default=None,
                 help="Have users with names, passwords and permissions; see docs/users.md."),
    click.option("--trace-archival-config", envvar="MLFLOW_TRACE_ARCHIVAL_CONFIG", default=None,
                 help="Not used."),
    click.option("--secrets-cache-ttl", type=int, default=None, help="Not used."),
    click.option("--secrets-cache-max-size", type=int, default=None, help="Not used."),
    click.option("--workspace-store-uri", envvar="MLFLOW_WORKSPACE_STORE_URI", default=None,
                 help="Not used."),
    click.option("--enable-workspaces/--disable-workspaces", default=False,
                 help="Not in this version."),
)  # fmt: skip


def _with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command("server", context_settings={"help_option_names": ["--help"]})
@_with_options
@click.pass_context
def server(context: click.Context, /, **given: Any) -> None:
    """Serve runs and models to other programs.

    The server listens on http://127.0.0.1:5000 unless told otherwise. Programs reach it with
    `mlflow.set_tracking_uri("http://127.0.0.1:5000")`.
    """
    # uvicorn is loaded when it is needed, not to print help.
    from mlflow.server.process import serve

    serve(options_of(context, given))


def options_of(context: click.Context, given: dict[str, Any]) -> ServerOptions:
    """Return what the command line asks for; say once what has no use here.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what contradicts itself; NOT_IMPLEMENTED for
            what would be a promise that is not kept.
    """
    for name, reason in _REFUSED.items():
        if given.get(name):
            flag = name.replace("_", "-")
            raise MlflowException(f"--{flag} is not in this version. {reason}", "NOT_IMPLEMENTED")
    for name, reason in _NO_USE.items():
        if given.get(name):
            click.echo(f"--{name.replace('_', '-')} has no use here: {reason}.", err=True)
    uri = given["backend_store_uri"]
    if given["artifacts_only"] and _is_said(context, "backend_store_uri"):
        raise invalid("--artifacts-only keeps no runs: leave --backend-store-uri out.")
    if not uri:
        uri = default_uri()
        click.echo(f"Backend store URI not provided. Using {uri}", err=True)
    if given["app_name"] and given["token_file"]:
        raise invalid("--app-name has tokens of its users: leave --token-file out.")
    workers = given["workers"]
    return ServerOptions(
        backend_store_uri=uri,
        registry_store_uri=given["registry_store_uri"],
        default_artifact_root=given["default_artifact_root"],
        serve_artifacts=given["serve_artifacts"],
        artifacts_only=given["artifacts_only"],
        artifacts_destination=given["artifacts_destination"],
        host=given["host"],
        port=given["port"],
        workers=1 if workers is None else workers,
        static_prefix=check_prefix(given["static_prefix"]),
        allowed_hosts=given["allowed_hosts"],
        cors_allowed_origins=given["cors_allowed_origins"],
        disable_security_middleware=given["disable_security_middleware"],
        x_frame_options=given["x_frame_options"],
        token_file=given["token_file"],
        insecure_no_auth=given["insecure_no_auth"],
        app_name=given["app_name"],
        access_log=given["access_log"],
        metrics_folder=given["expose_prometheus"],
        uvicorn=uvicorn_options(given["uvicorn_opts"]),
    )


def _is_said(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) == ParameterSource.COMMANDLINE


def uvicorn_options(text: str | None) -> dict[str, Any]:
    """Return the settings that a line of uvicorn's own options asks for.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for what uvicorn does not read.
    """
    if not text:
        return {}
    from uvicorn.main import main

    try:
        context = main.make_context("uvicorn", [*shlex.split(text), "app"])
    except (click.ClickException, ValueError) as error:
        reason = error.format_message() if isinstance(error, click.ClickException) else str(error)
        raise invalid(f"--uvicorn-opts: {reason}") from None
    refused = {"app", "host", "port", "workers", "reload", "factory", "app_dir", "uds", "fd"}
    said = {name for name in context.params if _is_said(context, name)} - {"app"}
    if said & refused:
        raise invalid(f"--uvicorn-opts: {sorted(said & refused)} are options of this command.")
    return {name: context.params[name] for name in said}
