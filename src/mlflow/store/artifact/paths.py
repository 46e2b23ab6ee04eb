"""`ArtifactPath`: the name of a file below an artifact root, checked once, when it is parsed."""

from __future__ import annotations

import os

from mlflow.exceptions import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

MAX_COMPONENT_BYTES = 255
MAX_CHARACTERS = 2_000
MAX_LEVELS = 100

# Names that Windows takes for devices, with any ending.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{kind}{number}" for kind in ("com", "lpt") for number in "0123456789¹²³"]
)


class ArtifactPath:
    """A relative path of plain names, or the root itself.

    There is no way from the root with one: no `..`, no absolute part, no drive, no backslash, no
    control character. What one is made of is exactly what was asked for, apart from a slash at the
    end.

    Args:
        parts: the names, outermost first.
    """

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[str, ...]) -> None:
        self.parts = parts

    @classmethod
    def parse(cls, text: str | os.PathLike[str] | None) -> ArtifactPath:
        """Return the path that a text names; none, or an empty one, is the root.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it could lead elsewhere, or no system keeps
                such a name.
        """
        text = os.fspath(text) if text is not None else ""
        if not isinstance(text, str):
            raise invalid(f"Invalid artifact path: {text!r}. It must be text.")
        if text == "":
            return cls(())
        _check_text(text)
        parts = tuple(text.removesuffix("/").split("/"))
        if len(parts) > MAX_LEVELS:
            _refuse(text, f"It has more than {MAX_LEVELS} levels.")
        for part in parts:
            _check_part(text, part)
        return cls(parts)

    @classmethod
    def new(cls, text: str | os.PathLike[str] | None) -> ArtifactPath:
        """Return the path of something that is to be written: a name that every system can keep.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: as `parse`; or it has a colon, is the name of
                a Windows device, ends in a way that Windows drops, or leads elsewhere once
                percent-decoded.
        """
        path = cls.parse(text)
        for part in path.parts:
            _check_portable(str(path), part)
        _check_decoded(str(path))
        return path

    @property
    def name(self) -> str:
        """The last name; empty for the root."""
        return self.parts[-1] if self.parts else ""

    @property
    def parent(self) -> ArtifactPath:
        """The folder it is in; the root for the root."""
        return ArtifactPath(self.parts[:-1])

    def join(self, other: ArtifactPath) -> ArtifactPath:
        """Return the other path, taken from this one."""
        return ArtifactPath(self.parts + other.parts)

    def child(self, name: str) -> ArtifactPath:
        """Return the path of an entry of this folder; the name comes from a listing.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is not one plain name.
        """
        _check_text(name)
        if "/" in name:
            _refuse(name, "A name has no slash.")
        _check_part(name, name)
        return ArtifactPath((*self.parts, name))

    def __str__(self) -> str:
        return "/".join(self.parts)

    def __repr__(self) -> str:
        return f"ArtifactPath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArtifactPath) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


def _refuse(text: str, reason: str) -> NoReturn:
    shown = text if len(text) <= 100 else f"{text[:100]}…"
    raise invalid(f"Invalid artifact path: {shown!r}. {reason}")


def _check_text(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        _refuse(text, f"It has more than {MAX_CHARACTERS} characters.")
    if "\\" in text:
        _refuse(text, "Names are separated by slashes; a backslash is no part of them.")
    if any(character < " " or character == "\x7f" for character in text):
        _refuse(text, "It has a control character.")
    if text.startswith("/"):
        _refuse(text, "It must be relative to the artifact root.")
    if text[1:2] == ":" and text[0].isascii() and text[0].isalpha() and text[2:3] in ("/", ""):
        _refuse(text, "It names a drive; it must be relative to the artifact root.")


def _check_part(text: str, part: str) -> None:
    if part in (".", "..", ""):
        _refuse(
            text,
            "Names may be treated as files in certain cases, and must not resolve to other names "
            "when treated as such.",
        )
    if len(os.fsencode(part) if _is_encodable(part) else b"") > MAX_COMPONENT_BYTES:
        _refuse(text, f"A name in it has more than {MAX_COMPONENT_BYTES} bytes.")
    if not _is_encodable(part):
        _refuse(text, "It has characters that no file system keeps.")
    if os.name == "nt":
        _check_portable(text, part)


def _is_encodable(part: str) -> bool:
    try:
        os.fsencode(part)
    except UnicodeEncodeError:
        return False
    return True


def _check_portable(text: str, part: str) -> None:
    if ":" in part:
        _refuse(text, "A colon is no part of file names on Windows.")
    if part.split(".", maxsplit=1)[0].rstrip(" ").lower() in _DEVICES:
        _refuse(text, f"{part!r} is the name of a device on Windows.")
    if part[-1] in " .":
        _refuse(text, "A name must not end with a space or a full stop: Windows drops it.")
    try:
        part.encode()
    except UnicodeEncodeError:
        _refuse(text, "It is no valid Unicode.")


def _check_decoded(text: str) -> None:
    """Refuse what leads elsewhere when some reader of the URI decodes it, once or several times."""
    decoded = text
    while "%" in decoded:
        from urllib.parse import unquote

        before, decoded = decoded, unquote(decoded, errors="surrogateescape")
        if decoded == before:
            return
        bad = "\\" in decoded or any(character < " " for character in decoded)
        if bad or decoded.startswith("/") or {"..", "."} & {*decoded.split("/")}:
            _refuse(text, "It leads elsewhere when it is decoded as part of a URI.")
        if any("\udc80" <= character <= "\udcff" for character in decoded):
            _refuse(text, "It is no valid Unicode when it is decoded as part of a URI.")
