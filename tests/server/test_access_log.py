"""The access log is complete lines of JSON, whatever happens to its file."""

from __future__ import annotations

import json
import os
import threading

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server import access_log
from mlflow.server.access_log import AccessLog


def lines(path):
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def test_lines(tmp_path):
    """In order, appended to those that are there, for the owner's eyes."""
    path = tmp_path / "log"
    for part in range(2):
        log = AccessLog(str(path))
        for number in range(50):
            log.write({"n": part * 50 + number, "text": 'a"\n\u2028'})
        log.close()

    found = lines(path)
    assert list(range(100)) == [line["n"] for line in found]
    assert {'a"\n\u2028'} == {line["text"] for line in found}
    assert found[0]["time"].endswith("Z")
    if os.name != "nt":
        assert path.stat().st_mode & 0o077 == 0


def test_standard_output(capfd):
    log = AccessLog("-")
    log.write({"n": 1})
    log.close()
    assert json.loads(capfd.readouterr().out)["n"] == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows moves no open files")
def test_a_file_that_was_moved_away(tmp_path):
    """Logs are rotated by others."""
    path = tmp_path / "log"
    log = AccessLog(str(path))
    log._append(b'{"n": 1}\n')
    path.rename(tmp_path / "old")
    log._append(b'{"n": 2}\n')
    log.close()

    assert [[line["n"] for line in lines(one)] for one in (tmp_path / "old", path)] == [[1], [2]]


def test_a_file_that_cannot_be_written(tmp_path):
    """The server does not start."""
    with pytest.raises(MlflowException, match="--access-log: .* cannot be written"):
        AccessLog(str(tmp_path / "no" / "log"))


def test_a_file_that_cannot_be_written_any_more(tmp_path, monkeypatch, caplog):
    """It is said once, and requests go on."""

    def full(*_):
        raise OSError(28, "No space left on device")

    log = AccessLog(str(tmp_path / "log"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        log._append(b"a")
        log._append(b"b")
    log._append(b"c")
    log.close()

    assert caplog.text.count("No space left on device") == 1
    assert (tmp_path / "log").read_bytes() == b"c"


def test_nobody_reads(tmp_path, monkeypatch):
    """Lines beyond those that may wait are counted and dropped; nothing blocks."""
    monkeypatch.setattr(access_log, "_WAITING", 3)
    gate, entered = threading.Event(), threading.Event()
    log = AccessLog(str(tmp_path / "log"))
    real = log._append

    def slow(data):
        entered.set()
        assert gate.wait(60)
        real(data)

    monkeypatch.setattr(log, "_append", slow)
    log.write({"n": 0})
    assert entered.wait(60)
    for number in range(1, 6):
        log.write({"n": number})
    gate.set()
    log.close()

    assert [0, 1, 2, 3] == [line["n"] for line in lines(tmp_path / "log")]
    assert log.dropped == 2


def test_closing_what_never_began(tmp_path):
    AccessLog(str(tmp_path / "log")).close()
    assert (tmp_path / "log").read_bytes() == b""
