"""One setting, its values, and what is none."""

from __future__ import annotations

import os

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store import durability


def test_the_setting_and_what_a_caller_chose(monkeypatch):
    """The caller's choice goes first; anything else is named, with what there is."""
    assert durability.level() == "os"
    monkeypatch.setenv("MILLSTREAM_DURABILITY", "server")
    assert ["server", "disk"] == [durability.level(), durability.level("disk")]
    monkeypatch.setenv("MILLSTREAM_DURABILITY", "tape")
    with pytest.raises(MlflowException, match="is 'tape'; it is one of memory, os, disk, server"):
        durability.level()


def test_names_of_new_folders_are_brought_to_the_disk(tmp_path, monkeypatch):
    """The folder that each new one is in is synchronised, from the top; old ones are not."""
    seen = []
    monkeypatch.setattr(durability, "settle", seen.append)
    durability.make_folders(f"{tmp_path}/a/b/c", is_synced=True)
    durability.make_folders(f"{tmp_path}/a/b/c", is_synced=True)
    durability.make_folders(f"{tmp_path}/x/y", is_synced=False)

    assert [str(tmp_path), f"{tmp_path}/a", f"{tmp_path}/a/b"] == seen
    assert (tmp_path / "a/b/c").is_dir() and (tmp_path / "x/y").is_dir()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_all_of_a_folder_is_brought_to_the_disk(tmp_path, monkeypatch):
    """Files before the folders that they are in; what a link leads to is not the folder's."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    (tmp_path / "link").symlink_to("/")
    real, seen = os.fsync, []
    monkeypatch.setattr(
        os, "fsync", lambda file: (seen.append(os.readlink(f"/proc/self/fd/{file}")), real(file))
    )
    durability.settle_all(str(tmp_path))

    assert [f"{tmp_path}/a/file", f"{tmp_path}/a", str(tmp_path)] == seen


def test_a_disk_that_fails_is_told(tmp_path):
    """Only a system that opens no folders is passed over."""
    with pytest.raises(FileNotFoundError):
        durability.settle(f"{tmp_path}/none")
