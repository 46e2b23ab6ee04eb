"""One database: its connections, its transactions, and when a piece of work is tried again."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from mlflow.exceptions import RESOURCE_EXHAUSTED, MlflowException, without_password
from mlflow.store.backends.sql.connections import FROZEN, make_engine
from mlflow.store.backends.sql.errors import AGAIN, LOST, READ_ONLY, TAKEN, Trouble, told, trouble
from mlflow.store.backends.sql.urls import MEMORY, MYSQL, POSTGRESQL, SQLITE, read_url
from mlflow.store.durability import DISK, level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

    from mlflow.store.backends.base import BackendError

    T = TypeVar("T")

TRIES = 8  # for work that conflicting changes end again and again

_BEGIN_WRITE = {
    SQLITE: "BEGIN IMMEDIATE",
    POSTGRESQL: "BEGIN",
    MYSQL: "START TRANSACTION",
}
# What work on SQLite's driver says to begin and to end; it rolls back before it has written.
_BOUNDS = frozenset({"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"})
_BEGIN_READ = {
    SQLITE: "BEGIN",
    POSTGRESQL: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    MYSQL: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; "
    "START TRANSACTION WITH CONSISTENT SNAPSHOT",
}
_DATABASES: weakref.WeakSet[Database] = weakref.WeakSet()
# Connections that belong to the process this one was forked from: closing them here would end
# them there.
_PARENTS: list[Any] = []


def _leave_to_parent() -> None:
    for database in _DATABASES:
        database._leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)


class Database:
    """A database that pieces of work are run on.

    Work is a function of a SQLAlchemy connection. It may be called more than once: after a
    deadlock, and when the connection was lost before anything could be kept. So it has no effect
    but on the database.

    Args:
        uri: its address, as in a tracking URI.
        durability: `os`: what was written survives the death of any process; `disk`: also a power
            cut. None takes it from `MILLSTREAM_DURABILITY`. Servers keep their own setting.
        prepare: what is done with the database once, before the first work.
    """

    def __init__(
        self,
        uri: str,
        durability: str | None = None,
        prepare: Callable[[Database], None] | None = None,
    ) -> None:
        self.url: URL = read_url(uri)
        self.dialect: str = self.url.get_backend_name()
        self.durable: bool = level(durability) == DISK
        self.place: str = without_password(uri)
        memory = self.dialect == SQLITE and self.url.database in MEMORY
        # A database in memory is its one connection, which threads take in turn.
        self._turn: threading.Lock | None = threading.Lock() if memory else None
        self._begin_write = _BEGIN_WRITE[self.dialect]
        self._idle: list[Connection] = []
        # The connection of a block of work that is kept together, for the thread that is in it.
        self._group = threading.local()
        self._prepare = prepare
        self._preparing = threading.RLock()
        self._is_preparing = False
        self._has_details = True
        self._reads_only = False
        self.engine: Engine = self._new_engine()
        _DATABASES.add(self)

    def __repr__(self) -> str:
        return f"Database({self.place!r})"

    @property
    def has_details(self) -> bool:
        """Whether there is the table of what MLflow's cannot hold; preparing finds out."""
        if self._prepare is not None:
            self._get_ready()
        return self._has_details

    @has_details.setter
    def has_details(self, found: bool) -> None:
        self._has_details = found

    # --- work --------------------------------------------------------------------------------

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run work whose statements each are an act of their own, and may be repeated.

        Raises:
            MlflowException: what the database refused; see `errors`.
        """
        return self._run(work, None, None)

    def snapshot(self, work: Callable[[Connection], T]) -> T:
        """Run work that only reads, and whose statements all see the same moment.

        Raises:
            MlflowException: as `run`.
        """
        return self._run(work, _BEGIN_READ[self.dialect], "ROLLBACK")

    def write(
        self,
        work: Callable[[Connection], T],
        taken: Callable[[], BackendError] | None = None,
    ) -> T:
        """Run work as one transaction: all of it is kept when this returns, else nothing is.

        Args:
            work: what to do.
            taken: the error to raise when a key exists that has to be unique; without it the work
                is done again, in which it finds the key.

        Raises:
            MlflowException: as `run`.
        """
        return self._run(work, self._begin_write, "COMMIT", taken)

    def raw(self, work: Callable[[Any], T]) -> T:
        """Run work that is given the driver's own connection, and begins and ends its transaction.

        It may be repeated even after it was committed, so doing it twice is doing it once.

        Raises:
            MlflowException: as `run`.
        """

        def on_driver(connection: Connection) -> T:
            driver = connection.connection.driver_connection
            return work(_Inside(driver) if self._is_grouped else driver)

        return self._run(on_driver, None, None)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep what this thread writes in the block as one transaction, when the block ends.

        Each piece of work is all or nothing by itself, as outside, and sees what came before it.
        A disk is waited for once. Servers of databases see to that themselves: there each piece
        of work is a transaction as ever.

        Raises:
            MlflowException: as `run`; then nothing of the block was kept.
        """
        if self.dialect != SQLITE or self._turn is not None:
            yield
            return
        if self._prepare is not None:
            self._get_ready()
        connection = self._take()
        try:
            connection.exec_driver_sql(self._begin_write)
            self._group.connection = connection
            try:
                yield
            finally:
                self._group.connection = None
            connection.exec_driver_sql("COMMIT")
        except BaseException as error:
            found = trouble(error) if is_database_error(error) else None
            self._abandon(connection, error, found)
            if found is not None:
                raise told(error, found, self.place) from error
            raise
        self._give(connection)

    def _run(
        self,
        work: Callable[[Connection], T],
        begin: str | None,
        end: str | None,
        taken: Callable[[], BackendError] | None = None,
    ) -> T:
        if self._prepare is not None:
            self._get_ready()
        connection = getattr(self._group, "connection", None)
        if connection is not None:
            return self._run_within(connection, work, begin, end, taken)
        tries = 0
        while True:
            tries += 1
            keeping = False
            connection = None
            try:
                connection = self._take()
                if begin is not None:
                    connection.exec_driver_sql(begin)
                result = work(connection)
                if end is not None:
                    keeping = end == "COMMIT"
                    connection.exec_driver_sql(end)
            except BaseException as error:
                found = trouble(error) if is_database_error(error) else None
                self._abandon(connection, error, found)
                if found is not None and found.kind == TAKEN and taken is not None:
                    raise taken() from error
                if not self._worth_another(error, found, tries, keeping=keeping):
                    raise
            else:
                self._give(connection)
                return result

    def _run_within(
        self,
        connection: Connection,
        work: Callable[[Connection], T],
        begin: str | None,
        end: str | None,
        taken: Callable[[], BackendError] | None,
    ) -> T:
        """Run work in the transaction that this thread has open, as a transaction in it."""
        for tries in range(1, TRIES + 1):
            connection.exec_driver_sql("SAVEPOINT work")
            try:
                result = work(connection)
            except BaseException as error:
                connection.exec_driver_sql("ROLLBACK TO work")
                connection.exec_driver_sql("RELEASE work")
                found = trouble(error) if is_database_error(error) else None
                if found is not None and found.kind == TAKEN:
                    if taken is not None:
                        raise taken() from error
                    if tries < TRIES:
                        continue
                if found is not None:
                    raise told(error, found, self.place) from error
                raise
            connection.exec_driver_sql("RELEASE work")
            return result
        raise AssertionError  # the last try has returned or raised

    def _get_ready(self) -> None:
        with self._preparing:
            # The work of the preparation itself comes by here too.
            if self._prepare is None or self._is_preparing:
                return
            self._is_preparing = True
            try:
                self._prepare(self)
                self._prepare = None
            finally:
                self._is_preparing = False

    def _worth_another(
        self, error: BaseException, found: Trouble | None, tries: int, *, keeping: bool
    ) -> bool:
        """Tell whether to try again; raise what the user should see when it is the database's."""
        if isinstance(error, NoConnection):
            raise MlflowException(
                f"All connections of this process to the database {self.place} are in use. Raise "
                "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE, or log from fewer threads.",
                RESOURCE_EXHAUSTED,
            ) from error
        if found is None:
            return False
        if found.kind == TAKEN and tries < TRIES:
            return True
        if found.kind == AGAIN and tries < TRIES:
            time.sleep(random.uniform(0, 0.01 * 2**tries))
            return True
        # Whether a commit that got no answer was kept is not known, so it is not repeated.
        if found.kind == LOST and tries < 2 and not keeping:
            return True
        raise told(error, found, self.place) from error

    @property
    def _is_grouped(self) -> bool:
        return getattr(self._group, "connection", None) is not None

    # --- connections -------------------------------------------------------------------------

    def _take(self) -> Connection:
        if self.dialect != SQLITE:
            return self.engine.connect()
        if self._turn is not None:
            self._turn.acquire()
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self.engine.connect()
        except BaseException:
            if self._turn is not None:
                self._turn.release()
            raise

    def _give(self, connection: Connection) -> None:
        if self.dialect != SQLITE or connection.engine is not self.engine:
            connection.close()
            return
        if FROZEN in connection.info:
            connection.close()  # the next one sees what changed
            return
        self._idle.append(connection)
        if self._turn is not None:
            self._turn.release()

    def _abandon(
        self, connection: Connection | None, error: BaseException, found: Trouble | None
    ) -> None:
        """Undo what a connection has begun; it is dropped when it cannot be used again."""
        if connection is None:
            return
        lost = not isinstance(error, Exception) or (found is not None and found.kind == LOST)
        # SQLite opens a file that it could not open for writing once, for reading for ever.
        lost = lost or (found is READ_ONLY and self.dialect == SQLITE)
        if not lost:
            try:
                self._roll_back(connection)
            except Exception:  # noqa: BLE001 - the error that led here is the one to tell
                lost = True
        if lost and self._turn is None:
            connection.invalidate()
            connection.close()
        else:
            self._give(connection)

    def _roll_back(self, connection: Connection) -> None:
        raw: Any = connection.connection.driver_connection
        # Some errors end a transaction by themselves, and some work has none.
        if self.dialect == SQLITE and not raw.in_transaction:
            return
        if self.dialect == POSTGRESQL and not raw.info.transaction_status:
            return
        connection.exec_driver_sql("ROLLBACK")

    def _leave_to_parent(self) -> None:
        self._preparing = threading.RLock()
        self._is_preparing = False
        if self._turn is not None:
            self._turn = threading.Lock()  # a database in memory was copied with the process
            return
        self._ending.detach()
        _PARENTS.extend(self._idle)
        _PARENTS.append(self.engine)
        self._idle = []
        self.engine = self._new_engine()

    def only_read(self) -> None:
        """Have the database refuse every write of this object from now on."""
        self._reads_only = True
        self.close()
        self.engine = self._new_engine()

    def _new_engine(self) -> Engine:
        engine = make_engine(self.url, durable=self.durable, reads_only=self._reads_only)
        # A store that nobody closed gives its connections back when it goes.
        self._ending = weakref.finalize(self, _give_back, self._idle, engine)
        self._ending.atexit = False
        return engine

    def close(self, last: Callable[[Connection], None] | None = None) -> None:
        """Close the connections that are not in use; the object may be used again afterwards.

        Args:
            last: what is done with a connection to a SQLite file before; if it fails it is not.
        """
        if self._turn is not None:
            return  # the connection is the database
        if last is not None and self._idle:
            with contextlib.suppress(DBAPIError, IndexError):
                last(self._idle[-1])
        _give_back(self._idle, self.engine)


def _give_back(idle: list[Connection], engine: Engine) -> None:
    while idle:
        try:
            idle.pop().close()
        except IndexError:
            break  # another thread took it
    engine.dispose()


class _Inside:
    """A driver's connection for work that begins and ends transactions, inside of one.

    What the work has written when it rolls back is undone by the savepoint around it.
    """

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self.executemany = driver.executemany

    def execute(self, statement: str, *values: Any) -> Any:
        if statement in _BOUNDS:
            return None
        return self._driver.execute(statement, *values)


def is_database_error(error: BaseException) -> bool:
    """Tell whether an error comes from a driver, itself or wrapped."""
    if isinstance(error, DBAPIError):
        return True
    names = {base.__name__ for base in type(error).__mro__}
    driver = type(error).__module__.partition(".")[0] in ("sqlite3", "psycopg", "pymysql")
    return driver and "Error" in names
