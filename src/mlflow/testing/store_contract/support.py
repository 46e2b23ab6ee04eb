"""What the parts of the suite share: expectations, threads, makers of runs and datasets."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from mlflow.entities.run import (
    Dataset,
    DatasetInput,
    InputTag,
    Run,
    RunTag,
)
from mlflow.exceptions import MlflowException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlflow.store.base import AbstractStore

INVALID = "INVALID_PARAMETER_VALUE"
ABSENT = "RESOURCE_DOES_NOT_EXIST"
TAKEN = "RESOURCE_ALREADY_EXISTS"
STATE = "INVALID_STATE"
NO_RUN = "0" * 32
NO_MODEL = "m-" + "0" * 32
INFINITY, NAN = math.inf, math.nan

# Keys that are also paths, with what people write in them.
GOOD_KEYS = ["a", "a/b/c", "val loss", "f1.macro", "lr-group_0", "größe", "損失", "k" * 250]
BAD_KEYS = [
    "", ".", "..", "../a", "a/../b", "/a", "a//b", "a/", "./a", "a$b", "a\nb", "a\0b", "a\\b",
    "k" * 251, "..a", "a\n",
]  # fmt: skip


@contextmanager
def refused(code: str, *words: str) -> Iterator[None]:
    """Expect an `MlflowException` with this code, whose message holds these words."""
    with pytest.raises(MlflowException) as caught:
        yield

    assert code == caught.value.error_code, caught.value.message
    for word in words:
        assert word in caught.value.message


def in_threads(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0)` … `work(count - 1)` at once; return what they returned, raise what they raised."""
    results: list[Any] = [None] * count
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def one(place: int) -> None:
        try:
            start.wait()
            results[place] = work(place)
        except BaseException as error:  # noqa: BLE001 - raised in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=one, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def make_run(
    store: AbstractStore,
    experiment_id: str = "0",
    start_time: int = 1,
    name: str | None = None,
    **tags: str,
) -> Run:
    """Start a run."""
    pairs = [RunTag(key, value) for key, value in tags.items()]
    return store.create_run(experiment_id, "ada", start_time, pairs, name)


def points(history: Any) -> list[tuple[float, int, int]]:
    """Return (value, timestamp, step) of metrics."""
    return [(one.value, one.timestamp, one.step) for one in history]


def everything(search: Callable[..., Any], size: int, **arguments: Any) -> list[Any]:
    """Read a search to its end in pages of one size, none of which may be too long."""
    rows: list[Any] = []
    token = None
    while True:
        page = search(max_results=size, page_token=token, **arguments)
        assert len(page) <= size
        rows.extend(page)
        token = page.token
        if not token:
            return rows


def used(
    name: str, digest: str, source: str = '{"path": "x"}', schema: str | None = None, **tags: str
) -> DatasetInput:
    dataset = Dataset(name, digest, "local", source, schema, '{"num_rows": 3}')
    return DatasetInput(dataset, [InputTag(key, value) for key, value in tags.items()])


class Contract:
    """What a suite needs: a store, and a way to open it anew.

    Attributes:
        longest_version_tag: how long a tag of a model version may be, where the format of a store
            has less room than the rules allow.
    """

    longest_version_tag = 100_000

    #: Whether the store removes things for good; one behind a server does not.
    maintains = True

    @pytest.fixture
    def store(self) -> AbstractStore:
        """Return an empty store; override it."""
        raise NotImplementedError

    def reopen(self, store: AbstractStore) -> AbstractStore:
        """Return a store of the same place with nothing cached; the same one where none can be."""
        return store
