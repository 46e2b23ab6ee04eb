"""The command: what it lists, how it fails, and what it loads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from mlflow.cli import COMMANDS, LATER, cli, load_env_file
from mlflow.exceptions import MlflowException


def run(*args, **options):
    return CliRunner().invoke(cli, list(args), **options)


def test_version():
    """The version line is the one that programs parse."""
    found = run("--version")

    assert (0, "mlflow, version 3.17.2\n") == (found.exit_code, found.output)


@pytest.mark.parametrize("name", sorted(LATER))
def test_commands_of_later_versions(name):
    """A command whose time has not come says so and fails."""
    found = run(name, "--port", "5000")

    assert found.exit_code == 1
    assert f"Error: `mlflow {name}` is not in this version yet." in found.output
    assert "Traceback" not in found.output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name):
    """Every command of the table is there and explains itself."""
    found = run(name, "--help")

    assert found.exit_code == 0
    assert "Usage:" in found.output


def test_unknown_commands():
    """A command that nobody knows is a usage error."""
    assert run("nonsense").exit_code == 2


def test_errors_are_one_line():
    """A refusal is one line on the error stream and exit code 1."""
    found = run("runs", "describe", "--run-id", "0" * 32)

    assert found.exit_code == 1
    assert found.stderr.startswith("Error: ")
    assert found.stdout == ""
    assert "Traceback" not in found.output


def test_a_base_installation_says_what_is_missing():
    """A command that needs an extra names it, in one line."""
    code = "import sys; sys.modules['numpy'] = None; from mlflow.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "models", "serve", "-m", "x"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr == "Error: This command needs numpy: pip install 'millstream[models]'\n"


def test_help_is_light():
    """The list of commands loads click and nothing of models, stores or servers."""
    code = (
        "import sys; from mlflow.cli import cli\n"
        "try: cli(['--help'])\nexcept SystemExit: pass\n"
        "print(*(m for m in sys.modules if m.split('.')[0] in"
        " ('numpy','pandas','starlette','uvicorn','rich','yaml','msgspec')"
        " or m.startswith(('mlflow.store','mlflow.tracking','mlflow.models'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "" == done.stdout.splitlines()[-1].strip()


def test_python_m():
    """`python -m mlflow` is the same command."""
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "--version"], capture_output=True, text=True, check=True
    )

    assert "mlflow, version 3.17.2" == done.stdout.strip()


def test_env_file(tmp_path, monkeypatch):
    """A dotenv file sets what is not set."""
    path = tmp_path / ".env"
    path.write_text(
        "# note\n\nMILLSTREAM_A=1\nexport MILLSTREAM_B='two words'\nMILLSTREAM_C=x # y\n"
    )
    monkeypatch.setenv("MILLSTREAM_A", "kept")
    load_env_file(str(path))

    assert "kept" == os.environ["MILLSTREAM_A"]
    assert "two words" == os.environ["MILLSTREAM_B"]
    assert "x" == os.environ["MILLSTREAM_C"]


def test_env_file_errors_hide_the_line(tmp_path):
    """A bad line is named by its number: it may hold a secret."""
    path = tmp_path / ".env"
    path.write_text("OK=1\nhunter2\n")

    with pytest.raises(MlflowException, match="line 2") as caught:
        load_env_file(str(path))
    assert "hunter2" not in str(caught.value)
