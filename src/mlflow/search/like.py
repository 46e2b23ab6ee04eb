"""LIKE and ILIKE as functions whose work grows with the text, never with a power of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Matcher = Callable[[str], bool]


def like(pattern: str, *, ignore_case: bool = False) -> Matcher:
    """Compile a LIKE pattern.

    `%` stands for any characters, `_` for exactly one; nothing escapes them. The whole text must
    match. The pattern is cut at its `%`: each piece must be found behind the one before, and the
    leftmost place is always right, so nothing is ever tried again.

    Args:
        pattern: the pattern.
        ignore_case: compare lower-cased characters (ILIKE).

    Returns:
        A function from a text to whether it matches.
    """
    if ignore_case:
        inner = like(pattern.lower())
        return lambda text: inner(text.lower())
    pieces = pattern.split("%")
    if "_" not in pattern and len(pieces) <= 3:
        simple = _simple(pieces)
        if simple is not None:
            return simple
    if len(pieces) == 1:
        return lambda text: len(text) == len(pattern) and _fits(pattern, text, 0)
    return _pieces(pieces[0], [_finder(piece) for piece in pieces[1:-1] if piece], pieces[-1])


def _simple(pieces: list[str]) -> Matcher | None:
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return lambda text: text == first
    if len(pieces) == 2:
        length = len(first) + len(last)
        return lambda text: len(text) >= length and text.startswith(first) and text.endswith(last)
    middle = pieces[1]
    return (lambda text: middle in text) if not first and not last else None


def _pieces(first: str, finders: list[Callable[[str, int, int], int]], last: str) -> Matcher:
    def matches(text: str) -> bool:
        stop = len(text) - len(last)
        if stop < len(first) or not _fits(first, text, 0) or not _fits(last, text, stop):
            return False
        at = len(first)
        for find in finders:
            at = find(text, at, stop)
            if at < 0:
                return False
        return True

    return matches


def _fits(piece: str, text: str, at: int) -> bool:
    if "_" not in piece:
        return text.startswith(piece, at)
    return all(want in ("_", got) for want, got in zip(piece, text[at:], strict=False))


def _finder(piece: str) -> Callable[[str, int, int], int]:
    """Return a function (text, start, stop) to the end of the leftmost match, or -1."""
    size = len(piece)
    if "_" not in piece:

        def plain(text: str, start: int, stop: int) -> int:
            found = text.find(piece, start, stop)
            return found + size if found >= 0 else -1

        return plain
    # Shift-And: bit i of `state` says that the piece up to i ends at this character.
    anything = sum(1 << i for i, want in enumerate(piece) if want == "_")
    masks: dict[str, int] = {}
    for i, want in enumerate(piece):
        if want != "_":
            masks[want] = masks.get(want, anything) | 1 << i
    done = 1 << (size - 1)

    def shift_and(text: str, start: int, stop: int) -> int:
        state = 0
        for at in range(start, stop):
            state = ((state << 1) | 1) & masks.get(text[at], anything)
            if state & done:
                return at + 1
        return -1

    return shift_and
