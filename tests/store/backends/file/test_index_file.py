"""Where snapshots are kept, and on which disks there is an index."""

from __future__ import annotations

import os
import sys

import pytest

from mlflow.store.backends.file import index_file
from mlflow.store.backends.file.index_file import cache_folder, load, save


def test_what_was_saved_is_loaded(tmp_path):
    """The bytes come back, for this store alone."""
    save(str(tmp_path), b"content")

    assert b"content" == load(str(tmp_path))
    assert load(str(tmp_path / "other")) is None
    assert [] == os.listdir(tmp_path)


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="folders of other systems")
def test_the_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    """Ours first, then the system's, then the home's."""
    assert os.path.expanduser("~/.cache/millstream") == cache_folder()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert os.path.expanduser("~/.cache/millstream") == cache_folder()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert str(tmp_path / "millstream") == cache_folder()
    monkeypatch.setenv("MILLSTREAM_CACHE_DIR", str(tmp_path / "mine"))
    assert str(tmp_path / "mine") == cache_folder()


def test_one_store_by_two_names_has_one_snapshot(tmp_path):
    """The real path counts."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    paths = {index_file.snapshot_path(str(tmp_path / name)) for name in ("real", "link")}

    assert 1 == len(paths)
