"""The home of file access below a folder: what it does, and that it never leaves the folder."""

from __future__ import annotations

import errno
import os
import socket
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.store.artifact import root as module
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.root import Root

TOP = ArtifactPath(())


@pytest.fixture(params=["handles", "names"], autouse=True)
def way(request, monkeypatch):
    """With handles of folders, and by checked names, as on Windows."""
    if request.param == "handles" and not module._HAS_HANDLES:
        pytest.skip("this system has no folder handles")
    monkeypatch.setattr(module, "_HAS_HANDLES", request.param == "handles")
    return request.param


@pytest.fixture
def root(tmp_path):
    """A root with a folder and two files; outside, a file that nobody may touch."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "canary").write_text("alive")
    made = Root(str(tmp_path / "root"))
    made.write(path("a/b.txt"), BytesIO(b"below"))
    made.write(path("top.txt"), BytesIO(b"top"))
    before = _descriptors()
    yield made
    assert _descriptors() == before
    assert (tmp_path / "outside" / "canary").read_text() == "alive"
    assert os.listdir(tmp_path / "outside") == ["canary"]


def path(text):
    return ArtifactPath.parse(text)


def _descriptors():
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


def _read(root, text):
    with root.open(path(text)) as file:
        return file.read()


def test_files_are_written_with_their_folders_and_read(root):
    root.write(path("x/y/z"), BytesIO(b"new"))

    assert _read(root, "x/y/z") == b"new"
    assert _read(root, "a/b.txt") == b"below"
    assert Path(root.path, "x", "y", "z").read_bytes() == b"new"


def test_what_is_at_a_path(root):
    kinds = {text: root.kind(path(text)) for text in ("", "a", "a/b.txt", "no", "a/no", "no/no")}

    assert kinds == {
        "": "folder", "a": "folder", "a/b.txt": "file", "no": None, "a/no": None, "no/no": None,
    }  # fmt: skip
    assert root.kind(path("top.txt/below")) is None


def test_listings_and_walks(root):
    root.make_folder(path("empty"))

    assert [(one.name, one.is_folder, one.size) for one in root.list(TOP)] == [
        ("a", True, None), ("empty", True, None), ("top.txt", False, 3),
    ]  # fmt: skip
    assert [(str(one), size) for one, size in root.walk(TOP)] == [
        ("a", None), ("a/b.txt", 5), ("empty", None), ("top.txt", 3),
    ]  # fmt: skip
    assert root.list(path("top.txt")) == []
    assert root.list(path("nothing")) == []


def test_a_root_that_is_not_there_yet_is_empty_and_made_when_written(tmp_path):
    root = Root(str(tmp_path / "one" / "two"))

    assert root.kind(TOP) is None
    assert root.list(TOP) == []
    root.delete(path("x"))
    with pytest.raises(MlflowException, match="No such artifact"):
        root.open(path("x"))
    assert not (tmp_path / "one").exists()
    root.write(path("x"), BytesIO(b"x"))
    assert _read(root, "x") == b"x"


def test_a_root_that_is_a_file_has_nothing_below(tmp_path):
    (tmp_path / "file").write_text("x")
    root = Root(str(tmp_path / "file"))

    assert root.kind(path("a")) is None
    assert root.list(TOP) == []
    root.delete(path("a"))
    with pytest.raises(MlflowException, match="No such artifact"):
        root.local_path(path("a"))
    with pytest.raises(MlflowException, match="No such artifact"):
        root.open(path("a"))
    assert (tmp_path / "file").read_text() == "x"


def test_the_root_itself_may_be_reached_through_a_link(root, tmp_path):
    (tmp_path / "link").symlink_to(root.path)
    linked = Root(str(tmp_path / "link"))

    assert _read(linked, "a/b.txt") == b"below"
    linked.write(path("c"), BytesIO(b"c"))
    assert _read(root, "c") == b"c"


# ── links lead nowhere ──


@pytest.fixture(params=["file", "folder", "parent", "absolute", "dangling", "circle"])
def link(request, root, tmp_path):
    """A link below the root, to what it must not be followed to."""
    target = {
        "file": tmp_path / "outside" / "canary",
        "folder": tmp_path / "outside",
        "parent": "..",
        "absolute": "/",
        "dangling": tmp_path / "outside" / "new",
        "circle": "link",
    }[request.param]
    os.symlink(target, os.path.join(root.path, "a", "link"))
    return path("a/link")


def test_a_link_is_not_there(root, link):
    below = link.join(path("canary"))

    assert root.kind(link) is None
    assert root.kind(below) is None
    assert [one.name for one in root.list(path("a"))] == ["b.txt"]
    assert root.list(link) == []
    assert [str(one) for one, _ in root.walk(path("a"))] == ["a/b.txt"]
    for one in (link, below):
        for call in (root.open, root.local_path):
            with pytest.raises(MlflowException) as caught:
                call(one)
            assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_nothing_is_written_or_made_through_a_link(root, link):
    below = link.join(path("new"))
    for call in (lambda: root.write(below, BytesIO(b"x")), lambda: root.make_folder(below)):
        with pytest.raises(MlflowException, match="folders only"):
            call()


def test_a_file_takes_the_place_of_a_link(root, link):
    root.write(link, BytesIO(b"mine"))

    assert _read(root, "a/link") == b"mine"
    assert not os.path.islink(os.path.join(root.path, "a", "link"))


def test_removing_removes_the_link(root, link):
    root.delete(link.join(path("canary")))
    assert os.path.lexists(os.path.join(root.path, "a", "link"))
    root.delete(path("a"))

    assert root.kind(path("a")) is None


@pytest.mark.parametrize("way", ["handles"], indirect=True)  # names are looked up again
def test_a_folder_that_becomes_a_link_between_two_steps_is_not_entered(root, tmp_path):
    """Every step starts from the folder that was opened, not from its name."""
    with root._folder(path("a")) as folder:
        os.rename(os.path.join(root.path, "a"), tmp_path / "moved")
        os.symlink(tmp_path / "outside", os.path.join(root.path, "a"))
        names = folder.names()

    assert names == ["b.txt"]
    assert root.list(path("a")) == []


# ── what is no plain file ──


def test_pipes_and_sockets_are_not_there(root):
    os.mkfifo(os.path.join(root.path, "pipe"))
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(root.path)  # names of sockets are short
        listening.bind("socket")
        os.chdir(here)

        for name in ("pipe", "socket"):
            assert root.kind(path(name)) is None
            with pytest.raises(MlflowException, match="No such artifact"):
                root.open(path(name))
        assert [one.name for one in root.list(TOP)] == ["a", "top.txt"]
    root.delete(path("pipe"))
    assert sorted(os.listdir(root.path)) == ["a", "socket", "top.txt"]


def test_a_folder_is_no_file(root):
    for where in ("a", ""):
        with pytest.raises(MlflowException, match="No such artifact"):
            root.open(path(where))
    with pytest.raises(MlflowException, match="There is a folder"):
        root.write(path("a"), BytesIO(b"x"))
    with pytest.raises(MlflowException, match="needs a name"):
        root.write(TOP, BytesIO(b"x"))
    with pytest.raises(MlflowException, match="folders only"):
        root.write(path("top.txt/x"), BytesIO(b"x"))
    assert sorted(os.listdir(root.path)) == ["a", "top.txt"]


def test_local_paths_are_those_of_what_is_there(root):
    assert root.local_path(path("a/b.txt")) == os.path.join(root.path, "a", "b.txt")
    assert root.local_path(TOP) == root.path
    with pytest.raises(MlflowException, match="No such artifact: 'a/no'"):
        root.local_path(path("a/no"))


# ── whole or not at all ──


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(root, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "copy_bytes", fail)
    with pytest.raises(OSError, match="No space"):
        root.write(path("a/b.txt"), BytesIO(b"new"))

    monkeypatch.undo()
    assert _read(root, "a/b.txt") == b"below"
    assert os.listdir(os.path.join(root.path, "a")) == ["b.txt"]


def test_a_file_is_seen_only_when_it_is_complete(root):
    seen = []

    class Slow(BytesIO):
        def readinto(self, buffer):
            seen.append([one.name for one in root.list(path("a"))])
            return super().readinto(buffer[:2])

    root.write(path("a/new"), Slow(b"12345"))

    assert seen
    assert all(names == ["b.txt"] for names in seen)
    assert _read(root, "a/new") == b"12345"


def test_a_full_disk_is_not_taken_for_a_wrong_path(root, monkeypatch):
    real = os.open

    def refuse(name, flags, *args, **kwargs):
        if str(name).endswith("refused"):
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return real(name, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(module._NamedFolder, "below", lambda _self, name: refuse(name, 0))
    with pytest.raises(PermissionError):
        root.write(path("refused/x"), BytesIO(b"x"))


@pytest.mark.parametrize(("level", "count"), [("os", 0), ("disk", 2)])
def test_only_the_durable_level_waits_for_the_disk(root, monkeypatch, way, level, count):
    calls = []
    monkeypatch.setattr(os, "fsync", calls.append)
    monkeypatch.setenv("MILLSTREAM_DURABILITY", level)
    root.write(path("x"), BytesIO(b"x"))

    # The file and its folder; by names, folders cannot be opened.
    assert len(calls) == (count if way == "handles" else count // 2)


# ── removal ──


def test_emptying_the_root_keeps_it(root):
    root.delete(TOP)

    assert os.listdir(root.path) == []


def test_a_folder_goes_with_all_that_is_in_it(root):
    root.write(path("a/c/d"), BytesIO(b"d"))
    Path(root.path, "a", "c", ".millstream-part-1").write_text("half")
    root.delete(path("a"))
    root.delete(path("a"))

    assert os.listdir(root.path) == ["top.txt"]


NAMES = st.sampled_from(
    ["..", ".", "a", "link", "top.txt", "", "/", "canary", "outside", "%2e%2e", "..%2f", "\\", "C:"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(NAMES, max_size=5), tail=st.sampled_from(["", "/"]))
def test_no_text_leads_to_what_is_outside(root, tmp_path, parts, tail):
    if not os.path.lexists(os.path.join(root.path, "link")):
        os.symlink(tmp_path / "outside", os.path.join(root.path, "link"))
    text = "/".join(parts) + tail
    try:
        where = ArtifactPath.parse(text)
    except MlflowException:
        return

    assert root.kind(where) in (None, "file", "folder")
    assert "canary" not in [one.name for one in root.list(where)]
    try:
        with root.open(where) as file:
            assert file.read() != b"alive"
    except MlflowException as error:
        assert error.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_what_the_system_refuses_names_the_file_and_not_the_one_in_the_making(root, monkeypatch):
    real = os.open

    def refuse(name, flags, *args, **kwargs):
        if module.UNFINISHED in str(name):
            raise OSError(errno.EROFS, "Read-only file system", name)
        return real(name, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match="Read-only file system") as caught:
        root.write(path("a/b"), BytesIO(b"x"))

    assert (caught.value.errno, caught.value.filename) == (errno.EROFS, f"{root.path}/a/b")
