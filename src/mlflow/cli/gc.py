"""The command `mlflow gc`: removal, for good, of what was deleted before."""

from __future__ import annotations

import re
import sys

import click

from mlflow.cli.terminal import shown
from mlflow.exceptions import MlflowException, invalid
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.trash import Files, files_of, planned, purge
from mlflow.tracking.active import tracking_store

_AGE = re.compile(
    r"(?:(?P<d>\d+(?:\.\d+)?)d)?(?:(?P<h>\d+(?:\.\d+)?)h)?"
    r"(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?\Z",
    re.ASCII,
)
_MILLIS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
_PROXIED = "mlflow-artifacts:"
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_\-]{0,127}\Z", re.ASCII)


def age_in_millis(text: str) -> int:
    """Return an age such as `1d2h3m4s` in milliseconds; parts may be left out or have decimals."""
    match = _AGE.match(text)
    if match is None or not text:
        raise invalid(
            f"Could not parse {text!r} as an age. Write it as in 1d2h3m4s; parts may be left out."
        )
    return int(sum(float(match[unit] or 0) * size for unit, size in _MILLIS.items()))


def ids_of(text: str | None) -> list[str] | None:
    """Return the ids of a comma-separated list; None when it was not given.

    Raises:
        MlflowException: an item could not be an id, such as `../x`.
    """
    if text is None:
        return None
    ids = [item.strip() for item in text.split(",") if item.strip()]
    for item in ids:
        if _ID.match(item) is None:
            raise invalid(f"{item!r} is not an id.")
    return ids


@click.command()
@click.option("--older-than", help="Only what was deleted longer ago, such as 1d2h3m4s.")
@click.option("--backend-store-uri", help="The store; the tracking URI when not given.")
@click.option(
    "--artifacts-destination",
    envvar="MLFLOW_ARTIFACTS_DESTINATION",
    help="Where the tracking server keeps the artifacts that it passes on.",
)
@click.option("--run-ids", help="Ids of deleted runs, separated by commas.")
@click.option("--experiment-ids", help="Ids of deleted experiments, separated by commas.")
@click.option("--logged-model-ids", help="Ids of deleted logged models, separated by commas.")
@click.option("--jobs", is_flag=True, hidden=True)
@click.option("--job-ids", hidden=True)
@click.option("--tracking-uri", help="The store, as a tracking URI.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def gc(
    older_than: str | None,
    backend_store_uri: str | None,
    artifacts_destination: str | None,
    run_ids: str | None,
    experiment_ids: str | None,
    logged_model_ids: str | None,
    jobs: bool,
    job_ids: str | None,
    tracking_uri: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove deleted runs, logged models and experiments for good, with their artifacts.

    What will go is listed first. On a terminal you are asked before anything is removed. Artifacts
    go where they are in a folder named by the run or model that they belong to, and are left alone
    elsewhere. What cannot be removed with its artifacts stays, and the exit code is 1.
    """
    if jobs or job_ids:
        msg = "this version has no jobs to remove"
        raise MlflowException(msg)
    age = age_in_millis(older_than) if older_than is not None else 0
    asked = [ids_of(run_ids), ids_of(logged_model_ids), ids_of(experiment_ids)]
    store = tracking_store(tracking_uri or backend_store_uri)
    plan = planned(store, age, *asked)
    for item in plan:
        text = f"{item.kind} with ID {item.id} will be permanently deleted."
        click.echo(shown(text, sys.stderr), err=True)
    if dry_run or not plan:
        if not plan:
            click.echo("There is nothing to remove.", err=True)
        return
    if not yes and sys.stdin.isatty():
        click.confirm(f"Remove {len(plan)} item(s) for good?", abort=True, err=True)
    left = 0
    for item in plan:
        named = f"{item.kind} with ID {item.id}"
        try:
            _remove_artifacts(files_of(store, item), artifacts_destination)
        except (MlflowException, OSError, NotImplementedError) as error:
            left += 1
            text = f"{named} stays: its artifacts cannot be removed ({error})"
            click.echo(shown(text, sys.stderr), err=True)
            continue
        purge(store, item)
        click.echo(f"{named} has been permanently deleted.")
    if left:
        msg = f"{left} item(s) were not removed"
        raise MlflowException(msg)


def _remove_artifacts(files: Files, destination: str | None) -> None:
    """Remove the artifacts that are an item's own; leave others alone."""
    if not files.location:
        return
    if destination and files.location.startswith(_PROXIED):
        below = files.location.partition(":")[2].lstrip("/")
        files = files._replace(location=f"{destination.rstrip('/')}/{below}")
    if not files.are_its_own:
        kind = files.folder.partition("/")[0]
        text = f"left alone: {files.location}, which is no folder of {kind}"
        click.echo(shown(text, sys.stderr), err=True)
        return
    artifact_repository(files.location).delete_artifacts()
