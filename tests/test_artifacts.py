"""Finding, downloading and reading artifacts by URI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import mlflow
from mlflow.artifacts import (
    _download_artifact_from_uri,
    download_artifacts,
    get_artifact_uri,
    list_artifacts,
    load_dict,
    load_image,
    load_text,
)
from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException


@pytest.fixture
def run_id() -> str:
    """Return a run with text, JSON, bytes and a file two folders down."""
    with mlflow.start_run() as run:
        mlflow.log_text("héllo", "t.txt")
        mlflow.log_text("deep", "d/e/f.txt")
        mlflow.log_dict({"a": 1}, "c.json")
        Path("bytes").write_bytes(b"\xff\xfe\x00")
        mlflow.log_artifact("bytes")
    return run.info.run_id


def files_in(folder: str) -> list[str]:
    """Return the paths of all files below a folder."""
    return sorted(
        path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()
    )


def code_of(ask: Any, **given: Any) -> str:
    """Return the error code with which a call is refused."""
    with pytest.raises(MlflowException) as caught:
        ask(**given)
    return caught.value.error_code


def test_local_artifacts_are_returned_in_place(run_id: str) -> None:
    """Nothing is copied without a folder to copy to."""
    root = Path("mlruns/0", run_id, "artifacts").resolve()

    assert Path(download_artifacts(run_id=run_id)) == root
    assert Path(download_artifacts(run_id=run_id, artifact_path="t.txt")) == root / "t.txt"
    assert Path(download_artifacts(f"runs:/{run_id}/d/e/f.txt")) == root / "d/e/f.txt"
    assert Path(download_artifacts(f"runs:/{run_id}/d/")) == root / "d"
    assert Path(download_artifacts(root.as_uri())) == root
    assert Path(download_artifacts(str(root / "t.txt"))) == root / "t.txt"
    assert Path(download_artifacts(Path("bytes"))) == Path("bytes").resolve()  # type: ignore[arg-type]


@pytest.mark.parametrize("by_uri", [True, False])
@pytest.mark.parametrize(
    ("path", "found", "files"),
    [
        ("d/e/f.txt", "f.txt", ["f.txt"]),
        ("d/e", "e", ["e/f.txt"]),
        ("", "", ["bytes", "c.json", "d/e/f.txt", "t.txt"]),
    ],
)
def test_what_is_copied_keeps_its_last_name_only(
    run_id: str, path: str, found: str, files: list[str], by_uri: bool
) -> None:
    """By run and path as by URI, as MLflow 3.17.2 does it; the folder is made."""
    if by_uri:
        copied = download_artifacts(f"runs:/{run_id}/{path}".rstrip("/"), dst_path="out/there")
    else:
        copied = download_artifacts(run_id=run_id, artifact_path=path, dst_path="out/there")

    assert Path(copied) == Path("out/there", found).resolve()
    assert files_in("out/there") == files


def test_a_copy_is_no_link(run_id: str) -> None:
    """Changing it leaves the artifact as it was."""
    copied = download_artifacts(run_id=run_id, artifact_path="t.txt", dst_path=Path("out"))  # type: ignore[arg-type]
    Path(copied).write_text("changed")

    assert load_text(f"runs:/{run_id}/t.txt") == "héllo"


def test_a_path_may_go_below_a_uri(run_id: str) -> None:
    """MLflow refuses both together; here they are joined."""
    below = download_artifacts(f"runs:/{run_id}/d", artifact_path="e/f.txt")

    assert Path(below).read_text() == "deep"
    assert [one.path for one in list_artifacts(f"runs:/{run_id}", artifact_path="d")] == ["d/e"]


@pytest.mark.parametrize("ask", [download_artifacts, list_artifacts])
@pytest.mark.parametrize("given", [{}, {"artifact_uri": "x", "run_id": "y"}])
def test_either_a_uri_or_a_run_is_given(ask: Any, given: dict[str, str]) -> None:
    """The message is MLflow's."""
    with pytest.raises(MlflowException, match="^Exactly one of `run_id` or `artifact_uri` must be"):
        ask(**given)


@pytest.mark.parametrize("path", ["../meta.yaml", "d/../../meta.yaml", "/etc/passwd"])
def test_paths_lead_nowhere_else(run_id: str, path: str) -> None:
    """The files beside a run's artifacts, and those of the machine, are not artifacts."""
    assert Path("mlruns/0", run_id, "meta.yaml").exists()
    for given in (
        {"run_id": run_id, "artifact_path": path},
        {"artifact_uri": f"runs:/{run_id}/{path}"},
    ):
        assert code_of(download_artifacts, **given) == "INVALID_PARAMETER_VALUE"
        assert code_of(list_artifacts, **given) == "INVALID_PARAMETER_VALUE"
        assert code_of(download_artifacts, **given, dst_path="out") == "INVALID_PARAMETER_VALUE"
    assert not Path("out").exists()


def test_what_is_not_there_is_missed(run_id: str) -> None:
    """A file, a run, a model, a version."""
    for uri in (f"runs:/{run_id}/zz", f"runs:/{'f' * 32}/t.txt", "models:/m-" + "0" * 32, "zz.txt"):
        assert code_of(download_artifacts, artifact_uri=uri) == "RESOURCE_DOES_NOT_EXIST"
    assert code_of(download_artifacts, artifact_uri="models:/no/1") == "RESOURCE_DOES_NOT_EXIST"


def test_a_scheme_that_is_not_known_is_refused() -> None:
    """The message is MLflow's; schemes of later versions say what they will need."""
    with pytest.raises(MlflowException, match="Could not find a registered artifact repository"):
        download_artifacts("zzz://a/b")
    with pytest.raises(MlflowException, match=r"not in this version.*Databricks"):
        download_artifacts("dbfs:/bucket/key")


def test_a_folder_is_listed_by_name_with_paths_from_the_root(run_id: str) -> None:
    """Sizes are bytes; folders have none."""
    assert list_artifacts(run_id=run_id) == [
        FileInfo("bytes", False, 3),
        FileInfo(
            "c.json", False, Path(download_artifacts(f"runs:/{run_id}/c.json")).stat().st_size
        ),
        FileInfo("d", True, None),
        FileInfo("t.txt", False, 6),
    ]
    assert list_artifacts(run_id=run_id, artifact_path="d") == [FileInfo("d/e", True, None)]
    assert list_artifacts(f"runs:/{run_id}/d/e") == [FileInfo("d/e/f.txt", False, 4)]


def test_files_and_absent_folders_list_nothing(run_id: str) -> None:
    """As in MLflow."""
    assert list_artifacts(run_id=run_id, artifact_path="t.txt") == []
    assert list_artifacts(run_id=run_id, artifact_path="zz") == []


def test_a_local_folder_is_listed_with_its_name() -> None:
    """Paths start with the folder that was asked for."""
    os.makedirs("data/raw")
    Path("data/wine.csv").write_text("a\n")

    assert list_artifacts("data") == [
        FileInfo("data/raw", True, None),
        FileInfo("data/wine.csv", False, 2),
    ]


def test_text_is_read_as_utf_8(run_id: str) -> None:
    """From a run, from a path, from a file URI."""
    Path("t2.txt").write_text("ü", encoding="utf-8")

    assert load_text(f"runs:/{run_id}/t.txt") == "héllo"
    assert load_text("t2.txt") == "ü"
    assert load_text(Path("t2.txt").resolve().as_uri()) == "ü"


def test_bytes_are_no_text(run_id: str) -> None:
    """The message is MLflow's and says what to do."""
    with pytest.raises(
        MlflowException, match="bytes' is not valid UTF-8. To read a file"
    ) as caught:
        load_text(f"runs:/{run_id}/bytes")
    assert caught.value.error_code == "BAD_REQUEST"


def test_json_is_read_and_other_text_refused(run_id: str) -> None:
    """The message is MLflow's."""
    assert load_dict(f"runs:/{run_id}/c.json") == {"a": 1}
    for name in ("t.txt", "bytes"):
        with pytest.raises(MlflowException, match="^Unable to form a JSON object from") as caught:
            load_dict(f"runs:/{run_id}/{name}")
        assert caught.value.error_code == "BAD_REQUEST"


def test_images_are_read_and_other_files_refused(run_id: str) -> None:
    """The message is MLflow's."""
    image = pytest.importorskip("PIL.Image")
    with mlflow.start_run(run_id=run_id):
        mlflow.log_image(image.new("RGB", (2, 3)), "i.png")

    assert load_image(f"runs:/{run_id}/i.png").size == (2, 3)
    with pytest.raises(MlflowException, match="^Unable to form a PIL Image object") as caught:
        load_image(f"runs:/{run_id}/t.txt")
    assert caught.value.error_code == "BAD_REQUEST"


@pytest.mark.parametrize("load", [load_text, load_dict, load_image])
def test_a_folder_is_not_read(run_id: str, load: Any) -> None:
    """An error of ours, with the URI, not one of the system."""
    if load is load_image:
        pytest.importorskip("PIL.Image")
    with pytest.raises(MlflowException, match=f"'runs:/{run_id}/d' is a folder"):
        load(f"runs:/{run_id}/d")


def test_another_store_can_be_named(run_id: str) -> None:
    """The run is looked up there, whatever store is in use."""
    here = Path("mlruns").resolve().as_uri()
    mlflow.set_tracking_uri(Path("elsewhere").resolve().as_uri())

    assert code_of(download_artifacts, run_id=run_id) == "RESOURCE_DOES_NOT_EXIST"
    found = download_artifacts(run_id=run_id, artifact_path="t.txt", tracking_uri=here)
    assert Path(found).read_text(encoding="utf-8") == "héllo"
    assert len(list_artifacts(run_id=run_id, tracking_uri=here)) == 4


def test_a_registered_model_is_found(run_id: str) -> None:
    """By version and by alias, and a file in it."""
    client = mlflow.MlflowClient()
    client.create_registered_model("wine")
    root = mlflow.get_run(run_id).info.artifact_uri
    client.create_model_version("wine", f"{root}/d", run_id)
    client.set_registered_model_alias("wine", "champion", "1")

    for uri in ("models:/wine/1", "models:/wine@champion"):
        assert [one.path for one in list_artifacts(uri)] == ["e"]
        assert load_text(f"{uri}/e/f.txt") == "deep"
    copied = download_artifacts("models:/wine/1/e", dst_path="out")
    assert Path(copied).name == "e"
    assert files_in("out") == ["e/f.txt"]


def test_the_names_that_integrations_import_work(run_id: str) -> None:
    """The two of `mlflow.tracking.artifact_utils`."""
    copied = _download_artifact_from_uri(f"runs:/{run_id}/t.txt", output_path="out")
    assert Path(copied) == Path("out/t.txt").resolve()

    root = mlflow.get_run(run_id).info.artifact_uri
    assert get_artifact_uri(run_id) == root
    assert get_artifact_uri(run_id, "d/e") == f"{root}/d/e"
    assert code_of(get_artifact_uri, run_id="f" * 32) == "RESOURCE_DOES_NOT_EXIST"
