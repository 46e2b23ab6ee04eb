"""Results, and the folders that they are kept in."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mlflow.evaluation import artifacts as kinds
from mlflow.exceptions import MlflowException
from mlflow.models import EvaluationResult
from mlflow.models.deserialize import POLICY_VARIABLE

TABLE = {"columns": ["a"], "data": [[1], [2]]}


def result():
    return EvaluationResult(
        {"a": np.float64(1.5), "n": np.int64(2)},
        {
            "table": kinds.JsonEvaluationArtifact("mlflow-artifacts:/0/1/table.json", TABLE),
            "plain": kinds.JsonEvaluationArtifact("/x/plain%20one.json", {"a": 1}),
            "frame": kinds.CsvEvaluationArtifact("s3://b/frame.csv", pd.DataFrame({"a": [1]})),
        },
        "run",
    )


def test_tables_are_data_frames():
    tables = result().tables

    assert list(tables) == ["table"]
    assert tables["table"].a.tolist() == [1, 2]


def test_saved_and_loaded(tmp_path):
    """Metrics, kinds, addresses and contents come back; the run is not kept, as in MLflow."""
    result().save(str(tmp_path))
    again = EvaluationResult.load(str(tmp_path))

    assert again.metrics == result().metrics
    assert again.run_id is None
    assert again.artifacts["table"].content == TABLE
    assert again.artifacts["frame"].uri == "s3://b/frame.csv"
    assert again.artifacts["frame"].content.a.tolist() == [1]
    assert again.tables["table"].a.tolist() == [1, 2]
    written = json.loads((tmp_path / "artifacts_metadata.json").read_text())
    home = "mlflow.models.evaluation.artifacts."
    assert {one["class_name"] for one in written.values()} == {
        f"{home}JsonEvaluationArtifact", f"{home}CsvEvaluationArtifact",
    }  # fmt: skip


def test_pickles_are_read_where_they_may_be(tmp_path, monkeypatch):
    pickled = kinds.PickleEvaluationArtifact("/x/one.pickle", {1, 2})
    EvaluationResult({}, {"one": pickled}).save(str(tmp_path))

    assert EvaluationResult.load(str(tmp_path)).artifacts["one"].content == {1, 2}
    monkeypatch.setenv(POLICY_VARIABLE, "false")
    with pytest.raises(MlflowException, match="is a pickle"):
        EvaluationResult.load(str(tmp_path))


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({"uri": "/x/a.json", "class_name": "os.system"}, "no known kind of artifact"),
        ({"uri": "/x/a.json", "class_name": "written"}, "no known kind of artifact"),
        ({"uri": "/x/a.json"}, "does not say what the artifact"),
        ({"uri": "/x/..", "class_name": "JsonEvaluationArtifact"}, "not a path inside"),
        (3, "does not say what the artifact"),
    ],
)
def test_hostile_records_are_refused(tmp_path, about, told):
    """What a record names is never imported, and its files lie in the folder."""
    (tmp_path / "metrics.json").write_text("{}")
    (tmp_path / "artifacts_metadata.json").write_text(json.dumps({"a": about}))

    with pytest.raises(MlflowException, match=told):
        EvaluationResult.load(str(tmp_path))


@pytest.mark.parametrize("text", ["", "[", "[]"])
def test_damaged_files(tmp_path, text):
    (tmp_path / "metrics.json").write_text(text)

    with pytest.raises(MlflowException, match=r"metrics\.json"):
        EvaluationResult.load(str(tmp_path))


def test_nothing_there(tmp_path):
    with pytest.raises(MlflowException, match=r"metrics\.json"):
        EvaluationResult.load(str(tmp_path))
