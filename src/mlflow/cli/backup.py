"""The commands `mlflow backup` and `mlflow restore`."""

from __future__ import annotations

import sys

import click

from mlflow.cli.terminal import shown
from mlflow.exceptions import MlflowException
from mlflow.store import backup as backups


@click.command()
@click.argument("source")
@click.argument("folder")
def backup(source: str, folder: str) -> None:
    """Write the store SOURCE, a folder or a database, to a new FOLDER.

    The store may be in use meanwhile. Its artifacts are copied too, where they are files of this
    machine, and the digest of every file is noted.
    """
    contents = backups.back_up(source, folder)
    _say(contents)
    for scheme, count in sorted(contents.elsewhere.items()):
        text = f"not in the backup: artifacts of {count} run(s), models or experiments at {scheme}:"
        click.echo(shown(text, sys.stderr), err=True)
    click.echo(shown(f"The backup is in {folder}.", sys.stdout))


@click.command()
@click.argument("folder")
@click.argument("target")
@click.option("--check", is_flag=True, help="Compare the backup with its digests, and do no more.")
@click.option("--no-artifacts", is_flag=True, help="Leave artifacts outside of the store alone.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def restore(folder: str, target: str, check: bool, no_artifacts: bool, yes: bool) -> None:
    """Make the store TARGET, a folder or a database, from the backup in FOLDER.

    Every file is compared with its digest first. Nothing may be at TARGET yet. Artifacts that were
    outside of the store go back to where they were; files that are there and differ are in the way.
    """
    contents = backups.check(folder)
    _say(contents)
    if check:
        click.echo("Every file is what it was.")
        return
    if contents.places and not no_artifacts:
        _ask(contents, yes=yes)
    backups.restore(folder, target, artifacts=not no_artifacts)
    click.echo(shown("Every file is what it was. The store was restored.", sys.stdout))


def _ask(contents: backups.Contents, *, yes: bool) -> None:
    for place in contents.places.values():
        click.echo(shown(f"Artifacts will be written to {place}", sys.stderr), err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        msg = "artifacts would be written outside of the store: agree with --yes, or --no-artifacts"
        raise MlflowException(msg)
    click.confirm("Write them there?", abort=True, err=True)


def _say(contents: backups.Contents) -> None:
    size = sum(count for count, _ in contents.files.values())
    text = f"{contents.made}: {contents.kind}, {len(contents.files)} files, {size:,} bytes"
    click.echo(shown(text, sys.stdout))
