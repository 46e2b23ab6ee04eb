"""The commands for experiments, runs and artifacts, with the output that programs read."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

import mlflow
from mlflow.cli import cli


def run(*args):
    found = CliRunner().invoke(cli, list(args))
    assert found.exit_code == 0, found.output
    return found.stdout


def fails(*args):
    found = CliRunner().invoke(cli, list(args))
    assert found.exit_code != 0
    return found.exit_code, found.stderr


def new_run(**options):
    with mlflow.start_run(**options) as active:
        mlflow.log_metric("loss", 0.5)
        return active.info.run_id


def test_an_experiment_and_back():
    """An experiment is made, renamed, deleted and restored; each step says so."""
    out = run("experiments", "create", "-n", "first")
    number = out.rsplit(" ", 1)[1].strip()

    assert f"Created experiment 'first' with id {number}\n" == out
    assert f"Experiment with id {number} has been renamed to 'second'.\n" == run(
        "experiments", "rename", "-x", number, "--new-name", "second"
    )
    assert f"Experiment with ID {number} has been deleted.\n" == run(
        "experiments", "delete", "-x", number
    )
    assert number not in run("experiments", "search")
    assert number in run("experiments", "search", "--view", "deleted_only")
    assert f"Experiment with id {number} has been restored.\n" == run(
        "experiments", "restore", "-x", number
    )
    assert "second" == mlflow.get_experiment(number).name


def test_search_is_a_table():
    """Experiments are listed under three headers."""
    lines = run("experiments", "search").splitlines()

    assert "Experiment Id  Name     Artifact Location".split() == lines[0].split()
    assert set("- ") == set(lines[1])
    assert ["0", "Default"] == lines[2].split()[:2]
    made = [mlflow.create_experiment(name) for name in "abc"]
    ids = [line.split()[0] for line in run("experiments", "search").splitlines()[2:]]
    assert ids == sorted(["0", *made], key=int)


def test_get_by_id_or_name():
    """An experiment is shown by id or name, as lines or as JSON."""
    by_id = run("experiments", "get", "-x", "0")
    by_name = json.loads(run("experiments", "get", "-n", "Default", "--output", "json"))

    assert "Experiment ID      : 0\nName               : Default\n" in by_id
    assert ("0", "active") == (by_name["experiment_id"], by_name["lifecycle_stage"])
    assert fails("experiments", "get")[0] == 2
    assert fails("experiments", "get", "-n", "none")[0] == 1


def test_runs():
    """Runs are created, described, listed, deleted and restored."""
    made = json.loads(
        run("runs", "create", "--experiment-name", "e", "--run-name", "r", "-t", "k=v=w",
            "--status", "failed")
    )  # fmt: skip
    described = json.loads(run("runs", "describe", "--run-id", made["run_id"]))

    assert {"run_id", "experiment_id", "status", "run_name"} == made.keys()
    assert "FAILED" == described["info"]["status"]
    assert "v=w" == described["data"]["tags"]["k"]
    lines = run("runs", "list", "--experiment-id", made["experiment_id"]).splitlines()
    assert ["Date", "Name", "ID"] == lines[0].split()
    assert ["r", made["run_id"]] == lines[2].split()[-2:]
    assert f"Run with ID {made['run_id']} has been deleted.\n" == run(
        "runs", "delete", "--run-id", made["run_id"]
    )
    assert made["run_id"] not in run("runs", "list", "--experiment-id", made["experiment_id"])
    assert f"Run with id {made['run_id']} has been restored.\n" == run(
        "runs", "restore", "--run-id", made["run_id"]
    )


@pytest.mark.parametrize("tag", ["novalue", "=x"])
def test_bad_tags(tag):
    """A tag that is no pair is refused before a run exists."""
    assert fails("runs", "create", "--experiment-id", "0", "-t", tag)[0] == 2
    assert [] == list(mlflow.search_runs(["0"], output_format="list"))


def test_artifacts(tmp_path):
    """Artifacts go up, are listed as JSON, and come down; the path is all that is printed."""
    run_id = new_run()
    (tmp_path / "f.txt").write_text("hello")
    run("artifacts", "log-artifact", "-l", str(tmp_path / "f.txt"), "-r", run_id, "-a", "deep")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "g.txt").write_text("g")
    run("artifacts", "log-artifacts", "-l", str(tmp_path / "folder"), "-r", run_id)

    listed = json.loads(run("artifacts", "list", "-r", run_id))
    assert [
        {"path": "deep", "is_dir": True},
        {"path": "g.txt", "is_dir": False, "file_size": 1},
    ] == listed
    path = run("artifacts", "download", "-r", run_id, "-a", "deep/f.txt", "-d", str(tmp_path / "o"))
    with open(path.strip(), encoding="utf-8") as file:
        assert "hello" == file.read()
    assert [] == json.loads(run("artifacts", "list", "-r", run_id, "-a", "nothing"))
    assert fails("artifacts", "download")[0] == 2


def test_csv():
    """The runs of an experiment as CSV; formulas of spreadsheets are made harmless."""
    run_id = new_run(tags={"note": "=HYPERLINK(1)", "n": "-1"})
    rows = list(csv.DictReader(io.StringIO(run("experiments", "csv", "-x", "0"))))
    raw = list(csv.DictReader(io.StringIO(run("experiments", "csv", "-x", "0", "--raw"))))

    assert run_id == rows[0]["run_id"]
    assert ("'=HYPERLINK(1)", "-1") == (rows[0]["tags.note"], rows[0]["tags.n"])
    assert "=HYPERLINK(1)" == raw[0]["tags.note"]


def test_csv_to_a_file(tmp_path):
    """The CSV may go to a file."""
    run_id = new_run()
    run("experiments", "csv", "-x", "0", "-o", str(tmp_path / "out.csv"))

    assert run_id in (tmp_path / "out.csv").read_text()
