"""What was appended to a metric file is told, and a file that was replaced is read anew."""

from __future__ import annotations

import os

import pytest

from mlflow.store.backends.file.growth import growth_of
from mlflow.store.backends.file.reading import Unreadable


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "m"
    path.write_text("10 0.5 1\n20 0.25 2\n")
    return path


def test_only_whole_lines_that_are_new(path):
    """A line that is being written is told when it has its end; one that is none is counted."""
    first, bad = growth_of(str(path), b"")
    assert ([(1, 10, 0.5), (2, 20, 0.25)], True, 0) == (first.rows, first.is_whole, bad)
    with path.open("a") as file:
        file.write("nonsense\n30 nan")
    second, bad = growth_of(str(path), first.mark)
    assert ([], False, 1) == (second.rows, second.is_whole, bad)
    with path.open("a") as file:
        file.write(" 3\n40 4.0 4 data digest\n")

    third, bad = growth_of(str(path), second.mark)

    assert ([(3, 30), (4, 40)], False, 0) == ([row[:2] for row in third.rows], third.is_whole, bad)


@pytest.mark.parametrize("text", ["", "10 0.5 1\n", "10 0.5 1\n20 0.75 2\n30 1.0 3\n"])
def test_another_file_under_the_name(path, text):
    """Shorter, or with another content."""
    mark = growth_of(str(path), b"")[0].mark
    path.write_text(text)

    found, _ = growth_of(str(path), mark)

    assert (text.count("\n"), True) == (len(found.rows), found.is_whole)


def test_a_file_that_was_moved_into_the_place(path, tmp_path):
    """Even one that begins as the other did."""
    mark = growth_of(str(path), b"")[0].mark
    (tmp_path / "new").write_text(path.read_text() + "30 1.0 3\n")
    os.replace(tmp_path / "new", path)

    assert growth_of(str(path), mark)[0].is_whole


def test_what_is_no_file(path, tmp_path):
    """It is not followed, and not waited for."""
    os.symlink(path, tmp_path / "link")

    with pytest.raises(Unreadable):
        growth_of(str(tmp_path / "link"), b"")
    with pytest.raises(FileNotFoundError):
        growth_of(str(tmp_path / "absent"), b"")
