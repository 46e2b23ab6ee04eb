"""Predicting without a server gives the server's replies."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.scoring.payload import CSV
from mlflow.scoring.predict import score, serialized

from .saved import saved_model
from .served import NAMES, answers


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return saved_model(tmp_path_factory.mktemp("model") / "m")


def predicted(text):
    return json.loads(text)["predictions"]


@pytest.mark.parametrize("form", ["frame", "split", "records", "text"])
def test_inputs(model, form, capsys):
    """Data frames, documents and text are all taken."""
    path, estimator, frame = model
    data = {
        "frame": frame,
        "split": {"dataframe_split": frame.to_dict("split")},
        "records": {"dataframe_records": frame.to_dict("records")},
        "text": json.dumps({"inputs": frame.to_dict("list")}),
    }[form]
    mlflow.models.predict(path, input_data=data)

    assert np.allclose(estimator.predict(frame), predicted(capsys.readouterr().out))


def test_files(model, tmp_path):
    """Input and output may be files, JSON or CSV."""
    path, estimator, frame = model
    frame.to_csv(tmp_path / "in.csv", index=False)
    mlflow.models.predict(
        path, input_path=tmp_path / "in.csv", content_type="csv", output_path=tmp_path / "out.json"
    )

    assert np.allclose(estimator.predict(frame), predicted((tmp_path / "out.json").read_text()))


def test_standard_input(model, capsys, monkeypatch):
    """Without input, standard input is read."""
    path, estimator, frame = model
    body = serialized(frame)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(body)))
    mlflow.models.predict(path)

    assert np.allclose(estimator.predict(frame), predicted(capsys.readouterr().out))


def test_environment_variables_reach_the_prediction(model, tmp_path):
    """With variables of its own the prediction runs in a process of its own."""
    path, estimator, frame = model
    out = tmp_path / "out.json"
    mlflow.models.predict(path, frame, output_path=out, extra_envs={"MILLSTREAM_X": "1"})

    assert np.allclose(estimator.predict(frame), predicted(out.read_text()))


def test_refusals(model):
    """Wrong arguments are refused."""
    path, _, frame = model
    with pytest.raises(MlflowException, match="Content type"):
        mlflow.models.predict(path, frame, content_type="xml")
    with pytest.raises(MlflowException, match="Only one"):
        mlflow.models.predict(path, frame, input_path="x")
    with pytest.raises(MlflowException, match="missing inputs"):
        mlflow.models.predict(path, frame[["a"]])
    with pytest.raises(MlflowException, match="no CSV form"):
        mlflow.models.predict(path, [1], content_type="csv")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([1, 2], {"inputs": [1, 2]}),
        (np.array([[1.5]]), {"inputs": [[1.5]]}),
        ({"a": [1]}, {"inputs": {"a": [1]}}),
        ({"instances": [1]}, {"instances": [1]}),
        ({"messages": []}, {"messages": []}),
        (pd.DataFrame({"a": [1]}), {"dataframe_split": {"columns": ["a"], "data": [[1]]}}),
    ],
)
def test_documents(data, expected):
    """Python data becomes one document of the protocol."""
    assert expected == json.loads(serialized(data))


def test_text_is_taken_as_it_is():
    """Text and bytes are bodies already."""
    assert b"a\n1" == serialized("a\n1", CSV) == serialized(b"a\n1", CSV)


def test_score():
    """One body, one reply."""
    assert b'{"predictions": [1]}' == score(answers([1]), b'{"inputs": [0]}', "application/json")


def test_validate_serving_input(model):
    """A document is tried on a model."""
    path, estimator, frame = model
    document = {"dataframe_split": {"columns": NAMES, "data": frame.to_numpy().tolist()}}

    assert np.allclose(
        estimator.predict(frame), mlflow.models.validate_serving_input(path, document)
    )
