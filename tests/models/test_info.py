"""What `log_model` answers."""

import pytest

import mlflow
from mlflow.models.info import ModelInfo

FACTS = dict.fromkeys(
    ["artifact_path", "flavors", "model_uri", "model_uuid", "run_id", "saved_input_example_info",
     "signature", "utc_time_created", "mlflow_version"]
)  # fmt: skip


def test_facts_of_a_folder_that_was_only_saved():
    info = ModelInfo(**FACTS)

    assert [info.model_id, info.name, info.params, info.tags, info.metrics] == [None] * 5
    assert info.creation_timestamp is info.registered_model_version is info.prompts is None


def test_names_of_variables_are_text():
    info = ModelInfo(**FACTS)
    info.env_vars = ["A"]

    assert info.env_vars == ["A"]
    with pytest.raises(TypeError, match="list of strings"):
        info.env_vars = [1]


def test_facts_of_a_logged_model():
    with mlflow.start_run() as run:
        mlflow.log_param("p", 1)
        info = mlflow.pyfunc.log_model(
            name="m", python_model=lambda x: x, params={"q": 2}, tags={"t": "v"}, model_type="k"
        )

    assert info.run_id == run.info.run_id
    assert info.name == "m"
    assert info.params == {"p": "1", "q": "2"}
    assert info.tags["t"] == "v"
    assert info.model_id.startswith("m-")
    assert info.model_uri == f"models:/{info.model_id}"
    assert info.model_uuid == info.model_id
    assert info.creation_timestamp > 0
