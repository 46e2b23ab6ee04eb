"""Reading parts of pipelines from folders that were changed by others."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models.deserialize import POLICY_VARIABLE
from tests.interop.tiny_pipelines import PIPELINES

pytest.importorskip(
    "transformers", reason="transformers is not installed; scripts/flavors brings it"
)
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def folder(tmp_path):
    mlflow.transformers.save_model(PIPELINES["classifier"][0](), tmp_path / "m")
    return tmp_path / "m"


def change(folder, **keys):
    content = yaml.safe_load((folder / "MLmodel").read_text())
    conf = content["flavors"]["transformers"]
    conf.update(keys)
    content["flavors"]["transformers"] = {k: v for k, v in conf.items() if v is not None}
    (folder / "MLmodel").write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("allowed", ["true", "false"])
@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"pipeline_model_type": "pipeline"}, "no class of a model"),
        ({"pipeline_model_type": "os.system"}, "is of a class that is none"),
        ({"pipeline_model_type": 3}, "is of a class that is none"),
        ({"tokenizer_type": "pipeline"}, "no class of a tokenizer"),
        ({"tokenizer_type": "BertModel"}, "no class of a tokenizer"),
        ({"components": ["__class__"]}, "a part that no pipeline has"),
        ({"torch_dtype": "torch.load"}, "precision that PyTorch does not know"),
        ({"model_binary": "../m/model"}, "not a path inside"),
        ({"model_binary": None}, "no repository"),
        ({"model_binary": None, "source_model_name": "/etc"}, "no repository"),
        ({"model_binary": None, "source_model_name": "../x/y"}, "no repository"),
        ({"model_binary": None, "source_model_name": "a/b"}, "no revision"),
        ({"peft_adaptor": "peft"}, "adapter of PEFT"),
        ({"task": "nonsense"}, "cannot be created as a Pipeline"),
    ],
)  # fmt: skip
def test_keys_of_others_are_refused(folder, keys, message, allowed, monkeypatch):
    monkeypatch.setenv(POLICY_VARIABLE, allowed)
    change(folder, **keys)

    for load in (mlflow.transformers.load_model, mlflow.pyfunc.load_model):
        with pytest.raises(MlflowException, match=message):
            load(folder)


def test_pickled_weights_are_read_where_pickles_are_allowed(folder, monkeypatch):
    model = mlflow.transformers.load_model(folder).model
    (folder / "model" / "model.safetensors").unlink()
    import torch

    torch.save(model.state_dict(), folder / "model" / "pytorch_model.bin")
    assert mlflow.transformers.load_model(folder).task == "text-classification"
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="is a pickle, which can run any code"):
        mlflow.transformers.load_model(folder)


CODE = """
from transformers import BertForSequenceClassification

open({marker!r}, "w").close()

class Own(BertForSequenceClassification):
    pass
"""


def test_code_that_comes_with_a_model_runs_where_it_is_allowed(folder, tmp_path, monkeypatch):
    marker = tmp_path / "marker"
    config = json.loads((folder / "model" / "config.json").read_text())
    config["auto_map"] = {"AutoModelForSequenceClassification": "own.Own"}
    (folder / "model" / "config.json").write_text(json.dumps(config))
    (folder / "model" / "own.py").write_text(CODE.format(marker=str(marker)))
    change(folder, pipeline_model_type="Own")
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match="whose code comes with it"):
        mlflow.pyfunc.load_model(folder)
    assert not marker.exists()
    monkeypatch.setenv(POLICY_VARIABLE, "true")
    assert type(mlflow.transformers.load_model(folder).model).__name__ == "Own"
    assert marker.exists()


@pytest.mark.parametrize("key", ["attn_implementation", "custom_pipelines"])
def test_configurations_that_fetch_code_are_refused(folder, key, monkeypatch):
    config = json.loads((folder / "model" / "config.json").read_text())
    config[key] = "kernels-of/others"
    (folder / "model" / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match="a configuration"):
        mlflow.pyfunc.load_model(folder)


@pytest.mark.parametrize(
    "damage", ["model", "model/config.json", "model/model.safetensors", "components"]
)
def test_damaged_folders_say_so(folder, damage):
    place = folder / damage
    shutil.rmtree(place) if place.is_dir() else place.write_text("{")

    with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
        mlflow.pyfunc.load_model(folder)
