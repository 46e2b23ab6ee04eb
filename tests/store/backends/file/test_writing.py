from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from mlflow.store.backends.file import writing
from mlflow.store.backends.file.writing import Making, Writer


@pytest.fixture(params=["nameless", "links", "neither"])
def writer(request, monkeypatch):
    made = Writer(durable=False)
    if request.param != "nameless":
        made._nameless = False
    if request.param == "neither":

        def refuse(*_args, **_kwargs):
            raise PermissionError(1, "no links here")

        monkeypatch.setattr(os, "link", refuse)
    return made


def test_a_file_is_created_once(writer, tmp_path):
    path = f"{tmp_path}/a"

    assert writer.create(path, b"one", str(tmp_path)) is True
    assert writer.create(path, b"two", str(tmp_path)) is False
    assert (tmp_path / "a").read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["a"]


def test_a_replaced_file_has_the_new_content_and_leaves_nothing_else(writer, tmp_path):
    path = f"{tmp_path}/a"
    for data in (b"one", b"two"):
        writer.replace(path, data, str(tmp_path))

    assert (tmp_path / "a").read_bytes() == b"two"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("durable", [False, True])
def test_only_the_durable_level_waits_for_the_disk(tmp_path, monkeypatch, durable):
    calls = []
    monkeypatch.setattr(os, "fsync", calls.append)
    writer = Writer(durable=durable)
    writer.create(f"{tmp_path}/a", b"x", str(tmp_path))
    writer.replace(f"{tmp_path}/a", b"y", str(tmp_path))

    # The file and its folder, each time.
    assert len(calls) == (4 if durable else 0)


def test_a_failed_replacement_leaves_the_old_content(tmp_path, monkeypatch):
    writer = Writer(durable=False)
    path = f"{tmp_path}/a"
    writer.replace(path, b"old", str(tmp_path))

    def fail(*_):
        raise OSError(28, "full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        writer.replace(path, b"new", str(tmp_path))

    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_short_write_is_gone_on_with(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    Writer(durable=False).replace(f"{tmp_path}/a", b"0123456789", str(tmp_path))

    assert (tmp_path / "a").read_bytes() == b"0123456789"


def _run(body):
    """Run a program that forks, in a process of its own: no threads, and an end in any case."""
    head = (
        "import os, signal, sys\n"
        "from mlflow.store.backends.file.writing import Locked\n"
        "folder = sys.argv[1]\n"
        "reader, pipe = os.pipe()\n"
        "def fork():\n"
        "    pid = os.fork()\n"
        "    signal.alarm(60)\n"
        "    return pid\n"
        "signal.alarm(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", head + textwrap.dedent(body), os.getcwd()])
    assert done.returncode == 0


@pytest.mark.skipif(writing.fcntl is None, reason="this system has no such locks")
def test_a_lock_keeps_another_process_out():
    _run(
        """
        with Locked(folder):
            pid = fork()
            if pid == 0:
                with Locked(folder):
                    os.write(pipe, b"child")
                os._exit(0)
            os.write(pipe, b"parent ")
        # A child that inherited the held lock neither keeps it nor waits for itself.
        assert os.waitpid(pid, 0)[1] == 0
        assert os.read(reader, 100) == b"parent child"
        """
    )


@pytest.mark.skipif(writing.fcntl is None, reason="this system has no such locks")
def test_a_child_forked_under_a_lock_does_not_keep_it():
    _run(
        """
        with Locked(folder):
            pid = fork()
            if pid == 0:
                os.close(pipe)
                os.read(reader, 1)  # lives until the parent is done
                os._exit(0)
        with Locked(folder):
            os.write(pipe, b"x")
        assert os.waitpid(pid, 0)[1] == 0
        """
    )


@pytest.mark.skipif(writing.fcntl is None, reason="this system has no such locks")
def test_a_child_that_leaves_the_block_closes_no_file_of_its_own():
    _run(
        """
        with Locked(folder) as lock:
            pid = fork()
            if pid == 0:
                mine = os.open(folder, os.O_RDONLY)
        if pid == 0:
            os.fstat(mine)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        """
    )


def test_what_was_left_of_a_folder_in_the_making_is_replaced(tmp_path):
    """Somebody died half way; a link that is in there is removed, and what it leads to is not."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "run" / "metrics").mkdir(parents=True)
    (tmp_path / "run" / "part").write_text("x")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "kept")
    with Making(f"{tmp_path}/run", lambda: False):
        found = os.listdir(tmp_path / "run")

    assert found == []
    assert sorted(os.listdir(tmp_path)) == ["kept", "run"]


def test_a_whole_folder_is_not_made_again(tmp_path):
    (tmp_path / "run" / "metrics").mkdir(parents=True)
    with pytest.raises(FileExistsError):
        with Making(f"{tmp_path}/run", lambda: True):
            pass

    assert os.listdir(tmp_path / "run") == ["metrics"]


@pytest.mark.skipif(writing.fcntl is None, reason="this system has no such locks")
def test_without_locks_what_is_there_is_in_the_way(tmp_path, monkeypatch):
    """It may be somebody who is at work."""

    def refuse(*_args):
        raise OSError(9, "no locks here")

    (tmp_path / "run" / "metrics").mkdir(parents=True)
    monkeypatch.setattr(writing.fcntl, "flock", refuse)
    with pytest.raises(FileExistsError):
        with Making(f"{tmp_path}/run", lambda: False):
            pass

    assert os.listdir(tmp_path / "run") == ["metrics"]
