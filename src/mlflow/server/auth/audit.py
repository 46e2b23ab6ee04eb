"""The audit log: who did what, when and from where; only ever added to."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from mlflow.server.auth.entities import Event
from mlflow.server.auth.tables import audit

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlflow.store.backends.sql.engine import Database

_logger = logging.getLogger("mlflow.server")
_MOST = 1000
DONE, DENIED = "done", "denied"


class Audit:
    """The audit log of one database.

    Args:
        database: where it is.
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(
        self, username: str, action: str, resource: str = "", outcome: str = DONE, address: str = ""
    ) -> None:
        """Add a line.

        Args:
            username: who.
            action: what: the name of an operation.
            resource: to what.
            outcome: `done`, `denied`, or another word.
            address: from where.

        Raises:
            MlflowException: the database does not take it.
        """
        values = {
            "time": int(self._clock() * 1000),
            "username": username[:255],
            "action": action[:255],
            "resource": resource[:1000],
            "outcome": outcome[:64],
            "address": address[:64],
        }
        self._database.write(lambda connection: connection.execute(audit.insert().values(values)))

    def try_to_add(self, *what: str) -> None:
        """Add a line about something that was refused: it stays refused, whatever the database says."""
        try:
            self.add(*what)
        except Exception:
            _logger.exception("the audit log could not be written")

    def actions(self) -> list[str]:
        """Return the operations that there are lines of."""
        statement = select(audit.c.action).distinct().order_by(audit.c.action)
        return list(self._database.run(lambda c: c.execute(statement).scalars().all()))

    def read(
        self,
        username: str | None = None,
        action: str | None = None,
        since: int | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Event]:
        """Return lines, the newest first.

        Args:
            username: only what this user did.
            action: only this operation.
            since: only from this time on, ms since the epoch.
            before: only lines with smaller ids: where the last page ended.
            limit: how many, at most 1 000.
        """
        statement = select(audit).order_by(audit.c.id.desc()).limit(max(1, min(limit, _MOST)))
        for column, value in ((audit.c.username, username), (audit.c.action, action)):
            if value is not None:
                statement = statement.where(column == value)
        if since is not None:
            statement = statement.where(audit.c.time >= since)
        if before is not None:
            statement = statement.where(audit.c.id < before)
        found = self._database.run(lambda connection: connection.execute(statement).all())
        return [Event(*row) for row in found]
