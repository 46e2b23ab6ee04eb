"""Tables as artifacts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import mlflow
from mlflow.exceptions import MlflowException


def test_rows_are_added_and_the_tag_names_the_table():
    with mlflow.start_run() as run:
        mlflow.log_table({"a": [1, 2], "b": ["x", None]}, "t/a.json")
        mlflow.log_table(pd.DataFrame({"a": [5], "c": [1.5]}), "t/a.json")

    text = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/t/a.json")
    assert json.loads(text) == {
        "columns": ["a", "b", "c"],
        "data": [[1, "x", None], [2, None, None], [5, None, 1.5]],
    }
    tag = mlflow.get_run(run.info.run_id).data.tags["mlflow.loggedArtifacts"]
    assert json.loads(tag) == [{"path": "t/a.json", "type": "table"}]


def test_tables_of_several_runs_are_loaded_together():
    ids = []
    for number in range(3):
        with mlflow.start_run() as run:
            mlflow.log_param("p", number)
            if number:
                mlflow.log_table({"a": number}, "t.json")
            ids.append(run.info.run_id)

    frame = mlflow.load_table("t.json", extra_columns=["run_id", "p"])
    assert sorted(zip(frame["a"], frame["run_id"], frame["p"], strict=True)) == [
        (1, ids[1], "1"),
        (2, ids[2], "2"),
    ]
    assert list(mlflow.load_table("t.json", run_ids=[ids[2]])["a"]) == [2]
    with pytest.raises(MlflowException, match="No runs found"):
        mlflow.load_table("none.json")
    with pytest.raises(MlflowException, match="existing columns"):
        mlflow.load_table("t.json", extra_columns=["a"])


def test_images_in_cells_become_files():
    image = mlflow.Image(np.zeros((4, 4, 3), dtype=np.uint8))
    with mlflow.start_run() as run:
        mlflow.log_table({"name": ["a"], "image": [image]}, "t.json")

    cell = mlflow.load_table("t.json")["image"][0]
    assert cell["type"] == "image"
    found = mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/{cell['filepath']}")
    assert found.size == (4, 4)


def test_other_things_are_refused():
    with mlflow.start_run():
        with pytest.raises(MlflowException, match="must be a pandas.DataFrame or a dictionary"):
            mlflow.log_table(1, "a.json")
        with pytest.raises(ValueError, match="'.json' or '.parquet'"):
            mlflow.log_table({"a": [1]}, "a.csv")
