"""The command `mlflow db`: the care of databases."""

from __future__ import annotations

import sys

import click

from mlflow.cli.terminal import shown
from mlflow.store import databases

_url = click.argument("url")


@click.group()
def db() -> None:
    """Look after the databases that stores are kept in."""


@db.command()
@_url
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
def upgrade(url: str, dry_run: bool) -> None:
    """Bring the database at URL to the schema of this version.

    Any MLflow since 1.0 may have made it; nothing in it is lost. A SQLite file is copied first,
    beside itself. Stop the servers that use the database before, and save a copy of a database on a
    server; afterwards an MLflow older than this version's cannot use it any more.
    """
    databases.upgrade(url, lambda line: click.echo(shown(line, sys.stdout)), dry_run=dry_run)


@db.command()
@_url
@click.option(
    "--all", "everything", is_flag=True, help="Drop the tables too, with what only they hold."
)
def strip(url: str, everything: bool) -> None:
    """Drop the indexes that Millstream adds to the database at URL.

    MLflow ignores them; without them searches are slower and the database is smaller. They are made
    again at the next use, unless MILLSTREAM_SQL_INDEXES is set to never.

    Two tables hold what MLflow's schema has no place for: of which dataset a metric is, numbers that
    its columns cannot say, and ids that may not be given out twice. With --all they are dropped too,
    and the schema is MLflow's to the letter. Stop the programs that use the database before.
    """
    dropped, kept = databases.strip(url, everything=everything)
    for name in dropped:
        click.echo(f"Dropped {name}.")
    if not dropped:
        click.echo("There was nothing to drop.")
    if kept:
        click.echo(f"What only {' and '.join(kept)} can hold was kept; --all drops it.")
