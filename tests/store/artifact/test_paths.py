"""Names below an artifact root: what is one, what is none, and what may be written."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlflow.exceptions import MlflowException
from mlflow.store.artifact import paths
from mlflow.store.artifact.paths import MAX_CHARACTERS, MAX_LEVELS, ArtifactPath

ANY = st.text(st.sampled_from("ab./\\:%25fF\0\n é\udc80"), max_size=12) | st.text(max_size=20)


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_the_root(nothing):
    path = ArtifactPath.parse(nothing)

    assert path.parts == ()
    assert (str(path), path.name, path.parent) == ("", "", path)


def test_a_path_is_its_names():
    path = ArtifactPath.parse("a/b c/d.txt")

    assert path.parts == ("a", "b c", "d.txt")
    assert str(path) == "a/b c/d.txt"
    assert path.name == "d.txt"
    assert str(path.parent) == "a/b c"
    assert repr(path) == "ArtifactPath('a/b c/d.txt')"


def test_paths_are_equal_by_their_names_and_can_be_keys():
    assert ArtifactPath.parse("a/b/") == ArtifactPath.parse("a/b")
    assert {ArtifactPath.parse("a"), ArtifactPath.parse("a/")} == {ArtifactPath(("a",))}
    assert ArtifactPath.parse("a") != "a"


def test_paths_are_joined_name_by_name():
    one, other = ArtifactPath.parse("a/b"), ArtifactPath.parse("c")

    assert one.join(other) == ArtifactPath.parse("a/b/c")
    assert one.join(ArtifactPath.parse("")) == one
    assert one.child("c") == ArtifactPath.parse("a/b/c")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "a\\b", "a\0", "a\n"])
def test_an_entry_is_one_plain_name(name):
    with pytest.raises(MlflowException):
        ArtifactPath.parse("a").child(name)


@given(text=ANY)
def test_whatever_is_a_path_stays_below_its_root(text):
    try:
        path = ArtifactPath.parse(text)
    except MlflowException as error:
        assert error.error_code == "INVALID_PARAMETER_VALUE"
        return

    whole = os.path.normpath("/root/" + str(path))
    assert (whole + "/").startswith("/root/")
    assert whole == "/root" + "".join(f"/{part}" for part in path.parts)
    assert str(path) == text.removesuffix("/")


@given(text=ANY)
def test_what_may_be_written_is_a_subset_of_what_may_be_read(text):
    try:
        path = ArtifactPath.new(text)
    except MlflowException:
        return

    assert path == ArtifactPath.parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("../a", "must not resolve to other names"),
        ("a/../b", "must not resolve to other names"),
        ("a/.", "must not resolve to other names"),
        ("a//b", "must not resolve to other names"),
        ("/a", "relative"),
        ("C:/a", "drive"),
        ("c:", "drive"),
        ("a\\b", "backslash"),
        ("a\0b", "control character"),
        ("a\x7fb", "control character"),
        ("a" * 256, "255 bytes"),
        ("é" * 128, "255 bytes"),
        ("a/" * MAX_LEVELS + "a", "levels"),
        ("a" * (MAX_CHARACTERS + 1), "characters"),
        ("a\ud800", "no file system keeps"),
    ],
)
def test_what_is_no_path_is_refused_with_the_reason(text, reason):
    with pytest.raises(MlflowException, match=reason) as caught:
        ArtifactPath.parse(text)

    assert caught.value.message.startswith("Invalid artifact path: ")
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a:b", "colon"),
        ("con", "device"),
        ("a/NUL.txt", "device"),
        ("lpt¹", "device"),
        ("com1 .txt", "device"),
        ("a.", "Windows drops"),
        ("a /b", "Windows drops"),
        ("%2e%2e/a", "decoded"),
        ("%252e%252e%252fa", "decoded"),
        ("a%00", "decoded"),
        ("%5c", "decoded"),
        ("%2fa", "decoded"),
        ("%ff", "Unicode"),
        ("a\udc80", "Unicode"),
    ],
)
def test_what_some_reader_would_take_for_another_name_is_read_and_not_written(text, reason):
    assert str(ArtifactPath.parse(text)) == text
    with pytest.raises(MlflowException, match=reason):
        ArtifactPath.new(text)


@pytest.mark.parametrize("text", ["100%", "a%20b", "%zz", "..a", "confused", "com10", "été"])
def test_odd_but_harmless_names_are_written(text):
    assert str(ArtifactPath.new(text)) == text


def test_on_windows_such_names_are_not_read_either(monkeypatch):
    monkeypatch.setattr(paths.os, "name", "nt")
    for text in ("a:b", "con", "a."):
        with pytest.raises(MlflowException):
            ArtifactPath.parse(text)


def test_paths_may_come_as_path_objects_but_not_as_bytes(tmp_path):
    assert str(ArtifactPath.parse((tmp_path / "a" / "b").relative_to(tmp_path))) == "a/b"
    with pytest.raises(MlflowException, match="must be text"):
        ArtifactPath.parse(os.fsencode("a"))
