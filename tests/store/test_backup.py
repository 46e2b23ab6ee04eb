"""Backups: everything is in them, every byte is checked, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy

from mlflow.entities.run import Metric
from mlflow.exceptions import MlflowException
from mlflow.store import backup, locate
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.backends.sql.engine import Database
from mlflow.store.backends.sql.tables import metadata
from mlflow.store.backends.sql.upgrade.upgrading import upgrade
from mlflow.store.migrate import Migration
from mlflow.testing.store_contract.copying import RUN, fill
from tests.store.backends.sql.upgrade.conftest import HISTORY

every_database = pytest.mark.parametrize(
    "sql_uri",
    ["sqlite", "postgresql", pytest.param("mysql", marks=pytest.mark.slow)],
    indirect=True,
)


@pytest.fixture(autouse=True)
def nothing_open():
    yield
    locate.forget()


def same(one, other):
    """Return what is different between two stores."""
    migration = Migration(one, other)
    report = migration.copy()
    lines = list(migration.verify())
    assert {} == dict(report.copied)
    return lines


def everything(uri):
    database = Database(uri)
    found = {}
    for table in metadata.tables.values():
        rows = database.run(
            lambda connection, table=table: (
                connection.execute(sqlalchemy.select(table)).mappings().all()
            )
        )
        found[table.name] = sorted(
            json.dumps(dict(row), default=str, sort_keys=True) for row in rows
        )
    database.close()
    return found


def test_files(tmp_path):
    source = FileBackend(str(tmp_path / "mlruns"))
    other = fill(source)
    Path(source.tree.root, other, RUN, "artifacts", "a b.txt").write_text("content")

    contents = backup.back_up(source.tree.root, str(tmp_path / "saved"))
    shutil.move(source.tree.root, str(tmp_path / "former"))
    backup.restore(str(tmp_path / "saved"), source.tree.root, artifacts=True)

    assert "files" == contents.kind
    assert {} == contents.places
    assert {"s3": 5} == contents.elsewhere
    restored = FileBackend(source.tree.root)
    assert [] == same(FileBackend(str(tmp_path / "former")), restored)
    assert "content" == Path(source.tree.root, other, RUN, "artifacts", "a b.txt").read_text()
    files = {
        str(path.relative_to(tmp_path / "former")) for path in (tmp_path / "former").rglob("*")
    }
    assert files == {
        str(path.relative_to(source.tree.root)) for path in Path(source.tree.root).rglob("*")
    }


@every_database
def test_databases(sql_uri, tmp_path, servers):
    """All tables come back, whether stores give access to them or not, and artifacts too."""
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.executescript((HISTORY / "b7e2c1a4d9f3.sql").read_text(encoding="utf-8"))
    upgrade(f"sqlite:///{tmp_path}/old.db", "/a", lambda line: None)
    seed, source = SqlBackend(f"sqlite:///{tmp_path}/old.db"), SqlBackend(sql_uri)
    Migration(seed, source).copy()
    made = source.insert_experiment("with artifacts", f"{tmp_path}/art/77", [], 1)
    place = tmp_path / "art" / made / "x" / "artifacts"
    place.mkdir(parents=True)
    (place / "model.bin").write_bytes(b"\0\1" * 700_000)
    with_place = source.insert_experiment("its own", f"{tmp_path}/art/{made}", [], 1)
    assert with_place != made
    source.append_metric("a" * 32, "late", float("nan"), 1, 1)

    contents = backup.back_up(sql_uri, str(tmp_path / "saved"))
    before = everything(sql_uri)
    shutil.rmtree(tmp_path / "art")
    dialect = source._database.dialect
    new = (
        f"sqlite:///{tmp_path}/new/restored.db" if dialect == "sqlite" else servers[dialect].make()
    )
    backup.restore(str(tmp_path / "saved"), new, artifacts=True)

    assert dialect == contents.kind
    after = everything(new)
    transient = {"job_locks", "scheduler_leases"}
    assert {name: rows for name, rows in before.items() if name not in transient} == {
        name: rows for name, rows in after.items() if name not in transient
    }
    restored = SqlBackend(new)
    assert int(with_place) < int(restored.insert_experiment("after", None, [], 1))
    for one in (seed, source, restored):
        one.close()


def test_artifacts_go_back(tmp_path):
    source = SqlBackend(f"sqlite:///{tmp_path}/a.db", artifact_root=str(tmp_path / "art"))
    fill(source)
    (tmp_path / "art" / "0" / "x").mkdir(parents=True)
    (tmp_path / "art" / "0" / "x" / "file").write_text("content")
    (tmp_path / "art" / "0" / "link").symlink_to("/etc/passwd")

    contents = backup.back_up(f"sqlite:///{tmp_path}/a.db", str(tmp_path / "saved"))
    shutil.rmtree(tmp_path / "art")
    backup.restore(str(tmp_path / "saved"), f"sqlite:///{tmp_path}/b.db", artifacts=True)
    again = f"sqlite:///{tmp_path}/c.db"
    backup.restore(str(tmp_path / "saved"), again, artifacts=True)

    assert {"artifacts/0": str(tmp_path / "art" / "0")} == contents.places
    assert "content" == (tmp_path / "art" / "0" / "x" / "file").read_text()
    assert not (tmp_path / "art" / "0" / "link").is_symlink()
    (tmp_path / "art" / "0" / "x" / "file").write_text("changed")
    with pytest.raises(MlflowException, match="Nothing was restored"):
        backup.restore(str(tmp_path / "saved"), f"sqlite:///{tmp_path}/d.db", artifacts=True)
    assert not (tmp_path / "d.db").exists()
    backup.restore(str(tmp_path / "saved"), f"sqlite:///{tmp_path}/d.db", artifacts=False)
    assert "changed" == (tmp_path / "art" / "0" / "x" / "file").read_text()
    source.close()


def test_while_others_write(tmp_path):
    """What is in the backup is one moment of the database, however much is written meanwhile."""
    source = SqlBackend(f"sqlite:///{tmp_path}/a.db")
    fill(source)
    stop = threading.Event()

    def write():
        step = 0
        while not stop.is_set():
            step += 1
            points = [Metric(key, float(step), step, step) for key in ("one", "other")]
            source.write_batch(RUN, points, [], [])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup.back_up(f"sqlite:///{tmp_path}/a.db", str(tmp_path / "saved"))
    finally:
        stop.set()
        writer.join()

    backup.check(str(tmp_path / "saved"))
    backup.restore(str(tmp_path / "saved"), f"sqlite:///{tmp_path}/b.db", artifacts=False)
    restored = SqlBackend(f"sqlite:///{tmp_path}/b.db")
    one, other = (restored.metric_history(RUN, key) for key in ("one", "other"))
    assert [point.step for point in one] == [point.step for point in other]
    for backend in (source, restored):
        backend.close()


@pytest.fixture
def saved(tmp_path):
    source = FileBackend(str(tmp_path / "mlruns"))
    fill(source)
    backup.back_up(source.tree.root, str(tmp_path / "saved"))
    source.close()
    return tmp_path / "saved"


def test_nothing_is_overwritten(saved, tmp_path):
    with pytest.raises(MlflowException, match="is there already"):
        backup.back_up(str(tmp_path / "mlruns"), str(saved))
    with pytest.raises(MlflowException, match="is there already"):
        backup.restore(str(saved), str(tmp_path / "mlruns"), artifacts=True)
    (tmp_path / "empty").mkdir()
    backup.restore(str(saved), str(tmp_path / "empty"), artifacts=True)
    with pytest.raises(MlflowException, match="holds a folder's records"):
        backup.restore(str(saved), f"sqlite:///{tmp_path}/x.db", artifacts=True)


def test_every_bit_is_checked(saved, tmp_path):
    changed = saved / "records" / "0" / "meta.yaml"
    text = changed.read_bytes()
    changed.write_bytes(text[:-1] + b"x")

    with pytest.raises(MlflowException, match=r"records/0/meta\.yaml is not what it was"):
        backup.restore(str(saved), str(tmp_path / "new"), artifacts=True)
    changed.unlink()
    with pytest.raises(MlflowException, match=r"records/0/meta\.yaml is missing"):
        backup.check(str(saved))

    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"../../etc/passwd": [1, "a"]}},
        {"files": {"/etc/passwd": [1, "a"]}},
        {"files": {"records//x": [1, "a"]}},
        {"files": {"records": 1}},
        {"files": []},
        {"places": {"artifacts/0": "relative"}},
        {"places": {"../x": "/tmp"}},
        {"format": 99},
        {"kind": None, "files": None},
    ],
)
def test_strange_manifests(saved, change):
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps(manifest | change))

    with pytest.raises(MlflowException) as caught:
        backup.check(str(saved))

    assert "INVALID_PARAMETER_VALUE" == caught.value.error_code


@pytest.mark.parametrize("content", ["", "[", "[" * 100_000, "{}", "\xff"])
def test_what_is_no_backup(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(content.encode("latin-1"))

    with pytest.raises(MlflowException, match="is no backup"):
        backup.check(str(tmp_path))
    with pytest.raises(MlflowException, match="is no backup"):
        backup.check(str(tmp_path / "nowhere"))


def test_what_was_left_by_a_killed_one(tmp_path):
    source = FileBackend(str(tmp_path / "mlruns"))
    fill(source)
    os.makedirs(tmp_path / "saved.partial" / "records" / "old")

    backup.back_up(source.tree.root, str(tmp_path / "saved"))

    assert ["manifest.json", "records"] == sorted(os.listdir(tmp_path / "saved"))
    assert not (tmp_path / "saved" / "records" / "old").exists()


def test_what_cannot_be(tmp_path):
    with pytest.raises(MlflowException, match="There is no store"):
        backup.back_up(str(tmp_path / "nowhere"), str(tmp_path / "saved"))
    with pytest.raises(MlflowException, match="neither a folder nor a database"):
        backup.back_up("memory:x", str(tmp_path / "saved"))
    assert not (tmp_path / "saved").exists()
