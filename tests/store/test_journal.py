"""A folder that belongs to one process, until that is gone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from mlflow.store.journal import Journal, folder_of, left_behind

URI = "http://user:secret@host:5000/prefix"


@pytest.fixture(autouse=True)
def journals(tmp_path, monkeypatch):
    monkeypatch.setenv("MILLSTREAM_JOURNAL_DIR", str(tmp_path / "journals"))


def test_one_of_this_process(tmp_path):
    """It is for its owner's eyes, is no other's while it is open, and goes when it is brought."""
    journal = Journal.new(URI)
    journal.store.create_run("0", "u", 1, [], "name")

    assert [] == list(left_behind(URI))
    with open(os.path.join(journal.place, "server"), encoding="utf-8") as file:
        assert "secret" not in file.read()
    if os.name == "posix":
        assert stat.S_IMODE(os.stat(journal.place).st_mode) == 0o700
    journal.close()
    (found,) = left_behind(URI)
    assert 1 == len(found.store.search_runs(["0"], "", 1))
    found.close(remove=True)
    assert [] == list(left_behind(URI))
    assert not (tmp_path / "journals" / "user-host-5000-prefix").exists()


def test_servers_have_folders_of_their_own():
    """Whatever their address is made of."""
    places = {folder_of(uri) for uri in ("http://a:1", "http://a:2", "http://a:1/x", "http://../a")}
    assert 4 == len(places)
    assert all(os.sep not in os.path.relpath(one, os.path.dirname(folder_of("http://a:1")))
               for one in places)  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such locks")
def test_the_lock_goes_with_the_process():
    """However it ends."""
    program = (
        "import sys, time; from mlflow.store.journal import Journal; "
        "kept = Journal.new(sys.argv[1]); print(kept.place, flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, URI], stdout=subprocess.PIPE, text=True
    )
    place = process.stdout.readline().strip()
    assert place
    os.makedirs(os.path.join(place, "mlruns"), exist_ok=True)
    assert [] == list(left_behind(URI))
    process.kill()
    process.communicate()

    (found,) = left_behind(URI)
    assert place == found.place
    found.close(remove=True)
