"""Loading models as pyfunc: which are found, what is told, what is refused."""

import logging

import pytest
import yaml
from sklearn.linear_model import LinearRegression

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE
from mlflow.pyfunc.load import model_python_env


@pytest.fixture
def folder(tmp_path):
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    mlflow.sklearn.save_model(model, tmp_path / "m")
    return tmp_path / "m"


def change(folder, edit):
    path = folder / "MLmodel"
    content = yaml.safe_load(path.read_text())
    edit(content["flavors"]["python_function"])
    path.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("uri", ["{path}", "file:{path}", "file://{path}", "m"])
def test_paths_of_every_spelling(folder, monkeypatch, uri):
    monkeypatch.chdir(folder.parent)

    assert mlflow.pyfunc.load_model(uri.format(path=folder)).predict([[2.0]])[0] == pytest.approx(4)


def test_registered_and_logged_models():
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(model, name="m", registered_model_name="r")
    mlflow.MlflowClient().set_registered_model_alias("r", "best", "1")

    for uri in ("models:/r/1", "models:/r/latest", "models:/r@best", info.model_uri,
                f"runs:/{run.info.run_id}/m"):  # fmt: skip
        loaded = mlflow.pyfunc.load_model(uri)
        assert loaded.predict([[2.0]])[0] == pytest.approx(4)
        assert loaded.model_id == info.model_id


def test_a_copy_is_left_where_it_is_wanted(folder, tmp_path):
    (tmp_path / "to").mkdir()
    mlflow.pyfunc.load_model(str(folder), dst_path=str(tmp_path / "to"))

    assert list((tmp_path / "to").rglob("MLmodel"))


@pytest.mark.parametrize("uri", ["nowhere", "models:/nobody/1", "runs:/0123/m", "models:/a@b"])
def test_what_is_not_there(uri):
    with pytest.raises(MlflowException):
        mlflow.pyfunc.load_model(uri)


def test_a_folder_without_an_mlmodel(tmp_path):
    with pytest.raises(MlflowException, match="Could not find"):
        mlflow.pyfunc.load_model(str(tmp_path))


def test_a_model_without_pyfunc(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors: {x: {}}\n")

    with pytest.raises(MlflowException, match='does not have the "python_function" flavor'):
        mlflow.pyfunc.load_model(str(tmp_path))


def test_differing_versions_are_told_once_in_one_message(folder, caplog):
    (folder / "requirements.txt").write_text(
        "mlflow==2.6.0\nscikit-learn==0.1\nnever-there==1\nnumpy\npandas>=1\n-c constraints.txt"
    )
    change(folder, lambda conf: conf.update(python_version="3.8.1"))
    with caplog.at_level(logging.WARNING):
        mlflow.pyfunc.load_model(str(folder))

    assert len(caplog.records) == 2
    assert "`Python 3.8.1`" in caplog.records[0].getMessage()
    told = caplog.records[1].getMessage()
    assert "scikit-learn (current:" in told
    assert "never-there (current: uninstalled" in told
    assert "mlflow==2.6.0" not in told


def test_warnings_can_be_suppressed(folder, caplog):
    (folder / "requirements.txt").write_text("scikit-learn==0.1")
    with caplog.at_level(logging.WARNING):
        mlflow.pyfunc.load_model(str(folder), suppress_warnings=True)

    assert caplog.records == []


def test_no_warning_where_nothing_differs(folder, caplog):
    with caplog.at_level(logging.WARNING):
        mlflow.pyfunc.load_model(str(folder))

    assert caplog.records == []


def test_a_flavor_of_a_later_version_is_named(folder):
    change(folder, lambda conf: conf.update(loader_module="mlflow.paddle"))

    with pytest.raises(MlflowException, match="'paddle' is not in this version"):
        mlflow.pyfunc.load_model(str(folder))


@pytest.mark.parametrize("key", ["code", "data"])
def test_paths_of_the_mlmodel_stay_inside(folder, key):
    change(folder, lambda conf: conf.update({key: "../../etc"}))

    with pytest.raises(MlflowException, match="not a path inside"):
        mlflow.pyfunc.load_model(str(folder))


def test_code_is_not_importable_where_it_is_refused(folder, monkeypatch, caplog):
    import sys

    (folder / "code").mkdir()
    change(folder, lambda conf: conf.update(code="code"))
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with caplog.at_level(logging.WARNING):
        mlflow.pyfunc.load_model(str(folder))

    assert not any(str(folder) in path for path in sys.path)
    assert "not made importable" in caplog.text


def test_dependencies(folder):
    assert mlflow.pyfunc.get_model_dependencies(str(folder)) == str(folder / "requirements.txt")
    conda = mlflow.pyfunc.get_model_dependencies(str(folder), format="conda")
    assert conda == str(folder / "conda.yaml")
    with pytest.raises(MlflowException, match="Illegal format"):
        mlflow.pyfunc.get_model_dependencies(str(folder), format="x")


def test_dependencies_of_an_old_model_come_from_conda(folder):
    (folder / "requirements.txt").unlink()

    with open(mlflow.pyfunc.get_model_dependencies(str(folder))) as file:
        assert "mlflow==3.17.2" in file.read().splitlines()


def test_the_environment_of_a_model(folder):
    assert model_python_env(str(folder)).dependencies == ["-r requirements.txt"]
    change(folder, lambda conf: conf.update(env="conda.yaml"))
    assert "mlflow==3.17.2" in model_python_env(str(folder)).dependencies
    change(folder, lambda conf: conf.update(env={"virtualenv": "../x"}))
    with pytest.raises(MlflowException, match="not a path inside"):
        model_python_env(str(folder))
