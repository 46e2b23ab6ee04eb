from __future__ import annotations

import errno
import os
import warnings

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.backends.file import reading
from mlflow.store.backends.file.metadata import Malformed
from mlflow.store.backends.file.writing import Writer


def test_plain_files_come_with_their_keys_and_links_do_not(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("x")
    (tmp_path / "d").write_text("y")
    os.symlink(tmp_path / "d", tmp_path / "link")
    os.symlink(tmp_path / "a", tmp_path / "folder link")

    assert sorted(key for key, _ in reading.plain_files(str(tmp_path))) == ["a/b/c", "d"]
    assert list(reading.plain_files(f"{tmp_path}/folder link")) == []
    assert list(reading.plain_files(f"{tmp_path}/none")) == []


def test_a_file_is_read_whole_and_no_longer_than_allowed(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")

    assert reading.read_file(str(path), 5) == b"12345"
    with pytest.raises(reading.Unreadable, match="longer than 4 bytes"):
        reading.read_file(str(path), 4)
    with pytest.raises(FileNotFoundError):
        reading.read_file(f"{path}/below", 4)


def test_a_record_is_parsed_again_only_when_its_file_changed(tmp_path, monkeypatch):
    parsed = []
    real = reading.metadata.parse
    monkeypatch.setattr(
        reading.metadata, "parse", lambda data, limit: parsed.append(1) or real(data, limit)
    )
    path = tmp_path / "meta.yaml"
    path.write_text("a: b\n")
    os.utime(path, (1, 1))
    records = reading.Records()
    for _ in range(3):
        assert records.read(str(path)) == {"a": "b"}
    assert len(parsed) == 1
    path.write_text("a: c\n")
    assert records.read(str(path)) == {"a": "c"}
    assert len(parsed) == 2


def test_what_was_written_just_now_is_read_again_but_not_parsed(tmp_path, monkeypatch):
    parsed = []
    real = reading.metadata.parse
    monkeypatch.setattr(
        reading.metadata, "parse", lambda data, limit: parsed.append(1) or real(data, limit)
    )
    monkeypatch.setattr(reading, "settled", lambda _: False)
    path = tmp_path / "meta.yaml"
    records = reading.Records()
    path.write_bytes(b"a: b\n")
    records.note(str(path), b"a: b\n", {"a": "b"})
    for _ in range(3):
        assert records.read(str(path)) == {"a": "b"}
    assert parsed == []
    path.write_bytes(b"a: c\n")  # in the same tick, of the same size
    assert records.read(str(path)) == {"a": "c"}
    assert records.read(str(path)) == {"a": "c"}
    assert parsed == [1]


def test_a_record_that_is_being_written_is_waited_for(tmp_path, monkeypatch):
    """Stock MLflow truncates metadata and then writes it; a reader may come in between."""
    path = tmp_path / "meta.yaml"
    path.write_bytes(b"")
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            path.write_bytes(b"a: b\n")

    monkeypatch.setattr(reading.time, "sleep", wait)
    assert reading.Records().read(str(path)) == {"a": "b"}
    assert len(waits) == 2
    path.write_bytes(b"")
    with pytest.raises(reading.Unreadable):
        reading.Records().read(str(path))
    os.utime(path, (1, 1))
    waits.clear()
    with pytest.raises(reading.Unreadable):  # nobody is writing it
        reading.Records().read(str(path))
    assert waits == []


def test_a_problem_is_told_once_and_escaped():
    problems = reading.Problems()
    with pytest.warns(UserWarning, match=r"\\x1b"):
        problems.report("/x/\x1b[31m", "bad")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problems.report("/x/\x1b[31m", "bad")

    assert problems.found == {"/x/\x1b[31m": "bad"}


def test_folders_of_keys_are_made_and_never_through_links(tmp_path):
    folder, writer = str(tmp_path / "tags"), Writer(durable=False)
    reading.make_parent(folder, reading.key_path(folder, "a/b/c"), writer)
    assert os.path.isdir(f"{folder}/a/b")
    os.symlink(tmp_path, f"{folder}/link")
    with pytest.raises(MlflowException, match="is no folder"):
        reading.make_parent(folder, reading.key_path(folder, "link/x"), writer)
    assert reading.check_folders(folder, f"{folder}/a/b/c")
    assert not reading.check_folders(folder, f"{folder}/link/x")


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (5, "5"), (None, "")])
def test_texts_of_records(value, text):
    assert reading.text_of({"k": value}, "k") == text


def test_what_is_of_the_wrong_kind_is_malformed():
    for value in ([], {}, 1.5):
        with pytest.raises(Malformed):
            reading.text_of({"k": value}, "k")
    for value in ("5", [], 1.5):
        with pytest.raises(Malformed):
            reading.number_of({"k": value}, "k")

    assert reading.number_of({"k": 2.0}, "k") == 2
    assert reading.optional_text({}, "k") is None


def test_a_process_without_handles_says_so(tmp_path, monkeypatch):
    """What cannot be read is left out; all of it would be."""

    def refuse(*_args, **_kwargs):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        reading.read_file(f"{tmp_path}/meta.yaml", 10)
