"""The commands `mlflow experiments`, `mlflow runs` and `mlflow artifacts`."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from mlflow.cli.later import later
from mlflow.cli.terminal import shown, table
from mlflow.entities import ViewType
from mlflow.exceptions import invalid, not_found
from mlflow.tracking.client import MlflowClient
from mlflow.tracking.fluent import end_run, search_runs, start_run
from mlflow.tracking.searching import all_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlflow.entities import Experiment

_VIEWS = {
    "active_only": ViewType.ACTIVE_ONLY,
    "deleted_only": ViewType.DELETED_ONLY,
    "all": ViewType.ALL,
}
_PAGE = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_experiment_id = click.option("--experiment-id", "-x", required=True, help="The experiment's id.")
_run_id = click.option("--run-id", required=True, help="The run's id.")
_view = click.option(
    "--view",
    "-v",
    default="active_only",
    help="Which to list: active_only, deleted_only or all.",
)


def _echo_table(rows: Sequence[Sequence[Any]], headers: Sequence[str]) -> None:
    click.echo(table(rows, headers, sys.stdout), color=True)


def _echo(text: str) -> None:
    # What a program reads is exact: `color` keeps click from dropping escapes off a pipe.
    click.echo(shown(text, sys.stdout), color=True)


def _view_type(view: str) -> int:
    try:
        return _VIEWS[view.lower()]
    except KeyError:
        raise invalid(f"--view is one of active_only, deleted_only and all, not {view!r}") from None


# ── experiments ──────────────────────────────────────────────────────────────────────────────────


@click.group()
def experiments() -> None:
    """Create, list and change experiments."""


@experiments.command("create")
@click.option("--experiment-name", "-n", required=True, help="The experiment's name.")
@click.option("--artifact-location", "-l", help="Where the artifacts of its runs go.")
def create_experiment(experiment_name: str, artifact_location: str | None) -> None:
    """Create an experiment and print its id."""
    created = MlflowClient().create_experiment(experiment_name, artifact_location)
    _echo(f"Created experiment '{experiment_name}' with id {created}")


@experiments.command("search")
@_view
@click.option("--max-results", type=int, default=None, help="How many to list.")
def search_experiments(view: str, max_results: int | None) -> None:
    """List experiments."""
    client = MlflowClient()
    found = all_pages(
        lambda size, token: client.search_experiments(
            view_type=_view_type(view), max_results=size, page_token=token
        ),
        max_results,
        _PAGE,
    )
    found.sort(key=_by_number)
    rows = [(item.experiment_id, item.name, item.artifact_location) for item in found]
    _echo_table(rows, ("Experiment Id", "Name", "Artifact Location"))


def _by_number(experiment: Experiment) -> tuple[int, str]:
    """Order as MLflow lists them: by id, as numbers where they are numbers."""
    identity = experiment.experiment_id
    return (int(identity), "") if identity.isdecimal() else (0, identity)


@experiments.command("get")
@click.option("--experiment-id", "-x", help="The experiment's id.")
@click.option("--experiment-name", "-n", help="The experiment's name.")
@click.option("--output", type=click.Choice(["json", "table"]), default="table", help="The form.")
def get_experiment(experiment_id: str | None, experiment_name: str | None, output: str) -> None:
    """Show an experiment, by id or by name."""
    if (experiment_id is None) == (experiment_name is None):
        msg = "Must specify exactly one of --experiment-id or --experiment-name."
        raise click.UsageError(msg)
    client = MlflowClient()
    if experiment_id is not None:
        found = client.get_experiment(experiment_id)
    else:
        named = client.get_experiment_by_name(experiment_name or "")
        if named is None:
            raise not_found(f"Experiment with name '{experiment_name}' does not exist.")
        found = named
    if output == "json":
        fields = {key.lstrip("_"): value for key, value in vars(found).items()}
        click.echo(json.dumps(fields, indent=2, sort_keys=True, default=str))
        return
    pairs = (
        ("Experiment ID", found.experiment_id),
        ("Name", found.name),
        ("Artifact Location", found.artifact_location),
        ("Lifecycle Stage", found.lifecycle_stage),
        ("Creation Time", found.creation_time),
        ("Last Update Time", found.last_update_time),
        ("Tags", ", ".join(f"{key}={value}" for key, value in found.tags.items())),
    )
    for label, value in pairs:
        _echo(f"{label:<17}  : {'' if value is None else value}")


@experiments.command("delete")
@_experiment_id
def delete_experiment(experiment_id: str) -> None:
    """Mark an experiment as deleted; `mlflow gc` removes it for good."""
    MlflowClient().delete_experiment(experiment_id)
    _echo(f"Experiment with ID {experiment_id} has been deleted.")


@experiments.command("restore")
@_experiment_id
def restore_experiment(experiment_id: str) -> None:
    """Bring a deleted experiment back."""
    MlflowClient().restore_experiment(experiment_id)
    _echo(f"Experiment with id {experiment_id} has been restored.")


@experiments.command("rename")
@_experiment_id
@click.option("--new-name", required=True, help="The new name.")
def rename_experiment(experiment_id: str, new_name: str) -> None:
    """Give an active experiment another name."""
    MlflowClient().rename_experiment(experiment_id, new_name)
    _echo(f"Experiment with id {experiment_id} has been renamed to '{new_name}'.")


@experiments.command("csv")
@_experiment_id
@click.option("--filename", "-o", type=click.Path(dir_okay=False), help="The file to write.")
@click.option("--raw", is_flag=True, help="Write texts that a spreadsheet would run as they are.")
def experiment_csv(experiment_id: str, filename: str | None, raw: bool) -> None:
    """Write the runs of an experiment as CSV."""
    frame = search_runs(experiment_ids=[experiment_id])
    if not raw:
        for name in frame.columns:
            if frame[name].dtype.kind not in "fiubM":
                frame[name] = frame[name].map(_harmless)
        frame.columns = [_harmless(name) for name in frame.columns]
    if filename is not None:
        frame.to_csv(filename, index=False)
        _echo(f"Experiment with ID {experiment_id} has been exported as a CSV to file: {filename}.")
        return
    click.echo(frame.to_csv(index=False), nl=False)


experiments.add_command(later("experiments update", "It comes with tracing."))


def _harmless(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return "'" + value
    return value


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────


@click.group()
def runs() -> None:
    """List, show and change runs."""


@runs.command("create")
@click.option("--experiment-id", envvar="MLFLOW_EXPERIMENT_ID", help="The experiment's id.")
@click.option("--experiment-name", envvar="MLFLOW_EXPERIMENT_NAME", help="Its name instead.")
@click.option("--run-name", help="The run's name.")
@click.option("--description", help="A text on the run.")
@click.option("--tags", "-t", multiple=True, help="KEY=VALUE; may be given several times.")
@click.option(
    "--status",
    type=click.Choice(["FINISHED", "FAILED", "KILLED"], case_sensitive=False),
    default="FINISHED",
    help="How the run ended.",
)
@click.option("--parent-run-id", help="The run that this one belongs to.")
def create_run(
    experiment_id: str | None,
    experiment_name: str | None,
    run_name: str | None,
    description: str | None,
    tags: tuple[str, ...],
    status: str,
    parent_run_id: str | None,
) -> None:
    """Create a run, end it, and print it as JSON."""
    client = MlflowClient()
    if experiment_id is None and experiment_name is None:
        msg = "Must specify exactly one of --experiment-id or --experiment-name."
        raise click.UsageError(msg)
    if experiment_id is None:
        named = client.get_experiment_by_name(experiment_name or "")
        experiment_id = (
            named.experiment_id
            if named is not None
            else client.create_experiment(experiment_name or "")
        )
    run = start_run(
        experiment_id=experiment_id,
        run_name=run_name,
        tags=dict(_pair(item) for item in tags),
        description=description,
        parent_run_id=parent_run_id,
    )
    end_run(status.upper())
    body = {
        "run_id": run.info.run_id,
        "experiment_id": run.info.experiment_id,
        "status": status.upper(),
        "run_name": run.info.run_name,
    }
    click.echo(json.dumps(body, indent=2))


def _pair(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not key:
        msg = f"Invalid tag format: {text!r}. Tags must be in key=value format."
        raise click.UsageError(msg)
    return key, value


@runs.command("list")
@click.option(
    "--experiment-id", envvar="MLFLOW_EXPERIMENT_ID", required=True, help="The experiment's id."
)
@_view
def list_runs(experiment_id: str, view: str) -> None:
    """List the runs of an experiment."""
    client = MlflowClient()
    found = all_pages(
        lambda size, token: client.search_runs(
            [experiment_id], run_view_type=_view_type(view), max_results=size, page_token=token
        ),
        None,
        _PAGE,
    )
    rows = [(_date(run.info.start_time), run.info.run_name, run.info.run_id) for run in found]
    _echo_table(rows, ("Date", "Name", "ID"))


def _date(millis: int | None) -> str:
    if millis is None:
        return ""
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(millis / 1000))


@runs.command("describe")
@_run_id
def describe_run(run_id: str) -> None:
    """Print a run as JSON."""
    run = MlflowClient().get_run(run_id)
    click.echo(json.dumps(run.to_dictionary(), indent=4))


@runs.command("delete")
@_run_id
def delete_run(run_id: str) -> None:
    """Mark a run as deleted; `mlflow gc` removes it for good."""
    MlflowClient().delete_run(run_id)
    _echo(f"Run with ID {run_id} has been deleted.")


@runs.command("restore")
@_run_id
def restore_run(run_id: str) -> None:
    """Bring a deleted run back."""
    MlflowClient().restore_run(run_id)
    _echo(f"Run with id {run_id} has been restored.")


runs.add_command(later("runs link-traces", "It comes with tracing."))


# ── artifacts ────────────────────────────────────────────────────────────────────────────────────


@click.group()
def artifacts() -> None:
    """List, download and upload artifacts."""


_artifacts_run = click.option("--run-id", "-r", required=True, help="The run's id.")
_artifact_path = click.option("--artifact-path", "-a", help="The path below the run's artifacts.")


@artifacts.command("list")
@_artifacts_run
@_artifact_path
def list_artifacts(run_id: str, artifact_path: str | None) -> None:
    """Print the artifacts directly below a path as a JSON list."""
    found = MlflowClient().list_artifacts(run_id, artifact_path)
    click.echo(_json_of([_described(item) for item in found]))


def _described(item: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"path": item.path, "is_dir": item.is_dir}
    if not item.is_dir:
        out["file_size"] = item.file_size
    return out


def _json_of(items: list[dict[str, Any]]) -> str:
    # The shape that programs reading this output have always seen.
    return "[" + ", ".join(json.dumps(item, indent=2) for item in items) + "]"


@artifacts.command("download")
@click.option("--run-id", "-r", help="The run's id.")
@_artifact_path
@click.option("--artifact-uri", "-u", help="The artifact's URI, instead of a run and a path.")
@click.option("--dst-path", "-d", help="The folder to download to; a temporary one by default.")
def download_artifacts(
    run_id: str | None, artifact_path: str | None, artifact_uri: str | None, dst_path: str | None
) -> None:
    """Download an artifact and print its local path."""
    from mlflow.artifacts import download_artifacts as download

    if (run_id is None) == (artifact_uri is None):
        msg = "Exactly one of --run-id and --artifact-uri must be given."
        raise click.UsageError(msg)
    if artifact_uri is not None and artifact_path is not None:
        msg = "--artifact-path belongs to --run-id; put the path into --artifact-uri."
        raise click.UsageError(msg)
    if dst_path is not None:
        os.makedirs(dst_path, exist_ok=True)
    if artifact_uri is not None:
        path = download(artifact_uri=artifact_uri, dst_path=dst_path)
    else:
        path = download(run_id=run_id, artifact_path=artifact_path or "", dst_path=dst_path)
    _echo(f"\n{path}" if sys.stdout.isatty() else path)


@artifacts.command("log-artifact")
@click.option("--local-file", "-l", required=True, help="The file to upload.")
@_artifacts_run
@_artifact_path
def log_artifact(local_file: str, run_id: str, artifact_path: str | None) -> None:
    """Upload a file to a run."""
    MlflowClient().log_artifact(run_id, local_file, artifact_path)


@artifacts.command("log-artifacts")
@click.option("--local-dir", "-l", required=True, help="The folder whose content is uploaded.")
@_artifacts_run
@_artifact_path
def log_artifacts(local_dir: str, run_id: str, artifact_path: str | None) -> None:
    """Upload the content of a folder to a run."""
    MlflowClient().log_artifacts(run_id, local_dir, artifact_path)
