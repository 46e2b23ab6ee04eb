"""The files of a model's environment, byte for byte as MLflow reads them."""

import platform

import pytest
import yaml

from mlflow.exceptions import MlflowException
from mlflow.models import env_files
from mlflow.models.packages import installed_version


def test_the_python_environment_file_is_read_back(tmp_path):
    path = tmp_path / "python_env.yaml"
    env_files.PythonEnv.current().to_yaml(path)

    content = yaml.safe_load(path.read_text())

    assert list(content) == ["python", "build_dependencies", "dependencies"]
    assert content["python"] == platform.python_version()
    assert content["dependencies"] == ["-r requirements.txt"]
    assert env_files.PythonEnv.from_yaml(path) == env_files.PythonEnv.current()


def test_a_python_environment_from_conda(tmp_path):
    path = tmp_path / "conda.yaml"
    path.write_text(
        "dependencies:\n- python=3.11.7\n- pip<=23\n- libx\n- pip:\n  - a==1\n  - mlflow\n"
    )

    found = env_files.PythonEnv.from_conda_yaml(path)

    assert found.to_dict() == {
        "python": "3.11.7", "build_dependencies": ["pip<=23"], "dependencies": ["a==1", "mlflow"]
    }  # fmt: skip


def test_conda_without_python_is_refused(tmp_path):
    path = tmp_path / "conda.yaml"
    path.write_text("dependencies:\n- pip\n")

    with pytest.raises(MlflowException, match="python version"):
        env_files.PythonEnv.from_conda_yaml(path)


def test_all_files_are_written(tmp_path):
    lines = env_files.write_environment(str(tmp_path), ["a==1"])

    assert lines == ["mlflow==3.17.2", "a==1"]
    assert (tmp_path / "requirements.txt").read_text() == "mlflow==3.17.2\na==1"
    conda = yaml.safe_load((tmp_path / "conda.yaml").read_text())
    pip = installed_version("pip")  # absent where another tool made the environment
    assert conda == {
        "channels": ["conda-forge"],
        "dependencies": [
            f"python={platform.python_version()}",
            f"pip<={pip}" if pip else "pip",
            {"pip": lines},
        ],
        "name": "mlflow-env",
    }
    assert not (tmp_path / "constraints.txt").exists()
    assert env_files.requirements_of_folder(str(tmp_path)) == lines


def test_constraints_get_a_file(tmp_path):
    constraints = tmp_path / "c.txt"
    constraints.write_text("a<2")
    (tmp_path / "m").mkdir()

    env_files.write_environment(str(tmp_path / "m"), None, None, ["a", f"-c {constraints}"])

    assert (tmp_path / "m" / "constraints.txt").read_text() == "a<2"


def test_a_conda_environment_that_is_given_is_kept_and_gets_mlflow(tmp_path):
    given = {"name": "x", "dependencies": ["python=3.9", "cuda", {"pip": ["a"]}]}

    conda, requirements, _ = env_files.process_conda_env(given)

    assert conda["name"] == "x"
    assert conda["dependencies"] == [
        "python=3.9", "cuda", {"pip": ["mlflow==3.17.2", "a"]}
    ]  # fmt: skip
    assert requirements == ["mlflow==3.17.2", "a"]
    assert given["dependencies"][-1] == {"pip": ["a"]}


def test_a_conda_environment_of_another_type_is_refused():
    with pytest.raises(TypeError, match="conda env"):
        env_files.process_conda_env(3)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (["python=3.9"], ["python=3.9", {"pip": ["mlflow==3.17.2"]}]),
        ([], [{"pip": ["mlflow==3.17.2"]}]),
        ([{"pip": ["mlflow==2.6.0"]}, "z"], [{"pip": ["mlflow==2.6.0"]}, "z"]),
        (["y", {"pip": ["a"]}, "z"], ["y", {"pip": ["mlflow==3.17.2", "a"]}, "z"]),
    ],
)
def test_the_pip_part_of_a_conda_environment_stays_where_it_is(given, written):
    conda, _, _ = env_files.process_conda_env({"name": "x", "dependencies": given})

    assert conda["dependencies"] == written


def test_constraints_of_a_conda_environment_are_those_in_the_folder(tmp_path):
    (tmp_path / "c.txt").write_text("a<2")
    given = {"dependencies": [{"pip": ["a", f"-c {tmp_path / 'c.txt'}"]}]}

    conda, _, constraints = env_files.process_conda_env(given)

    assert conda["dependencies"] == [{"pip": ["mlflow==3.17.2", "a", "-c constraints.txt"]}]
    assert constraints == ["a<2"]


def test_mlflow_conda_env(tmp_path):
    found = env_files.mlflow_conda_env(additional_pip_deps=["a"], additional_conda_channels=["c"])
    env_files.mlflow_conda_env(str(tmp_path / "x.yaml"), additional_pip_deps=["a"])

    assert found["channels"] == ["conda-forge", "c"]
    assert found["dependencies"][-1] == {"pip": ["mlflow==3.17.2", "a"]}
    assert yaml.safe_load((tmp_path / "x.yaml").read_text())["name"] == "mlflow-env"


def test_a_model_without_requirements_is_an_error(tmp_path):
    with pytest.raises(MlflowException, match="has no requirements"):
        env_files.requirements_of_folder(str(tmp_path))


def test_the_entry_of_the_mlmodel():
    assert env_files.environment_entry() == {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
