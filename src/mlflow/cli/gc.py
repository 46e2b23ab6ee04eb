"""The command `mlflow gc`: removal, for good, of what was deleted before."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import NamedTuple

import click

from mlflow.cli.terminal import shown
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException, invalid
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.base import AbstractStore
from mlflow.tracking.active import tracking_store

_AGE = re.compile(
    r"(?:(?P<d>\d+(?:\.\d+)?)d)?(?:(?P<h>\d+(?:\.\d+)?)h)?"
    r"(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?\Z",
    re.ASCII,
)
_MILLIS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
_PROXIED = "mlflow-artifacts:"
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_\-]{0,127}\Z", re.ASCII)


class Kind(NamedTuple):
    """One kind of thing that can be removed."""

    label: str
    deleted: Callable[[int], list[str]]
    purge: Callable[[str], None]
    asked: list[str] | None
    # Where the artifacts of one are, and the folder that this has to be in for them to go with it.
    artifacts: Callable[[str], tuple[str, str]] = lambda _: ("", "")


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
    plan = _plan(tracking_store(tracking_uri or backend_store_uri), age, asked)
    for kind, item in plan:
        click.echo(
            shown(f"{kind.label} with ID {item} will be permanently deleted.", sys.stderr), err=True
        )
    if dry_run or not plan:
        if not plan:
            click.echo("There is nothing to remove.", err=True)
        return
    if not yes and sys.stdin.isatty():
        click.confirm(f"Remove {len(plan)} item(s) for good?", abort=True, err=True)
    left = 0
    for kind, item in plan:
        try:
            _remove_artifacts(*kind.artifacts(item), artifacts_destination)
        except (MlflowException, OSError, NotImplementedError) as error:
            left += 1
            text = f"{kind.label} with ID {item} stays: its artifacts cannot be removed ({error})"
            click.echo(shown(text, sys.stderr), err=True)
            continue
        kind.purge(item)
        click.echo(f"{kind.label} with ID {item} has been permanently deleted.")
    if left:
        msg = f"{left} item(s) were not removed"
        raise MlflowException(msg)


def _remove_artifacts(location: str, folder: str, destination: str | None) -> None:
    """Remove the artifacts at a place that is in, or is, a folder; leave others alone."""
    if not location:
        return
    if destination and location.startswith(_PROXIED):
        below = location.partition(":")[2].lstrip("/")
        location = f"{destination.rstrip('/')}/{below}"
    if f"/{folder}/" not in f"{location}/" or ".." in location.split("/"):
        text = f"left alone: {location}, which is no folder of {folder.partition('/')[0]}"
        click.echo(shown(text, sys.stderr), err=True)
        return
    artifact_repository(location).delete_artifacts()


def _plan(store: AbstractStore, age: int, asked: list[list[str] | None]) -> list[tuple[Kind, str]]:
    runs, models, experiments = asked

    def of_run(run_id: str) -> tuple[str, str]:
        return store.get_run(run_id).info.artifact_uri or "", f"{run_id}/artifacts"

    def of_model(model_id: str) -> tuple[str, str]:
        model = store.get_logged_model(model_id, allow_deleted=True)
        # It is in a folder of its own, or in the artifacts of its run.
        in_run = f"{model.source_run_id}/artifacts/{model.name}"
        own = f"/{in_run}/" not in f"{model.artifact_location}/"
        return model.artifact_location, f"{model_id}/artifacts" if own else in_run

    kinds = [
        Kind("Run", store.list_deleted_runs, store.purge_run, runs, of_run),
        Kind(
            "Logged model",
            store.list_deleted_logged_models,
            store.purge_logged_model,
            models,
            of_model,
        ),
        Kind("Experiment", store.list_deleted_experiments, store.purge_experiment, experiments),
    ]
    named = any(kind.asked is not None for kind in kinds)
    plan: list[tuple[Kind, str]] = []
    for kind in kinds:
        if named and kind.asked is None:
            continue
        deleted = kind.deleted(age)
        for item in kind.asked or []:
            if item not in deleted:
                raise invalid(
                    f"{kind.label} {item} is not deleted, or not for long enough; only what was "
                    "deleted before can be removed for good."
                )
        for item in (kind.asked if named else deleted) or []:
            if named and kind.label == "Experiment":
                plan += [(kinds[0], run_id) for run_id in _runs_of(store, item)]
            plan.append((kind, item))
    # A run may be named and belong to an experiment that is named, too.
    return list({(kind.label, item): (kind, item) for kind, item in plan}.values())


def _runs_of(store: AbstractStore, experiment_id: str) -> list[str]:
    """Return the runs that go with an experiment."""
    found: list[str] = []
    token = None
    while True:
        page = store.search_runs([experiment_id], None, ViewType.ALL, page_token=token)
        found += [run.info.run_id for run in page]
        token = page.token
        if not token:
            return found
