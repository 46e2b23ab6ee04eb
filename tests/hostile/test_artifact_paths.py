"""Paths that try to leave an artifact root: generators, an audit hook, and a canary outside."""

from __future__ import annotations

import itertools
import os
import socket
import sys
import threading
from io import BytesIO
from pathlib import Path

import pytest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.local import LocalArtifactRepository
from mlflow.store.artifact.locate import locate, parse_models_uri, parse_runs_uri
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.uris import local_path_of

CANARY = b"the canary is alive"

SEPARATORS = ["/", "\\", "%2f", "%5c", "%252f", "%25252f", "%255c"]
DOTS = ["..", "%2e%2e", "%252e%252e", "%25252e%25252e", ".%2e"]
PREFIXES = ["", "a", "a/b", ".", "./."]


def _traversals() -> list[str]:
    """Dots × separators × what stands before × how deep."""
    found = {"..", "../..", "/", "/etc/passwd", "//etc", "./../x", "a/../b", "path/../to/file"}
    for dots, separator, prefix, depth in itertools.product(DOTS, SEPARATORS, PREFIXES, (1, 3)):
        start = prefix + separator if prefix else ""
        found.add(f"{start}{(dots + separator) * depth}outside/canary")
    return sorted(found)


def _is_plain(path: str) -> bool:
    """Tell whether the text as it stands is a relative path of plain names."""
    parts = path.split("/")
    return "\\" not in path and not path.startswith("/") and not {"..", ".", ""} & {*parts}


@pytest.fixture
def place(tmp_path):
    """A root with a file, and a canary beside it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "canary").write_bytes(CANARY)
    root = tmp_path / "root" / "1"
    (root / "folder").mkdir(parents=True)
    (root / "file").write_text("inside")
    (tmp_path / "root" / "10").mkdir()
    (tmp_path / "root" / "10" / "x").write_bytes(CANARY)
    yield root
    assert (tmp_path / "outside" / "canary").read_bytes() == CANARY
    assert (tmp_path / "root" / "10" / "x").read_bytes() == CANARY
    assert sorted(os.listdir(tmp_path / "outside")) == ["canary"]


_opened: list[str] = []
_is_watching = False


def _hook(event: str, arguments: tuple) -> None:
    if _is_watching and event in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"):
        _opened.append(str(arguments[0]))


sys.addaudithook(_hook)


def _outcome(call, *arguments):
    """Run a call; return its result or error, having checked that no canary was touched."""
    global _is_watching
    _opened.clear()
    _is_watching = True
    try:
        return call(*arguments)
    except (MlflowException, OSError) as error:
        return error
    finally:
        _is_watching = False
        assert not [one for one in _opened if "canary" in one and "outside" in one.split("/")[-2:]]


@pytest.mark.parametrize("path", _traversals())
def test_traversals_are_refused_by_every_operation(place, tmp_path, path):
    files = LocalArtifactRepository(str(place))
    source = tmp_path / "root" / "source"
    source.write_text("new")
    operations = {
        "log_artifact": lambda: files.log_artifact(str(source), path),
        "log_artifacts": lambda: files.log_artifacts(str(place / "folder"), path),
        "log_stream": lambda: files.log_stream(BytesIO(b"new"), path),
        "list": lambda: files.list_artifacts(path),
        "download": lambda: files.download_artifacts(path),
        "copy": lambda: files.download_artifacts(path, str(tmp_path / "root" / "copy")),
        "delete": lambda: files.delete_artifacts(path),
    }

    for name, operation in operations.items():
        result = _outcome(operation)
        if name.startswith("log") or not _is_plain(path):
            assert isinstance(result, MlflowException), name
            assert result.error_code == "INVALID_PARAMETER_VALUE", name
        else:
            # Percent signs are ordinary characters of file names: nothing has such a name here.
            assert result in ([], None) or isinstance(result, MlflowException), name


WINDOWS = [
    "..\\..\\x", "\\\\host\\share\\x", "C:\\x", "C:/x", "C:x", "c:", "file.txt:stream", "CON", "con",
    "nul.txt", "a/COM1", "LPT9.log", "a/aux ", "name.", "name ", "CONIN$",
]  # fmt: skip


@pytest.mark.parametrize("path", WINDOWS)
def test_names_that_mean_something_else_on_windows_are_not_written(place, path):
    result = _outcome(LocalArtifactRepository(str(place)).log_stream, BytesIO(b"odd"), path)

    assert isinstance(result, MlflowException)
    assert result.error_code == "INVALID_PARAMETER_VALUE"


BYTES = [
    "%c0%ae%c0%ae/x", "%ff", "\udcff", "\ud800", "%00", "a%00.png", "a\0b", "\r\n", "a\nb", "\x1b[2J",
    "\x7f", "a" * 5000, "b" * 300, "é" * 130, "/".join("a" * 2000), "x/" * 101 + "y",
]  # fmt: skip


@pytest.mark.parametrize("path", BYTES, ids=range(len(BYTES)))
def test_bytes_that_no_name_has_are_not_written(place, path):
    result = _outcome(LocalArtifactRepository(str(place)).log_stream, BytesIO(b"odd"), path)

    assert isinstance(result, MlflowException)
    assert result.error_code == "INVALID_PARAMETER_VALUE"


ODD = [
    "a?",
    "a#b",
    "a;b",
    "a b",
    "100%",
    "．．",
    "．．/x",
    "é",
    "日本",
    "a&b",
    "-rf",
    "~",
    "$(x)",
    "'q'",
]


@pytest.mark.parametrize("path", ODD)
def test_odd_but_legal_names_are_kept_exactly(place, tmp_path, path):
    files = LocalArtifactRepository(str(place))
    files.log_stream(BytesIO(b"odd"), path)

    assert Path(files.download_artifacts(path)).read_bytes() == b"odd"
    assert (place / path).exists()
    names = [info.path for info in files.list_artifacts(str(Path(path).parent).strip("."))]
    assert path in names


@pytest.mark.parametrize("path", ["a//b", "a/./b", "./a", "//a", "a/.", "../10/x", "../1evil/x"])
def test_what_is_not_in_its_plain_form_is_refused(place, path):
    files = LocalArtifactRepository(str(place))

    for operation in (files.list_artifacts, files.download_artifacts, files.delete_artifacts):
        result = _outcome(operation, path)
        assert isinstance(result, MlflowException)


def test_a_slash_at_the_end_names_the_same_folder(place):
    assert ArtifactPath.parse("folder/") == ArtifactPath.parse("folder")


def _links(place: Path) -> dict[str, str]:
    """Make links of all kinds below the root; return the paths behind which the canary is."""
    outside = place.parent.parent / "outside"
    (place / "to_folder").symlink_to(outside)
    (place / "folder" / "to_file").symlink_to(outside / "canary")
    (place / "dangling").symlink_to(outside / "nothing")
    (place / "relative").symlink_to("../../outside")
    (place / "chain").symlink_to("relative")
    return {
        "folder": "to_folder/canary",
        "file": "folder/to_file",
        "dangling": "dangling",
        "relative": "relative/canary",
        "chain": "chain/canary",
    }


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")
@pytest.mark.parametrize("kind", ["folder", "file", "dangling", "relative", "chain"])
def test_links_below_the_root_lead_nowhere(place, tmp_path, kind):
    path = _links(place)[kind]
    files = LocalArtifactRepository(str(place))
    source = tmp_path / "root" / "source"
    source.write_bytes(b"overwritten")

    read = _outcome(files.download_artifacts, path)
    assert isinstance(read, MlflowException)
    assert read.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert isinstance(
        _outcome(files.download_artifacts, path, str(tmp_path / "x")), MlflowException
    )
    assert _outcome(files.list_artifacts, path.split("/")[0]) in ([], None) or kind == "file"
    _outcome(files.log_stream, BytesIO(b"new"), path)
    _outcome(files.delete_artifacts, path)

    assert (tmp_path / "outside" / "canary").read_bytes() == CANARY


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")
def test_links_are_in_no_listing_and_no_copy(place, tmp_path):
    _links(place)
    files = LocalArtifactRepository(str(place))

    copy = files.download_artifacts("", str(tmp_path / "copy"))

    assert [info.path for info in files.list_artifacts()] == ["file", "folder"]
    assert sorted(str(one.relative_to(copy)) for one in Path(copy).rglob("*")) == ["file", "folder"]


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")
def test_removing_a_folder_removes_links_in_it_and_not_what_they_lead_to(place, tmp_path):
    _links(place)

    LocalArtifactRepository(str(place)).delete_artifacts()

    assert os.listdir(place) == []
    assert (tmp_path / "outside" / "canary").read_bytes() == CANARY


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")
def test_a_folder_swapped_for_a_link_while_it_is_read_never_shows_the_canary(place, tmp_path):
    """The race between looking and opening: there is none, since both are one act."""
    outside = tmp_path / "outside"
    (place / "swap").mkdir()
    (place / "swap" / "canary").write_text("inside")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(place / "swap", place / "aside")
            os.symlink(outside, place / "swap")
            os.unlink(place / "swap")
            os.rename(place / "aside", place / "swap")

    thread = threading.Thread(target=swap)
    thread.start()
    files = LocalArtifactRepository(str(place))
    seen = set()
    try:
        for number in range(1000):
            target = tmp_path / "root" / f"copy{number % 2}"
            try:
                seen.add(Path(files.download_artifacts("swap/canary", str(target))).read_bytes())
            except MlflowException:
                seen.add(b"not there")
    finally:
        stop.set()
        thread.join()

    assert CANARY not in seen


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_sockets_are_not_there_and_nobody_waits_for_them(place, monkeypatch):
    monkeypatch.chdir(place)
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        files = LocalArtifactRepository(str(place))

        for name in ("pipe", "socket"):
            result = _outcome(files.download_artifacts, name)
            assert isinstance(result, MlflowException)
            assert result.error_code == "RESOURCE_DOES_NOT_EXIST"
        assert [info.path for info in files.list_artifacts()] == ["file", "folder"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_artifact_to_log(place, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    result = _outcome(LocalArtifactRepository(str(place)).log_artifact, str(tmp_path / "pipe"))

    assert isinstance(result, MlflowException)


URIS = [
    "file://evil/etc", "file://../etc", "file:///etc?x", "file:///etc#y", "file:///a%00b", "file:/a\n",
    "/a\0b",
]  # fmt: skip


@pytest.mark.parametrize("uri", URIS)
def test_file_uris_that_name_no_local_path_are_refused(uri):
    with pytest.raises(MlflowException) as caught:
        local_path_of(uri)

    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


MODEL_URIS = [
    "models:/a@alias/../../b", "models:/x/latest?y#z", "models:/a/1/../../b/1", "models:/", "models:",
    "models://a/1", "models:/ /1", "models:/a/..", "models:/a/1/..", "models:/a@", "models:/@b",
    "models:/a@b@c", "models:/a/1\\..\\x", "models:/a/1/b\0c", "models:/a/./1", "models:a/1",
]  # fmt: skip


@pytest.mark.parametrize("uri", MODEL_URIS)
def test_hostile_model_uris_are_refused_before_anything_is_looked_up(uri):
    with pytest.raises(MlflowException) as caught:
        parse_models_uri(uri)

    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


RUN_URIS = ["runs:/id/../x", "runs:/", "runs://id/x", "runs:/id//x", "runs:/id/a\\b", "runs:id/x"]


@pytest.mark.parametrize("uri", RUN_URIS)
def test_hostile_run_uris_are_refused_before_anything_is_looked_up(uri):
    with pytest.raises(MlflowException) as caught:
        parse_runs_uri(uri)

    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "uri", ["gopher://x/y", "jar:file:/x", "s3://b/../../x", "s3://b/k?x", "dbfs:/x", "ftp://h/x"]
)
def test_other_schemes_are_refused_without_a_connection(uri, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *args: pytest.fail("connected"))

    with pytest.raises(MlflowException):
        mlflow.artifacts.download_artifacts(uri)


def test_a_version_that_is_its_own_source_is_refused():
    client = mlflow.MlflowClient()
    client.create_registered_model("loop")
    registry = client._registry
    monkey = {"1": "models:/loop/2", "2": "models:/loop/1"}
    registry_like = type(
        "Loop",
        (),
        {
            "get_model_version_download_uri": lambda self, name, version: monkey[version],
            "get_model_version": registry.get_model_version,
        },
    )()

    with pytest.raises(MlflowException, match="leads to itself"):
        locate("models:/loop/1", client._store, registry_like)
