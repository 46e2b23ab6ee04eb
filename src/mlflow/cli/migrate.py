"""The commands `mlflow migrate` and `mlflow migrate-filestore`: a store moved to another place."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mlflow.cli.terminal import shown, table
from mlflow.exceptions import MlflowException, invalid, without_password
from mlflow.store import locate
from mlflow.store.migrate import Migration, Report, backend_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Lines of each kind of trouble that are written; the rest is counted.
_MOST = 50


@click.command()
@click.argument("source")
@click.argument("target")
@click.option("--verify", is_flag=True, help="Compare everything afterwards, and tell differences.")
@click.option("--drop", is_flag=True, help="Agree to leave out what the target has no place for.")
@click.option(
    "--new-experiment-ids",
    is_flag=True,
    help="Give experiments whose ids the target cannot hold others.",
)
def migrate(source: str, target: str, verify: bool, drop: bool, new_experiment_ids: bool) -> None:
    """Copy all experiments, runs and models of the store SOURCE to the store TARGET.

    Both are folders or databases, named as in a tracking URI. Ids, version numbers, times and
    histories stay as they are, and artifacts where they are. The source is not changed, and nothing
    that the target holds is changed or removed. When it is interrupted, start it again: what is
    there is not copied twice. Run it again to add what was logged to the source meanwhile.

    The exit code is 1 when something was not copied. What the target has no place for counts, unless
    `--drop` is given.
    """
    _move(source, target, verify=verify, drop=drop, new_ids=new_experiment_ids, progress=True)


@click.command("migrate-filestore")
@click.option(
    "--source", required=True, help="The folder with the experiments, or the one with mlruns."
)
@click.option("--target", required=True, help="The database, such as sqlite:///mlflow.db.")
@click.option("--progress/--no-progress", default=True, help="Whether to show how far it is.")
def migrate_filestore(source: str, target: str, progress: bool) -> None:
    """Copy a file store to a database, as MLflow names that: the same as `mlflow migrate`."""
    if locate.scheme_of(source) != "file":
        raise invalid(f"--source names a folder, and {without_password(source)!r} is none.")
    _move(_with_mlruns(source), target, verify=False, drop=False, new_ids=False, progress=progress)


def _with_mlruns(source: str) -> str:
    """Return the store that a folder is or has in it under MLflow's name."""
    path = locate.path_of(source)
    inside = os.path.join(path, "mlruns")
    is_store = any(os.path.exists(os.path.join(path, name, "meta.yaml")) for name in _names(path))
    return inside if os.path.isdir(inside) and not is_store else path


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _move(
    source: str, target: str, *, verify: bool, drop: bool, new_ids: bool, progress: bool
) -> None:
    here = backend_of(source, must_exist=True)
    there = backend_of(target)
    if here is there:
        raise invalid("The source and the target are the same store.")
    total = sum(here.copying().counts().values())
    with watching("Copying", total, progress) as watch:
        migration = Migration(here, there, new_ids=new_ids, watch=watch)
        report = migration.copy()
    summarise(report)
    lines: list[str] = []
    if verify:
        with watching("Comparing", total, progress) as watch:
            migration.watch = watch
            lines = list(migration.verify())
        _list("is different (source / target)", lines)
        if not lines:
            click.echo("The source and the target were compared: everything is there.")
    wrong = report.failed or lines or (report.left_out and not drop)
    if wrong:
        raise MlflowException("not everything was copied; see above" + _hint(report, drop))


def _hint(report: Report, drop: bool) -> str:
    return "; agree to what is left out with --drop" if report.left_out and not drop else ""


def summarise(report: Report) -> None:
    """Write what was done, and what was not."""
    kinds = sorted({*report.copied, *report.completed, *report.present})
    rows = [
        (kind, report.copied[kind], report.completed[kind], report.present[kind]) for kind in kinds
    ]
    click.echo(table(rows, ("", "copied", "completed", "there before"), sys.stdout), color=True)
    for noun, count in sorted(report.left_out.items()):
        click.echo(f"left out: {count} {noun}, which have no place in the target", err=True)
    _list("was not copied", report.failed)


def _list(what: str, lines: list[str]) -> None:
    for line in lines[:_MOST]:
        click.echo(shown(f"{what}: {line}", sys.stderr), err=True)
    if len(lines) > _MOST:
        click.echo(f"{what}: {len(lines) - _MOST} more", err=True)


@contextmanager
def watching(what: str, total: int, wanted: bool) -> Iterator[Callable[[str], None]]:
    """Give what is told of each thing; on a terminal it moves a bar."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        yield lambda _: progress.advance(task)
