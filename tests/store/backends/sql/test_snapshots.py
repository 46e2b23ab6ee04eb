"""Copies of SQLite files."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing

import pytest

from mlflow.exceptions import MlflowException
from mlflow.store.backends.sql.snapshots import copy_file


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(5000)])
        connection.commit()
    os.chmod(path, 0o640)
    return path


def count(path):
    with closing(sqlite3.connect(path)) as connection:
        assert "ok" == connection.execute("PRAGMA integrity_check").fetchone()[0]
        return connection.execute("SELECT count(*) FROM t").fetchone()[0]


def test_what_is_in_the_log_is_in_the_copy(source, tmp_path):
    with closing(sqlite3.connect(source)) as open_still:
        open_still.execute("INSERT INTO t VALUES (1)")
        open_still.commit()

        copy_file(str(source), str(tmp_path / "b.db"))

        open_still.execute("INSERT INTO t VALUES (2)")
        assert os.path.getsize(f"{source}-wal")
    assert 5001 == count(tmp_path / "b.db")
    assert 0o640 == stat.S_IMODE(os.stat(tmp_path / "b.db").st_mode)


def test_a_writer_is_not_in_the_way(source, tmp_path):
    with closing(sqlite3.connect(source, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM t")

        copy_file(str(source), str(tmp_path / "b.db"))

        writer.execute("ROLLBACK")
    assert 5000 == count(tmp_path / "b.db")


def test_nothing_is_overwritten(source, tmp_path):
    (tmp_path / "b.db").write_text("mine")

    with pytest.raises(FileExistsError):
        copy_file(str(source), str(tmp_path / "b.db"))

    assert "mine" == (tmp_path / "b.db").read_text()


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_what_cannot_be_read_leaves_no_copy(content, source, tmp_path):
    if content is None:
        content = source.read_bytes()[:8192] + b"\0" * 4096
    (tmp_path / "broken.db").write_bytes(content)

    with pytest.raises(MlflowException, match=r"broken\.db"):
        copy_file(str(tmp_path / "broken.db"), str(tmp_path / "b.db"))

    assert not (tmp_path / "b.db").exists()
