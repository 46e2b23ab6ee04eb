"""Where a model's folder is."""

import pytest

from mlflow.exceptions import MlflowException
from mlflow.models.source import folder_of_data, local_model_folder, model_file


def test_a_path_is_used_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "MLmodel").write_text("x")

    assert local_model_folder("m") == "m"
    assert local_model_folder(tmp_path / "m") == str(tmp_path / "m")
    assert local_model_folder("m", only="MLmodel") == "m/MLmodel"


def test_a_file_uri_is_used_where_it_lies(tmp_path):
    assert local_model_folder(tmp_path.as_uri()).rstrip("/") == str(tmp_path)


def test_what_is_missing_is_said():
    with pytest.raises(MlflowException, match="No such artifact"):
        local_model_folder("nowhere")


def test_a_copy_is_made_when_a_place_is_named(tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "x").write_text("x")
    (tmp_path / "to").mkdir()

    found = local_model_folder(str(tmp_path / "m"), str(tmp_path / "to"))

    assert found.startswith(str(tmp_path / "to"))


def test_a_flavors_file_stays_in_its_folder(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors: {one: {data: d}, two: {data: ../d}, three: {}}")
    for name in ("d", "e"):
        (tmp_path / name).touch()

    assert model_file(str(tmp_path), "one", "data", "e") == (
        {"data": "d"},
        str(tmp_path / "d"),
    )
    assert model_file(str(tmp_path), "three", "data", "e")[1] == str(tmp_path / "e")
    with pytest.raises(MlflowException):
        model_file(str(tmp_path), "two", "data", "e")
    (tmp_path / "e").unlink()
    with pytest.raises(MlflowException, match="is not there, or is no plain file"):
        model_file(str(tmp_path), "three", "data", "e")


def test_the_folder_of_what_a_loader_is_given(tmp_path):
    assert folder_of_data(str(tmp_path)) == folder_of_data(str(tmp_path / "d")) == str(tmp_path)
