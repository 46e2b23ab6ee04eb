"""Artifacts: what a value becomes, and how each kind is written and read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mlflow.evaluation import artifacts as kinds
from mlflow.evaluation.artifacts import as_json, written
from mlflow.exceptions import MlflowException


class Thing:
    """JSON cannot say it."""

    def __eq__(self, other):
        return type(other) is Thing

    __hash__ = None


VALUES = {
    "frame": (pd.DataFrame({"a": [1, 2]}), ".csv"),
    "array": (np.arange(3), ".npy"),
    "dict": ({"a": [1, None]}, ".json"),
    "number": (3, ".json"),
    "numpy": ({"a": np.int64(3)}, ".json"),
    "nothing": (None, ".json"),
    "json": ('{"a": 1}', ".json"),
    "set": ({1, 2}, ".pickle"),
    "objects": (np.array([Thing()]), ".pickle"),
}


@pytest.mark.parametrize("name", VALUES)
def test_the_type_says_the_kind(tmp_path, name):
    value, ending = VALUES[name]

    path, artifact = written(name, value, str(tmp_path), "'f'")

    assert path == str(tmp_path / f"{name}{ending}")
    assert type(artifact) is kinds.KINDS[ending]
    again = type(artifact)(path)
    assert as_text(again.content) == as_text(artifact.content)
    assert path in repr(again)


def as_text(value):
    return value.to_csv() if isinstance(value, pd.DataFrame) else str(value).partition(" at 0x")[0]


def test_a_figure_is_a_picture(tmp_path):
    path, artifact = written("figure", Figure(), str(tmp_path), "'f'")

    assert path.endswith("figure.png")
    assert artifact.content.size == (640, 480)
    copy = str(tmp_path / "copy.png")
    artifact._save(copy)
    assert os.path.getsize(copy)


@pytest.mark.parametrize("as_path", [str, Path])
def test_files_are_taken_as_they_are(tmp_path, as_path):
    """The artifact has the name that the user gave, and the ending of the file."""
    source, target = tmp_path / "source.TXT", tmp_path / "out"
    source.write_text("hello")
    target.mkdir()

    path, artifact = written("said", as_path(source), str(target), "'f'")

    assert path == str(target / "said.txt")
    assert artifact.content == "hello"
    artifact._save(str(target / "again.txt"))
    assert (target / "again.txt").read_text() == "hello"
    # One that lies there under its name already is left alone.
    assert written("said", path, str(target), "'f'")[0] == path


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("just text", "neither a valid path to a file nor a JSON string"),
        (Path("nowhere.png"), "does not exist"),
        ("here.bin", r"supported file extensions: \.png"),
        ("here.pickle", "supported file extensions"),
    ],
)
def test_what_is_no_artifact(tmp_path, value, told):
    for name in ("here.bin", "here.pickle"):
        Path(name).write_text("x")

    with pytest.raises(MlflowException, match=told) as caught:
        written("x", value, str(tmp_path), "'f' at index 0")

    assert "'f' at index 0" in str(caught.value)


def test_frames_as_parquet(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow, which reads Parquet, is not installed")
    path = str(tmp_path / "a.parquet")
    kinds.ParquetEvaluationArtifact(path, pd.DataFrame({"a": [1]}))._save(path)

    assert kinds.ParquetEvaluationArtifact(path).content.a.tolist() == [1]


def test_json_says_arrays():
    assert as_json({"a": np.arange(2)}) == '{"a": [0, 1]}'
    with pytest.raises(TypeError):
        as_json(Thing())
