"""Folders of models from code."""

import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE

CODE = "import mlflow\nmlflow.models.set_model(lambda x: 7)\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "c.py").write_text(CODE)
    mlflow.pyfunc.save_model(tmp_path / "m", python_model=str(tmp_path / "c.py"))
    return tmp_path / "m"


def change(folder, edit):
    path = folder / "MLmodel"
    content = yaml.safe_load(path.read_text())
    edit(content["flavors"]["python_function"])
    path.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("written", ["/home/somebody/c.py", "C:\\work\\c.py", "c.py"])
def test_the_file_is_found_whatever_path_it_had(folder, written):
    change(folder, lambda conf: conf.update(model_code_path=written))

    assert mlflow.pyfunc.load_model(folder).predict([1]) == 7


@pytest.mark.parametrize("written", ["..", "/", "x/.."])
def test_a_path_that_is_no_file_is_refused(folder, written):
    change(folder, lambda conf: conf.update(model_code_path=written))

    with pytest.raises(MlflowException, match="not a path inside"):
        mlflow.pyfunc.load_model(folder)


def test_a_folder_without_the_key_is_refused(folder):
    change(folder, lambda conf: conf.pop("model_code_path"))

    with pytest.raises(MlflowException, match="model_code_path"):
        mlflow.pyfunc.load_model(folder)


def test_code_is_refused_by_the_policy(folder, monkeypatch):
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match="Python file"):
        mlflow.pyfunc.load_model(folder)
