"""Cuts a filter or an order clause into tokens, in linear time, and points at characters."""

from __future__ import annotations

from mlflow.exceptions import MlflowException, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

# What one request may ask. Far above what people write, far below what would hurt a server.
MAX_LENGTH = 262_144
MAX_NUMBER = 400

# Token kinds. A PREFIX is a word or a quoted key with a dot behind it.
WORD, PREFIX, QUOTED, TEXT, NUMBER, SIGN, END = (
    "word",
    "prefix",
    "quoted key",
    "text",
    "number",
    "sign",
    "end",
)

# Compiled on first use: logging loads this module and asks nothing.
_PATTERNS: dict[str, re.Pattern[str]] = {}


def _compile() -> None:
    import re

    _PATTERNS["space"] = re.compile(r"\s*")
    _PATTERNS["number"] = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
    _PATTERNS["word"] = re.compile(r"\w+")
    _PATTERNS["key"] = re.compile(r"[\w./:-]+")
    _PATTERNS["sign"] = re.compile(r"[<>=!~]+|.", re.DOTALL)


class Token:
    """A piece of the text: its kind, what it says, and where it starts and ends.

    Args:
        kind: one of the kinds above.
        text: the characters; of a quoted piece, those between the quotes.
        start: the position of the first character.
        end: the position behind the last.
        quote: the quote character, or empty.
    """

    __slots__ = ("end", "kind", "quote", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int, quote: str = "") -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.quote = quote

    def says(self, *words: str) -> bool:
        """Tell whether this is one of these keywords (given in capitals), in any case."""
        return self.kind == WORD and self.text.upper() in words


class Source:
    """The text of one clause, and how errors in it are reported.

    Args:
        text: what the user wrote.
        what: how messages call it: `filter string` or `order_by clause`.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for text that is too long or not text.
    """

    def __init__(self, text: object, what: str) -> None:
        if not isinstance(text, str):
            msg = f"Invalid {what}: expected text, got {type(text).__name__}."
            raise invalid(msg)
        if len(text) > MAX_LENGTH:
            msg = f"Invalid {what}: it has {len(text)} characters, at most {MAX_LENGTH} are read."
            raise invalid(msg)
        self.text = text
        self.what = what

    def error(self, message: str, position: int) -> MlflowException:
        """Return the error whose message shows the line and points at the character."""
        return invalid(f"{message}\n{point_at(self.text, position)}")


def point_at(text: str, position: int) -> str:
    """Return the line around a position, and a caret under the character, each indented by two.

    Args:
        text: the whole text.
        position: the index of the character; the length of the text points behind its end.

    Returns:
        Two lines; at most 72 characters of the text are shown.
    """
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    left = max(start, position - 48)
    right = min(end, left + 72)
    # Control characters would move the caret or the terminal's cursor.
    shown = "".join(c if c.isprintable() else "?" for c in text[left:right])
    lead = "..." if left > start else ""
    tail = "..." if right < end else ""
    return f"  {lead}{shown}{tail}\n  {' ' * (len(lead) + position - left)}^"


def tokens(source: Source) -> list[Token]:
    """Cut the text into tokens.

    Args:
        source: the clause.

    Returns:
        The tokens, the last of kind END.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE for a quote that is not closed or a number that
            is too long.
    """
    if not _PATTERNS:
        _compile()
    text, found, at = source.text, [], 0
    while True:
        at = _end("space", text, at)
        if at >= len(text):
            found.append(Token(END, "", len(text), len(text)))
            return found
        before = found[-1] if found else None
        token = _next(source, at, before)
        found.append(token)
        at = token.end


def _next(source: Source, at: int, before: Token | None) -> Token:
    text = source.text
    character = text[at]
    after_prefix = before is not None and before.kind == PREFIX and before.end == at
    if character in "'\"`":
        return _quoted(source, at, after_prefix=after_prefix)
    if after_prefix:
        end = _end("key", text, at)
        if end > at:
            return Token(WORD, text[at:end], at, end)
    number = None if after_prefix else _PATTERNS["number"].match(text, at)
    if number and not _PATTERNS["word"].match(text, number.end()):
        if number.end() - at > MAX_NUMBER:
            message = f"Invalid clause(s) in {source.what}: a number of {number.end() - at} digits."
            raise source.error(message, at)
        return Token(NUMBER, number.group(), at, number.end())
    end = _end("word", text, at)
    if end > at:
        if text[end : end + 1] == ".":
            return Token(PREFIX, text[at:end], at, end + 1)
        return Token(WORD, text[at:end], at, end)
    end = _end("sign", text, at)
    return Token(SIGN, text[at:end], at, end)


def _quoted(source: Source, at: int, *, after_prefix: bool) -> Token:
    text, quote = source.text, source.text[at]
    end = at + 1
    while True:
        end = text.find(quote, end)
        if end < 0:
            message = (
                f"Invalid clause(s) in {source.what}: the quote {quote} is not closed."
                if quote != "`"
                else f"Invalid clause(s) in {source.what}: the backtick is not closed."
            )
            raise source.error(message, at)
        # A doubled quote does not end the text; it stays doubled, as MLflow reads it.
        if text[end + 1 : end + 2] != quote:
            break
        end += 2
    kind = QUOTED if quote == "`" else TEXT
    end += 1
    # `metrics`.`loss` quotes the prefix too; metrics."val loss".min has an aggregate behind it.
    if (kind == QUOTED or after_prefix) and text[end : end + 1] == ".":
        return Token(PREFIX, text[at + 1 : end - 1], at, end + 1, quote)
    return Token(kind, text[at + 1 : end - 1], at, end, quote)


def _end(pattern: str, text: str, at: int) -> int:
    found = _PATTERNS[pattern].match(text, at)
    return found.end() if found else at
