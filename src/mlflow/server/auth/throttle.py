"""Who has failed to sign in often waits, longer each time, whichever process they ask."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, func, select

from mlflow.exceptions import RESOURCE_EXHAUSTED, MlflowException
from mlflow.server.auth.tables import failures

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from mlflow.store.backends.sql.engine import Database

#: Failures that cost nothing: of one name from one address, and of all names from one address.
FREE_OF_NAME, FREE_OF_ADDRESS = 5, 30
_LONGEST_OF_NAME, _LONGEST_OF_ADDRESS = 300.0, 30.0
_FORGOTTEN = 3600.0
_KEPT = 10_000


class _Key(NamedTuple):
    """What failures are counted of."""

    #: Names may be of any length, and passwords that were typed into the wrong field.
    digest: str
    free: int
    longest: float


class Throttle:
    """Failures by name and address, kept beside the users, so that all processes count together.

    Args:
        database: where the users are.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def check(self, name: str, address: str) -> None:
        """Check that an attempt may be made now.

        Args:
            name: who they say they are; empty where they say nothing.
            address: from where.

        Raises:
            MlflowException: RESOURCE_EXHAUSTED: not yet; nothing was looked at.
        """
        digests = [key.digest for key in _keys(name, address)]
        statement = select(func.max(failures.c.wait_until)).where(failures.c.digest.in_(digests))
        until = self._database.run(lambda connection: connection.execute(statement).scalar())
        left = (until or 0) / 1000 - self._clock()
        if left > 0:
            raise MlflowException(
                f"Too many failed attempts to sign in. Try again in {int(left) + 1} seconds.",
                RESOURCE_EXHAUSTED,
            )

    def failed(self, name: str, address: str) -> None:
        """Note a failure; one without a name counts for its address alone."""
        now = self._clock()

        def work(connection: Connection) -> None:
            for key in _keys(name, address):
                _count(connection, key, now)

        self._database.write(work)

    def succeeded(self, name: str, address: str) -> None:
        """Note that somebody was right: their own failures are forgotten."""
        where = failures.c.digest == _digest(name, address)
        statement = select(failures.c.digest).where(where)
        # Nearly always there is none, and reading is cheaper than writing.
        if self._database.run(lambda connection: connection.execute(statement).first()):
            self._database.write(
                lambda connection: connection.execute(failures.delete().where(where))
            )


def _keys(name: str, address: str) -> list[_Key]:
    found = [_Key(_digest("", address), FREE_OF_ADDRESS, _LONGEST_OF_ADDRESS)]
    if name:
        found.insert(0, _Key(_digest(name, address), FREE_OF_NAME, _LONGEST_OF_NAME))
    return found


def _digest(name: str, address: str) -> str:
    return hashlib.sha256(f"{address}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()


def _count(connection: Connection, key: _Key, now: float) -> None:
    kept, at = failures.c, int(now * 1000)
    where = kept.digest == key.digest
    is_old = kept.latest < int((now - _FORGOTTEN) * 1000)
    # MySQL sees what it has set already: `latest` comes after what is decided by it.
    more = {"failures": case((is_old, 1), else_=kept.failures + 1), "latest": at}
    count = 1
    if connection.execute(failures.update().where(where).values(more)).rowcount:
        count = connection.execute(select(kept.failures).where(where)).scalar_one()
    else:
        _make_room(connection, now)
        made = {"digest": key.digest, "failures": 1, "latest": at, "wait_until": 0}
        connection.execute(failures.insert().values(made))
    if count >= key.free:
        wait = min(key.longest, 2.0 ** min(count - key.free, 10))
        until = int((now + wait) * 1000)
        connection.execute(failures.update().where(where).values(wait_until=until))


def _make_room(connection: Connection, now: float) -> None:
    """Remove what is forgotten, and what is oldest where there is very much."""
    kept = failures.c
    connection.execute(failures.delete().where(kept.latest < int((now - _FORGOTTEN) * 1000)))
    count = connection.execute(select(func.count()).select_from(failures)).scalar_one()
    if count < _KEPT:
        return
    oldest = select(kept.digest).order_by(kept.latest).limit(count - _KEPT + 1)
    digests = list(connection.execute(oldest).scalars())
    connection.execute(failures.delete().where(kept.digest.in_(digests)))
