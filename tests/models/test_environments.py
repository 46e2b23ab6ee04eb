"""Environments made for a model: what may be installed, our own wheels, and the cache."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mlflow.exceptions import ExecutionException, MlflowException
from mlflow.models import environments as e


def model_folder(path, requirements="", python="3.11.7", dependencies="- -r requirements.txt"):
    path.mkdir(exist_ok=True)
    (path / "MLmodel").write_text("flavors: {}\n")
    (path / "requirements.txt").write_text(requirements)
    (path / "python_env.yaml").write_text(
        f"python: {python}\nbuild_dependencies: []\ndependencies:\n{dependencies}\n"
    )
    return str(path)


@pytest.mark.parametrize(
    "line",
    ["numpy==2.4.6", "pandas", "scikit-learn>=1.4,<2", "a[b,c]==1.0; python_version < '3.12'",
     "torch==2.1.0+cu118", "y; sys_platform == 'linux' and (python_version >= \"3.9\")",
     "x~=1.0 --hash=sha256:ab12", "A.b_c-D == 1.*", "x==1  # why"],
)  # fmt: skip
def test_plain_lines(line):
    """Names, versions, extras, markers and hashes are installed."""
    assert [line.split("  #")[0]] == e.checked_requirements([line])


@pytest.mark.parametrize(
    "line",
    [
        "--index-url http://evil.example/simple", "-i http://evil.example", "--extra-index-url=x",
        "-e git+ssh://evil.example/x", "-r /etc/passwd", "-c ../constraints.txt", "--no-binary :all:",
        "pkg @ file:///tmp/x", "pkg @ https://evil.example/x.whl", "git+https://evil.example/x",
        "./local", "/abs/x.whl", "x.whl/../y", "x; touch marker; y", "$(touch marker)", "`touch x`",
        "x==1\n--index-url http://evil.example", "x==1 --index-url http://evil.example",
        "x; __import__('os').system('id')", "--find-links .", "--trusted-host x", "-f x", "",
        "x==1 -r y",
    ],
)  # fmt: skip
def test_other_lines_are_refused(line):
    """Whatever is not a plain package is refused, and listed."""
    with pytest.raises(MlflowException, match="allow-requirement-sources") as caught:
        e.checked_requirements(["numpy", line])

    assert repr(line.strip())[:100] in caught.value.message


def test_other_lines_may_be_allowed():
    """With the flag such lines are kept, but one line stays one line."""
    lines = ["numpy", "pkg @ https://example.org/x.whl", "x\n--index-url y"]

    assert lines[:2] == e.checked_requirements(lines, allow_sources=True)


@pytest.mark.parametrize(
    "pin",
    [
        "mlflow==2.6.0",
        "mlflow",
        "MLflow>=2,<3",
        "mlflow-skinny==3.1",
        "mlflow_tracing",
        "millstream==0.0.1",
        "mlflow[extras]==2.6.0",
    ],
)
def test_pins_of_mlflow_never_overwrite_us(pin):
    """A model's own pin of MLflow is left out."""
    assert ["mlflow-export-import"] == e.checked_requirements([pin, "mlflow-export-import"])


def test_requirements_stay_in_the_folder(tmp_path):
    """A requirements file outside the model is not opened."""
    (tmp_path / "secret.txt").write_text("secret\n")
    folder = model_folder(tmp_path / "m", dependencies="- -r ../secret.txt")

    with pytest.raises(MlflowException):
        e.model_requirements(folder)


def test_requirements_are_read(tmp_path):
    """Comments and blanks are no requirements."""
    assert ["a==1", "b"] == e.model_requirements(model_folder(tmp_path / "m", "# c\n\na==1\nb\n"))


@pytest.mark.parametrize("python", ["'3.11; touch x'", "x", "'../3.11'", "3"])
def test_python_versions(tmp_path, python):
    """A Python version is digits and dots."""
    with pytest.raises(MlflowException, match="Python version"):
        e.python_version(model_folder(tmp_path / "m", python=python))


@pytest.mark.parametrize(("manager", "words"), [("conda", "conda"), ("poetry", "Invalid")])
def test_managers(tmp_path, manager, words):
    """Unknown managers are refused."""
    with pytest.raises(MlflowException, match=words):
        e.environment_python(model_folder(tmp_path / "m"), manager)


def test_local_is_this_interpreter(tmp_path):
    """No environment is made when none is asked for."""
    assert sys.executable == e.environment_python("/nowhere", "local")


def test_making_may_be_forbidden(tmp_path, monkeypatch):
    """MLFLOW_DISABLE_ENV_CREATION is obeyed."""
    monkeypatch.setenv("MLFLOW_DISABLE_ENV_CREATION", "true")
    with pytest.raises(MlflowException, match="MLFLOW_DISABLE_ENV_CREATION"):
        e.environment_python(model_folder(tmp_path / "m"), "virtualenv")


def test_own_wheels(tmp_path):
    """Our wheel holds the package; three small ones stand for MLflow's; bytes do not vary."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = e.write_own_wheels(str(tmp_path / "one"))
    second = e.write_own_wheels(str(tmp_path / "two"))
    with zipfile.ZipFile(first[0]) as archive:
        names = archive.namelist()

    assert 4 == len(first)
    assert "mlflow/__init__.py" in names
    assert any(name.endswith("entry_points.txt") for name in names)
    assert not any("__pycache__" in name for name in names)
    for left, right in zip(first, second, strict=True):
        assert Path(left).read_bytes() == Path(right).read_bytes()


@pytest.fixture
def commands(monkeypatch):
    """The commands that would be run; environments appear as empty files."""
    seen = []

    def run(command, purpose):
        seen.append(command)
        if "venv" in command:
            python = os.path.join(command[-1], "bin", "python")
            os.makedirs(os.path.dirname(python))
            Path(python).touch()

    monkeypatch.setattr(e, "_run", run)
    monkeypatch.setattr(e, "_interpreter", lambda wanted: sys.executable)
    return seen


def test_an_environment_is_made_once(tmp_path, monkeypatch, commands):
    """Our wheels come with the model's requirements; the second time nothing is made."""
    monkeypatch.setenv("MLFLOW_ENV_ROOT", str(tmp_path / "envs"))
    folder = model_folder(tmp_path / "m", "mlflow==2.6.0\nnumpy==1.0\n")
    python = e.environment_python(folder, "virtualenv")
    again = e.environment_python(folder, "virtualenv")

    assert python == again
    assert 2 == len(commands)
    assert commands[1][4:] and any("millstream-" in item for item in commands[1])
    listing = Path(python).parents[2] / "requirements.txt"
    assert "numpy==1.0\ncloudpickle\npandas\n" == listing.read_text()


def test_pins_of_the_libraries_that_we_use_are_the_models(tmp_path):
    """A model pinned to old libraries gets them; what it does not name comes in any version."""
    folder = model_folder(tmp_path / "m", "Cloud.Pickle==1\ncloudpickle==2.2.1\nPandas==1.5.3\n")

    lines, constraints = e.what_to_install(folder)

    assert ["Cloud.Pickle==1", "cloudpickle==2.2.1", "Pandas==1.5.3", "numpy"] == lines
    assert [] == constraints


def test_nothing_that_we_install_bounds_those_libraries(tmp_path):
    """Our wheels come without the extra that asks for recent versions."""
    from email.parser import Parser

    for wheel in e.write_own_wheels(str(tmp_path)):
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
            metadata = Parser().parsestr(archive.read(name).decode())
        plain = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
        assert not [line for line in plain if line.startswith(e.LIBRARIES)]


def test_constraints_are_kept_and_checked(tmp_path):
    """Constraints beside the model bound what is installed; mlflow's own are left out."""
    folder = model_folder(tmp_path / "m", "a\n-c constraints.txt\n")
    (tmp_path / "m" / "constraints.txt").write_text("# why\na<2\nmlflow==2.6.0\n")

    assert ["a<2"] == e.what_to_install(folder)[1]

    (tmp_path / "m" / "constraints.txt").write_text("a @ file:///x\n")
    with pytest.raises(MlflowException, match="allow-requirement-sources"):
        e.what_to_install(folder)


@pytest.mark.parametrize(("saved", "used"), [("3.8.20", None), ("3.10.1", None),
                                              ("3.11.0", "3.11.0"), ("3.14.2", "3.14.2")])  # fmt: skip
def test_an_old_python_gives_way_to_one_that_runs_us(tmp_path, caplog, saved, used):
    """A model saved with a Python that cannot run us is served with this one, and that is said."""
    with caplog.at_level("WARNING"):
        found = e.usable_python(model_folder(tmp_path / "m", python=saved))

    assert found == (used or ".".join(map(str, sys.version_info[:3])))
    assert (saved in caplog.text) == (used is None)


def test_other_requirements_make_another(tmp_path, monkeypatch, commands):
    """The cache is by content."""
    monkeypatch.setenv("MLFLOW_ENV_ROOT", str(tmp_path / "envs"))
    folder = model_folder(tmp_path / "m", "numpy==1.0\n")

    assert e.environment_python(folder, "virtualenv") != e.environment_python(
        folder, "virtualenv", extra=["six"]
    )


def test_a_failed_installation_leaves_nothing(tmp_path, monkeypatch):
    """What could not be finished is removed, and tried again the next time."""
    monkeypatch.setenv("MLFLOW_ENV_ROOT", str(tmp_path / "envs"))

    def fail(command, check, stdout):
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(e.subprocess, "run", fail)
    monkeypatch.setattr(e, "_interpreter", lambda wanted: sys.executable)
    with pytest.raises(ExecutionException, match="exit code 1"):
        e.environment_python(model_folder(tmp_path / "m", "x\n"), "virtualenv")

    assert [] == os.listdir(tmp_path / "envs")


def test_no_fitting_interpreter(tmp_path, monkeypatch):
    """A Python that is not here is named, with what to do."""
    monkeypatch.setenv("MLFLOW_ENV_ROOT", str(tmp_path / "envs"))
    with pytest.raises(MlflowException, match="python3.99 .*--env-manager uv"):
        e.environment_python(model_folder(tmp_path / "m", python="3.99.1"), "virtualenv")
