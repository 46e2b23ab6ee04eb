"""Stores that somebody else, or something else, damaged: reported, bounded, and never in the way.

The rows F01 to F12 of the list of hostile inputs, as generators. The store under test holds one
good run; each case damages another run, and the good one must stay listable and writable.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import sys
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlflow.entities.run import Metric, Param, RunInfo, RunTag
from mlflow.exceptions import MlflowException
from mlflow.search.parse import parse_order_by
from mlflow.store.backends.base import BackendError, Corrupt, Missing, Query
from mlflow.store.backends.file import FileBackend, metadata
from mlflow.store.backends.file.remove import remove_folder
from mlflow.store.local import LocalStore

pytestmark = pytest.mark.usefixtures("oracle")

GOOD, BAD = "a" * 32, "b" * 32


def make_run(backend, run_id):
    uri = f"file://{backend.tree.root}/0/{run_id}/artifacts"
    info = RunInfo(run_id, "0", "u", "RUNNING", 1, None, "active", uri, "name")
    backend.insert_run(info, [RunTag("mlflow.runName", "name")])
    backend.write_batch(run_id, [Metric("m", 1.0, 2, 3)], [Param("p", "1")], [RunTag("t", "x")])


def search(backend):
    query = Query(None, parse_order_by("runs", []), 1000)
    return [run.info.run_id for run in backend.search_runs(["0"], 3, query)]


@pytest.fixture
def backend(tmp_path):
    made = FileBackend(str(tmp_path / "mlruns"))
    made.get_experiment("0")
    make_run(made, GOOD)
    make_run(made, BAD)
    yield made
    made.close()


@pytest.fixture
def bad(backend):
    """The folder of the run that is damaged."""
    return f"{backend.tree.root}/0/{BAD}"


def check_the_good_one(backend, *, bad_listed=None):
    """Listing, searching, reading and writing of the other run work; say whether BAD is listed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fresh = FileBackend(backend.tree.root)
        for one in (backend, fresh):
            listed = search(one)
            assert GOOD in listed
            if bad_listed is not None:
                assert (BAD in listed) is bad_listed
            before = len(one.metric_history(GOOD, "m"))
            one.append_metric(GOOD, "m", 2.0, 3, 4)
            assert len(one.metric_history(GOOD, "m")) == before + 1
            assert one.get_run(GOOD).data.params == {"p": "1"}
        fresh.close()


def write(path, data):
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "wb") as file:
        file.write(data)


# --- F01, F02: metadata -------------------------------------------------------------------------

GOOD_META = (
    b"artifact_uri: x\nend_time: null\nexperiment_id: '0'\nlifecycle_stage: active\n"
    b"run_id: " + BAD.encode() + b"\nrun_name: n\nstart_time: 1\nstatus: 1\ntags: []\nuser_id: u\n"
)
CODE = [
    b"!!python/object/apply:os.system ['touch {canary}']\n",
    b"a: !!python/name:os.system ''\n",
    b"a: !!python/module:os\n",
    b"a: !!python/object/new:subprocess.Popen [['touch', '{canary}']]\n",
    b"status: !custom 1\n",
    b"!<tag:yaml.org,2002:python/object/apply:os.mkdir> ['{canary}']\n",
]
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
)
MERGE_BOMB = b"a: &a {k: 1}\n" + b"".join(
    b"%c: &%c {<<: [%s]}\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
)
SHAPES = {
    "empty": b"",
    "blank": b"\n\n",
    "scalar": b"hello\n",
    "list": b"- a\n- b\n",
    "number keys": b"1: 2\n",
    "anchors": BOMB,
    "merges": MERGE_BOMB,
    "deep": b"a: " + b"[" * 100_000 + b"]" * 100_000,
    "deep mappings": b"".join(b" " * i + b"a:\n" for i in range(5000)),
    "many keys": b"".join(b"k%d: 1\n" % i for i in range(300_000)),
    "too long": b"a: " + b"x" * (metadata.MAX_BYTES + 1) + b"\n",
    "tabs": b"\ta:\t1\n",
    "utf-16": GOOD_META.decode().encode("utf-16"),
    "nul": GOOD_META.replace(b"name: n", b"name: n\0"),
    "bad utf-8": GOOD_META.replace(b"name: n", b"name: \xff\xfe"),
    "two documents": GOOD_META + b"---\n" + GOOD_META,
    "unclosed": b"a: 'b\nc: \"d\n",
    "status 99": GOOD_META.replace(b"status: 1", b"status: 99"),
    "status text": GOOD_META.replace(b"status: 1", b"status: nonsense"),
    "status list": GOOD_META.replace(b"status: 1", b"status: [1]"),
    "time text": GOOD_META.replace(b"start_time: 1", b"start_time: soon"),
    "name mapping": GOOD_META.replace(b"run_name: n", b"run_name: {a: b}"),
}


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_metadata_runs_no_code(backend, bad, tmp_path, code):
    canary = tmp_path / "canary"
    write(f"{bad}/meta.yaml", code.replace(b"{canary}", str(canary).encode()))
    with pytest.raises(Corrupt):
        backend.get_run(BAD)

    check_the_good_one(backend, bad_listed=False)
    assert not canary.exists()


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_metadata_of_any_shape_is_reported_for_that_run_alone(backend, bad, shape):
    write(f"{bad}/meta.yaml", SHAPES[shape])
    with pytest.raises(Corrupt) as reported:
        backend.get_run(BAD)

    assert BAD in reported.value.detail
    check_the_good_one(backend, bad_listed=False)


def test_a_search_says_once_what_it_left_out(backend, bad):
    write(f"{bad}/meta.yaml", b"status: [\n")
    with pytest.warns(UserWarning, match="Left out of the store"):
        search(backend)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search(backend)

    assert [path for path in backend.problems if BAD in path]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (GOOD_META.replace(b"\n", b"\r\n"), "n"),
        (b"\xef\xbb\xbf" + GOOD_META, "n"),
        (GOOD_META + b"run_name: later\n", "later"),
        (GOOD_META + b"unknown: {deep: [1, 2]}\n", "n"),
        (b"# a comment\n" + GOOD_META, "n"),
        (GOOD_META.replace(b"start_time: 1", b"start_time: -5"), "n"),
    ],
    ids=["crlf", "bom", "duplicate keys", "unknown field", "comment", "negative time"],
)
def test_unusual_metadata_that_has_a_meaning_is_read(backend, bad, data, name):
    write(f"{bad}/meta.yaml", data)

    assert backend.get_run(BAD).info.run_name == name
    check_the_good_one(backend, bad_listed=True)


def test_metadata_cut_at_any_byte_is_read_or_reported(backend, bad):
    with open(f"{bad}/meta.yaml", "rb") as file:
        whole = file.read()
    outcomes = set()
    for size in range(len(whole)):
        write(f"{bad}/meta.yaml", whole[:size])
        try:
            outcomes.add(backend.get_run(BAD).info.status)
        except Corrupt:
            outcomes.add("corrupt")
    write(f"{bad}/meta.yaml", whole[: len(whole) // 2])

    assert outcomes <= {"RUNNING", "corrupt"} and "corrupt" in outcomes
    check_the_good_one(backend, bad_listed=False)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400) | st.text(max_size=300).map(lambda text: text.encode()))
def test_metadata_of_any_bytes_is_a_record_or_malformed(data):
    try:
        record = metadata.parse(data)
    except metadata.Malformed:
        return
    assert isinstance(record, dict)


# --- F03: metadata that speaks of other places ----------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc",
        "file:///",
        "/",
        "/etc/passwd",
        "..",
        "../../..",
        "file:///etc/../etc",
        "{root}/0/{good}/artifacts",
        "file://{root}/0/{good}/artifacts",
        "file:///x/../{bad}/artifacts",
        "file://localhost/etc",
        "file://other.example/share/{bad}/artifacts/..",
    ],
)
def test_the_folder_wins_over_what_the_metadata_says(backend, bad, uri):
    said = uri.format(root=backend.tree.root, good=GOOD, bad=BAD)
    changed = GOOD_META.replace(b"artifact_uri: x", f"artifact_uri: '{said}'".encode())
    changed = changed.replace(BAD.encode() + b"\nrun_name", GOOD.encode() + b"\nrun_name")
    changed = changed.replace(b"experiment_id: '0'", b"experiment_id: '77'")
    write(f"{bad}/meta.yaml", changed)
    info = backend.get_run(BAD).info

    assert info.run_id == BAD
    assert info.experiment_id == "0"
    if not said.startswith("file://other"):
        assert info.artifact_uri == f"file://{bad}/artifacts"
    check_the_good_one(backend, bad_listed=True)


# --- F04, F05: links, pipes, devices --------------------------------------------------------------


def replace_by(path, kind, outside):
    """Put something that is no plain file where one is expected."""
    if os.path.lexists(path):
        os.unlink(path)
    if kind == "link":
        os.symlink(outside, path)
    elif kind == "loop":
        os.symlink(path, path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        os.symlink("/dev/zero", path)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(os.path.dirname(path))  # names of sockets are short
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.basename(path))
        os.chdir(here)
    else:
        os.mkdir(path)


KINDS = ["link", "loop", "pipe", "device", "socket", "folder"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["meta.yaml", "metrics/m", "params/p", "tags/t"])
def test_what_is_no_plain_file_is_passed_over(backend, bad, tmp_path, kind, where):
    secret = tmp_path / "secret"
    secret.write_text("1 2 3\n")
    replace_by(f"{bad}/{where}", kind, str(secret))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if where == "meta.yaml":
            with pytest.raises((Corrupt, Missing)):
                backend.get_run(BAD)
        else:
            data = backend.get_run(BAD).data
            assert len(data.metrics) + len(data.params) + len(data.tags) == 3
            assert not backend.metric_history(BAD, "m") or where != "metrics/m"
    with pytest.raises((BackendError, MlflowException, OSError)):
        if where == "meta.yaml":
            backend.update_run(BAD, status="FAILED")
        elif where == "metrics/m":
            backend.close()
            backend.append_metric(BAD, "m", 1.0, 1, 1)
        elif where == "params/p":
            backend.write_batch(BAD, [], [Param("p", "other")], [])
        else:
            # A tag is replaced: what was in its place goes, what it pointed at stays.
            backend.write_batch(BAD, [], [], [RunTag("t", "new")])
            raise OSError

    assert secret.read_text() == "1 2 3\n"
    check_the_good_one(backend)


@pytest.mark.parametrize("folder", ["", "metrics", "params", "tags"])
def test_folders_that_are_links_are_not_entered(backend, bad, tmp_path, folder):
    elsewhere = tmp_path / "elsewhere"
    os.rename(f"{bad}/{folder}" if folder else bad, elsewhere)
    os.symlink(elsewhere, f"{bad}/{folder}" if folder else bad)
    fresh = FileBackend(backend.tree.root)
    if not folder:
        with pytest.raises(Missing):
            fresh.get_run(BAD)
    else:
        data = fresh.get_run(BAD).data
        assert len(data.metrics) + len(data.params) + len(data.tags) < 4
        before = sorted(os.listdir(elsewhere))
        with pytest.raises(MlflowException):
            fresh.write_batch(BAD, [Metric("n", 1.0, 1, 1)], [Param("n", "1")], [RunTag("n", "1")])
        with pytest.raises(BackendError):
            fresh.delete_run_tag(BAD, "mlflow.runName" if folder == "tags" else "no")
        if folder == "tags":
            assert sorted(os.listdir(elsewhere)) == before

    check_the_good_one(backend)


@pytest.mark.parametrize("place", ["models", ".trash", "55"])
def test_links_in_the_root_are_not_entered(backend, tmp_path, place):
    elsewhere = tmp_path / "elsewhere"
    os.makedirs(elsewhere / "X")
    (elsewhere / "X" / "meta.yaml").write_text("name: X\n")
    (elsewhere / "meta.yaml").write_text("name: linked\n")
    path = f"{backend.tree.root}/{place}"
    if os.path.isdir(path):
        os.rmdir(path)
    os.symlink(elsewhere, path)

    assert backend.find_experiment("linked") is None
    assert backend.registry.names() == []
    check_the_good_one(backend)


# --- F06: metric files ----------------------------------------------------------------------------

LINES = {
    b"1 0.5 2": (1, 0.5, 2),
    b"1 0.5": (1, 0.5, 0),
    b"1 0.5 2 data abcd": (1, 0.5, 2),
    b"1 inf 2": (1, float("inf"), 2),
    b"1 -inf -2": (1, float("-inf"), -2),
    b"1 1e999 2": (1, float("inf"), 2),
    b"1 0.5 2\r": (1, 0.5, 2),
    b"  1   0.5   2  ": (1, 0.5, 2),
    b"1 0.5 9223372036854775807": (1, 0.5, 2**63 - 1),
    b"1 0.5 9223372036854775808": None,
    b"1 0.5 1180591620717411303424": None,
    b"1 0.5 2 3": None,
    b"1": None,
    b"1 0.5 2.5": None,
    b"x 0.5 2": None,
    b"1 half 2": None,
    b"1 0.5 2 3 4 5": None,
    b"\0\0\0": None,
    b"1 0.5 2\0": None,
    b"1_0 0.5 2": None,
    b"1 0_5 2": None,
    b"\xff \xfe \xfd": None,
    b"1 0.5 2 a \xff": None,
    b"x" * 100_000: None,
    b"1 0.5 " + b"2" * 100_000: None,
}


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(st.integers(0, len(LINES) - 1), min_size=1, max_size=12), torn=st.booleans()
)
def test_good_lines_are_read_and_bad_ones_reported(backend, bad, numbers, torn):
    backend.problems.clear()
    # By number, as some are too long to be shown.
    chosen = [list(LINES)[number] for number in numbers]
    # Another file each time: one that takes the place of another within a tick of the clock, with
    # its inode, its size and its end, could pass for that one.
    write(f"{bad}/new", b"\n".join(chosen) + (b"\n7 0.7" if torn else b"\n"))
    os.replace(f"{bad}/new", f"{bad}/metrics/m")
    expected = [LINES[one] for one in chosen if LINES[one]]
    wrong = sum(LINES[one] is None for one in chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points = backend.metric_history(BAD, "m")
        latest = backend.get_run(BAD).data._metric_objs

    assert [(one.timestamp, one.value, one.step) for one in points] == expected
    assert [(one.timestamp, one.value, one.step) for one in latest] == (
        [max(expected, key=lambda one: (one[2], one[0], one[1]))] if expected else []
    )
    assert bool(backend.problems) is bool(wrong)


def test_a_line_without_end_is_passed_over_with_bounded_memory(backend, bad):
    import tracemalloc

    with open(f"{bad}/metrics/m", "wb") as file:
        file.write(b"1 0.5 2\n")
        for _ in range(40):
            file.write(b"9" * (1 << 20))
        file.write(b"\n5 0.25 6\n")
    tracemalloc.start()
    with pytest.warns(UserWarning, match="no points"):
        points = backend.metric_history(BAD, "m")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [one.step for one in points] == [2, 6]
    assert peak < 20 << 20


def test_a_torn_last_line_does_not_swallow_the_next(backend, bad):
    backend.close()
    with open(f"{bad}/metrics/m", "ab") as file:
        file.write(b"12345")
    backend.append_metric(BAD, "m", 7.0, 8, 9)
    with pytest.warns(UserWarning, match="no points"):
        points = backend.metric_history(BAD, "m")

    assert [one.step for one in points] == [3, 9]


def test_a_line_torn_by_another_while_ours_is_open_does_not_swallow_the_next(backend, bad):
    backend.append_metric(BAD, "m", 5.0, 6, 7)
    with open(f"{bad}/metrics/m", "ab") as file:
        file.write(b"12345 0.")
    backend.append_metric(BAD, "m", 7.0, 8, 9)
    with pytest.warns(UserWarning, match="no points"):
        points = backend.metric_history(BAD, "m")

    assert [one.step for one in points] == [3, 7, 9]


# --- F07: names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["../x", "a/../../x", "/x", "a//b", ".", "..", "a/", "a\0b", "a/./b"]
)
@pytest.mark.parametrize("what", ["metric", "param", "tag"])
def test_keys_cannot_leave_their_folder(backend, key, what):
    batch = {
        "metric": ([Metric(key, 1.0, 1, 1)], [], []),
        "param": ([], [Param(key, "1")], []),
        "tag": ([], [], [RunTag(key, "1")]),
    }[what]
    with pytest.raises((MlflowException, ValueError)):
        backend.write_batch(BAD, *batch)

    assert not os.path.exists(f"{backend.tree.root}/0/x")


@pytest.mark.parametrize(
    "run_id", ["..", ".", "", "a/b", "../0", "x" * 300, "a\0b", "\n", ".trash"]
)
def test_ids_cannot_leave_the_store(backend, run_id):
    for call in (backend.get_run, backend.get_run_info, backend.get_logged_model):
        with pytest.raises(Missing):
            call(run_id)
    for call in (backend.get_experiment, backend.get_registered_model):
        with pytest.raises(Missing):
            call(run_id)
    with pytest.raises(Missing):
        backend.get_model_version(run_id, "1")


@pytest.mark.parametrize(
    "keys", [("A", "a"), ("é", "e\u0301"), ("x.", "x"), ("con", "CON"), ("y ", "y")]
)
def test_keys_that_look_alike_stay_apart_or_are_refused(backend, keys):
    kept = []
    for place, key in enumerate(keys):
        try:
            backend.write_batch(BAD, [], [Param(key, str(place))], [])
            kept.append((key, str(place)))
        except (BackendError, MlflowException, OSError):
            continue
    params = backend.get_run(BAD).data.params

    assert kept
    assert {key: params.get(key) for key, _ in kept} == dict(kept)


def test_names_too_long_for_the_file_system_are_refused_clearly(backend):
    with pytest.raises((MlflowException, OSError)):
        backend.append_metric(BAD, "ü" * 250, 1.0, 1, 1)

    check_the_good_one(backend, bad_listed=True)


def test_a_key_below_another_key_is_refused_clearly(backend):
    with pytest.raises(MlflowException, match="is no folder"):
        backend.append_metric(BAD, "m/below", 1.0, 1, 1)
    with pytest.raises(MlflowException, match="is no folder"):
        backend.write_batch(BAD, [], [Param("p/below", "1")], [])


# --- F09, F10: refusing and crowded disks ---------------------------------------------------------


def test_a_full_disk_is_said_and_the_next_line_stands_alone(backend, bad, monkeypatch):
    real = os.write
    backend.append_metric(BAD, "m", 5.0, 6, 7)

    def short(descriptor, data):
        monkeypatch.setattr(os, "write", full)
        return real(descriptor, data[: len(data) // 2])

    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(OSError, match="No space left"):
        backend.append_metric(BAD, "m", 1.25, 100, 8)
    monkeypatch.setattr(os, "write", real)
    backend.append_metric(BAD, "m", 2.5, 101, 9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points = backend.metric_history(BAD, "m")

    assert [one.step for one in points] == [3, 7, 9]


def test_a_full_disk_leaves_the_old_metadata(backend, bad, monkeypatch):
    real = os.write

    def full(descriptor, data):
        real(descriptor, data[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        backend.update_run(BAD, status="FINISHED", end_time=5)
    with pytest.raises(OSError, match="No space left"):
        backend.write_batch(BAD, [], [Param("q", "long value")], [])
    monkeypatch.setattr(os, "write", real)

    assert backend.get_run(BAD).info.status == "RUNNING"
    assert "q" not in backend.get_run(BAD).data.params
    assert not [name for name in os.listdir(bad) if name.endswith(".tmp")]


def test_folders_that_are_not_ours_are_ignored(backend):
    for number in range(300):
        os.mkdir(f"{backend.tree.root}/stranger{number}")
        os.mkdir(f"{backend.tree.root}/0/stranger{number}")
    os.mkdir(f"{backend.tree.root}/0/.x")
    (open(f"{backend.tree.root}/0/notes.txt", "w")).close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert search(backend) and len(search(backend)) == 2
        found = LocalStore(backend).search_experiments()

    assert [one.name for one in found] == ["Default"]


@contextlib.contextmanager
def without_privileges():
    """Give up for a while, where the superuser tests, what opens files that their modes close."""
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("the superuser of this system reads everything")
    libc = ctypes.CDLL(None)
    version, kept = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert libc.capget(version, kept) == 0
    # The first word holds what is in effect; CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH go.
    assert libc.capset(version, (ctypes.c_uint32 * 6)(kept[0] & ~0b110, *kept[1:])) == 0
    try:
        yield
    finally:
        assert libc.capset(version, kept) == 0


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("part", ["meta.yaml", "metrics/m", "params/p", "tags/t"])
def test_a_run_that_the_system_refuses_to_read_hides_no_other(
    backend, bad, monkeypatch, number, part
):
    """What the superuser may read, a broken disk still refuses."""
    real = os.open

    def refuse(path, *args, **kwargs):
        if path == f"{bad}/{part}":
            raise OSError(number, os.strerror(number), path)
        return real(path, *args, **kwargs)

    backend.tree.records.__init__()  # nothing is remembered of it
    monkeypatch.setattr(os, "open", refuse)
    check_the_good_one(backend, bad_listed=part != "meta.yaml")


def test_a_process_without_file_handles_sees_no_empty_store(backend, bad, monkeypatch):
    """That would hide all runs, and make second experiments of names that there are."""

    def refuse(path, *args, **kwargs):
        raise OSError(errno.EMFILE, "Too many open files", path)

    backend.tree.records.__init__()  # nothing is remembered
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        backend.find_experiment("Default")


# --- F12: removing --------------------------------------------------------------------------------


def test_nothing_outside_the_store_is_removed(backend, tmp_path):
    canary = tmp_path / "home"
    canary.mkdir()
    (canary / "letter").write_text("dear")
    root = backend.tree.root
    os.symlink(canary, f"{root}/0/{BAD}/artifacts/link")
    os.symlink(canary, f"{root}/0/{BAD}/inputs")
    for path in (
        "/",
        "~",
        "..",
        str(canary),
        root,
        f"{root}/..",
        f"{root}/../home",
        f"{root}/0/..",
    ):
        with pytest.raises(ValueError, match="not below"):
            remove_folder(root, path)
    backend.move_run(BAD, "deleted", 5)
    backend.purge("run", [BAD])
    with pytest.raises(Missing):
        backend.purge("run", [GOOD])

    assert (canary / "letter").read_text() == "dear"
    assert not os.path.exists(f"{root}/0/{BAD}")
    assert backend.get_run(GOOD)


def test_purging_a_link_removes_the_link(backend, tmp_path):
    canary = tmp_path / "home"
    canary.mkdir()
    (canary / "letter").write_text("dear")
    path = f"{backend.tree.root}/0/link"
    os.symlink(canary, path)
    remove_folder(backend.tree.root, path)

    assert not os.path.lexists(path)
    assert (canary / "letter").read_text() == "dear"
