"""The transformers flavor as a whole: folders, what comes back from them, and what is refused."""

from __future__ import annotations

import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.deserialize import POLICY_VARIABLE
from tests.interop.tiny_pipelines import PIPELINES, SOME, generator

transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed; scripts/flavors brings it"
)
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def classifier():
    return PIPELINES["classifier"][0]()


@pytest.mark.parametrize("name", PIPELINES)
def test_every_task_predicts_from_its_folder_where_code_is_refused(name, tmp_path, monkeypatch):
    make, rows = PIPELINES[name]
    pipeline = make()
    example = rows if name in ("sounds", "speech") else None
    settings = {"max_new_tokens": 3, "do_sample": False}
    config = settings if name in ("generator", "summary", "text2text", "translation") else None
    mlflow.transformers.save_model(
        pipeline, tmp_path / "m", model_config=config, input_example=example
    )
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    loaded = mlflow.pyfunc.load_model(tmp_path / "m")

    here = mlflow.transformers._TransformersWrapper(pipeline, model_config=config)
    expected, found = here.predict(rows), loaded.predict(rows)
    same = {pd.DataFrame: pd.DataFrame.equals, np.ndarray: np.array_equal, list: list.__eq__}
    assert same[type(expected)](expected, found)
    assert type(loaded.get_raw_model()) is type(pipeline)
    assert mlflow.transformers.load_model(tmp_path / "m").task == pipeline.task


def test_the_folder_is_as_mlflow_writes_it(classifier, tmp_path):
    mlflow.transformers.save_model(classifier, tmp_path / "m", input_example=SOME)

    assert sorted(os.listdir(tmp_path / "m")) == [
        "LICENSE.txt", "MLmodel", "components", "conda.yaml", "input_example.json", "model",
        "python_env.yaml", "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    assert sorted(os.listdir(tmp_path / "m" / "model")) == ["config.json", "model.safetensors"]
    conf = Model.load(tmp_path / "m").flavors["transformers"]
    assert (conf["pipeline_model_type"], conf["tokenizer_type"], conf["components"]) == (
        "BertForSequenceClassification", "PreTrainedTokenizerFast", ["tokenizer"],
    )  # fmt: skip
    requirements = (tmp_path / "m" / "requirements.txt").read_text()
    assert "transformers==" in requirements
    assert "torch==" in requirements
    pip = mlflow.transformers.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.transformers.get_default_pip_requirements()]


def test_parts_come_back_as_parts(classifier, tmp_path):
    parts = {"model": classifier.model, "tokenizer": classifier.tokenizer}
    mlflow.transformers.save_model(parts, tmp_path / "m", task="text-classification")

    found = mlflow.transformers.load_model(tmp_path / "m", return_type="components")
    assert {"model", "task", "tokenizer"} <= set(found)
    assert type(found["model"]) is type(classifier.model)
    with pytest.raises(MlflowException, match="return_type mode 'x' is unsupported"):
        mlflow.transformers.load_model(tmp_path / "m", return_type="x")
    import torch

    half = mlflow.transformers.load_model(tmp_path / "m", torch_dtype=torch.float16, device="cpu")
    assert half.model.dtype == torch.float16


def test_a_checkpoint_is_saved_from_its_folder(classifier, tmp_path):
    classifier.model.save_pretrained(tmp_path / "c")
    classifier.tokenizer.save_pretrained(tmp_path / "c")
    mlflow.transformers.save_model(tmp_path / "c", tmp_path / "m", task="text-classification")

    found = mlflow.pyfunc.load_model(tmp_path / "m").predict(SOME)
    assert list(found.columns) == ["label", "score"]
    with pytest.raises(MlflowException, match="`task` argument must be specified"):
        mlflow.transformers.save_model(tmp_path / "c", tmp_path / "n")
    with pytest.raises(MlflowException, match="must be set to True"):
        mlflow.transformers.save_model(
            tmp_path / "c", tmp_path / "n", task="text-classification", save_pretrained=False
        )


REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def from_hub(classifier, tmp_path, monkeypatch):
    """Give a pipeline that was loaded from a repository of the hub, of which there is a copy here."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    place = tmp_path / "hub" / "models--me--tiny"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(REVISION)
    classifier.model.save_pretrained(place / "snapshots" / REVISION)
    classifier.tokenizer.save_pretrained(place / "snapshots" / REVISION)
    arguments = {"cache_dir": str(tmp_path / "hub")}
    monkeypatch.setattr(
        "transformers.utils.hub.TRANSFORMERS_CACHE", str(tmp_path / "hub"), raising=False
    )
    return transformers.pipeline("text-classification", model="me/tiny", model_kwargs=arguments)


def test_a_reference_names_the_revision_and_is_persisted_later(from_hub, tmp_path):
    mlflow.transformers.save_model(from_hub, tmp_path / "m", save_pretrained=False)

    conf = Model.load(tmp_path / "m").flavors["transformers"]
    assert (conf["source_model_name"], conf["source_model_revision"]) == ("me/tiny", REVISION)
    assert (conf["tokenizer_name"], conf["tokenizer_revision"]) == ("me/tiny", REVISION)
    assert not (tmp_path / "m" / "model").exists()
    expected = mlflow.pyfunc.load_model(tmp_path / "m").predict(SOME)

    mlflow.transformers.persist_pretrained_model(tmp_path / "m")

    kept = Model.load(tmp_path / "m").flavors["transformers"]
    assert kept["model_binary"] == "model"
    assert not {"source_model_revision", "tokenizer_revision", "tokenizer_name"} & set(kept)
    shutil.rmtree(tmp_path / "hub")
    assert mlflow.pyfunc.load_model(tmp_path / "m").predict(SOME).equals(expected)
    mlflow.transformers.persist_pretrained_model(tmp_path / "m")


def test_what_comes_from_no_repository_is_saved_whole(classifier, tmp_path, caplog):
    mlflow.transformers.save_model(classifier, tmp_path / "m", save_pretrained=False)

    assert "does not come from a repository" in caplog.text
    assert (tmp_path / "m" / "model" / "model.safetensors").is_file()


def test_templates_and_settings_reach_the_pipeline(tmp_path):
    mlflow.transformers.save_model(
        generator(), tmp_path / "m", prompt_template="a {prompt} b",
        model_config={"max_new_tokens": 2, "do_sample": False},
    )  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.metadata == {"prompt_template": "a {prompt} b"}
    assert meta.flavors["python_function"]["config"]["return_full_text"] is False

    whole = mlflow.pyfunc.load_model(tmp_path / "m", model_config={"return_full_text": True})
    (text,) = whole.predict("one two")
    assert text.startswith("a one two b")
    assert not mlflow.pyfunc.load_model(tmp_path / "m").predict("one two")[0].startswith("a one")


def test_settings_of_old_folders_are_used(classifier, tmp_path):
    mlflow.transformers.save_model(classifier, tmp_path / "m")
    file = tmp_path / "m" / "components" / "inference_config.txt"
    file.write_text('{"top_k": 2}')
    assert mlflow.pyfunc.load_model(tmp_path / "m").predict(SOME).shape == (2, 2)
    file.write_text("[]")
    with pytest.raises(MlflowException, match="holds no arguments of a pipeline"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_params_of_the_example_are_the_signature_s(classifier, tmp_path):
    mlflow.transformers.save_model(classifier, tmp_path / "m", input_example=(SOME, {"top_k": 2}))

    model = mlflow.pyfunc.load_model(tmp_path / "m")
    assert model.predict(SOME).shape == (2, 2)
    assert model.predict(SOME, params={"top_k": 3}).shape == (2, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"transformers_model": 3}, "must be one of the following types"),
        ({"transformers_model": {"tokenizer": 1}}, "must have an entry for model"),
        ({"transformers_model": {"model": 1, "x": 1}}, r"key\(s\) \['x'\] are not permitted"),
        ({"transformers_model": {"model": 1}, "task": "x"}, "missing the attribute 'name_or_path'"),
        ({"transformers_model": "no/such", "task": "x"}, "does not contain a config.json"),
        ({"task": "llm/v1/chat"}, "not a supported task for the text-classification pipeline"),
        ({"prompt_template": "{prompt"}, "single format arg"),
        ({"prompt_template": "{prompt.x}"}, "single format arg"),
        ({"prompt_template": "a {prompt}"}, "not supported for the `text-classification` task"),
        ({"base_model_path": "x"}, "only supported for PEFT"),
    ],
)  # fmt: skip
def test_what_makes_no_model_is_refused(classifier, arguments, message, tmp_path):
    with pytest.raises(MlflowException, match=message):
        mlflow.transformers.save_model(
            **{"transformers_model": classifier, "path": tmp_path / "m", **arguments}
        )
    assert not (tmp_path / "m").exists()


def test_a_logged_model_is_loaded_by_its_uris(classifier):
    with mlflow.start_run() as run:
        info = mlflow.transformers.log_model(classifier, name="model")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model"):
        assert mlflow.transformers.load_model(uri).task == "text-classification"


def test_without_the_library_the_line_that_installs_it_is_said(classifier, tmp_path, monkeypatch):
    mlflow.transformers.save_model(classifier, tmp_path / "m")
    monkeypatch.setitem(sys.modules, "transformers", None)

    with pytest.raises(MlflowException, match="need: pip install transformers torch"):
        mlflow.pyfunc.load_model(tmp_path / "m")
