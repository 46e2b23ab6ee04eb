"""Calls in files: in order, whole, also when the files were cut off or damaged."""

from __future__ import annotations

import math
import os

import pytest

from mlflow.entities.run import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store import calls
from mlflow.store.calls import Call, CallLog, is_log, left_in

CALLS = [
    Call("a", [Metric("m", 1.5, 10, 1)], [], []),
    Call("b", [], [Param("p", "é\n")], [RunTag("t", "")]),
    Call("a", [Metric("m", math.nan, -1, 2), Metric("x/y", -math.inf, 0, 0, "m-1", "d", "12")]),
    Call("a", [Metric("m", "no number", 1, 1)], [], []),
]


def shown(found):
    return [
        (
            one.run_id,
            [(repr(m.value), *(v for k, v in m if k != "value")) for m in one.metrics],
            [(p.key, p.value) for p in one.params],
            [(t.key, t.value) for t in one.tags],
        )
        for one in found
    ]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "journal"
    place.mkdir()
    return str(place)


@pytest.mark.parametrize("is_named", [True, False])
def test_what_is_appended_is_read_in_order(folder, is_named):
    """All of it, a few at a time; where a call ends is its position."""
    log = CallLog(folder if is_named else None)
    positions = [log.append(*one) for one in CALLS]
    read = log.read(3) + log.read(3)

    assert positions == sorted(set(positions)) == [position for position, _ in read]
    assert shown(CALLS) == shown(call for _, call in read)
    assert [] == log.read(3)
    log.close()
    assert is_named == is_log(folder)


def test_what_is_left_is_what_was_not_finished(folder):
    """A mark that is lost or torn makes it more, never less."""
    log = CallLog(folder)
    positions = [log.append(*one) for one in CALLS]
    assert shown(CALLS) == shown(left_in(folder))
    log.finish(positions[1])
    assert shown(CALLS[2:]) == shown(left_in(folder))
    log.close()
    mark = os.path.join(folder, "calls.done")
    with open(mark, "rb+") as file:
        whole = file.read()
        for cut in range(len(whole)):
            file.truncate(cut)
            assert shown(CALLS) == shown(left_in(folder))
    os.remove(mark)
    assert shown(CALLS) == shown(left_in(folder))


def test_a_file_that_was_cut_off_anywhere(folder):
    """The calls before the cut are there, and no part of the one that was cut."""
    log = CallLog(folder)
    positions = [log.append(*one) for one in CALLS]
    log.close()
    (name,) = (one for one in os.listdir(folder) if one != "calls.done")
    path = os.path.join(folder, name)
    for cut in range(positions[-1], -1, -1):
        os.truncate(path, cut)
        whole = sum(position <= cut for position in positions)
        assert shown(CALLS[:whole]) == shown(left_in(folder)), cut


def test_bytes_that_changed(folder, caplog):
    """Whichever it is, no call comes out that was not made; the others do, and it is told."""
    log = CallLog(folder)
    positions = [log.append(*one) for one in CALLS]
    log.close()
    (name,) = (one for one in os.listdir(folder) if one != "calls.done")
    path = os.path.join(folder, name)
    with open(path, "rb") as file:
        whole = file.read()
    made = shown(CALLS)
    for at in range(len(whole)):
        with open(path, "wb") as file:
            file.write(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        found = shown(left_in(folder))
        assert all(one in made for one in found), at
        before = sum(position <= at for position in positions)
        assert made[:before] == found[:before]
    with open(path, "wb") as file:
        file.write(whole[:12] + b"\0" * 4 + whole[16:])
    caplog.clear()
    assert made[1:] == shown(left_in(folder))
    assert "1 calls that were logged are damaged" in caplog.text
    with open(path, "wb") as file:
        file.write(whole + b"\0" * 4096)
    assert made == shown(left_in(folder))


def test_files_go_when_they_are_written(folder, monkeypatch):
    """However much passes through, little is on the disk."""
    monkeypatch.setattr(calls, "SEGMENT", 500)
    log = CallLog(folder)
    most = 0
    for step in range(300):
        position = log.append("run", [Metric("m", 1.0, 1, step)])
        ((read, call),) = log.read(10)
        assert (position, step) == (read, call.metrics[0].step)
        log.finish(position)
        most = max(most, sum(one.stat().st_size for one in os.scandir(folder)))
    assert most < 1200
    first = [log.append("run", [Metric("m", 1.0, 1, step)]) for step in range(100)][49]
    log.finish(first)
    log.close()
    assert list(range(50, 100)) == [one.metrics[0].step for one in left_in(folder)]


def test_a_disk_that_is_full_half_way(folder, monkeypatch):
    """The call is not kept, and the next one is."""
    log = CallLog(folder)
    log.append(*CALLS[0])

    segment = log._segments[0]
    put, is_full = segment._put, [True]

    def little(data, at):
        if is_full[0] and len(data) < 20:
            raise OSError(28, "No space left on device")
        return put(data[:10], at)

    monkeypatch.setattr(segment, "_put", little)
    with pytest.raises(OSError, match="No space"):
        log.append(*CALLS[1])
    is_full[0] = False
    log.append(*CALLS[2])
    assert shown([CALLS[0], CALLS[2]]) == shown(call for _, call in log.read(10))
    log.close()
    assert shown([CALLS[0], CALLS[2]]) == shown(left_in(folder))


def test_a_number_that_no_store_takes(folder):
    """It is refused at once, and says so."""
    log = CallLog(folder)
    with pytest.raises(MlflowException, match="logged to run r cannot be kept"):
        log.append("r", [Metric("m", 1.0, 1, 1 << 70)])
    assert 0 == log.end
    log.close()


def test_a_call_larger_than_what_is_read_at_once(folder):
    """It comes out whole."""
    log = CallLog(folder)
    large = Call("r", [], [], [RunTag("t", "x" * (3 << 20))])
    log.append(*CALLS[0])
    log.append(*large)
    log.append(*CALLS[1])
    read = [call for _ in range(5) for _, call in log.read(10)]
    assert shown([CALLS[0], large, CALLS[1]]) == shown(read)
    log.close()


def test_zeros_after_the_last_call_are_no_damage(folder, caplog):
    """A power cut may leave a file as long as it was going to be, without the bytes."""
    log = CallLog(folder, is_synced=True)
    log.append("a", [Metric("m", 1.0, 1, 1)])
    log.close()
    path = os.path.join(folder, next(one for one in os.listdir(folder) if one.startswith("calls-")))
    with open(path, "ab") as file:
        file.write(bytes(100))

    assert [one.run_id for one in left_in(folder)] == ["a"]
    assert caplog.text == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_mark_that_cannot_be_written_lags(folder):
    """Whoever writes the calls goes on; what the mark does not say is compared."""
    log = CallLog(folder)
    end = log.append("a", [Metric("m", 1.0, 1, 1)])
    log._mark.close()
    log._mark = open("/dev/full", "wb", buffering=0)
    log.finish(end)

    assert log.done == end
    log.close()
