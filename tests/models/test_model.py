"""The MLmodel file, its unknown keys included."""

import logging

import pandas as pd
import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.models.model import get_model_info


def test_unknown_keys_survive(tmp_path):
    path = tmp_path / "MLmodel"
    path.write_text("flavors: {f: {a: 1}}\nfuture: {x: [1, 2]}\nmlflow_version: 9.9.9\n")

    model = Model.load(path)
    model.add_flavor("g", b=2)
    model.save(path)

    content = yaml.safe_load(path.read_text())
    assert content["future"] == {"x": [1, 2]}
    assert content["mlflow_version"] == "9.9.9"
    assert content["flavors"] == {"f": {"a": 1}, "g": {"b": 2}}


def test_the_keys_of_a_model_without_a_signature():
    content = Model(run_id="r", artifact_path="file:///x").add_flavor("f", a=1).to_dict()

    assert sorted(content) == [
        "artifact_path", "flavors", "mlflow_version", "model_id", "model_uuid", "prompts",
        "run_id", "utc_time_created",
    ]  # fmt: skip


def test_a_signature_is_read_back(tmp_path):
    signature = infer_signature(pd.DataFrame({"a": [1.0], 3: ["x"]}), [1], {"k": 2})
    Model(signature=signature, metadata={"m": 1}).save(tmp_path / "MLmodel")

    model = Model.load(tmp_path)

    assert model.signature == signature
    assert model.metadata == {"m": 1}
    assert model.get_input_schema() == signature.inputs
    assert model.get_output_schema() == signature.outputs
    assert model.get_params_schema() == signature.params
    content = yaml.safe_load((tmp_path / "MLmodel").read_text())
    assert isinstance(content["signature"]["inputs"], str)
    assert content["is_signature_from_type_hint"] is False
    # MLflow 2.6 refuses a column with this key; every version takes its absence for true.
    assert "required" not in content["signature"]["inputs"]


def test_columns_that_may_be_missing_say_so(tmp_path):
    signature = infer_signature(pd.DataFrame({"a": [1.0, None], "b": ["x", None], "c": [1, 2]}))
    Model(signature=signature).save(tmp_path / "MLmodel")

    assert Model.load(tmp_path).signature == signature


def test_signatures_of_mlflow_2_are_read():
    model = Model.from_dict(
        {"signature": {"inputs": '[{"name": "a", "type": "long", "optional": true}]'}}
    )

    assert isinstance(model.signature, ModelSignature)
    assert not model.signature.inputs.inputs[0].required


def test_what_is_no_mlmodel_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="Could not find"):
        Model.load(tmp_path)
    (tmp_path / "MLmodel").write_text("- a\n- b\n")
    with pytest.raises(MlflowException, match="holds a mapping"):
        Model.load(tmp_path)


def test_an_id_is_made_kept_or_left_out():
    assert len(Model().model_uuid) == 32
    assert Model(model_uuid="x").model_uuid == "x"
    assert Model.from_dict({}).model_uuid is None


def test_json_and_yaml_say_the_same():
    model = Model(metadata={"a": 1})

    assert yaml.safe_load(model.to_yaml()) == yaml.safe_load(model.to_json()) == model.to_dict()
    assert model == Model.from_dict(model.to_dict())
    assert "metadata" in str(model)


def test_the_dictionary_of_the_history_tag():
    assert sorted(Model(run_id="r", artifact_path="m").get_tags_dict()) == [
        "artifact_path", "flavors", "model_uuid", "run_id", "utc_time_created"
    ]  # fmt: skip


def test_attributes_that_say_nothing_are_none():
    model = Model()

    assert model.env_vars is model.resources is model.auth_policy is model.model_size_bytes is None
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = model.nothing_of_the_kind


def test_the_facts_of_a_saved_folder(tmp_path):
    Model(artifact_path=str(tmp_path), metadata={"a": 1}).add_flavor("f").save(tmp_path / "MLmodel")

    info = get_model_info(str(tmp_path))

    assert info.flavors == {"f": {}}
    assert info.metadata == {"a": 1}
    assert info.model_uri == str(tmp_path)
    assert info.model_id is info.params is info.run_id is None


def test_a_flavor_of_another_package_is_saved_and_logged(tmp_path, monkeypatch):
    """The way sktime and mlforecast log models."""
    (tmp_path / "their_flavor.py").write_text(
        "import mlflow.pyfunc\n"
        "from mlflow.models import Model\n"
        "def save_model(their, path, mlflow_model=None):\n"
        "    import os\n"
        "    os.makedirs(path)\n"
        "    with open(os.path.join(path, 'd'), 'w') as file: file.write(their)\n"
        "    mlflow_model.add_flavor('their', data='d')\n"
        "    mlflow.pyfunc.add_to_model(mlflow_model, loader_module='their_flavor', data='d')\n"
        "    mlflow_model.save(os.path.join(path, 'MLmodel'))\n"
        "class Loaded:\n"
        "    def __init__(self, text): self.text = text\n"
        "    def predict(self, data): return [self.text] * len(data)\n"
        "def _load_pyfunc(path):\n"
        "    with open(path) as file: return Loaded(file.read())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import their_flavor

    with mlflow.start_run():
        info = Model.log(artifact_path="m", flavor=their_flavor, their="hello")

    assert mlflow.pyfunc.load_model(info.model_uri).predict([1, 2]) == ["hello", "hello"]
    assert set(info.flavors) == {"their", "python_function"}


def test_an_example_is_read_where_the_model_was_logged(caplog):
    from sklearn.linear_model import LinearRegression

    frame = pd.DataFrame({"a": [0.0, 1.0]})
    model = LinearRegression().fit(frame, [0, 1])
    with caplog.at_level(logging.WARNING), mlflow.start_run():
        info = mlflow.sklearn.log_model(model, name="m", input_example=frame)

    meta = Model.load(info.model_uri)
    pd.testing.assert_frame_equal(meta.load_input_example(), frame)
    assert meta.load_input_example_params() is None
    assert "dataframe_split" in meta.get_serving_input()
