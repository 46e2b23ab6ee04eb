"""A model's folder: paths that stay inside, YAML that stays small, code that stays behind."""

import logging
import os
import sys

import pytest

from mlflow.exceptions import MlflowException
from mlflow.models import folder

OUTSIDE = ["..", "../x", "a/../../x", "/etc/passwd", "a\\..\\..\\x", "C:\\x", "", "a\0b"]


@pytest.mark.parametrize("relative", OUTSIDE)
def test_a_path_that_leads_outside_is_refused(tmp_path, relative):
    with pytest.raises(MlflowException, match="not a path inside"):
        folder.confined(str(tmp_path), relative, "The file")


def test_a_symbolic_link_that_leads_outside_is_refused(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (tmp_path / "secret").write_text("x")
    (model / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(MlflowException, match="leads outside"):
        folder.confined(str(model), "link", "The file")


def test_a_path_inside_is_joined(tmp_path):
    (tmp_path / "data").mkdir()

    assert folder.confined(str(tmp_path), "data/x", "The file") == str(tmp_path / "data" / "x")


def test_a_bomb_of_aliases_is_refused(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 9):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    path = tmp_path / "MLmodel"
    path.write_text("\n".join(lines))

    with pytest.raises(MlflowException, match="unfolds into more than"):
        folder.read_yaml(str(path))


def test_yaml_that_contains_itself_is_refused(tmp_path):
    path = tmp_path / "MLmodel"
    path.write_text("a: &a [*a]\n")

    with pytest.raises(MlflowException, match="unfolds"):
        folder.read_yaml(str(path))


def test_yaml_with_python_tags_is_refused(tmp_path):
    path = tmp_path / "MLmodel"
    path.write_text("!!python/object/apply:os.system ['touch marker']\n")

    with pytest.raises(MlflowException, match="not valid YAML"):
        folder.read_yaml(str(path))
    assert not os.path.exists("marker")


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "MLmodel"
    with path.open("wb") as file:
        file.truncate(1 << 30)

    with pytest.raises(MlflowException, match="larger than"):
        folder.read_yaml(str(path))


def test_a_target_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "x").write_text("x")

    with pytest.raises(MlflowException, match="already exists and is not empty") as caught:
        folder.prepare_target(tmp_path)
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_an_empty_target_is_used(tmp_path):
    assert folder.prepare_target(tmp_path / "a" / "b") == str(tmp_path / "a" / "b")
    assert folder.prepare_target(tmp_path / "a" / "b") == str(tmp_path / "a" / "b")


def test_code_is_copied_without_caches(tmp_path):
    package = tmp_path / "pkg"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "x.pyc").write_bytes(b"x")
    (package / "__init__.py").write_text("")
    target = tmp_path / "model"

    assert folder.copy_code([str(package)], target) == "code"
    assert sorted(os.listdir(target / "code" / "pkg")) == ["__init__.py"]


def test_code_that_is_missing_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="does not exist"):
        folder.check_code_paths([str(tmp_path / "nowhere")])
    with pytest.raises(TypeError, match="should be a list"):
        folder.check_code_paths("x.py")


def test_code_around_the_model_itself_is_refused(tmp_path):
    with pytest.raises(MlflowException, match="lies inside it"):
        folder.copy_code([str(tmp_path)], tmp_path / "model")


def test_code_is_made_importable_behind_everything_else(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])

    folder.add_code_path(str(tmp_path))

    assert sys.path[-1] == str(tmp_path)


def test_extra_files_are_kept_and_named(tmp_path):
    source = tmp_path / "x.txt"
    source.write_text("x")

    found = folder.copy_extra_files([str(source)], str(tmp_path / "model"))

    assert found == {"extra_files": [{"path": "extra_files/x.txt"}]}
    assert (tmp_path / "model" / "extra_files" / "x.txt").read_text() == "x"
    assert folder.copy_extra_files(None, str(tmp_path)) == {}


def test_the_configuration_of_a_missing_flavor_is_an_error(tmp_path):
    folder.write_yaml(str(tmp_path / "MLmodel"), {"flavors": {"sklearn": {"a": 1}}})

    assert folder.flavor_configuration(str(tmp_path), "sklearn") == {"a": 1}
    with pytest.raises(MlflowException, match='does not have the "keras" flavor'):
        folder.flavor_configuration(str(tmp_path), "keras")


def test_only_saved_keys_of_a_configuration_are_replaced(caplog):
    with caplog.at_level(logging.WARNING):
        found = folder.overridden_config({"a": 1, "b": 2}, {"b": 3, "c": 4})

    assert found == {"a": 1, "b": 3}
    assert "['c']" in caplog.text


def test_a_configuration_is_a_mapping_or_the_path_of_one(tmp_path):
    path = tmp_path / "config.yaml"
    folder.write_yaml(str(path), {"a": 1})

    assert folder.checked_model_config(path) == {"a": 1}
    assert folder.checked_model_config({"a": 1}) == {"a": 1}
    assert folder.checked_model_config(None) is None
    for bad in (3, str(tmp_path / "nowhere"), {"a": object()}):
        with pytest.raises(MlflowException, match="model_config"):
            folder.checked_model_config(bad)


def test_the_size_counts_all_files(tmp_path):
    (tmp_path / "a").write_bytes(b"xx")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"xxx")

    assert folder.total_size(str(tmp_path)) == 5


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000])
def test_deep_nesting_is_refused(tmp_path, text):
    path = tmp_path / "MLmodel"
    path.write_text(text)

    with pytest.raises(MlflowException, match="nested deeper|not valid YAML"):
        folder.read_yaml(str(path))
