"""The contract suite through a client and a real server, on every store there is."""

from __future__ import annotations

import os
import zlib

import pytest

from mlflow.server.app import ServerApp, Settings
from mlflow.store.backends.file import FileBackend
from mlflow.store.backends.memory import MemoryBackend
from mlflow.store.backends.sql import SqlBackend
from mlflow.store.failover import FailoverStore
from mlflow.store.local import LocalStore
from mlflow.store.rest import RestStore
from mlflow.testing.store_contract import StoreContract
from mlflow.testing.store_contract.support import refused
from tests.server.serving import Served

# Read here: tests themselves run without the user's settings.
ALL = os.environ.get("MILLSTREAM_CONTRACT") == "all"


@pytest.fixture(scope="module")
def served():
    with Served() as server:
        yield server


class RestContract(StoreContract):
    """What a store behind a server promises; maintenance is done next to the store."""

    maintains = False

    @pytest.fixture
    def local(self, tmp_path):
        raise NotImplementedError

    @pytest.fixture
    def store(self, local, served):
        self.opened = []
        self.uri = served.uri
        # A registry and a few requests at once: as many threads as a small server has.
        app = served.app = ServerApp(local, settings=Settings(writers=4))
        yield self._open()
        for store in self.opened:
            store.close()
        app.close()

    def _open(self):
        self.opened.append(RestStore(self.uri))
        return self.opened[-1]

    def reopen(self, store):
        return self._open()

    def test_purge_run(self, store):
        with refused("NOT_IMPLEMENTED", "purge_run"):
            store.purge_run("r")

    def test_purge_experiment(self, store):
        with refused("NOT_IMPLEMENTED", "purge_experiment"):
            store.purge_experiment("1")

    def test_purge_logged_model(self, store):
        with refused("NOT_IMPLEMENTED", "purge_logged_model"):
            store.purge_logged_model("m-1")


def twelfth(place):
    """Leave a class one in twelve of its tests, and other classes others.

    What these stores do is tested next to them, and what the client does on files and SQLite; all
    tests of all take five minutes, and are run with MILLSTREAM_CONTRACT=all.
    """

    def chosen(cls):
        names = sorted(name for name in dir(cls) if name.startswith("test_"))
        for name in names if not ALL else ():
            if zlib.crc32(name.encode()) % 12 != place:
                setattr(cls, name, None)
        return cls

    return chosen


@pytest.mark.slow
@twelfth(2)
class TestMemory(RestContract):
    """Dicts in the server."""

    @pytest.fixture
    def local(self):
        return LocalStore(MemoryBackend())


@pytest.mark.slow
@twelfth(3)
class TestFailover(RestContract):
    """A client that would go on without its server."""

    @pytest.fixture
    def local(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MILLSTREAM_JOURNAL_DIR", str(tmp_path / "journal"))
        yield LocalStore(MemoryBackend())
        assert not (tmp_path / "journal").exists()

    def _open(self):
        self.opened.append(FailoverStore(self.uri))
        return self.opened[-1]


class TestFiles(RestContract):
    """A folder of the server."""

    @pytest.fixture
    def local(self, tmp_path):
        return LocalStore(FileBackend(str(tmp_path / "mlruns")))


class InDatabase(RestContract):
    """A database of the server."""

    @pytest.fixture
    def local(self, sql_uri):
        return LocalStore(SqlBackend(sql_uri))


@pytest.mark.parametrize("sql_uri", ["sqlite"], indirect=True)
class TestSQLite(InDatabase):
    """A file."""


@pytest.mark.slow
@pytest.mark.parametrize("sql_uri", ["postgresql"], indirect=True)
@twelfth(0)
class TestPostgreSQL(InDatabase):
    """A database of another server."""


@pytest.mark.slow
@pytest.mark.parametrize("sql_uri", ["mysql"], indirect=True)
@twelfth(1)
class TestMySQL(InDatabase):
    """A database of another server, MariaDB's or MySQL's."""

    longest_version_tag = 65_535  # a column of the type TEXT
