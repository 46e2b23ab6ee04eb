"""Requirements: inferred, given, joined; and never in the way of the weights."""

import importlib.metadata
import logging

import pytest

from mlflow.exceptions import MlflowException
from mlflow.models import requirements


def pin(package):
    return f"{package}=={importlib.metadata.version(package)}"


@pytest.mark.parametrize(
    ("text", "name"),
    [("A_b.C==1", "a-b-c"), ("x[y]>=2", "x"), ("mlflow", "mlflow"), ("--hash", "--hash")],
)
def test_names(text, name):
    assert requirements.requirement_name(text) == name


def test_pins():
    assert requirements.pinned("numpy") == pin("numpy")
    assert requirements.pinned("numpy[x]", version="1.0+cpu") == "numpy[x]==1.0"
    assert requirements.pinned("nowhere") == "nowhere"


def test_requirements_of_a_folder_come_from_its_files(tmp_path):
    (tmp_path / "m.py").write_text("import numpy, mlflow, os\nimport helper")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "helper.py").write_text("import pandas")

    found = requirements.infer_pip_requirements(str(tmp_path), "x", fallback=["scipy==1.0"])

    assert found == [pin("numpy"), pin("pandas"), "scipy==1.0"]


def test_what_is_found_wins_over_the_fallback(tmp_path):
    (tmp_path / "m.py").write_text("import numpy")

    assert requirements.infer_pip_requirements(str(tmp_path), "x", ["numpy"]) == [pin("numpy")]


def test_a_failure_gives_the_fallback(monkeypatch, caplog):
    def fail(path):
        raise RuntimeError("no")

    monkeypatch.setattr(requirements, "modules_in_folder", fail)
    with caplog.at_level(logging.WARNING):
        assert requirements.infer_pip_requirements("x", "y", ["z"]) == ["z"]
        assert requirements.requirements_of_objects("x", ["z"]) == ["z"]
    assert "Could not infer" in caplog.text


def test_companions_are_added_once():
    found = requirements.with_companions(["numpy==0.1"], ["numpy", "pandas", "nowhere"])

    assert found == ["numpy==0.1", pin("pandas")]


def test_one_way_to_say_requirements():
    requirements.check_environment_arguments(None, None, None)
    requirements.check_environment_arguments({}, None, None)
    for given in (({}, ["a"], None), ({}, None, ["a"]), (None, ["a"], ["b"])):
        with pytest.raises(ValueError, match="Only one of"):
            requirements.check_environment_arguments(*given)


def test_files_that_refer_to_files(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "r.txt").write_text(
        "a==1  # why\n\n# nothing\n-r sub/more.txt\n-c c.txt\nlong\\\n>=2\n"
    )
    (tmp_path / "sub" / "more.txt").write_text("b\n--requirement other.txt\n")
    (tmp_path / "sub" / "other.txt").write_text("d;python_version>'3'\n")
    (tmp_path / "c.txt").write_text("e<3\n")

    found = requirements.parse_pip_requirements(str(tmp_path / "r.txt"))

    assert found == (["a==1", "b", "d;python_version>'3'", "long >=2"], ["e<3"])


def test_files_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a.txt").write_text("-r a.txt\n")

    with pytest.raises(MlflowException, match="circle"):
        requirements.parse_pip_requirements(str(tmp_path / "a.txt"))


@pytest.mark.parametrize("given", [3, [1], object()])
def test_requirements_of_other_types_are_refused(given):
    with pytest.raises(TypeError, match="pip_requirements"):
        requirements.parse_pip_requirements(given)


def test_mlflow_comes_first_and_only_once():
    _, found, _ = requirements.process_pip_requirements(["a"])
    assert found == ["mlflow==3.17.2", "a"]
    _, found, _ = requirements.process_pip_requirements(["a"], pip_requirements=["b", "mlflow"])
    assert found == ["b", "mlflow"]
    _, found, _ = requirements.process_pip_requirements(["a"], extra_pip_requirements=["b"])
    assert found == ["mlflow==3.17.2", "a", "b"]


def test_constraints_are_referred_to(tmp_path):
    (tmp_path / "c.txt").write_text("b<2\n")

    conda, found, constraints = requirements.process_pip_requirements(
        [], pip_requirements=["b", f"-c {tmp_path / 'c.txt'}"]
    )

    assert found == ["mlflow==3.17.2", "b", "-c constraints.txt"]
    assert constraints == ["b<2"]
    assert conda["dependencies"][-1] == {"pip": found}


def test_a_package_named_twice_is_joined():
    found = requirements.deduplicated(["a>=1", "b", "a<2", "A>=1", "c[x]", "c==1"])

    assert found == ["a>=1,<2", "b", "c[x]==1"]
