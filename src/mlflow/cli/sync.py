"""The command `mlflow sync`: what was logged without a server, or waits for one, brought to it."""

from __future__ import annotations

import click

from mlflow.cli.migrate import summarise, watching
from mlflow.environment_variables import MLFLOW_TRACKING_URI
from mlflow.exceptions import MlflowException, invalid
from mlflow.store import locate
from mlflow.store.journal import Journal, is_journal
from mlflow.store.migrate import backend_of
from mlflow.store.sync import Sync, bring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlflow.store.migrate import Report


@click.command()
@click.argument("source")
@click.argument("target", required=False)
@click.option("--progress/--no-progress", default=True, help="Whether to show how far it is.")
def sync(source: str, target: str | None, progress: bool) -> None:
    """Bring the runs of the store SOURCE to the tracking server TARGET.

    SOURCE is a folder such as mlruns, a database, or a journal; TARGET is the address of a server, by default
    that of MLFLOW_TRACKING_URI. Experiments are the same when their names are. Runs and logged models keep
    their ids, and their artifacts are uploaded. Nothing that the server holds is changed or removed. Start it as
    often as you like: what is there already is not sent again, and what was logged meanwhile is. A journal, which a
    program names that ended without its server, is removed when all of it is there.

    The exit code is 1 when something was not brought.
    """
    uri = target or MLFLOW_TRACKING_URI.get()
    if not uri:
        raise invalid("Name the server: mlflow sync SOURCE TARGET, or set MLFLOW_TRACKING_URI.")
    report = _of_journal(source, uri) if is_journal(source) else _of_store(source, uri, progress)
    summarise(report)
    if report.failed:
        raise MlflowException("not everything was brought; see above, and start it again")


def _of_store(source: str, uri: str, progress: bool) -> Report:
    backend_of(source, must_exist=True)
    here, there = locate.tracking(source), locate.tracking(uri)
    if here is there:
        raise invalid("The source and the target are the same store.")
    total = sum(backend_of(source).copying().counts().values())
    with watching("Sending", total, progress) as watch:
        return Sync(here, there, uri, watch).copy()


def _of_journal(place: str, uri: str) -> Report:
    try:
        journal = Journal(place, uri)
    except BlockingIOError:
        raise invalid(
            f"{place} belongs to a program that is running, and brings it itself."
        ) from None
    try:
        report = bring(journal, locate.tracking(uri), uri)
    except BaseException:
        journal.close()
        raise
    journal.close(remove=not report.failed)
    return report
