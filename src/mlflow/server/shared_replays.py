"""Writes that are sent twice, to two worker processes of one server, are done once.

The workers share a SQLite file in a folder that their server made for itself and removes when it
ends: a row says that a write was begun, and later what it was answered. The file is no truth; a
server without it, or on another machine, does what one process does (see `replay`).
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from typing import TYPE_CHECKING

from mlflow.exceptions import TEMPORARILY_UNAVAILABLE, MlflowException
from mlflow.server.messages import Answer
from mlflow.server.replay import LARGEST, Replays

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Work = Callable[[], Awaitable[Answer]]

#: Seconds after which a write that was begun and not answered is one whose worker is gone.
ABANDONED = 60.0
_LOOK = 0.02
_KEPT = 10_000
_TABLE = (
    "CREATE TABLE IF NOT EXISTS replays "
    "(key TEXT PRIMARY KEY, at REAL NOT NULL, status INTEGER, headers TEXT, body BLOB)"
)
_CLAIM = (
    "INSERT INTO replays (key, at) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET at = ?2 "
    "WHERE status IS NULL AND at < ?3"
)
_OLD = "DELETE FROM replays WHERE rowid <= (SELECT MAX(rowid) FROM replays) - ?"


class SharedReplays(Replays):
    """The answers of recent writes, those that other workers gave included.

    Args:
        path: of the file, which all workers of the server open.
        kept: how many answers are remembered.
        clock: seconds, the same in all workers.
    """

    def __init__(
        self, path: str, kept: int = _KEPT, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(kept)
        self._rows = kept
        self._clock = clock
        self._file = sqlite3.connect(path, timeout=30, isolation_level=None)
        # Gone with the server: nothing in it has to survive a power cut.
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute(_TABLE)

    async def once(self, key: tuple[object, ...], work: Work, *, shared: bool = True) -> Answer:
        """Return the answer of the first request with a key, doing its work if this is it.

        Args:
            key: the client's key, and whatever else must be the same.
            work: does it; what raises or answers with a server error is forgotten and may be tried
                again.
            shared: whether other workers are asked; what changes nothing more when it is repeated
                need not wait for them.

        Raises:
            MlflowException: TEMPORARILY_UNAVAILABLE: another worker has begun and does not end.
        """
        if not shared:
            return await super().once(key, work)
        return await super().once(key, lambda: self._among_workers(repr(key), work))

    async def _among_workers(self, key: str, work: Work) -> Answer:
        until = self._clock() + ABANDONED
        while not self._claim(key):
            known = self._answer_of(key)
            if known is not None:
                return known
            if self._clock() > until:
                text = "This request is being answered already; try again."
                raise MlflowException(text, TEMPORARILY_UNAVAILABLE)
            await asyncio.sleep(_LOOK)
        try:
            answer = await work()
        except BaseException:
            self._forget_row(key)
            raise
        if answer.status >= 500 or len(answer.body) > LARGEST or answer.parts is not None:
            self._forget_row(key)
        else:
            self._keep(key, answer)
        return answer

    # --- the file --------------------------------------------------------------------------------

    def _claim(self, key: str) -> bool:
        now = self._clock()
        return self._file.execute(_CLAIM, (key, now, now - ABANDONED)).rowcount == 1

    def _answer_of(self, key: str) -> Answer | None:
        statement = "SELECT status, headers, body FROM replays WHERE key = ? AND status IS NOT NULL"
        row = self._file.execute(statement, (key,)).fetchone()
        if row is None:
            return None
        headers = tuple((name.encode(), value.encode()) for name, value in json.loads(row[1]))
        return Answer(row[0], row[2], headers)

    def _keep(self, key: str, answer: Answer) -> None:
        headers = json.dumps([(name.decode(), value.decode()) for name, value in answer.headers])
        self._file.execute(
            "UPDATE replays SET status = ?, headers = ?, body = ? WHERE key = ?",
            (answer.status, headers, answer.body, key),
        )
        self._file.execute(_OLD, (self._rows,))

    def _forget_row(self, key: str) -> None:
        self._file.execute("DELETE FROM replays WHERE key = ?", (key,))

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
