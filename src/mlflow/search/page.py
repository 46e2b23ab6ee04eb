"""Page tokens: where a page ended in its order, as opaque text bound to its query."""

from __future__ import annotations

import binascii
import zlib

from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Cell = tuple[int, Any]

MAX_TOKEN = 65_536
MAX_OFFSET = 2**53

# A cell is (rank, value): rank 0 is a value, 1 is NaN, 2 is missing. They sort in that order
# whichever way the values run.
VALUE, NAN, MISSING = 0, 1, 2


class Start:
    """Where a page starts: behind the row with these cells, or after so many rows.

    Args:
        cells: the cells of the last row of the page before, one for each term of the order.
        offset: how many rows come before; the form that MLflow's own tokens have.
    """

    __slots__ = ("cells", "offset")

    def __init__(self, cells: tuple[Cell, ...] | None = None, offset: int = 0) -> None:
        self.cells = cells
        self.offset = offset


def fingerprint(*query: object) -> int:
    """Return a number that tells queries apart, the same in every process.

    Args:
        query: what makes the query: noun, filter, order and whatever narrows the rows.

    Returns:
        32 bits. Tokens are harmless data, so this guards against mix-ups, not against attackers.
    """
    return zlib.crc32(repr(query).encode("utf-8", "surrogatepass"))


def write_token(query: int, cells: tuple[Cell, ...]) -> str:
    """Return the token of the page that starts behind a row.

    Args:
        query: the fingerprint of the query.
        cells: the cells of the row, one for each term of the order.

    Returns:
        Text that is safe in a URL.
    """
    import json  # here, as logging loads this module and needs no tokens

    payload = json.dumps({"after": cells, "query": query}, separators=(",", ":"))
    encoded = binascii.b2a_base64(payload.encode("ascii"), newline=False)
    return encoded.translate(_TO_URL).decode("ascii")


def read_token(token: object, query: int, kinds: tuple[type, ...]) -> Start:
    """Return where the page of a token starts.

    Args:
        token: what `write_token` returned, or a token of stock MLflow; None or empty for the
            first page.
        query: the fingerprint of the query that is asked now.
        kinds: for each term of the order the type of its values: `str` or `float`.

    Returns:
        The start.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a token that is damaged or that belongs to
            another query.
    """
    if not token:
        return Start()
    content = _decode(token)
    if isinstance(content, dict):
        offset = content.get("offset")
        if type(offset) is int and 0 <= offset <= MAX_OFFSET:
            return Start(offset=offset)
        cells = content.get("after")
        if isinstance(cells, list):
            if content.get("query") != query:
                msg = (
                    "Invalid page token: it belongs to another search. Start again without a "
                    "token, or repeat the filter, the order and the experiments of the page "
                    "before."
                )
                raise invalid(msg)
            if len(cells) == len(kinds) and all(map(_is_cell, cells, kinds)):
                return Start(tuple((rank, value) for rank, value in cells))
    msg = "Invalid page token: it is damaged. Start again without a token."
    raise invalid(msg)


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


def _decode(token: object) -> object:
    import json

    if not isinstance(token, str) or len(token) > MAX_TOKEN:
        msg = f"Invalid page token: expected at most {MAX_TOKEN} characters of text."
        raise invalid(msg)
    try:
        data = token.encode("ascii").translate(_FROM_URL)
        return json.loads(binascii.a2b_base64(data, strict_mode=True))
    except (ValueError, RecursionError):
        msg = "Invalid page token, could not base64-decode it. Start again without a token."
        raise invalid(msg) from None


def _is_cell(cell: object, kind: type) -> bool:
    if not isinstance(cell, list) or len(cell) != 2:
        return False
    rank, value = cell
    if type(rank) is not int:
        return False
    if rank != VALUE:
        return rank in (NAN, MISSING) and value is None
    if kind is str:
        return isinstance(value, str)
    return type(value) in (int, float) and value == value  # noqa: PLR0124 - not NaN
