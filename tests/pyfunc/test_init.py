"""The public names of `mlflow.pyfunc`."""

import mlflow
from mlflow import pyfunc


def test_every_public_name_is_there():
    assert [] == [name for name in pyfunc.__all__ if not hasattr(pyfunc, name)]


def test_constants_of_the_format():
    found = (pyfunc.FLAVOR_NAME, pyfunc.MAIN, pyfunc.CODE, pyfunc.DATA, pyfunc.ENV)
    assert found == ("python_function", "loader_module", "code", "data", "env")


def test_the_old_name_of_load_model(tmp_path):
    mlflow.pyfunc.save_model(tmp_path / "m", python_model=lambda x: x)

    assert pyfunc.load_pyfunc(str(tmp_path / "m")).predict(1) == 1
    assert pyfunc._load_pyfunc(str(tmp_path / "m")).predict(1) == 1
