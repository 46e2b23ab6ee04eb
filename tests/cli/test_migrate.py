"""`mlflow migrate` and `mlflow migrate-filestore`."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

import mlflow
from mlflow.cli import cli, migrate
from mlflow.store import locate
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.testing.store_contract.copying import RUN, fill


@pytest.fixture(autouse=True)
def nothing_open():
    yield
    locate.forget()


@pytest.fixture
def files(tmp_path):
    """A file store with something of everything in it."""
    backend = FileBackend(str(tmp_path / "mlruns"))
    fill(backend)
    backend.close()
    return str(tmp_path / "mlruns")


def run(*args):
    return CliRunner().invoke(cli, list(args))


def test_files_to_a_database_and_back(files, tmp_path):
    database = f"sqlite:///{tmp_path}/new.db"

    there = run("migrate", files, database, "--verify")
    back = run("migrate", database, str(tmp_path / "again"), "--verify")

    assert there.exit_code == 0, there.output
    assert back.exit_code == 0, back.output
    assert "everything is there" in back.stdout
    lines = {
        line.split()[0]: line.split()[-3:] for line in there.stdout.splitlines() if line.strip()
    }
    assert lines["run"] == ["3", "0", "0"]
    assert lines["experiment"] == ["3", "0", "0"]
    first, last = FileBackend(files), FileBackend(str(tmp_path / "again"))
    for key in ("loss", "val/acc"):
        one, other = first.metric_history(RUN, key), last.metric_history(RUN, key)
        assert sorted(map(repr, one)) == sorted(map(repr, other))
    mlflow.set_tracking_uri(database)
    assert math.isinf(
        max(one.value for one in mlflow.MlflowClient().get_metric_history(RUN, "loss"))
    )


def test_again(files, tmp_path):
    database = f"sqlite:///{tmp_path}/new.db"
    run("migrate", files, database)
    backend = SqlBackend(database)
    backend.append_metric(RUN, "new in the target", 1.0, 1, 1)
    backend.close()

    again = run("migrate", files, database)

    assert again.exit_code == 0, again.output
    assert "copied" in again.stdout
    assert "run" in again.stdout
    backend = SqlBackend(database)
    assert 1.0 == backend.get_run(RUN).data.metrics["new in the target"]
    backend.close()


def test_what_has_no_place(files, tmp_path):
    os.makedirs(f"{files}/0/traces/tr-1")

    refused = run("migrate", files, f"sqlite:///{tmp_path}/new.db")
    agreed = run("migrate", files, f"sqlite:///{tmp_path}/new.db", "--drop", "--verify")

    assert refused.exit_code == 1
    assert "left out: 1 traces" in refused.stderr
    assert "--drop" in refused.stderr
    assert agreed.exit_code == 0, agreed.output
    assert "left out: 1 traces" in agreed.stderr


def test_differences_are_told(files, tmp_path):
    database = f"sqlite:///{tmp_path}/new.db"
    run("migrate", files, database)
    backend = SqlBackend(database)
    backend.rename_registered_model("empty", "renamed", 9)
    backend.move_run(RUN, "deleted", 9)
    backend.insert_registered_model(
        backend.get_registered_model("renamed").__class__("empty", 1, 2)
    )
    backend.close()

    found = run("migrate", files, database, "--verify")

    assert found.exit_code == 1
    assert (
        f"is different (source / target): run {RUN}: lifecycle_stage: 'active' / 'deleted'"
        in found.stderr
    )


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("nowhere", "sqlite:///new.db", "There is no store at"),
        ("sqlite:///nowhere.db", "mlruns", "There is no store at"),
        ("here", "here", "are the same store"),
        ("here", "file:here", "are the same store"),
        ("https://me:secret@localhost:1", "mlruns", "***@localhost"),
    ],
)
def test_what_cannot_be(source, target, words):
    os.mkdir("here")

    found = run("migrate", source, target)

    assert found.exit_code == 1
    assert words in found.stderr
    assert "secret" not in found.output
    assert ["here"] == os.listdir(".")


@pytest.mark.parametrize("inside", [False, True])
def test_as_mlflow_names_it(files, tmp_path, inside):
    source = str(tmp_path) if inside else files

    found = run("migrate-filestore", "--source", source, "--target", f"sqlite:///{tmp_path}/new.db")

    assert found.exit_code == 0, found.output
    backend = SqlBackend(f"sqlite:///{tmp_path}/new.db")
    assert 3 == backend.copying().counts()["run"]
    backend.close()
    assert 1 == run("migrate-filestore", "--source", "sqlite:///x", "--target", "y").exit_code


def test_a_bar_on_a_terminal(files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(migrate.sys.stderr, "isatty", lambda: True)

    with migrate.watching("Copying", 10, True) as watch:
        for _ in range(10):
            watch("run")
    with migrate.watching("Copying", 10, False) as watch:
        watch("run")

    said = capsys.readouterr()
    assert "10/10" in said.err
    assert "" == said.out


KILLED = """
import os, signal, sys
from mlflow.store.migrate import Migration, backend_of
seen = 0
def watch(kind):
    global seen
    seen += 1
    if seen > int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
Migration(backend_of(sys.argv[1]), backend_of(sys.argv[2]), watch=watch).copy()
"""


@pytest.mark.parametrize("target", ["sqlite:///{}/new.db", "{}/other"])
def test_killed_and_started_again(files, tmp_path, target):
    """A copy that is killed at any moment is completed by the next one."""
    uri = target.format(tmp_path)
    for number in (2, 4, 7):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, files, uri, str(number)], check=False, timeout=120
        )
        assert -9 == done.returncode

    found = run("migrate", files, uri, "--verify")

    assert found.exit_code == 0, found.output
    assert "everything is there" in found.stdout
    shutil.rmtree(files)
