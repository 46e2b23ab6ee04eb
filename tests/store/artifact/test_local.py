"""Artifacts in a folder: copies, listings, removal, and the same without folder handles."""

from __future__ import annotations

import errno
import os
from io import BytesIO
from pathlib import Path

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.artifact import root as root_module
from mlflow.store.artifact.local import LocalArtifactRepository
from mlflow.store.artifact.paths import ArtifactPath


@pytest.fixture(params=["handles", "names"])
def files(request, tmp_path, monkeypatch):
    """A repository, with folder handles and with the portable way (as on Windows)."""
    if request.param == "handles" and not root_module._HAS_HANDLES:
        pytest.skip("this system has no folder handles")
    monkeypatch.setattr(root_module, "_HAS_HANDLES", request.param == "handles")
    return LocalArtifactRepository(f"file://{tmp_path}/root")


@pytest.fixture
def tree(tmp_path) -> Path:
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "top.txt").write_text("top")
    (source / "deep" / "er" / "low.bin").write_bytes(bytes(range(256)) * 5000)
    return source


def _contents(folder: str | Path) -> dict[str, bytes | None]:
    return {
        str(one.relative_to(folder)): one.read_bytes() if one.is_file() else None
        for one in sorted(Path(folder).rglob("*"))
    }


def test_a_folder_comes_back_as_it_went_in(files, tree, tmp_path):
    files.log_artifacts(str(tree), "a/b")

    copy = files.download_artifacts("a/b", str(tmp_path / "out"))

    assert copy == str(tmp_path / "out" / "a" / "b")
    assert _contents(copy) == _contents(tree)


def test_without_a_target_a_local_artifact_is_returned_in_place(files, tree):
    files.log_artifacts(str(tree))

    assert files.download_artifacts("deep") == os.path.join(files.artifact_dir, "deep")
    assert files.download_artifacts("") == files.artifact_dir


def test_a_file_replaces_one_of_its_name_and_its_folder_stays(files, tmp_path):
    source = tmp_path / "x.txt"
    for text in ("one", "two"):
        source.write_text(text)
        files.log_artifact(str(source), "a")

    assert Path(files.download_artifacts("a/x.txt")).read_text() == "two"
    assert os.listdir(os.path.join(files.artifact_dir, "a")) == ["x.txt"]


def test_changing_the_source_afterwards_does_not_change_the_artifact(files, tmp_path):
    source = tmp_path / "weights"
    source.write_bytes(b"a" * 100_000)
    files.log_artifact(str(source))

    with open(source, "r+b") as file:
        file.write(b"b" * 100_000)

    assert Path(files.download_artifacts("weights")).read_bytes() == b"a" * 100_000


def test_listings_give_paths_from_the_root_and_sizes(files, tree):
    files.log_artifacts(str(tree))

    assert [(one.path, one.is_dir, one.file_size) for one in files.list_artifacts()] == [
        ("deep", True, None),
        ("empty", True, None),
        ("top.txt", False, 3),
    ]
    assert [one.path for one in files.list_artifacts("deep/er")] == ["deep/er/low.bin"]
    assert files.list_artifacts("top.txt") == []
    assert files.list_artifacts("nothing") == []


def test_what_is_not_there_is_said_to_be_not_there(files, tree):
    files.log_artifacts(str(tree))

    for path in ("nothing", "deep/nothing", "top.txt/below"):
        with pytest.raises(MlflowException) as caught:
            files.download_artifacts(path)
        assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_removal_takes_files_and_folders_and_is_content_with_nothing(files, tree):
    files.log_artifacts(str(tree))

    files.delete_artifacts("deep")
    files.delete_artifacts("deep")
    files.delete_artifacts("top.txt")

    assert [one.path for one in files.list_artifacts()] == ["empty"]


def test_a_file_is_there_whole_or_not_at_all(files):
    class Broken(BytesIO):
        def readinto(self, buffer):
            if self.tell() > 0:
                raise OSError(5, "the disk went away")
            return super().readinto(buffer[:10])

    with pytest.raises(OSError, match="went away"):
        files.log_stream(Broken(b"x" * 100), "a/b")

    assert os.listdir(os.path.join(files.artifact_dir, "a")) == []


def test_files_that_are_being_written_are_in_no_listing(files):
    files.log_stream(BytesIO(b"x"), "a")
    Path(files.artifact_dir, ".millstream-part-0").write_text("half")

    assert [one.path for one in files.list_artifacts()] == ["a"]


def test_a_folder_is_not_replaced_by_a_file(files):
    files.log_stream(BytesIO(b"x"), "a/b")

    with pytest.raises(MlflowException, match="folder"):
        files.log_stream(BytesIO(b"y"), "a")
    with pytest.raises(MlflowException, match="folders only"):
        files.log_stream(BytesIO(b"y"), "a/b/c")


def test_links_in_a_source_are_followed_but_never_in_circles(files, tree, tmp_path):
    (tree / "link").symlink_to(tree / "top.txt")
    files.log_artifacts(str(tree))
    assert Path(files.download_artifacts("link")).read_text() == "top"

    (tree / "deep" / "up").symlink_to(tree)
    with pytest.raises(MlflowException, match="link to a folder that it is in"):
        files.log_artifacts(str(tree))


def test_a_source_that_holds_the_target_is_copied_once(files):
    files.log_stream(BytesIO(b"x"), "a")

    files.log_artifacts(files.artifact_dir, "copy")

    assert [one.path for one in files.list_artifacts("copy")] == ["copy/a"]


def test_logging_a_file_onto_itself_leaves_it(files):
    files.log_stream(BytesIO(b"x"), "a")

    files.log_artifact(os.path.join(files.artifact_dir, "a"))

    assert Path(files.download_artifacts("a")).read_bytes() == b"x"


def test_missing_sources_are_reported(files):
    with pytest.raises(FileNotFoundError):
        files.log_artifact("nowhere")
    with pytest.raises(MlflowException, match="No such folder"):
        files.log_artifacts("nowhere")


@pytest.fixture
def big(tmp_path):
    """A file of 64 MB that takes no room."""
    path = tmp_path / "big.bin"
    with open(path, "wb") as file:
        file.write(b"head")
        file.truncate(64 << 20)
    return path


@pytest.mark.skipif(os.name == "nt", reason="hard links are counted otherwise there")
def test_links_are_made_when_they_are_asked_for_and_cost_no_copy(files, big, monkeypatch):
    monkeypatch.setenv("MILLSTREAM_ARTIFACT_LINKS", "1")
    monkeypatch.setattr("mlflow.store.artifact.root.copy_bytes", None)  # would fail if called
    files.log_artifact(str(big), "a")
    at = os.path.join(files.artifact_dir, "a", "big.bin")

    assert os.path.samefile(at, big)
    assert os.listdir(os.path.dirname(at)) == ["big.bin"]
    big.rename(big.with_name("other"))  # a program that replaces its file leaves the artifact
    big.write_bytes(b"new")
    assert os.path.getsize(at) == 64 << 20
    files.delete_artifacts("a")
    assert os.path.getsize(big.with_name("other")) == 64 << 20


def test_by_default_a_source_that_is_changed_in_place_does_not_change_the_artifact(files, big):
    files.log_artifact(str(big))
    with open(big, "r+b") as file:
        file.write(b"tail")

    with open(os.path.join(files.artifact_dir, "big.bin"), "rb") as file:
        assert file.read(4) == b"head"


@pytest.mark.parametrize("refusal", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_no_link_can_be_made_the_file_is_copied(files, tmp_path, monkeypatch, refusal):
    def refuse(*_, **__):
        raise OSError(refusal, os.strerror(refusal))

    source = tmp_path / "f"
    source.write_bytes(b"x")
    monkeypatch.setenv("MILLSTREAM_ARTIFACT_LINKS", "1")
    monkeypatch.setattr(os, "link", refuse)
    files.log_artifact(str(source))
    at = os.path.join(files.artifact_dir, "f")

    assert not os.path.samefile(at, source)
    assert os.listdir(files.artifact_dir) == ["f"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_leads_to_the_file_that_was_opened(files, tmp_path, monkeypatch):
    """A source that is a link is followed; one that was swapped meanwhile is not linked."""
    one, other, link = (tmp_path / name for name in ("one", "other", "link"))
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    link.symlink_to(one)
    monkeypatch.setenv("MILLSTREAM_ARTIFACT_LINKS", "1")
    files.log_artifact(str(link))
    at = os.path.join(files.artifact_dir, "link")
    assert os.path.samefile(at, one)

    root, (opened, asked) = files._root, (one, other)
    with open(opened, "rb") as source:
        assert root.link(ArtifactPath(("swapped",)), str(asked), source) is False
    assert os.listdir(files.artifact_dir) == ["link"]
