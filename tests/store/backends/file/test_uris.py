from __future__ import annotations

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.store.artifact.uris import scheme_of
from mlflow.store.backends.file.uris import believed, followed, to_path, to_uri

PATHS = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=12
)


@given(parts=st.lists(PATHS, min_size=1, max_size=4))
def test_uris_are_those_of_pathlib_and_lead_back(parts):
    path = "/" + "/".join(part for part in parts if part not in (".", ".."))
    uri = to_uri(path)

    assert uri == "file://" + pathlib.PurePosixPath(path).as_uri()[len("file://") :]
    assert to_path(uri) == path


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/a/b", "/a/b"),
        ("a/b", "a/b"),
        ("file:///a%20b", "/a b"),
        ("file:/a", "/a"),
        ("file://localhost/a", "/a"),
        ("file://elsewhere/a", None),
        ("s3://b/k", None),
        ("mlflow-artifacts:/0/x", None),
        ("git+ssh://h/x", None),
        ("c:/x", "c:/x"),
        ("1a:/x", "1a:/x"),
        ("ſile:/x", "ſile:/x"),
        ("a/b:/x", "a/b:/x"),
        (":/x", ":/x"),
    ],
)
def test_paths_of_uris(uri, path):
    assert to_path(uri) == path


@given(uri=st.text("ab1+-.:/ſ\u0661é", max_size=6) | st.text(max_size=6))
def test_what_is_a_path_for_those_who_open_artifacts_is_one_here(uri):
    """Else a store could name any folder and be believed."""
    assert (to_path(uri) is None) <= (scheme_of(uri) not in ("", "file"))


RUN = "a" * 32


def believe(root, recorded):
    own = f"{root}/5/{RUN}/artifacts"
    return believed(recorded, own, f"file://{own}", ("5", RUN, "artifacts"))


def test_what_a_moved_store_says_of_its_old_place_is_its_new_place(tmp_path):
    own = f"file://{tmp_path}/5/{RUN}/artifacts"

    assert believe(tmp_path, f"file:///gone/mlruns/5/{RUN}/artifacts") == own
    assert believe(tmp_path, f"/gone/mlruns/5/{RUN}/artifacts") == own
    assert believe(tmp_path, own) == own


def test_a_copy_of_a_store_uses_its_own_files_though_the_original_is_there(tmp_path):
    original = tmp_path / "original"
    (original / "5").mkdir(parents=True)
    (original / "5" / "meta.yaml").write_text("name: x\n")
    copy = tmp_path / "copy"

    found = believe(copy, f"file://{original}/5/{RUN}/artifacts")
    assert found == f"file://{copy}/5/{RUN}/artifacts"


def test_an_artifact_root_elsewhere_is_believed(tmp_path):
    root = tmp_path / "artifacts"
    root.mkdir()
    for uri in (
        f"file://{root}/5/{RUN}/artifacts",
        f"{root}/experiment/{RUN}/artifacts",
        f"s3://bucket/5/{RUN}/artifacts?x=y",
        "mlflow-artifacts:/5/x",
    ):
        assert believe(tmp_path / "store", uri) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc", "/", "", "..", f"/x/../5/{RUN}/artifacts", "/etc", "c:/../../../etc",
        "1a:/../../../etc", "ſile:/../../../etc", "file:///etc?x", "FILE:///etc",
        f"file:///x/%2e%2e/5/{RUN}/artifacts", "file:etc", " file:///etc",
    ],
)  # fmt: skip
def test_any_other_place_is_not_believed(tmp_path, uri):
    assert believe(tmp_path, uri) == f"file://{tmp_path}/5/{RUN}/artifacts"


@pytest.mark.parametrize(
    "below", [f"5/{RUN}/artifacts", "5/models/m-1/artifacts", f"5/{RUN}/artifacts/a b/model"]
)
def test_what_a_version_says_of_a_moved_store_is_followed(tmp_path, below):
    store = tmp_path / "store"
    (store / below).mkdir(parents=True)
    own = to_uri(f"{store}/{below}")
    for recorded in (f"/gone/mlruns/{below}", to_uri(f"/gone/mlruns/{below}"), own):
        assert followed(recorded, str(store), to_uri(str(store))) == own


def test_what_a_version_says_of_the_original_leads_into_the_copy(tmp_path):
    original, copy = tmp_path / "original", tmp_path / "copy"
    for store in (original, copy):
        (store / "5" / RUN / "artifacts").mkdir(parents=True)
        (store / "5" / "meta.yaml").write_text("name: x\n")
    below = f"5/{RUN}/artifacts/m"

    assert followed(f"{original}/{below}", str(copy), f"file://{copy}") == f"file://{copy}/{below}"


@pytest.mark.parametrize(
    "uri",
    ["s3://b/5/m/artifacts", "/elsewhere/model", f"/gone/6/{RUN}/artifacts/x", "/artifacts", "",
     f"/gone/5/{RUN}/../{RUN}/artifacts", "models:/m/1", "/gone/5/link/artifacts"],
)  # fmt: skip
def test_a_version_that_leads_elsewhere_is_left(tmp_path, uri):
    (tmp_path / "5" / RUN / "artifacts").mkdir(parents=True)
    (tmp_path / "5" / "link").symlink_to(tmp_path / "5" / RUN)

    assert followed(uri, str(tmp_path), f"file://{tmp_path}") == uri
