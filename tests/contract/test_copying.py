"""The suite of exact copies on every backend there is."""

from __future__ import annotations

import pytest

from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.testing.store_contract.copying import CopyingContract


class TestMemory(CopyingContract):
    """Dicts in this process."""

    @pytest.fixture
    def backend(self):
        return MemoryBackend("s3://bucket/target")


class TestFiles(CopyingContract):
    """A folder."""

    @pytest.fixture
    def backend(self, tmp_path):
        made = FileBackend(str(tmp_path / "mlruns"))
        yield made
        made.close()


class InDatabase(CopyingContract):
    """A database; each test gets an empty one."""

    @pytest.fixture
    def backend(self, sql_uri):
        made = SqlBackend(sql_uri)
        yield made
        made.close()


@pytest.mark.parametrize("sql_uri", ["sqlite"], indirect=True)
class TestSQLite(InDatabase):
    """A file."""


@pytest.mark.parametrize("sql_uri", ["postgresql"], indirect=True)
class TestPostgreSQL(InDatabase):
    """A database of a server."""

    def test_numbers_of_others(self, backend):
        """Rows that another program put in, with numbers, are in nobody's way."""
        last = int(backend.insert_experiment("mine", "s3://bucket/x", [], 1))
        backend._database.write(
            lambda connection: connection.exec_driver_sql(
                "INSERT INTO experiments (experiment_id, name, lifecycle_stage) SELECT"
                " number, 'other ' || number, 'active' FROM generate_series(%s::int, %s::int) AS number",
                (last + 1, last + 40),
            )
        )
        made = backend.insert_experiment("mine too", "s3://bucket/x", [], 1)
        assert str(last + 41) == made


@pytest.mark.parametrize("sql_uri", ["mysql"], indirect=True)
class TestMySQL(InDatabase):
    """A database of a server, MariaDB's or MySQL's."""
