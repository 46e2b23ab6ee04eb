"""URIs of artifacts, read: which scheme, which place, which run, which model."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.uris import (
    is_local,
    join_uri,
    local_path_of,
    parse_models_uri,
    parse_runs_uri,
    scheme_of,
)
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.file.uris import to_uri
from mlflow.store.local import LocalStore

MODEL = "m-" + "0" * 32


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("/a/b", ""), ("a", ""), ("", ""), ("C:/a", ""), ("c:\\a", ""), ("FILE:///a", "file"),
        ("s3://b", "s3"), ("mlflow-artifacts:/a", "mlflow-artifacts"), ("git+ssh://h", "git+ssh"),
        ("a/b:c", ""), ("1a:b", ""), ("ſile:/a", ""), ("a b:c", ""), ("runs:/x", "runs"), (":a", ""),
    ],
)  # fmt: skip
def test_schemes(uri, scheme):
    assert scheme_of(uri) == scheme
    assert is_local(uri) is (scheme in ("", "file"))


def test_local_places():
    assert local_path_of("a/b") == os.path.join(os.getcwd(), "a", "b")
    assert local_path_of("/a/../b") == "/b"
    assert local_path_of("file:///a%20b/c") == "/a b/c"
    assert local_path_of("file://localhost/a") == "/a"
    assert local_path_of("file:/a") == "/a"
    assert local_path_of("/a%20b?c#d") == "/a%20b?c#d"


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("file://elsewhere/a", "names the host 'elsewhere'"),
        ("file:////a?b", "query"),
        ("file:///a#b", "fragment"),
        ("file:///a%00b", "control character"),
        ("/a\nb", "control character"),
        ("s3://bucket/a", "not a local place"),
    ],
)
def test_what_names_no_local_place_is_refused(uri, reason):
    with pytest.raises(MlflowException, match=reason) as caught:
        local_path_of(uri)

    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


@given(
    parts=st.lists(
        st.text(
            st.characters(blacklist_characters="/\x7f", blacklist_categories=("Cs", "Cc")),
            min_size=1,
            max_size=8,
        ).filter(lambda part: part not in (".", "..")),
        min_size=1,
        max_size=4,
    )
)
def test_the_uri_of_any_path_names_that_path(parts):
    path = "/" + "/".join(parts)

    assert local_path_of(to_uri(path)) == path


def test_paths_are_joined_to_uris():
    assert join_uri("s3://b/k/", "a/b") == "s3://b/k/a/b"
    assert join_uri("/root", "a%b") == "/root/a%b"
    assert join_uri("file:///root", "a%b c") == "file:///root/a%25b%20c"
    assert join_uri("/root", None) == "/root"
    assert join_uri("/root", "") == "/root"


@pytest.mark.parametrize("name", ["a%2e%2e", "a?b", "a#b", "100%", "a b", "é"])
@pytest.mark.parametrize("root", ["/root", "file:///root"])
def test_a_joined_uri_names_the_file_that_was_meant(root, name):
    assert local_path_of(join_uri(root, name)) == f"/root/{name}"


@pytest.mark.parametrize("path", ["../a", "/a", "a/../../b"])
def test_no_path_that_leads_elsewhere_is_joined(path):
    with pytest.raises(MlflowException, match="Invalid artifact path"):
        join_uri("file:///root", path)


def test_uris_of_runs():
    found = parse_runs_uri("runs:/abc/a/b")

    assert (found.run_id, str(found.path)) == ("abc", "a/b")
    assert parse_runs_uri("runs:/abc").path.parts == ()
    assert parse_runs_uri("runs:/abc/").path.parts == ()


@pytest.mark.parametrize(
    "uri", ["runs:/", "runs:abc", "runs://host/abc", "runs:///abc", "models:/abc", "runs:/a/../b"]
)
def test_what_is_no_uri_of_a_run_is_refused(uri):
    with pytest.raises(MlflowException) as caught:
        parse_runs_uri(uri)

    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert uri in caught.value.message


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (f"models:/{MODEL}", {"model_id": MODEL}),
        (f"models:/{MODEL}/a/b", {"model_id": MODEL, "path": "a/b"}),
        ("models:/name/3", {"name": "name", "version": "3"}),
        ("models:/name/3/a/b", {"name": "name", "version": "3", "path": "a/b"}),
        ("models:/name/Staging", {"name": "name", "stage": "Staging"}),
        ("models:/name/latest", {"name": "name", "stage": "latest"}),
        ("models:/name/٣", {"name": "name", "stage": "٣"}),
        ("models:/name@champion", {"name": "name", "alias": "champion"}),
        ("models:/name@champion/a", {"name": "name", "alias": "champion", "path": "a"}),
        ("models:/a b/1", {"name": "a b", "version": "1"}),
    ],
)
def test_uris_of_models(uri, expected):
    found = parse_models_uri(uri)
    shown = {
        name: getattr(found, name) for name in ("model_id", "name", "version", "stage", "alias")
    }

    assert {**shown, "path": str(found.path)} == {
        **dict.fromkeys(shown),
        "path": "",
        **expected,
    }


@pytest.mark.parametrize(
    "uri",
    [
        "models:/", "models:/ ", "models:name/1", "models://host/name/1", "models:/@a", "models:/a@",
        "models:/a@b@c", "models:/a/..", "models:/a/.", "models:/a/b@c", "models:/a/1?x",
        "models:/a/1/../../b", "models:/a\\b/1", "models:/a\n/1", "models://a", "runs:/a",
    ],
)  # fmt: skip
def test_what_is_no_uri_of_a_model_is_refused(uri):
    with pytest.raises(MlflowException) as caught:
        parse_models_uri(uri)

    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_stages_aliases_and_the_latest_are_looked_up(tmp_path):
    registry = LocalStore(FileBackend(str(tmp_path / "mlruns")))
    registry.create_registered_model("name")
    for _ in range(11):
        registry.create_model_version("name", "s3://bucket/model")
    registry.transition_model_version_stage("name", "2", "Production", False)
    registry.set_registered_model_alias("name", "champion", "4")

    def version(uri):
        return parse_models_uri(uri).version_in(registry)

    assert version("models:/name/3") == "3"
    assert version("models:/name/latest") == "11"
    assert version("models:/name/LATEST") == "11"
    assert version("models:/name/production") == "2"
    assert version("models:/name@champion") == "4"
    with pytest.raises(MlflowException, match="No versions of model with name 'name' and stage"):
        version("models:/name/Staging")
    with pytest.raises(MlflowException, match="challenger"):
        version("models:/name@challenger")
    registry.close()
