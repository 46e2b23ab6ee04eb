"""The spaCy flavor."""

from __future__ import annotations

import os
import shutil
import sys

import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.models.deserialize import POLICY_VARIABLE

spacy = pytest.importorskip("spacy", reason="spacy is not installed; scripts/flavors brings it")

TEXTS = pd.DataFrame({"text": ["one text", "another"]})


@pytest.fixture(scope="module")
def model():
    pipeline = spacy.blank("en")
    part = pipeline.add_pipe("textcat")
    for label in ("A", "B"):
        part.add_label(label)
    pipeline.initialize()
    return pipeline


def test_a_categorizer_comes_back_where_code_is_allowed(model, tmp_path, monkeypatch):
    mlflow.spacy.save_model(model, tmp_path / "m")

    expected = [model(text).cats for text in TEXTS.text]
    loaded = mlflow.spacy.load_model(tmp_path / "m")
    assert [loaded(text).cats for text in TEXTS.text] == expected
    as_function = mlflow.pyfunc.load_model(tmp_path / "m")
    assert as_function.predict(TEXTS).predictions.tolist() == expected
    assert as_function.get_raw_model().pipe_names == ["textcat"]
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    for load in (mlflow.spacy.load_model, mlflow.pyfunc.load_model):
        with pytest.raises(MlflowException, match="a spaCy pipeline, which can run any code"):
            load(tmp_path / "m")


@pytest.mark.parametrize("rows", [["a"], TEXTS.assign(more="x"), pd.DataFrame()])
def test_other_than_one_column_is_refused(model, rows, tmp_path):
    mlflow.spacy.save_model(model, tmp_path / "m")

    with pytest.raises(MlflowException, match="must be"):
        mlflow.pyfunc.load_model(tmp_path / "m").predict(rows)


def test_the_folder_is_as_mlflow_writes_it(model, tmp_path):
    mlflow.spacy.save_model(model, tmp_path / "m", input_example=TEXTS)

    assert sorted(os.listdir(tmp_path / "m")) == [
        "MLmodel", "conda.yaml", "input_example.json", "model.spacy", "python_env.yaml",
        "requirements.txt", "serving_input_example.json",
    ]  # fmt: skip
    meta = Model.load(tmp_path / "m")
    assert meta.flavors["spacy"] == {
        "spacy_version": spacy.__version__, "data": "model.spacy", "code": None,
    }  # fmt: skip
    assert meta.signature.outputs.input_names() == ["predictions"]
    pip = mlflow.spacy.get_default_conda_env()["dependencies"][-1]["pip"]
    assert pip == ["mlflow==3.17.2", *mlflow.spacy.get_default_pip_requirements()]


def test_other_pipelines_have_no_pyfunc(tmp_path, caplog):
    mlflow.spacy.save_model(spacy.blank("en"), tmp_path / "m")

    assert "has no TextCategorizer" in caplog.text
    assert list(Model.load(tmp_path / "m").flavors) == ["spacy"]
    assert mlflow.spacy.load_model(tmp_path / "m")("one text").text == "one text"


def test_a_logged_model_is_loaded_by_its_uris(model):
    with mlflow.start_run() as run:
        info = mlflow.spacy.log_model(model, name="model")

    for uri in (info.model_uri, f"runs:/{run.info.run_id}/model"):
        assert mlflow.spacy.load_model(uri).pipe_names == ["textcat"]


@pytest.mark.parametrize("damage", ["", "nothing", None])
def test_damaged_folders_say_so(model, damage, tmp_path):
    mlflow.spacy.save_model(model, tmp_path / "m")
    folder = tmp_path / "m" / "model.spacy"
    shutil.rmtree(folder) if damage is None else (folder / "config.cfg").write_text(damage)

    with pytest.raises(MlflowException, match=r"cannot be read|is not there"):
        mlflow.pyfunc.load_model(tmp_path / "m")


def test_what_is_no_pipeline_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="no pipeline of spaCy"):
        mlflow.spacy.save_model(object(), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_without_the_library_the_line_that_installs_it_is_said(model, tmp_path, monkeypatch):
    mlflow.spacy.save_model(model, tmp_path / "m")
    monkeypatch.setitem(sys.modules, "spacy", None)

    with pytest.raises(MlflowException, match="need: pip install spacy"):
        mlflow.pyfunc.load_model(tmp_path / "m")
