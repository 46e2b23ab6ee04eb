"""A derived file is read as it was written, or not at all."""

from __future__ import annotations

import math
import os

import pytest

from mlflow.store.series import kept_file
from mlflow.store.series.buckets import cut
from mlflow.store.series.columns import LONG, Series


@pytest.fixture
def long_series():
    rows = [(at, at * 2, math.sin(at)) for at in range(LONG)]
    return Series.of_rows([*rows, (LONG, 1, math.nan)])


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "deep" / "a.series")


def test_what_was_written_is_read(long_series, path):
    """Columns, odd values, summaries and the mark; a chart of it is the same."""
    kept_file.write(path, long_series, b"\x00mark ")

    found, mark = kept_file.read(path)

    assert b"\x00mark " == mark
    assert (len(long_series), long_series.odd) == (len(found), found.odd)
    for name in ("steps", "times", "values"):
        assert getattr(long_series, name).tolist() == getattr(found, name).tolist()
    for axis in ("step", "time"):
        mine, other = (cut(one, 300, axis) for one in (long_series, found))
        assert (mine.x, mine.y, mine.means) == (other.x, other.y, other.means)
    assert len(found.grown([(LONG + 1, 1, 0.0)])) == len(found) + 1


def test_files_are_for_this_user_alone(long_series, path):
    """Values may be secret."""
    kept_file.write(path, long_series, b"m")

    assert 0o600 == os.stat(path).st_mode & 0o777
    assert ["a.series"] == os.listdir(os.path.dirname(path))


@pytest.mark.parametrize("size", [0, 5, 30, 200, -8, -100_000])
def test_a_file_that_is_cut_off_is_none(long_series, path, size):
    """It is read from the store again."""
    kept_file.write(path, long_series, b"m")
    with open(path, "r+b") as file:
        file.truncate(size if size >= 0 else os.path.getsize(path) + size)

    assert kept_file.read(path) is None


@pytest.mark.parametrize("at", [0, 25, 60])
def test_a_file_with_another_head_is_none(long_series, path, at):
    """Its checksum says so."""
    kept_file.write(path, long_series, b"m")
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(b"\xff")

    assert kept_file.read(path) is None


def test_links_and_folders_are_none(long_series, path, tmp_path):
    """Nor is what is not there."""
    kept_file.write(path, long_series, b"m")
    os.symlink(path, tmp_path / "link")

    for other in ("link", "absent", "deep"):
        assert kept_file.read(str(tmp_path / other)) is None


def test_trouble_with_the_disk_is_not_the_readers(long_series, tmp_path):
    """A folder that cannot be made keeps nothing."""
    (tmp_path / "file").write_text("")

    kept_file.write(str(tmp_path / "file" / "a.series"), long_series, b"m")

    assert ["file"] == os.listdir(tmp_path)


def test_a_folder_has_a_size(long_series, tmp_path, monkeypatch):
    """What was written longest ago goes."""
    paths = [str(tmp_path / f"{at}.series") for at in range(3)]
    kept_file.write(paths[0], long_series, b"m")
    monkeypatch.setattr(kept_file, "MAX_FOLDER", 2 * os.path.getsize(paths[0]) + 100)
    for at, path in enumerate(paths):
        kept_file.write(path, long_series, b"m")
        os.utime(path, (at, at))

    assert ["1.series", "2.series"] == sorted(os.listdir(tmp_path))
