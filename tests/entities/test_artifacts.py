"""One entry of an artifact listing."""

from __future__ import annotations

import pytest

from mlflow.entities import FileInfo


def test_a_file_shows_its_path_and_size() -> None:
    """The three fields come back as they were given."""
    found = FileInfo("model/MLmodel", False, 371)

    assert (found.path, found.is_dir, found.file_size) == ("model/MLmodel", False, 371)
    assert repr(found) == "<FileInfo: file_size=371, is_dir=False, path='model/MLmodel'>"


def test_a_folder_has_no_size() -> None:
    """Sizes of folders are None, not 0."""
    assert dict(FileInfo("model", True, None)) == {
        "file_size": None,
        "is_dir": True,
        "path": "model",
    }


def test_entries_are_equal_by_value() -> None:
    """A listing can be compared with what was expected."""
    assert [FileInfo("a", False, 1)] == [FileInfo("a", False, 1)]
    assert FileInfo("a", False, 1) != FileInfo("a", False, 2)


def test_an_entry_cannot_be_changed() -> None:
    """What a listing said stays said."""
    with pytest.raises(AttributeError):
        FileInfo("a", False, 1).path = "b"  # type: ignore[misc]


def test_a_listing_is_read_from_dicts() -> None:
    """Keys of later versions are ignored."""
    fields = {"path": "a", "is_dir": False, "file_size": 1, "checksum": "abc"}

    assert FileInfo.from_dictionary(fields) == FileInfo("a", False, 1)
