"""Writes that are sent twice are done once: the answers of recent ones, by the keys they came with.

A client that lost the connection cannot know whether its write was done. It sends the write again
with the same key, and gets the answer of the first.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.server.messages import Answer

KEY = b"idempotency-key"
# A header of all answers: the client may send a write again, as its key is understood here.
UNDERSTOOD = (b"x-millstream-replay", b"1")
MAX_KEY = 128
# A key as long as this is taken to be no other client's, and no other day's: ids are made from it.
UNIQUE = 32
_KEPT = 10_000
#: Bytes of the longest answer that is remembered.
LARGEST = 65_536


class Replays:
    """The answers of recent writes.

    Args:
        kept: how many answers are remembered.
    """

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._answers: OrderedDict[tuple[object, ...], asyncio.Future[Answer]] = OrderedDict()

    async def once(
        self, key: tuple[object, ...], work: Callable[[], Awaitable[Answer]], *, shared: bool = True
    ) -> Answer:
        """Return the answer of the first request with a key, doing its work if this is it.

        Args:
            key: the client's key, and whatever else must be the same.
            work: does it; what raises or answers with a server error is forgotten and may be tried
                again.
            shared: whether other processes would have to be asked; here there are none.
        """
        known = self._answers.get(key)
        if known is not None:
            return await asyncio.shield(known)
        first: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[key] = first
        try:
            answer = await work()
        except BaseException as error:
            self._answers.pop(key, None)
            _fail(first, error)
            raise
        if answer.status >= 500 or len(answer.body) > LARGEST:
            self._answers.pop(key, None)
        first.set_result(answer)
        self._forget()
        return answer

    def close(self) -> None:
        """Let go of what the answers are kept in."""

    def _forget(self) -> None:
        while len(self._answers) > self._kept:
            key, oldest = next(iter(self._answers.items()))
            if not oldest.done():
                return
            del self._answers[key]


def _fail(future: asyncio.Future[Answer], error: BaseException) -> None:
    if isinstance(error, Exception):
        future.set_exception(error)
        future.exception()  # it is raised in the first request; others need not be waiting
    else:
        future.cancel()
