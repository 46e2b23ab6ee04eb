"""One suite for every place that keeps artifacts: what is logged is listed, and comes back."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from pathlib import Path

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.filesystems import FilesystemTree
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.artifact.remote import FilesystemArtifactRepository
from tests.bucket_server import BUCKET, KEYS, bucket_server
from tests.cloud_servers import MISSING, ROOTS, cloud_server, environment
from tests.conftest import FULL
from tests.server.running import server

MIB = 1 << 20


@pytest.fixture(scope="module")
def bucket():
    with bucket_server() as made:
        yield made


@pytest.fixture(scope="module")
def tracking_server(tmp_path_factory):
    with server(tmp_path_factory.mktemp("server")) as (_, address):
        yield address


@pytest.fixture(scope="module")
def tracking_server_of_bucket(tmp_path_factory, bucket):
    environment = {**KEYS, "MLFLOW_S3_ENDPOINT_URL": bucket.address}
    folder = tmp_path_factory.mktemp("server")
    destination = ("--artifacts-destination", f"s3://{BUCKET}/proxied")
    with server(folder, *destination, environment=environment) as (_, address):
        yield address


@pytest.fixture(scope="module")
def clouds(tmp_path_factory):
    """Start what is asked for: Azure or Google, and servers over them."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def started(place):
            folder = tmp_path_factory.mktemp("cloud")
            over, _, cloud = place.rpartition(" over ")
            if not over:
                return stack.enter_context(cloud_server(cloud, folder))
            destination = ("--artifacts-destination", f"{ROOTS[cloud]}/proxied")
            variables = environment(cloud, started(cloud))
            made = stack.enter_context(server(folder, *destination, environment=variables))
            return made[1]

        yield started


CLOUDS = [
    pytest.param(
        f"{over}{cloud}", marks=pytest.mark.skipif(bool(MISSING[cloud]), reason=MISSING[cloud])
    )
    for cloud in ROOTS
    for over in ("", "server over ")
]
# A server of folders has tests of its own, too: it is one of many in a full run only.
PLACES = ["local", "s3", "fsspec", "server over s3", *(["server"] if FULL else []), *CLOUDS]


@pytest.fixture(params=PLACES)
def files(request, tmp_path, monkeypatch):
    """A place of its own for each test."""
    name = request.node.name.partition("[")[0]
    if request.param == "local":
        return artifact_repository(str(tmp_path / "kept"))
    if request.param == "s3":
        proxy = request.getfixturevalue("bucket")
        for variable, value in KEYS.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", proxy.address)
        proxy.fault = None
        return artifact_repository(f"s3://{BUCKET}/contract/{name}")
    if request.param == "fsspec":
        import fsspec

        tree = FilesystemTree(f"sftp://host/{name}")
        tree._system = fsspec.filesystem("memory")  # the one that needs nothing installed
        made = FilesystemArtifactRepository(f"sftp://host/{name}")
        made.tree = tree
        return made
    if request.param in ROOTS:
        made = request.getfixturevalue("clouds")(request.param)
        for variable, value in environment(request.param, made).items():
            monkeypatch.setenv(variable, value)
        return artifact_repository(f"{ROOTS[request.param]}/contract/{name}")
    if request.param.endswith(("azure", "gs")):
        address = request.getfixturevalue("clouds")(request.param)
        return artifact_repository(f"mlflow-artifacts:/{name}", address)
    if request.param == "server over s3":
        address = request.getfixturevalue("tracking_server_of_bucket")
        return artifact_repository(f"mlflow-artifacts:/{name}", address)
    return artifact_repository(
        f"mlflow-artifacts:/{name}", request.getfixturevalue("tracking_server")
    )


def contents(folder: str | Path) -> dict[str, bytes]:
    folder = Path(folder)
    return {
        one.relative_to(folder).as_posix(): one.read_bytes()
        for one in folder.rglob("*")
        if one.is_file()
    }


DATA = {
    "MLmodel": b"flavors: {}\n",
    "data/model.bin": bytes(range(256)) * 40,
    "data/empty": b"",
    "sp ace/ü/日本.txt": b"x",
    "odd/a%20b#c&d=e+f~g{h}'i.txt": b"odd",
}


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    for name, data in DATA.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def test_a_folder_comes_back_as_it_went_in(files, source, tmp_path):
    files.log_artifacts(str(source), "model")

    copy = files.download_artifacts("model", str(tmp_path / "copy"))
    assert str(tmp_path / "copy" / "model") == copy
    assert DATA == contents(copy)
    assert {f"model/{name}": data for name, data in DATA.items()} == contents(
        files.download_artifacts("", str(tmp_path / "all"))
    )


def test_listings_give_names_in_order_and_sizes(files, source):
    files.log_artifacts(str(source))
    files.log_artifact(str(source / "MLmodel"), "a/deep/er")

    found = [(one.path, one.is_dir, one.file_size) for one in files.list_artifacts()]
    folders = [(name, True, None) for name in ("a", "data", "odd", "sp ace")]
    assert [("MLmodel", False, 12), *folders] == found
    found = [(one.path, one.is_dir, one.file_size) for one in files.list_artifacts("data")]
    assert [("data/empty", False, 0), ("data/model.bin", False, 10240)] == found
    assert ["a/deep"] == [one.path for one in files.list_artifacts("a")]
    assert [] == files.list_artifacts("MLmodel")
    assert [] == files.list_artifacts("dat")
    assert [] == files.list_artifacts("nothing/here")


def test_single_files(files, source, tmp_path):
    files.log_artifact(str(source / "MLmodel"))
    files.log_artifact(str(source / "data" / "model.bin"), "a/b")

    path = files.download_artifacts("a/b/model.bin", str(tmp_path))
    assert (DATA["data/model.bin"], "model.bin") == (
        Path(path).read_bytes(),
        os.path.basename(path),
    )
    assert DATA["MLmodel"] == Path(files.download_artifacts("MLmodel")).read_bytes()


def test_a_file_replaces_one_of_its_name(files, tmp_path):
    path = tmp_path / "f.txt"
    for data in (b"first, and longer", b"second"):
        path.write_bytes(data)
        files.log_artifact(str(path), "below")

    assert b"second" == Path(files.download_artifacts("below/f.txt")).read_bytes()
    assert ["below/f.txt"] == [one.path for one in files.list_artifacts("below")]


def test_streams(files):
    """Also those that cannot say how long they are."""

    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self._data = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self._data.readinto(buffer)

    files.log_stream(io.BytesIO(b"known"), "streams/a")
    files.log_stream(Pipe(b"unknown"), "streams/b")

    assert {"a": b"known", "b": b"unknown"} == contents(files.download_artifacts("streams"))


def test_a_stream_that_fails_leaves_nothing(files):
    class Breaking(io.RawIOBase):
        left = 24

        def readable(self):
            return True

        def readinto(self, buffer):
            if not self.left:
                raise OSError("the tape ended")
            self.left -= 1
            return len(buffer)

    with pytest.raises(OSError, match="the tape ended"):
        files.log_stream(Breaking(), "streams/a")

    assert [] == files.list_artifacts("streams")


def test_removal(files, source):
    files.log_artifacts(str(source), "model")
    files.delete_artifacts("model/data")
    files.delete_artifacts("model/MLmodel")
    files.delete_artifacts("model/nothing")

    assert ["model/odd", "model/sp ace"] == [one.path for one in files.list_artifacts("model")]


def test_what_is_not_there(files, tmp_path):
    with pytest.raises(MlflowException) as caught:
        files.download_artifacts("nothing", str(tmp_path / "copy"))
    assert "RESOURCE_DOES_NOT_EXIST" == caught.value.error_code

    with pytest.raises(FileNotFoundError):
        files.log_artifact(str(tmp_path / "nothing"))
    with pytest.raises(MlflowException, match="No such folder"):
        files.log_artifacts(str(tmp_path / "nothing"))


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "a\\..\\x", "a\0b", "a/./b", "a//b"])
def test_paths_that_lead_elsewhere(files, source, path):
    for call in (
        lambda: files.log_artifact(str(source / "MLmodel"), path),
        lambda: files.log_artifacts(str(source), path),
        lambda: files.log_stream(io.BytesIO(b""), path),
        lambda: files.list_artifacts(path),
        lambda: files.download_artifacts(path),
        lambda: files.delete_artifacts(path),
    ):
        with pytest.raises(MlflowException, match="Invalid artifact path"):
            call()


def test_files_of_many_parts(files, tmp_path, monkeypatch):
    """They are cut into parts, sent and fetched several at a time, and are the same."""
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(6 * MIB))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(5 * MIB))
    monkeypatch.setenv("MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE", str(6 * MIB))
    monkeypatch.setenv("MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", str(2 * MIB))
    path = tmp_path / "large.bin"
    data = os.urandom(MIB) * 11 + b"the end"
    path.write_bytes(data)

    files.log_artifact(str(path))
    assert [len(data)] == [one.file_size for one in files.list_artifacts()]
    copy = files.download_artifacts("large.bin", str(tmp_path / "copy"))
    assert data == Path(copy).read_bytes()
