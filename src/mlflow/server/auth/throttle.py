"""Who has failed to sign in often waits, longer each time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mlflow.exceptions import RESOURCE_EXHAUSTED, MlflowException

if TYPE_CHECKING:
    from collections.abc import Callable

#: Failures that cost nothing: of one name from one address, and of all names from one address.
FREE_OF_NAME, FREE_OF_ADDRESS = 5, 30
_LONGEST_OF_NAME, _LONGEST_OF_ADDRESS = 300.0, 30.0
_FORGOTTEN = 3600.0
_KEPT = 10_000


class Throttle:
    """Failures by name and address, as one process saw them.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # (name, address), or ("", address) → how many failures, when the last, until when to wait
        self._failed: dict[tuple[str, str], tuple[int, float, float]] = {}

    def check(self, name: str, address: str) -> None:
        """Check that an attempt may be made now.

        Raises:
            MlflowException: RESOURCE_EXHAUSTED: not yet; nothing was looked at.
        """
        now = self._clock()
        with self._lock:
            left = (
                max(self._failed.get(key, (0, 0.0, 0.0))[2] for key in _keys(name, address)) - now
            )
        if left > 0:
            raise MlflowException(
                f"Too many failed attempts to sign in. Try again in {int(left) + 1} seconds.",
                RESOURCE_EXHAUSTED,
            )

    def failed(self, name: str, address: str) -> None:
        """Note a failure."""
        now = self._clock()
        free = (FREE_OF_NAME, FREE_OF_ADDRESS)
        longest = (_LONGEST_OF_NAME, _LONGEST_OF_ADDRESS)
        with self._lock:
            for key, gratis, most in zip(_keys(name, address), free, longest, strict=True):
                count, last, _ = self._failed.pop(key, (0, now, 0.0))
                count = 1 if now - last > _FORGOTTEN else count + 1
                wait = min(most, 2.0 ** min(count - gratis, 10)) if count >= gratis else 0.0
                self._failed[key] = (count, now, now + wait)
            while len(self._failed) > _KEPT:
                self._failed.pop(next(iter(self._failed)))

    def succeeded(self, name: str, address: str) -> None:
        """Note that somebody was right: their own failures are forgotten."""
        with self._lock:
            self._failed.pop((name, address), None)


def _keys(name: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (name, address), ("", address)
