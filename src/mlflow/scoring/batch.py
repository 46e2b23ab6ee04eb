"""Micro-batching: requests that wait at the same moment share one call of the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_BATCH_ROWS = 1024
_Item = tuple[Any, "asyncio.Future[Any]"]


class Batcher:
    """Collects arrays that arrive in one turn of the event loop and answers them together.

    No timer is involved: the model runs as soon as the loop has handed over everything that had
    already arrived, so a lone request waits for nobody. Rows must be independent of each other.

    Args:
        predict: takes a two-dimensional array, returns an array with as many rows.
    """

    def __init__(self, predict: Callable[[Any], Any]) -> None:
        self._predict = predict
        self._waiting: list[_Item] = []
        self.calls = 0

    def submit(self, array: Any) -> asyncio.Future[Any]:
        """Return a future of the predictions for the rows of `array`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((array, future))
        return future

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        group: list[_Item] = []
        rows = 0
        for item in waiting:
            if item[1].cancelled():
                continue
            size = len(item[0])
            if group and rows + size > MAX_BATCH_ROWS:
                self._answer(group)
                group, rows = [], 0
            group.append(item)
            rows += size
        if group:
            self._answer(group)

    def _answer(self, group: list[_Item]) -> None:
        if len(group) == 1 or not self._answer_together(group):
            for array, future in group:
                self._answer_singly(array, future)

    def _answer_together(self, group: list[_Item]) -> bool:
        total = sum(len(array) for array, _ in group)
        try:
            self.calls += 1
            answers = self._predict(np.concatenate([array for array, _ in group]))
            if not isinstance(answers, np.ndarray) or len(answers) != total:
                return False
        except BaseException:  # noqa: BLE001 - one bad request must not fail its neighbours
            return False
        start = 0
        for array, future in group:
            if not future.done():
                future.set_result(answers[start : start + len(array)])
            start += len(array)
        return True

    def _answer_singly(self, array: Any, future: asyncio.Future[Any]) -> None:
        if future.done():
            return
        try:
            self.calls += 1
            future.set_result(self._predict(array))
        except Exception as error:  # noqa: BLE001 - handed to the request that caused it
            future.set_exception(error)
        except BaseException as error:  # noqa: BLE001 - a model must not end the server
            future.set_exception(RuntimeError(f"the model raised {type(error).__name__}"))
