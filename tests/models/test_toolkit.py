"""The names that flavors of other packages import."""

import importlib
import inspect

import pytest

from mlflow.models import toolkit

NAMES = {
    "mlflow.utils.environment": """_CONDA_ENV_FILE_NAME _CONSTRAINTS_FILE_NAME
        _PYTHON_ENV_FILE_NAME _REQUIREMENTS_FILE_NAME _PythonEnv _mlflow_conda_env
        _process_conda_env _process_pip_requirements _validate_env_arguments""",
    "mlflow.utils.file_utils": "write_to",
    "mlflow.utils.model_utils": """_add_code_from_conf_to_system_path _get_flavor_configuration
        _validate_and_copy_code_paths _validate_and_prepare_target_save_path""",
    "mlflow.utils.requirements_utils": "_get_pinned_requirement",
    "mlflow.models.utils": "_save_example",
    "mlflow.models": "infer_pip_requirements Model",
    "mlflow.models.model": "MLMODEL_FILE_NAME",
    "mlflow.tracking._model_registry": "DEFAULT_AWAIT_MAX_SLEEP_SECONDS",
    "mlflow.tracking.artifact_utils": "_download_artifact_from_uri",
}


@pytest.mark.parametrize(
    ("module", "name"), [(m, n) for m, names in NAMES.items() for n in names.split()]
)
def test_the_name_is_where_flavors_import_it(module, name):
    assert getattr(importlib.import_module(module), name) is not None


def test_every_name_is_there():
    assert [] == [name for name in toolkit.__all__ if not hasattr(toolkit, name)]


def test_a_file_is_written(tmp_path):
    toolkit.write_to(str(tmp_path / "x"), "text")

    assert (tmp_path / "x").read_text() == "text"


def test_code_of_a_configuration_stays_inside(tmp_path, monkeypatch):
    import sys

    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "code").mkdir()

    toolkit._add_code_from_conf_to_system_path(str(tmp_path), {"code": "code"})
    toolkit._add_code_from_conf_to_system_path(str(tmp_path), {"code": None})
    assert sys.path[-1] == str(tmp_path / "code")
    with pytest.raises(Exception, match="not a path inside"):
        toolkit._add_code_from_conf_to_system_path(str(tmp_path), {"code": ".."})


def test_a_configuration_is_read_from_a_uri(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors: {f: {a: 1}}\n")

    found = toolkit._get_flavor_configuration_from_uri(str(tmp_path), "f")
    assert found == {"a": 1}


def test_arguments_are_those_that_flavors_pass():
    parameters = inspect.signature(toolkit._process_pip_requirements).parameters
    assert list(parameters)[1:] == ["pip_requirements", "extra_pip_requirements"]
    parameters = inspect.signature(toolkit._validate_and_copy_code_paths).parameters
    assert list(parameters) == ["code_paths", "path", "default_subpath"]
