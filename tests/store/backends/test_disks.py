"""Which disks are another machine's."""

from __future__ import annotations

import os

import pytest

from mlflow.store.backends import disks
from mlflow.store.backends.disks import is_shared, on_remote_disk, series_folder


@pytest.mark.skipif(not os.path.exists("/proc/self/mounts"), reason="no list of mounts")
@pytest.mark.parametrize(
    ("mounts", "remote"),
    [
        ("disk / ext4 rw 0 0", False),
        ("disk / ext4 rw 0 0\nserver:/x {} nfs4 rw 0 0", True),
        ("disk / nfs rw 0 0\nlocal {} xfs rw 0 0", False),
        ("disk / ext4 rw 0 0\nhost:/x {} fuse.sshfs rw 0 0", True),
        ("disk / ext4 rw 0 0\nserver:/x {}x nfs rw 0 0", False),
    ],
)
def test_the_innermost_mount_decides(tmp_path, monkeypatch, mounts, remote):
    """Disks of other machines have no index: their times and sizes may be old."""
    listing = tmp_path / "mounts"
    listing.write_text(mounts.format(os.path.realpath(tmp_path)), encoding="utf-8")
    plain = open

    def opened(path, *args, **kwargs):
        return plain(listing if path == "/proc/self/mounts" else path, *args, **kwargs)

    monkeypatch.setattr(disks, "open", opened, raising=False)

    assert remote == on_remote_disk(str(tmp_path))


def test_stores_have_folders_of_their_own(monkeypatch, tmp_path):
    """A store in memory has none."""
    monkeypatch.setenv("MILLSTREAM_CACHE_DIR", str(tmp_path))

    assert series_folder(None) is None
    assert str(series_folder("/a")).startswith(str(tmp_path))
    assert series_folder("/a") != series_folder("/b")


@pytest.mark.parametrize(("chosen", "expected"), [("always", True), ("never", False)])
def test_whoever_knows_better_says_so(monkeypatch, tmp_path, chosen, expected):
    """Whatever the disk; the folder need not be there yet."""
    monkeypatch.setenv("MILLSTREAM_SHARED_FOLDER", chosen)
    assert expected == is_shared(str(tmp_path / "none" / "yet"))


@pytest.mark.skipif(not os.path.exists("/proc/self/mounts"), reason="no list of mounts")
@pytest.mark.parametrize(("major", "looked"), [(8, False), (0, True)])
def test_a_disk_with_a_number_is_not_asked_further(monkeypatch, tmp_path, major, looked):
    """Each process that logs would read the list of mounts."""
    asked = []
    monkeypatch.setattr(os, "major", lambda _: major)
    monkeypatch.setattr(disks, "on_remote_disk", lambda path: asked.append(path) or True)
    assert (looked, [str(tmp_path)] * looked) == (is_shared(str(tmp_path / "new")), asked)
