"""The hot path of logging: what it costs, and that no line is lost, glued or written elsewhere."""

from __future__ import annotations

import errno
import os
import shutil
import threading

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.backends.base import BackendError, Missing, NotActive, ReadOnly
from mlflow.store.backends.file import appender as module
from mlflow.store.backends.file.appender import append_lines, lines_of, open_for_append

RUN = "a" * 32


@pytest.fixture
def place(new_run):
    return new_run()


@pytest.fixture
def log(backend):
    def append(key="loss", value=0.5, timestamp=1700000000000, step=3, run_id=RUN):
        backend.runs.appender.append(run_id, key, value, timestamp, step)

    return append


def lines(place, key="loss"):
    with open(f"{place}/metrics/{key}", encoding="utf-8") as file:
        return file.read()


def test_a_point_is_a_line_as_mlflow_writes_it(place, log):
    for value in (0.5, float("nan"), float("inf"), float("-inf"), 1e-05, 1e22, -0.0):
        log(value=value)
    log(step=-1)

    assert lines(place) == (
        "1700000000000 0.5 3\n1700000000000 nan 3\n1700000000000 inf 3\n1700000000000 -inf 3\n"
        "1700000000000 1e-05 3\n1700000000000 1e+22 3\n1700000000000 -0.0 3\n"
        "1700000000000 0.5 -1\n"
    )


def test_the_next_point_of_a_series_is_one_look_and_one_write(place, log, calls):
    log()
    counted = calls("stat", "lstat", "open", "write", "lseek", "pread", "fsync", "mkdir", "close")
    for _ in range(10):
        log()

    assert counted == {
        "stat": 10, "write": 10, "lseek": 10,
        "lstat": 0, "open": 0, "pread": 0, "fsync": 0, "mkdir": 0, "close": 0,
    }  # fmt: skip


def test_the_durable_level_waits_for_the_disk_after_each_line(place, log, backend, calls):
    log()
    backend.tree.writer.durable = True
    counted = calls("fsync")
    for _ in range(3):
        log()

    assert counted == {"fsync": 3}


def test_keys_with_slashes_are_files_in_folders(place, log):
    log("val/loss/deep")
    log("val/acc")

    assert lines(place, "val/loss/deep") == lines(place, "val/acc") == "1700000000000 0.5 3\n"
    with pytest.raises(MlflowException, match="is a folder"):
        log("val")
    with pytest.raises(MlflowException, match="is no folder"):
        log("val/acc/below")


@pytest.mark.parametrize("key", ["../x", "/x", "a//b", "", ".", "a/../../x", "a\0"])
def test_keys_that_lead_elsewhere_are_refused(place, log, key):
    with pytest.raises(MlflowException, match="Invalid key"):
        log(key)
    assert os.listdir(f"{place}/metrics") == []


def test_a_run_deleted_by_another_process_takes_no_more_points(place, log, other):
    log()
    other.move_run(RUN, "deleted", 1)
    with pytest.raises(NotActive):
        log()
    other.move_run(RUN, "active", 1)
    log()

    assert lines(place).count("\n") == 2


def test_a_run_that_was_removed_takes_no_more_points(place, log):
    log()
    shutil.rmtree(place)
    with pytest.raises(Missing):
        log()
    assert not os.path.exists(place)


def test_a_run_replaced_by_a_copy_of_itself_gets_the_points(place, log, tmp_path):
    log()
    shutil.copytree(place, tmp_path / "copy")
    shutil.rmtree(place)
    shutil.move(tmp_path / "copy", place)
    log(step=4)

    assert lines(place) == "1700000000000 0.5 3\n1700000000000 0.5 4\n"


def test_a_run_that_moves_with_its_experiment_gets_the_points(new_run, log, backend, other):
    experiment = backend.insert_experiment("e", None, (), 1)
    place = new_run("b" * 32, experiment)
    log(run_id="b" * 32)
    other.move_experiment(experiment, "deleted", 2)
    with pytest.raises(NotActive):
        log(run_id="b" * 32)
    other.move_experiment(experiment, "active", 3)
    log(run_id="b" * 32)

    assert lines(place).count("\n") == 2


def test_several_series_are_written_at_once_and_share_the_open_files(place, log, backend, calls):
    log("a")
    counted = calls("open", "write")
    backend.runs.appender.append_all(RUN, {"a": "1 2.0 3\n4 5.0 6\n", "b/c": "7 8.0 9\n"})

    assert lines(place, "a") == "1700000000000 0.5 3\n1 2.0 3\n4 5.0 6\n"
    assert lines(place, "b/c") == "7 8.0 9\n"
    assert counted == {"open": 1, "write": 2}


# ── torn lines ──


def test_a_line_torn_before_the_file_was_opened_is_ended(place, log):
    os.makedirs(f"{place}/metrics", exist_ok=True)
    with open(f"{place}/metrics/loss", "w") as file:
        file.write("1 0.25 1\n17000")
    log()

    assert lines(place) == "1 0.25 1\n17000\n1700000000000 0.5 3\n"


def test_a_line_torn_by_another_process_meanwhile_does_not_swallow_ours(place, log):
    log()
    with open(f"{place}/metrics/loss", "a") as file:
        file.write("17000")
    log(step=4)
    log(step=5)

    assert lines(place).endswith("\n1700000000000 0.5 4\n1700000000000 0.5 5\n")


def test_whole_lines_of_another_process_are_left_as_they_are(place, log):
    log()
    with open(f"{place}/metrics/loss", "a") as file:
        file.write("1 0.25 1\n")
    log(step=4)

    assert lines(place) == "1700000000000 0.5 3\n1 0.25 1\n1700000000000 0.5 4\n"


def test_a_write_that_was_cut_short_is_said_again_whole(place, log, monkeypatch):
    log()
    real, cut = os.write, []

    def short(descriptor, data):
        if cut:
            return real(descriptor, data)
        cut.append(data)
        return real(descriptor, data[:7])

    monkeypatch.setattr(os, "write", short)
    log(step=4)

    assert lines(place) == "1700000000000 0.5 3\n1700000\n1700000000000 0.5 4\n"


def test_a_full_disk_is_said(place, log, monkeypatch):
    log()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        log()
    monkeypatch.undo()
    log(step=4)

    assert lines(place) == "1700000000000 0.5 3\n1700000000000 0.5 4\n"


def test_a_store_that_cannot_be_written_is_said(place, log, read_only):
    read_only()
    with pytest.raises(ReadOnly, match="Read-only"):
        log()


# ── what is there in place of a file ──


def test_what_is_no_plain_file_is_not_written(place, log, tmp_path):
    (tmp_path / "outside").write_text("alive")
    os.symlink(tmp_path / "outside", f"{place}/metrics/link")
    os.mkfifo(f"{place}/metrics/pipe")
    with pytest.raises(OSError, match="symbolic links"):
        log("link")
    with pytest.raises(BackendError, match="no plain file"):
        log("pipe")
    log()

    assert (tmp_path / "outside").read_text() == "alive"
    assert lines(place) == "1700000000000 0.5 3\n"


# ── open files ──


def test_the_oldest_file_is_closed_when_too_many_are_open(place, log, backend):
    backend.runs.appender._limit = 3
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        for number in range(10):
            log(f"k{number}")

    assert len(os.listdir("/proc/self/fd")) <= before + 3
    assert all(lines(place, f"k{number}").count("\n") == 2 for number in range(10))


def test_closing_gives_all_descriptors_back_and_logging_may_go_on(place, log, backend):
    before = len(os.listdir("/proc/self/fd"))
    log("a")
    log("b")
    assert len(os.listdir("/proc/self/fd")) == before + 2
    backend.close()
    assert len(os.listdir("/proc/self/fd")) == before
    log("a")

    assert lines(place, "a").count("\n") == 2


def test_an_appender_nobody_holds_gives_its_descriptors_back(place, backend):
    before = len(os.listdir("/proc/self/fd"))
    appender = module.Appender(backend.tree, backend.runs._known_active)
    appender.append(RUN, "a", 1.0, 1, 1)
    del appender

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_small_limit_of_descriptors_leaves_most_to_others(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    assert module._limit() == 16
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4, 4))
    assert module._limit() == 8
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10**6, 10**6))
    assert module._limit() == 256


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_opens_files_of_its_own_even_if_it_was_forked_in_the_middle(place, log, backend):
    log()
    appender = backend.runs.appender
    with appender._lock:  # as if another thread were inside
        child = os.fork()
        if child == 0:
            status = 1
            try:
                if not appender._series:
                    log(step=4)
                    status = 0
            finally:
                os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    log(step=5)

    assert [line.split()[2] for line in lines(place).splitlines()] == ["3", "4", "5"]


def test_lines_of_threads_and_processes_stay_whole(place, log, other):
    def work(backend, name):
        for step in range(200):
            backend.runs.appender.append(RUN, "loss", float(step), name, step)

    backends = [other, other, other]
    threads = [threading.Thread(target=work, args=(one, name)) for name, one in enumerate(backends)]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work(other, 9)
            status = 0
        finally:
            os._exit(status)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.waitpid(child, 0)[1] == 0

    expected = [f"{name} {float(step)} {step}" for name in (0, 1, 2, 9) for step in range(200)]
    assert sorted(lines(place).splitlines()) == sorted(expected)


# ── files that are not kept open ──


def test_lines_are_appended_to_a_file_that_is_not_kept_open(tmp_path, calls):
    path = str(tmp_path / "m")
    counted = calls("fsync")
    append_lines(path, "m", lines_of([(1.0, 2, 3, ()), (4.0, 5, 6, ("r",))]), durable=False)
    append_lines(path, "m", "7 8.0 9\n", durable=True)

    assert (tmp_path / "m").read_text() == "2 1.0 3\n5 4.0 6 r\n7 8.0 9\n"
    assert counted == {"fsync": 1}


def test_a_refused_file_leaves_no_descriptor(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BackendError):
        open_for_append(str(tmp_path / "pipe"), "k")

    assert len(os.listdir("/proc/self/fd")) == before
