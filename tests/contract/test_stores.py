"""The contract suite on every store there is."""

from __future__ import annotations

import pytest

from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.local import LocalStore
from mlflow.testing.store_contract import StoreContract
from tests.conftest import ALL


class TestMemory(StoreContract):
    """Dicts in this process."""

    @pytest.fixture
    def store(self):
        return LocalStore(MemoryBackend())


class TestFiles(StoreContract):
    """A folder."""

    @pytest.fixture
    def store(self, tmp_path):
        self.root = str(tmp_path / "mlruns")
        store = LocalStore(FileBackend(self.root))
        yield store
        store.close()

    def reopen(self, store):
        return LocalStore(FileBackend(self.root))


class InSharedFiles(TestFiles):
    """A folder that several machines may write."""

    @pytest.fixture
    def store(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MILLSTREAM_SHARED_FOLDER", "always")
        self.root = str(tmp_path / "mlruns")
        store = LocalStore(FileBackend(self.root))
        yield store
        store.close()


if ALL:  # a minute more

    class TestSharedFiles(InSharedFiles):
        """All of it."""


class InDatabase(StoreContract):
    """A database; each test gets an empty one."""

    @pytest.fixture
    def store(self, sql_uri):
        self.uri = sql_uri
        self.opened = []
        yield self._open()
        for store in self.opened:
            store.close()

    def _open(self):
        self.opened.append(LocalStore(SqlBackend(self.uri)))
        return self.opened[-1]

    def reopen(self, store):
        return self._open()


@pytest.mark.parametrize("sql_uri", ["sqlite"], indirect=True)
class TestSQLite(InDatabase):
    """A file."""


@pytest.mark.parametrize("sql_uri", ["postgresql"], indirect=True)
class TestPostgreSQL(InDatabase):
    """A database of a server."""


@pytest.mark.parametrize("sql_uri", ["mysql"], indirect=True)
class TestMySQL(InDatabase):
    """A database of a server, MariaDB's or MySQL's."""

    longest_version_tag = 65_535  # a column of the type TEXT
