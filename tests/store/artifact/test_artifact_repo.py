"""The contract as plug-ins use it: a subclass with four methods, and listings that lie."""

from __future__ import annotations

import os
import shutil
from io import BytesIO
from pathlib import Path

import pytest

from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository


class Dictionary(ArtifactRepository):
    """Files in a dict, as a plug-in would keep them somewhere else."""

    def __init__(self, artifact_uri: str = "dict:/", **kwargs) -> None:
        super().__init__(artifact_uri, **kwargs)
        self.kept: dict[str, bytes] = {}

    def log_artifact(self, local_file, artifact_path=None):
        name = os.path.basename(local_file)
        self.kept[f"{artifact_path}/{name}" if artifact_path else name] = Path(
            local_file
        ).read_bytes()

    def list_artifacts(self, path=None):
        prefix = f"{path}/" if path else ""
        below = {one[len(prefix) :] for one in self.kept if one.startswith(prefix)}
        names = sorted({one.split("/")[0] for one in below})
        return [FileInfo(prefix + name, name not in below, None) for name in names]

    def _download_file(self, remote_file_path, local_path):
        if remote_file_path not in self.kept:
            raise FileNotFoundError(remote_file_path)
        Path(local_path).write_bytes(self.kept[remote_file_path])


@pytest.fixture
def files():
    made = Dictionary()
    made.kept = {"a/b.txt": b"b", "a/c/d.txt": b"d", "e.txt": b"e"}
    return made


def test_a_folder_is_downloaded_through_listings(files, tmp_path):
    copy = files.download_artifacts("a", str(tmp_path))

    assert copy == str(tmp_path / "a")
    found = {str(one.relative_to(copy)) for one in Path(copy).rglob("*") if one.is_file()}
    assert found == {"b.txt", "c/d.txt"}


def test_a_file_is_downloaded_to_a_new_folder_without_a_target(files):
    path = files.download_artifacts("e.txt")

    assert Path(path).read_bytes() == b"e"
    shutil.rmtree(os.path.dirname(path))


def test_a_stream_goes_through_a_file(files):
    files.log_stream(BytesIO(b"new"), "x/y.txt")

    assert files.kept["x/y.txt"] == b"new"


def test_what_is_not_there_is_said_to_be_not_there(files, tmp_path):
    with pytest.raises(MlflowException) as caught:
        files.download_artifacts("nothing", str(tmp_path))

    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    "listed", ["../x", "/etc/x", "a/../../x", "other/x", "a", "a/b/c", "C:\\x", "a\0", "a/..\\x"]
)
def test_a_listing_that_leads_out_of_its_folder_downloads_nothing(tmp_path, listed):
    class Hostile(Dictionary):
        def list_artifacts(self, path=None):
            return [FileInfo(listed, False, 1)]

        def _download_file(self, remote_file_path, local_path):
            pytest.fail("a file was fetched")

    target = tmp_path / "target"
    with pytest.raises(MlflowException):
        Hostile().download_artifacts("a", str(target))

    assert not target.exists()


def test_a_listing_without_an_end_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("mlflow.store.artifact.artifact_repo.MAX_FILES", 50)

    class Endless(Dictionary):
        def list_artifacts(self, path=None):
            return [FileInfo(f"{path}/x", True, None)] if path else [FileInfo("x", True, None)]

    with pytest.raises(MlflowException):
        Endless().download_artifacts("", str(tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")
def test_a_link_in_the_target_is_not_followed(files, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a").symlink_to(tmp_path / "outside")

    with pytest.raises(MlflowException):
        files.download_artifacts("a", str(tmp_path / "target"))

    assert os.listdir(tmp_path / "outside") == []
