"""Changing a stored model."""

import pytest
import yaml
from sklearn.linear_model import LinearRegression

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, infer_signature, set_signature, update_model_requirements

SIGNATURE = infer_signature([1.0], [2.0])


@pytest.fixture
def logged():
    with mlflow.start_run():
        return mlflow.sklearn.log_model(LinearRegression(), name="m", registered_model_name="r")


def uris(info):
    return [f"runs:/{info.run_id}/m", info.model_uri, info.artifact_path,
            f"mlruns/0/{info.run_id}/artifacts/m"]  # fmt: skip


@pytest.mark.parametrize("which", range(4))
def test_a_signature_is_set(logged, which):
    uri = uris(logged)[which]

    set_signature(uri, SIGNATURE)

    assert Model.load(uri).signature == SIGNATURE
    assert Model.load(uri).flavors == logged.flavors


@pytest.mark.parametrize("which", range(4))
def test_requirements_are_added_and_removed(logged, which):
    uri = uris(logged)[which]

    update_model_requirements(uri, "add", ["numpy==0.1", "new[x]>=2"])
    update_model_requirements(uri, "remove", ["pandas", "never-there"])

    with open(mlflow.pyfunc.get_model_dependencies(uri)) as file:
        lines = file.read().splitlines()
    with open(mlflow.pyfunc.get_model_dependencies(uri, format="conda")) as file:
        conda = yaml.safe_load(file)
    assert {"numpy==0.1", "new[x]>=2", "mlflow==3.17.2"} <= set(lines)
    assert not any(line.startswith("pandas") for line in lines)
    assert conda["dependencies"][-1] == {"pip": lines}


@pytest.mark.parametrize("uri", ["models:/r/1", "models:/r@a", "models:/r/latest"])
def test_a_registered_version_does_not_change(logged, uri):
    with pytest.raises(MlflowException, match="does not change"):
        set_signature(uri, SIGNATURE)
    with pytest.raises(MlflowException, match="does not change"):
        update_model_requirements(uri, "add", ["x"])


def test_bad_operations_and_requirements_are_refused(logged):
    with pytest.raises(MlflowException, match="operation"):
        update_model_requirements(logged.model_uri, "replace", ["x"])
    with pytest.raises(MlflowException, match="not a valid pip requirement"):
        update_model_requirements(logged.model_uri, "add", ["--index-url http://x"])
