"""The YAML of MLflow's metadata files: written as PyYAML writes it, read without it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Foreign files are read whole by a YAML parser only when they are smaller than this.
MAX_BYTES = 1 << 20
# The record of a dataset holds its schema and profile.
MAX_DATASET_BYTES = 32 << 20
_MAX_DEPTH = 16
_MAX_EVENTS = 200_000
_WIDTH = 80
_MAX_KEY = 100

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")
_ALNUM = _LETTERS | _DIGITS
_KEY = _ALNUM | frozenset("_.-/")
_FIRST = _LETTERS | frozenset("_/($;^\\")
# A text that starts with one of these is never plain.
_QUOTED_FIRST = frozenset("#,[]{}&*!|>'\"%@`")
_WORDS = frozenset(
    spelling
    for word in ("yes", "no", "true", "false", "on", "off", "null")
    for spelling in (word, word.capitalize(), word.upper())
)

# The names of fields in all our records; they are written as they are.
_FIELDS = frozenset(
    "aliases artifact_location artifact_uri creation_time creation_timestamp current_stage "
    "deployment_job_id deployment_job_state description destination_id destination_type digest "
    "effective_trace_archival_retention end_time entry_point_name experiment_id "
    "last_update_time last_updated_timestamp lifecycle_stage model_id model_type name profile "
    "run_id run_link run_name run_uuid schema source source_id source_name source_run_id "
    "source_type source_version start_time status status_message step storage_location tags "
    "trace_location user_id version workspace".split()
)


class Malformed(Exception):
    """A metadata file that is not what it should be; the text says why."""


# --- writing ---------------------------------------------------------------------------------


def emit(record: Mapping[str, Any]) -> bytes:
    """Return the text of a metadata file.

    It equals what `yaml.safe_dump(record, default_flow_style=False, allow_unicode=True)` gives
    where that can be read back; values beyond the usual ones are handed to PyYAML.

    Args:
        record: text, whole numbers, None, empty lists, and dicts of these, by name.

    Returns:
        UTF-8.
    """
    text = _emit(record, 0) if record else None
    return (_emit_by_library(record) if text is None else text).encode("utf-8")


def _emit(record: Mapping[str, Any], indent: int) -> str | None:
    """Return the lines of a mapping, or None when a value needs the library."""
    lines = []
    margin = " " * indent
    # What others wrote may have numbers for keys, beside texts.
    for key in sorted(record, key=str):
        value = record[key]
        head = _key(key)
        if head is None:
            return None
        head = f"{margin}{head}:"
        if type(value) is dict and value:
            inside = None if indent else _emit(value, 2)
            if inside is None:
                return None
            lines.append(f"{head}\n{inside}")
            continue
        body = _scalar(value, len(head) + 1, " " * (indent + 2))
        if body is None:
            return None
        lines.append(f"{head} {body}\n")
    return "".join(lines)


def _key(key: object) -> str | None:
    """Return a key as it is written, or None for an unusual one."""
    if key in _FIELDS:
        return str(key)
    if type(key) is not str or not 0 < len(key) <= _MAX_KEY or not _KEY.issuperset(key):
        return None
    return key if key[0] in _LETTERS and key not in _WORDS else None


def _scalar(value: object, column: int, margin: str) -> str | None:
    if value is None:
        return "null"
    if type(value) is str:
        return _text(value, column, margin)
    if type(value) is int:
        return str(value)
    if value == [] and type(value) is list:
        return "[]"
    return "{}" if value == {} and type(value) is dict else None


def _text(text: str, column: int, margin: str) -> str | None:
    """Return a text, plain or in single quotes, as the library chooses; None when unsure."""
    if not text:
        return "''"
    if text.isascii() and text.isalnum() and text[0] in _LETTERS:
        return f"'{text}'" if text in _WORDS else text
    if not _printable(text) or text[0] == " " or text[-1] == " ":
        return None
    style = _style(text)
    if style is None:
        return None
    if " " not in text:
        return text if style == "plain" else "'" + text.replace("'", "''") + "'"
    return _folded(text, column, margin, quoted=style != "plain")


def _printable(text: str) -> bool:
    """Tell whether no character needs escaping."""
    if text.isascii():
        return text.isprintable()
    # What Python calls printable is, but for the byte order mark, printable in YAML too.
    return text.isprintable() and max(text) < "\U000e0000"


def _style(text: str) -> str | None:
    """Tell how a printable text is written: `plain`, `quoted`, or None when unsure."""
    first = text[0]
    if first in _QUOTED_FIRST:
        return "quoted"
    if text[-1] == ":" or ": " in text or " #" in text:
        return "quoted"
    if first in _FIRST or not text.isascii():
        if first in _FIRST or first.isalpha():
            return "quoted" if text in _WORDS else "plain"
        return None
    return _style_of_digits(text) if first in _DIGITS else None


def _style_of_digits(text: str) -> str | None:
    """Tell the style of a text that starts with a digit, where YAML looks for numbers."""
    if _DIGITS.issuperset(text):
        return "quoted" if text[0] != "0" or text == "0" else None
    if not _ALNUM.issuperset(text) or text[1] in "xX":
        return None
    # `0b` and ones and zeros is a number in base two; underscores were excluded above.
    binary = text[1] == "b" and text[0] == "0" and len(text) > 2
    return "quoted" if binary and frozenset("01").issuperset(text[2:]) else "plain"


def _folded(text: str, column: int, margin: str, *, quoted: bool) -> str:
    """Return a text with spaces, broken where the library breaks it."""
    pieces = ["'"] if quoted else []
    column += 1 if quoted else 0
    index, size = 0, len(text)
    while index < size:
        end = text.find(" ", index)
        end = size if end < 0 else end
        word = text[index:end].replace("'", "''") if quoted else text[index:end]
        pieces.append(word)
        column += len(word)
        index = end
        while index < size and text[index] == " ":
            index += 1
        spaces = index - end
        if spaces == 1 and column > _WIDTH:
            pieces.append("\n" + margin)
            column = len(margin)
        else:
            pieces.append(" " * spaces)
            column += spaces
    if quoted:
        pieces.append("'")
    return "".join(pieces)


def _emit_by_library(record: Mapping[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(dict(record), default_flow_style=False, allow_unicode=True)
    if "\x85" in text:
        # PyYAML writes this end of a line as it is and reads a blank; escaped it comes back.
        text = yaml.safe_dump(dict(record), default_flow_style=False)
    return text


# --- reading ---------------------------------------------------------------------------------


def parse(data: bytes, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Return the record of a metadata file.

    Args:
        data: the content.
        limit: refuse content longer than this.

    Returns:
        Values by name.

    Raises:
        Malformed: it is too long, no UTF-8, no YAML, no mapping, or uses what metadata never
            needs: tags of Python objects, anchors, deep nesting.
    """
    if len(data) > limit:
        raise Malformed(f"it is longer than {limit} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"it is not UTF-8 ({error.reason} at byte {error.start})") from None
    record = read_simple(text)
    return _parse_by_library(text) if record is None else record


def read_simple(text: str) -> dict[str, Any] | None:
    """Return the record of a text in the form that `emit` writes; None for any other form."""
    if not text.endswith("\n"):
        return None
    record: dict[str, Any] = {}
    lines = text[:-1].split("\n")
    at, size = 0, len(lines)
    while at < size:
        at, name, value, ok = _entry(lines, at, 0)
        if not ok or name in record:
            return None
        if value != "" or at >= size or not lines[at].startswith("  "):
            if value == "":
                return None
            record[name] = _value(value)
        else:
            inside: dict[str, Any] = {}
            while at < size and lines[at].startswith("  "):
                at, inner, value, ok = _entry(lines, at, 2)
                if not ok or value == "" or inner in inside:
                    return None
                inside[inner] = _value(value)
            if _UNSURE in inside.values():
                return None
            record[name] = inside
        if record[name] is _UNSURE:
            return None
    return record


def _entry(lines: list[str], at: int, indent: int) -> tuple[int, str, str, bool]:
    """Return (next line, key, raw value, whether it was understood) of the entry at a line."""
    line = lines[at]
    at += 1
    key, colon, value = line[indent:].partition(":")
    good = key in _FIELDS or (
        key and key[0] in _LETTERS and _KEY.issuperset(key) and key not in _WORDS
    )
    if not good or not colon or not line.startswith(" " * indent):
        return at, "", "", False
    if not value:
        return at, key, "", True
    if value[0] != " " or len(value) < 2 or value[1] == " " or value[-1] == " ":
        return at, "", "", False
    value = value[1:]
    margin = " " * (indent + 2)
    while at < len(lines) and lines[at].startswith(margin):
        more = lines[at][indent + 2 :]
        if not more or more[0] == " " or more[-1] == " " or value[0] not in _CAN_FOLD:
            return at, "", "", False
        value = f"{value} {more}"
        at += 1
    return at, key, value, True


_UNSURE = object()
_CAN_FOLD = _FIRST | {"'"}


def _value(raw: str) -> Any:
    """Return the value of a scalar in one of the simple forms, or `_UNSURE`."""
    first = raw[0]
    if raw in _CONSTANTS:
        constant = _CONSTANTS[raw]
        return constant() if constant else None
    if not _printable(raw):
        return _UNSURE
    if first == "'":
        inner = raw[1:-1]
        if len(raw) < 2 or raw[-1] != "'" or "'" in inner.replace("''", ""):
            return _UNSURE
        return inner.replace("''", "'")
    if _DIGITS.issuperset(raw):
        return int(raw) if raw[0] != "0" or raw == "0" else _UNSURE
    if first == "-" and raw[1:2] not in ("", "0") and _DIGITS.issuperset(raw[1:]):
        return int(raw)
    return raw if _style(raw) == "plain" else _UNSURE


_CONSTANTS: dict[str, Any] = {"null": None, "[]": list, "{}": dict}


def _parse_by_library(text: str) -> dict[str, Any]:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _inspect(yaml, loader, text)
        record = yaml.load(text, Loader=loader)  # noqa: S506 - the safe loader, by variable
    except Malformed:
        raise
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Malformed(f"it is not YAML ({type(error).__name__})") from None
    if type(record) is not dict or not all(type(key) is str for key in record):
        raise Malformed("it is not a mapping of names to values")
    return record


def _inspect(yaml: Any, loader: Any, text: str) -> None:
    """Refuse, before anything is built, what could grow or nest without bound."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=loader)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Malformed("it uses anchors")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH or count > _MAX_EVENTS:
            raise Malformed("it is nested too deeply or holds too many values")
