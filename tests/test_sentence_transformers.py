"""The sentence-transformers flavor."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.deserialize import POLICY_VARIABLE
from tests.interop.tiny_pipelines import SOME, sentences

pytest.importorskip(
    "sentence_transformers", reason="sentence-transformers is not installed; scripts/flavors brings it"
)  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return sentences(tmp_path_factory.mktemp("parts"))


def test_embeddings_come_back_where_code_is_refused(model, tmp_path, monkeypatch):
    mlflow.sentence_transformers.save_model(model, tmp_path / "m")
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    expected = model.encode(SOME)
    loaded = mlflow.pyfunc.load_model(tmp_path / "m")
    for rows in (SOME, np.array(SOME), pd.DataFrame({"x": SOME}), pd.Series(SOME)):
        assert np.array_equal(loaded.predict(rows), expected)
    assert loaded.predict(SOME[0]).shape == (1, 16)
    assert np.array_equal(mlflow.sentence_transformers.load_model(tmp_path / "m").encode(SOME), expected)  # fmt: skip
    assert type(loaded.get_raw_model()) is type(model)


def test_the_folder_is_as_mlflow_writes_it(model, tmp_path):
    mlflow.sentence_transformers.save_model(
        model, tmp_path / "m", input_example=SOME, inference_config={"batch_size": 2}
    )

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "inference_config", "input_example.json",
        "model.sentence_transformer", "python_env.yaml", "requirements.txt",
        "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["sentence_transformers"]["pipeline_model_type"] == "BertModel"
    assert meta.signature.outputs.inputs[0].shape == (-1, 16)
    pip = mlflow.sentence_transformers.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.sentence_transformers.get_default_pip_requirements()]


def test_params_reach_encode(model, tmp_path):
    example = (SOME, {"normalize_embeddings": True})
    mlflow.sentence_transformers.save_model(model, tmp_path / "m", input_example=example)

    loaded = mlflow.pyfunc.load_model(tmp_path / "m")
    assert np.allclose(np.linalg.norm(loaded.predict(SOME), axis=1), 1)
    plain = loaded.predict(SOME, params={"normalize_embeddings": False})
    assert not np.allclose(np.linalg.norm(plain, axis=1), 1)
    with pytest.raises(MlflowException, match="invalid parameter value for `params`"):
        loaded._model_impl.predict(SOME, params={"nonsense": 1})


def test_requests_of_embeddings_are_answered(model, tmp_path):
    mlflow.sentence_transformers.save_model(model, tmp_path / "m", task="llm/v1/embeddings")

    loaded = mlflow.pyfunc.load_model(tmp_path / "m")
    for request in ({"input": SOME}, pd.DataFrame({"input": SOME})):
        answer = loaded.predict(request)
        assert answer["usage"] == {"prompt_tokens": 10, "total_tokens": 10}
        assert [entry["index"] for entry in answer["data"]] == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": 3}, "no SentenceTransformer"),
        ({"task": "llm/v1/chat"}, "only be llm/v1/embeddings"),
        ({"task": "llm/v1/embeddings", "metadata": {"task": "x"}}, "doesn't match"),
    ],
)
def test_what_makes_no_model_is_refused(model, arguments, message, tmp_path):
    with pytest.raises(MlflowException, match=message):
        mlflow.sentence_transformers.save_model(**{"model": model, "path": tmp_path / "m", **arguments})  # fmt: skip
    assert not (tmp_path / "m").exists()


def test_other_things_than_texts_are_refused(model, tmp_path):
    mlflow.sentence_transformers.save_model(model, tmp_path / "m", signature=False)

    with pytest.raises(MlflowException, match="embed texts"):
        mlflow.pyfunc.load_model(tmp_path / "m").predict([3])


def change(folder, *modules):
    place = folder / "model.sentence_transformer"
    known = json.loads((place / "modules.json").read_text())
    (place / "modules.json").write_text(json.dumps([*known, *modules]))
    return place


@pytest.mark.parametrize("kind", ["os.system", "own.Module", "sentence_transformers.util.Transformer.x", None, 3])  # fmt: skip
def test_modules_of_others_are_refused(model, kind, tmp_path, monkeypatch):
    mlflow.sentence_transformers.save_model(model, tmp_path / "m")
    change(tmp_path / "m", {"idx": 2, "name": "2", "path": "", "type": kind})
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match="can run any code"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_layers_and_weights_that_bring_code_are_refused(model, tmp_path, monkeypatch):
    mlflow.sentence_transformers.save_model(model, tmp_path / "m")
    kind = "sentence_transformers.models.Dense"
    place = change(tmp_path / "m", {"idx": 2, "name": "2", "path": "2_Dense", "type": kind})
    (place / "2_Dense").mkdir()
    (place / "2_Dense" / "config.json").write_text('{"activation_function": "os.abort"}')
    monkeypatch.setenv(POLICY_VARIABLE, "false")

    with pytest.raises(MlflowException, match=r"the activation os\.abort"):
        mlflow.pyfunc.load_model(tmp_path / "m")
    (place / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(MlflowException, match="is a pickle"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_damaged_folders_say_so(model, tmp_path):
    mlflow.sentence_transformers.save_model(model, tmp_path / "m")
    (tmp_path / "m" / "model.sentence_transformer" / "config.json").write_text("{")

    with pytest.raises(MlflowException, match="cannot be read"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_a_logged_model_is_loaded_by_its_uris(model):
    with mlflow.start_run() as run:
        info = mlflow.sentence_transformers.log_model(model, name="model")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model"):
        assert mlflow.sentence_transformers.load_model(uri).encode(SOME).shape == (2, 16)


def test_without_the_library_the_line_that_installs_it_is_said(model, tmp_path, monkeypatch):
    mlflow.sentence_transformers.save_model(model, tmp_path / "m")
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)

    with pytest.raises(MlflowException, match="need: pip install sentence-transformers"):
        mlflow.pyfunc.load_model(tmp_path / "m")
