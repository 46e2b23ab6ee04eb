"""Models from code: what a file sets, and the configuration it sees."""

import json

import pytest

from mlflow.exceptions import MlflowException
from mlflow.models import ModelConfig, code_model, set_model
from mlflow.models.deserialize import POLICY_VARIABLE

FILE = """
import mlflow
config = mlflow.models.ModelConfig(development_config={"a": 1})
def model(x):
    return config.get("a")
mlflow.models.set_model(model)
"""


def write(tmp_path, text, name="m.py"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_what_the_file_sets_is_the_model(tmp_path):
    path = write(tmp_path, FILE)

    assert code_model.load_code_model(path)(0) == 1
    assert code_model.load_code_model(path, {"a": 2})(0) == 2


def test_a_notebook_is_run_without_its_magic(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "no python"},
        {"cell_type": "code", "source": ["%pip install x\n", "!ls\n", "import mlflow\n"]},
        {"cell_type": "code", "source": "mlflow.models.set_model(lambda x: 3)"},
    ]
    path = write(tmp_path, json.dumps({"cells": cells}), "m.ipynb")

    assert code_model.load_code_model(path)(0) == 3


def test_a_file_that_sets_nothing_is_an_error(tmp_path):
    set_model(lambda x: x)

    with pytest.raises(MlflowException, match="set_model"):
        code_model.load_code_model(write(tmp_path, "x = 1\n"))


@pytest.mark.parametrize("text", ["1 / 0", "import nowhere_at_all", "def ("])
def test_a_file_that_fails_names_itself(tmp_path, text):
    path = write(tmp_path, text)

    with pytest.raises(MlflowException, match="Failed to run the model's code"):
        code_model.load_code_model(path)


def test_code_is_not_run_where_it_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(POLICY_VARIABLE, "no")
    path = write(tmp_path, "open('marker', 'w')\n")

    with pytest.raises(MlflowException, match="is a Python file"):
        code_model.load_code_model(path)
    import os

    assert not os.path.exists("marker")


def test_what_is_no_model_is_refused():
    with pytest.raises(MlflowException, match="predict"):
        set_model(3)


def test_only_files_of_code_are_taken(tmp_path):
    assert code_model.checked_code_path(write(tmp_path, "")) == str(tmp_path / "m.py")
    with pytest.raises(MlflowException, match="must be a Python file"):
        code_model.checked_code_path(str(tmp_path))
    with pytest.raises(MlflowException, match="does not exist"):
        code_model.checked_code_path(str(tmp_path / "x.py"))


def test_configurations(tmp_path):
    path = write(tmp_path, "a: {b: 1}\n", "c.yaml")

    assert ModelConfig(development_config=path).to_dict() == {"a": {"b": 1}}
    assert ModelConfig(development_config={"a": 1}).get("a") == 1
    with code_model.config_context({"a": 2}):
        assert ModelConfig(development_config={"a": 1}).get("a") == 2
    with pytest.raises(KeyError, match="not found"):
        ModelConfig(development_config={"a": 1}).get("b")
    with pytest.raises(FileNotFoundError, match="None"):
        ModelConfig()
    with pytest.raises(FileNotFoundError, match="does not exist"):
        ModelConfig(development_config="nowhere.yaml")
