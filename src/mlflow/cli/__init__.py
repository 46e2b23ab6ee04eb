"""The `mlflow` command: a table of commands, each loaded when it is used."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from mlflow.cli.later import later
from mlflow.cli.terminal import shown
from mlflow.exceptions import MlflowException
from mlflow.version import VERSION

# Command → (module:attribute, one line for `mlflow --help`).
COMMANDS: dict[str, tuple[str, str]] = {
    "artifacts": ("mlflow.cli.tracking:artifacts", "List, download and upload artifacts."),
    "audit": ("mlflow.cli.users:audit", "Show who did what on a server with users."),
    "auth": ("mlflow.cli.users:auth", "Look after the users of a server."),
    "backup": ("mlflow.cli.backup:backup", "Write a store and its artifacts to a folder."),
    "db": ("mlflow.cli.db:db", "Look after databases: upgrade."),
    "doctor": ("mlflow.cli.doctor:doctor", "Report on this installation."),
    "experiments": ("mlflow.cli.tracking:experiments", "Create, list and change experiments."),
    "gc": ("mlflow.cli.gc:gc", "Remove what was deleted, for good."),
    "migrate": ("mlflow.cli.migrate:migrate", "Copy a store to another place."),
    "migrate-filestore": (
        "mlflow.cli.migrate:migrate_filestore",
        "Copy a file store to a database.",
    ),
    "models": ("mlflow.cli.models:models", "Serve models and predict with them."),
    "restore": ("mlflow.cli.backup:restore", "Make a store from a backup."),
    "runs": ("mlflow.cli.tracking:runs", "List, show and change runs."),
    "server": ("mlflow.cli.server:server", "Serve runs and models to other programs."),
    "shim": ("mlflow.cli.shim:shim", "Let other packages find `mlflow` installed."),
    "sync": ("mlflow.cli.sync:sync", "Bring what was logged without a server to one."),
    "token": ("mlflow.cli.users:token", "Make, list and revoke one's own tokens."),
    "ui": ("mlflow.cli.server:server", "The same as `mlflow server`."),
}
# Commands of MLflow that this version does not have yet.
LATER: dict[str, str] = {
    "agent": "",
    "ai-commands": "",
    "assistant": "",
    "autolog": "",
    "crypto": "",
    "datasets": "",
    "demo": "",
    "deployments": "",
    "gateway": "",
    "mcp": "",
    "run": "It comes with projects.",
    "sagemaker": "",
    "scorers": "",
    "skills": "",
    "traces": "It comes with tracing.",
}


# What base installations are without → the extra that brings it.
_OPTIONAL = {"numpy": "models", "pandas": "models", "cloudpickle": "models",
             "sklearn": "sklearn", "skops": "sklearn"}  # fmt: skip


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands of this version."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; one that only says so where its time has not come."""
        row = COMMANDS.get(cmd_name)
        if row is not None:
            module, _, attribute = row[0].partition(":")
            command: click.Command = getattr(importlib.import_module(module), attribute)
            return command
        if cmd_name in LATER:
            return later(cmd_name, LATER[cmd_name])
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; report refusals as one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except (MlflowException, OSError) as error:
            if os.environ.get("MLFLOW_LOGGING_LEVEL", "").upper() == "DEBUG":
                raise
            raise click.ClickException(shown(_message(error), sys.stderr)) from None
        except ModuleNotFoundError as error:
            if error.name not in _OPTIONAL:
                raise
            raise click.ClickException(
                f"This command needs {error.name}: pip install 'millstream[{_OPTIONAL[error.name]}]'"
            ) from None


def _message(error: Exception) -> str:
    if isinstance(error, MlflowException):
        return error.message
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.strerror or type(error).__name__}: {error.filename!r}"
    return str(error) or type(error).__name__


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"mlflow, version {VERSION}")
        ctx.exit()


@click.group(cls=LazyGroup)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False),
    default=None,
    help="A file of NAME=VALUE lines to read first. Variables that are set already stay as they are.",
)
def cli(env_file: str | None) -> None:
    """Track, search, load and serve machine-learning runs and models."""
    if env_file is not None:
        load_env_file(env_file)


def load_env_file(path: str) -> None:
    """Set the variables of a dotenv file that are not set yet.

    Args:
        path: lines of NAME=VALUE, `export NAME=VALUE`, comments and blanks; values may be quoted.

    Raises:
        MlflowException: a line is none of these; the line's number is named, not its text.
    """
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name, found, value = text.removeprefix("export ").partition("=")
            name = name.strip()
            if not found or not name.isidentifier():
                msg = f"line {number} of {path} is not NAME=VALUE"
                raise MlflowException(msg, error_code="INVALID_PARAMETER_VALUE")
            os.environ.setdefault(name, _unquoted(value.strip()))


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; the entry point of the `mlflow` command."""
    cli.main(args=args, prog_name="mlflow")
