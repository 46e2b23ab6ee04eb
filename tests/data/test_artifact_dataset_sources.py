"""Sources that are places of files."""

from __future__ import annotations

from pathlib import Path

import pytest

import mlflow
from mlflow.data.artifact_dataset_sources import FileDatasetSource, source_type_of
from mlflow.exceptions import MlflowException


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("wine.csv", "local"),
        ("/data/wine.csv", "local"),
        ("file:///data/wine.csv", "local"),
        ("", "local"),
        ("s3://b/k", "s3"),
        ("S3://b/k", "s3"),
        ("gs://b/k", "gs"),
        ("abfss://c@a.dfs/k", "abfss"),
        ("wasbs://c@a/k", "wasbs"),
        ("hdfs:///a", "hdfs"),
        ("viewfs://a", "viewfs"),
        ("sftp://h/a", "sftp"),
        ("ftp://h/a", "ftp"),
        ("r2://a/b", "r2"),
        ("b2://a/b", "b2"),
        ("dbfs:/a", "dbfs"),
        ("runs:/r/wine.csv", "runs"),
        ("models:/m/1", "models"),
        ("mlflow-artifacts:/a", "mlflow_artifacts"),
    ],
)
def test_a_uri_is_recorded_as_given_with_the_name_of_its_kind(uri: str, kind: str) -> None:
    """The names are those that MLflow writes; nothing is fetched or looked for."""
    source = FileDatasetSource._resolve(uri)

    assert FileDatasetSource._can_resolve(uri)
    assert source._get_source_type() == source_type_of(uri) == kind
    assert source.uri == uri
    assert source.to_dict() == {"uri": uri}


@pytest.mark.parametrize("other", ["http://x/y", "https://x", "zzz://a", 5, b"x", ["a"], None])
def test_what_is_no_place_of_files_is_left_to_other_kinds(other: object) -> None:
    """Addresses on the web have a kind of their own."""
    assert not FileDatasetSource._can_resolve(other)


def test_a_path_object_is_a_path() -> None:
    """It is recorded as text."""
    assert FileDatasetSource._can_resolve(Path("wine.csv"))
    assert FileDatasetSource._resolve(Path("wine.csv")).to_dict() == {"uri": "wine.csv"}


def test_a_file_is_loaded_in_place_or_copied() -> None:
    """Without a folder the path of the file itself is returned."""
    Path("wine.csv").write_text("a\n1\n")
    source = FileDatasetSource("wine.csv")

    assert Path(source.load()).samefile("wine.csv")
    copied = Path(source.load("there"))
    assert copied == Path("there/wine.csv").resolve()
    assert copied.read_text() == "a\n1\n"
    assert not copied.samefile("wine.csv")


def test_an_artifact_of_a_run_is_loaded() -> None:
    """The URI of a run leads to its artifacts."""
    with mlflow.start_run() as run:
        mlflow.log_text("a\n1\n", "data/wine.csv")

    source = FileDatasetSource(f"runs:/{run.info.run_id}/data/wine.csv")
    assert Path(source.load()).read_text() == "a\n1\n"


def test_a_file_that_is_not_there_is_missed_when_it_is_loaded() -> None:
    """It may be recorded before, or on another machine."""
    source = FileDatasetSource("nope.csv")

    with pytest.raises(MlflowException, match="No such artifact: 'nope.csv'") as caught:
        source.load()
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_the_record_is_read_back() -> None:
    """The kind is told from the URI, unless it is named."""
    assert FileDatasetSource.from_json('{"uri": "s3://b/k"}')._get_source_type() == "s3"
    assert FileDatasetSource("x", "plugin")._get_source_type() == "plugin"
    with pytest.raises(MlflowException, match='Missing expected key: "uri"'):
        FileDatasetSource.from_dict({"url": "x"})
