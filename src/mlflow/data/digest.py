"""Short fingerprints of data, as MLflow computes them: a store knows a dataset by name and digest.

Whoever logs the same data must come to the same digest, with whichever program. So also what it
does not see is MLflow's: it looks at the first rows only, and at columns of numbers and of text.
"""

from __future__ import annotations

from hashlib import md5

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# Of larger data, so many rows (of arrays: elements) are looked at, and the size.
_SEEN = 10_000


def frame_digest(frame: Any) -> str:
    """Return the fingerprint of a data frame: eight hexadecimal digits."""
    return _digest(_of_frame(frame))


def array_digest(*arrays: Any) -> str:
    """Return the fingerprint of arrays, or of dicts of arrays; None stands for nothing."""
    pieces: list[bytes] = []
    for one in arrays:
        if isinstance(one, dict):
            for name in sorted(one):
                pieces += _of_array(one[name])
        elif one is not None:
            pieces += _of_array(one)
    return _digest(pieces)


def _of_frame(frame: Any) -> Iterator[bytes]:
    import warnings

    import pandas as pd

    numbers = frame.select_dtypes("number").columns
    texts = [position for position in range(frame.shape[1]) if _is_text(frame.iloc[:, position])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names of several types have no order
        seen = frame.columns[texts].union(numbers)
    # The order of the columns counts where all are of one kind; a name that is there twice stands
    # for both its columns.
    part = frame.iloc[:_SEEN][seen]
    try:
        hashes = pd.util.hash_pandas_object(part)
    except TypeError:  # lists and dicts in cells of a column of the same name
        hashes = pd.util.hash_pandas_object(part.map(repr))
    yield hashes.to_numpy().tobytes()
    yield _number(len(frame))
    for name in frame.columns:
        yield str(name).encode()


def _is_text(column: Any) -> bool:
    """Whether a column holds text in each of its rows, those below the first included."""
    return column.dtype.kind not in "biufcmM" and all(type(cell) is str for cell in column)


def _of_array(array: Any) -> Iterator[bytes]:
    import numpy as np
    import pandas as pd

    seen = array.reshape(-1)[:_SEEN]
    try:
        yield np.asarray(pd.util.hash_array(seen)).tobytes()
    except TypeError:  # lists and dicts in cells
        yield _number(seen.size)
    for length in array.shape:
        yield _number(length)


def _number(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _digest(pieces: Iterable[bytes]) -> str:
    found = md5(usedforsecurity=False)
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()[:8]
