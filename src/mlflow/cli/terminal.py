"""Text on a terminal: names that users chose are shown, never obeyed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

_KEPT = "\n\t"
# Characters that reorder, hide or join text on a screen.
_DECEIVING = frozenset({
    *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0x200B, 0x2010),
    0x061C, 0x2028, 0x2029, 0x2060, 0xFEFF, 0x00AD,
})  # fmt: skip


def _is_safe(char: str, kept: str) -> bool:
    code = ord(char)
    if code < 0x20 or 0x7F <= code < 0xA0:
        return char in kept
    return code not in _DECEIVING and not 0xD800 <= code < 0xE000


def escaped(text: str, *, kept: str = "") -> str:
    """Return text in which control and direction characters are written as escapes.

    Args:
        text: anything a user may have chosen.
        kept: control characters that stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if _is_safe(char, kept)
        else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


def shown(text: str, stream: TextIO) -> str:
    """Return `text` as it may be written to `stream`: escaped when that is a terminal."""
    if stream.isatty():
        return escaped(text, kept=_KEPT)
    return text


def cell(value: Any, stream: TextIO) -> str:
    """Return one cell of a table; on a terminal it stays on its line."""
    text = "" if value is None else str(value)
    return escaped(text) if stream.isatty() else text


def table(rows: Sequence[Sequence[Any]], headers: Sequence[str], stream: TextIO) -> str:
    """Return rows as columns separated by two spaces, under headers and dashes."""
    cells = [[cell(value, stream) for value in row] for row in rows]
    widths = [
        max(len(header), *(len(row[place]) for row in cells)) if cells else len(header)
        for place, header in enumerate(headers)
    ]
    lines = [list(headers), ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        for line in lines
    )
