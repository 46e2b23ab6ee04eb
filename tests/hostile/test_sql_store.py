"""Databases that are full, damaged, read-only, somebody else's, or given values from nowhere good.

Each case is told in one sentence of an `MlflowException`, leaves nothing half written, and leaves
the other runs alone.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys

import pytest
import sqlalchemy

from mlflow.entities.experiment import ExperimentTag
from mlflow.entities.logged_models import LoggedModelTag
from mlflow.entities.registry import RegisteredModelTag
from mlflow.entities.run import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore
from tests.databases import on_every_database

HOSTILE = [
    "'; DROP TABLE runs; --", '"); DELETE FROM runs; --', "`", "\\", "\\'", "%s", "%(run)s", "?",
    ":ids", "{rows}", "'' OR 1=1", "/* */", "\u2028", "\U0001f600", "a\u0301", "\x7f",
]  # fmt: skip


@pytest.fixture
def store(sql_uri):
    store = LocalStore(SqlBackend(sql_uri))
    yield store
    store.close()


@pytest.fixture
def path(tmp_path):
    """A SQLite store with a run in it, closed."""
    path = tmp_path / "store.db"
    store = LocalStore(SqlBackend(f"sqlite:///{path}"))
    run = store.create_run("0", "ada", 1, [], "name").info.run_id
    store.log_batch(run, [Metric("m", 1.0, 2, 3)], [Param("p", "1")], [RunTag("t", "x")])
    store.close()
    return path


def opened(path, **options):
    return LocalStore(SqlBackend(f"sqlite:///{path}", **options))


def run_of(path):
    connection = sqlite3.connect(path)
    (run,) = connection.execute("SELECT run_uuid FROM runs").fetchone()
    connection.close()
    return run


# --- values -----------------------------------------------------------------------------------


@on_every_database
@pytest.mark.parametrize("text", HOSTILE)
def test_values_are_values(store, text):
    """Whatever looks like a statement, a parameter or a quote comes back as it was."""
    run = store.create_run("0", text, 1, [RunTag("t", text)], text).info.run_id
    other = store.create_run("0", "ada", 1, [], "other").info.run_id
    store.log_batch(
        run,
        [Metric("m", 1.0, 1, 1, None, text, text)],
        [Param("p", text)],
        [RunTag("u", text)],
    )
    store.log_param(run, Param("q", text))
    store.set_experiment_tag("0", ExperimentTag("t", text))
    named = store.create_experiment(text, None, [])
    model = store.create_logged_model("0", None, run, [LoggedModelTag("t", text)])
    store.create_registered_model("m", [RegisteredModelTag("t", text)], text)
    kept = store.get_run(run)

    assert (kept.info.run_name, kept.info.user_id) == (text, text)
    assert kept.data.params == {"p": text, "q": text}
    assert (kept.data.tags["t"], kept.data.tags["u"]) == (text, text)
    assert store.get_metric_history(run, "m")[0].dataset_name == text
    assert store.get_experiment("0").tags == {"t": text}
    assert getattr(store.get_experiment_by_name(text), "experiment_id", None) == named
    assert store.get_logged_model(model.model_id).tags == {"t": text}
    assert store.get_registered_model("m").description == text
    assert store.get_run(other).info.run_name == "other"


@on_every_database
@pytest.mark.parametrize("key", ["a b", "f1.macro", "größe", "損失", "A", "a" * 250, "x/y z"])
def test_keys_are_keys(store, key):
    """Keys of every kind that the rules allow, beside ones that differ in case alone."""
    run = store.create_run("0", "ada", 1, [], "n").info.run_id
    other = key.swapcase()
    store.log_batch(run, [Metric(key, 1.0, 1, 0)], [Param(key, "1")], [RunTag(key, "1")])
    if other != key:
        store.log_batch(run, [Metric(other, 2.0, 1, 0)], [Param(other, "2")], [RunTag(other, "2")])
    kept = store.get_run(run).data

    assert (kept.metrics[key], kept.params[key], kept.tags[key]) == (1.0, "1", "1")
    if other != key:
        assert (kept.metrics[other], kept.params[other], kept.tags[other]) == (2.0, "2", "2")


@pytest.mark.slow  # the database is made for this test
def test_keys_that_a_collation_takes_for_one(servers):
    """A param that would vanish in another's row is refused, with what to do about it."""
    store = LocalStore(SqlBackend(servers["mysql"].make(" COLLATE utf8mb4_general_ci")))
    run = store.create_run("0", "ada", 1, [], "n").info.run_id
    store.log_param(run, Param("lr", "1"))
    store.log_param(run, Param("lr", "1"))
    for value in ("1", "2"):
        with pytest.raises(MlflowException, match="'lr'.*'LR'.*utf8mb4_bin") as caught:
            store.log_batch(run, [Metric("m", 1.0, 1, 0)], [Param("LR", value)], [])
        assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    kept = store.get_run(run).data
    store.close()

    assert (kept.params, kept.metrics) == ({"lr": "1"}, {})


@on_every_database
def test_nul(store):
    """SQLite and MySQL keep it; PostgreSQL has no text with it, and says so."""
    run = store.create_run("0", "ada", 1, [], "n").info.run_id
    try:
        store.log_batch(run, [Metric("m", 1.0, 1, 0)], [Param("p", "a\0b")], [])
    except MlflowException as error:
        assert "postgresql" in repr(store)
        assert (error.error_code, "NUL" in error.message) == ("INVALID_PARAMETER_VALUE", True)
        assert store.get_run(run).data.metrics == {}
    else:
        assert store.get_run(run).data.params == {"p": "a\0b"}


@on_every_database
def test_values_beyond_the_columns(store):
    """What a server's column has no room for is refused whole, not cut; SQLite has room."""
    run = store.create_run("0", "ada", 1, [], "n").info.run_id
    before = store.search_experiments()
    for operation in (
        lambda: store.create_experiment("e" * 400),
        lambda: store.create_experiment("long", "s3://" + "x" * 400),
        lambda: store.update_run_info(run, None, None, "n" * 300),
        lambda: store.create_registered_model("r", [RegisteredModelTag("t", "x" * 6000)]),
        lambda: store.create_registered_model("s", None, "x" * 6000),
    ):
        try:
            operation()
        except MlflowException as error:
            assert "sqlite" not in repr(store)
            assert error.error_code == "INVALID_PARAMETER_VALUE"
    if "sqlite" not in repr(store):
        assert store.search_experiments() == before
        assert store.search_registered_models() == []
        kept = store.get_run(run)
        assert (kept.info.run_name, kept.data.tags["mlflow.runName"]) == ("n", "n")


@on_every_database
@pytest.mark.parametrize("odd", ["2147483648", "9" * 60, "00", "abc", "٠", "1e3"])
def test_ids_that_are_no_numbers(store, odd):
    """No experiment has them; they are not taken for another's."""
    with pytest.raises(MlflowException) as caught:
        store.get_experiment(odd)
    assert caught.value.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
    assert store.search_runs([odd], "", 3) == [] if odd.isascii() else True


# --- files ------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_file_that_cannot_be_written(path):
    """It can be read; writes are refused, and the file is as it was."""
    run = run_of(path)
    before = path.read_bytes()
    store = opened(path)
    database = store._backend._database
    # One that refused is closed: those that follow it may not write, either.
    sqlalchemy.event.listen(
        database.engine, "connect", lambda made, _: made.execute("PRAGMA query_only = ON")
    )
    database.run(lambda one: one.exec_driver_sql("PRAGMA query_only = ON"))
    for operation in (
        lambda: store.log_metric_value(run, "m", 2.0, 3, 4),
        lambda: store.log_param(run, Param("q", "1")),
        lambda: store.create_experiment("e"),
        lambda: store.create_run("0", "ada", 1, [], "n"),
    ):
        with pytest.raises(MlflowException, match="cannot be written") as caught:
            operation()
        assert caught.value.error_code == "PERMISSION_DENIED"
    assert store.get_run(run).data.params == {"p": "1"}
    store.close()
    assert path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_a_folder_of_another_user(path):
    """A user who may only read the file and its folder reads the store, and writes nothing."""
    run = run_of(path)
    for place in (path.parent, *path.parent.parents):
        if str(place).startswith("/tmp/"):
            place.chmod(0o755)
    path.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    program = f"""
import os
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore
from mlflow.exceptions import MlflowException
warm = LocalStore(SqlBackend("sqlite://"))
warm.create_run("0", "ada", 1, [], "n")
warm.search_runs(["0"], "", 3)
os.setuid(65534)
store = LocalStore(SqlBackend("sqlite:///{path}"))
print(store.get_run("{run}").data.params)
try:
    store.log_metric_value("{run}", "m", 2.0, 3, 4)
except MlflowException as error:
    print(error.error_code)
"""
    done = _python(program)
    assert done.stdout.split("\n")[:2] == ["{'p': '1'}", "PERMISSION_DENIED"], done.stderr


def test_a_full_database(path):
    """What does not fit is not written at all; what is there stays readable and writable."""
    run = run_of(path)
    store = opened(path)

    def limit(connection):
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    store._backend._database.run(limit)
    params = [Param(f"p{n}", "x" * 6000) for n in range(100)]
    with pytest.raises(MlflowException, match="is full") as caught:
        store.log_batch(run, [Metric("m", 9.0, 9, 9)], params, [])
    kept = store.get_run(run).data

    assert caught.value.error_code == "RESOURCE_EXHAUSTED"
    assert (kept.metrics, kept.params) == ({"m": 1.0}, {"p": "1"})
    store.log_metric_value(run, "m", 2.0, 3, 4)
    assert store.get_run(run).data.metrics == {"m": 2.0}
    store.close()


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_disk_that_is_full(path):
    """The system refuses to let the file grow: told, and the store is whole afterwards."""
    run = run_of(path)
    program = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore
from mlflow.entities.run import Param
from mlflow.exceptions import MlflowException
store = LocalStore(SqlBackend("sqlite:///{path}"))
store.get_run("{run}")
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    for turn in range(100):
        store.log_batch("{run}", [], [Param(f"p{{turn}}.{{n}}", "x" * 6000) for n in range(20)], [])
except MlflowException as error:
    print(error.error_code, turn)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.log_param("{run}", Param("after", "1"))
store.close()
"""
    done = _python(program)
    code, turn = done.stdout.split()
    store = opened(path)
    kept = store.get_run(run).data.params
    store.close()

    assert code in ("RESOURCE_EXHAUSTED", "INTERNAL_ERROR"), done.stderr
    assert kept["after"] == "1"
    assert len(kept) == 2 + 20 * int(turn)


@pytest.mark.parametrize("place", [100, 4096 + 8, 5 * 4096 + 50])
def test_a_damaged_file(path, place):
    """It is reported as damaged; nothing is written to it."""
    data = bytearray(path.read_bytes())
    for start in range(place, len(data), 4096):
        data[start : start + 2000] = os.urandom(min(2000, len(data) - start))
    path.write_bytes(data)
    store = opened(path)
    for operation in (
        lambda: store.get_experiment("0"),
        lambda: store.create_run("0", "ada", 1, [], "n"),
        lambda: store.search_runs(["0"], "", 3),
    ):
        with pytest.raises(MlflowException) as caught:
            operation()
        assert str(path) in caught.value.message
        assert caught.value.error_code in ("DATA_LOSS", "INVALID_STATE", "INTERNAL_ERROR")
    store.close()
    assert path.read_bytes() == bytes(data)


def test_a_file_that_is_cut_short(path):
    """As after a copy that was broken off."""
    path.write_bytes(path.read_bytes()[:5000])
    store = opened(path)
    with pytest.raises(MlflowException) as caught:
        store.get_experiment("0")
    assert caught.value.error_code in ("DATA_LOSS", "INVALID_STATE")
    store.close()


def test_a_folder_in_the_place_of_the_file(tmp_path):
    """It is named."""
    (tmp_path / "a.db").mkdir()
    store = opened(tmp_path / "a.db")
    with pytest.raises(MlflowException, match=r"a\.db cannot be opened"):
        store.get_experiment("0")
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE latest_metrics SET value = 'much' WHERE run_uuid = ?",
        "UPDATE latest_metrics SET value = x'00' WHERE run_uuid = ?",
        "UPDATE params SET value = CAST(x'ff' AS TEXT) WHERE run_uuid = ?",
        "UPDATE runs SET name = CAST(x'c328' AS TEXT) WHERE run_uuid = ?",
    ],
)
def test_a_row_that_makes_no_sense(path, statement):
    """A program wrote nonsense into a run: `get` reports it, a search leaves it out, others work."""
    run = run_of(path)
    store = opened(path)
    good = store.create_run("0", "ada", 1, [], "good").info.run_id
    store.log_metric_value(good, "m", 1.0, 1, 1)
    connection = sqlite3.connect(path)
    connection.execute(statement, (run,))
    connection.commit()
    connection.close()
    with pytest.raises(MlflowException) as caught:
        store.get_run(run)
    assert (caught.value.error_code, run in caught.value.message) == ("DATA_LOSS", True)
    with pytest.warns(UserWarning, match=f"Left out of the store: run '{run}'"):
        found = store.search_runs(["0"], "", 3)
    assert [one.info.run_id for one in found] == [good]
    assert [one.info.run_id for one in store.search_runs(["0"], "", 3)] == [good]
    assert store.get_run(good).data.metrics == {"m": 1.0}
    store.close()


def _python(program):
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
