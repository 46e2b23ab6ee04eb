"""Saving with any flavor: an optional part that fails never costs the weights."""

import logging
import os

import pytest
from sklearn.linear_model import LinearRegression

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, env_files, flavor, infer_signature


def make(tmp_path, **kwargs):
    return flavor.FlavorFolder(tmp_path / "m", None, **kwargs)


def echo(data, params=None):
    return data


def test_an_example_gives_a_signature(tmp_path):
    folder = make(tmp_path, input_example=[[1.0, 2.0]])
    folder.add_loader("own_loader", echo, data="d")
    folder.finish(lambda: ["numpy"])

    model = Model.load(tmp_path / "m")
    assert model.signature is not None
    conf = model.flavors["python_function"]
    assert (conf["loader_module"], conf["data"]) == ("own_loader", "d")
    assert conf["env"] == {"conda": "conda.yaml", "virtualenv": "python_env.yaml"}
    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "python_env.yaml", "requirements.txt",
        "serving_input_example.json",
    ]  # fmt: skip


def test_false_means_no_signature(tmp_path):
    folder = make(tmp_path, input_example=[1], signature=False)
    folder.add_loader("own_loader", echo)
    folder.finish(list)

    assert folder.model.signature is None


def test_a_given_signature_is_not_inferred_again(tmp_path):
    signature = infer_signature([1.0])
    folder = make(tmp_path, input_example=["x"], signature=signature)
    folder.add_loader("own_loader", lambda data: 1 / 0)
    folder.finish(list)

    assert folder.model.signature is signature


def test_metadata_and_code_are_kept(tmp_path):
    (tmp_path / "c.py").write_text("")
    folder = make(tmp_path, metadata={"a": 1}, code_paths=[str(tmp_path / "c.py")])

    folder.add_loader("own_loader", None)
    folder.add_flavor("own", data="d")

    assert folder.model.flavors["python_function"]["code"] == "code"
    assert folder.model.flavors["own"] == {"data": "d", "code": "code"}
    assert folder.model.metadata == {"a": 1}
    assert folder.file("x") == str(tmp_path / "m" / "x")


def test_two_ways_of_requirements_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="Only one of"):
        make(tmp_path, pip_requirements=["a"], conda_env={})
    assert not (tmp_path / "m").exists()


def test_a_bad_example_costs_nothing_else(tmp_path, caplog):
    folder = make(tmp_path, input_example=object())
    folder.add_loader("own_loader", echo)
    with caplog.at_level(logging.WARNING):
        folder.finish(list)

    assert "without an input example" in caplog.text
    assert (tmp_path / "m" / "MLmodel").exists()


def test_requirements_that_fail_cost_nothing_else(tmp_path, caplog, monkeypatch):
    def fail(*args):
        raise RuntimeError("no")

    folder = make(tmp_path)
    with caplog.at_level(logging.WARNING):
        folder.finish(lambda: fail())

    assert "requirements could not be written: RuntimeError: no" in caplog.text
    assert (tmp_path / "m" / "requirements.txt").read_text() == "mlflow==3.17.2"


@pytest.mark.parametrize("given", [{"pip_requirements": 3}, {"conda_env": 3},
                                   {"extra_pip_requirements": ["-r nowhere.txt"]}])  # fmt: skip
def test_requirements_that_cannot_be_read_give_way_to_those_that_are_found(tmp_path, given):
    folder = make(tmp_path, **given)
    folder.finish(lambda: ["numpy==1.0"])

    text = (tmp_path / "m" / "requirements.txt").read_text()
    assert text.splitlines()[:2] == ["mlflow==3.17.2", "numpy==1.0"]


def test_a_missing_shim_is_said_once(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(flavor, "installed_version", lambda name: None)
    flavor._warn_about_the_shim.cache_clear()
    with caplog.at_level(logging.WARNING):
        for name in ("one", "two"):
            flavor.FlavorFolder(tmp_path / name, None).finish(list)
    flavor._warn_about_the_shim.cache_clear()

    assert caplog.text.count("mlflow shim install") == 1


@pytest.mark.parametrize("part", ["save_example", "infer_signature_from_example",
                                  "write_environment", "requirements_of_objects"])  # fmt: skip
def test_weights_survive_the_failure_of_any_part(tmp_path, monkeypatch, part):
    def fail(*args, **kwargs):
        raise RuntimeError("broken part")

    monkeypatch.setattr(flavor, part, fail)
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(model, name="m", input_example=[[1.0]])

    assert mlflow.sklearn.load_model(info.model_uri).coef_[0] == pytest.approx(2.0)


def test_the_size_is_that_of_the_model(tmp_path):
    folder = make(tmp_path)
    with open(folder.file("w"), "wb") as file:
        file.write(b"xyz")
    folder.finish(list)

    assert Model.load(tmp_path / "m").model_size_bytes == 3


def test_a_taken_folder_is_refused(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "x").write_text("")

    with pytest.raises(MlflowException, match="already exists"):
        make(tmp_path)


def test_the_version_of_python():
    assert flavor.python_version().startswith("3.")
    assert env_files.PythonEnv.current().python == flavor.python_version()
