"""Artifact URIs in metadata files: how ours are written, and which recorded ones are believed."""

from __future__ import annotations

import os

from mlflow.store.backends.file.reading import check_folders, is_folder

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~/")
_HEX = 16


def to_uri(path: str) -> str:
    """Return the `file:` URI of an absolute path."""
    if os.name == "nt":
        path = "/" + path.replace("\\", "/")
        return "file://" + path[:3] + _quoted(path[3:])
    return "file://" + _quoted(path)


def _quoted(path: str) -> str:
    raw = os.fsencode(path)
    if _PLAIN.issuperset(raw):
        return path
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)


def _is_scheme(text: str) -> bool:
    """Tell whether a text is a scheme for those who open artifacts; one letter is a drive.

    What they take for a path must be one here too: it would be believed unseen.
    """
    plain = text.replace("+", "").replace("-", "").replace(".", "")
    return len(text) > 1 and text[0].isalpha() and plain.isascii() and plain.isalnum()


def to_path(uri: str) -> str | None:
    """Return the path that a `file:` URI or a plain path names; None for other URIs."""
    scheme, colon, rest = uri.partition(":")
    if not colon or not _is_scheme(scheme):
        return uri
    if scheme.lower() != "file":
        return None
    rest = rest.partition("?")[0].partition("#")[0]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            return None
        rest = slash + path
    path = _unquoted(rest)
    if os.name == "nt":
        path = path.lstrip("/")
    return path


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    first, *rest = os.fsencode(text).split(b"%")
    pieces = [first]
    for piece in rest:
        try:
            pieces.append(bytes([int(piece[:2], _HEX)]) + piece[2:])
        except ValueError:
            pieces.append(b"%" + piece)
    return os.fsdecode(b"".join(pieces))


def _parts(path: str) -> list[str]:
    return (
        path.replace("\\", "/").rstrip("/").split("/")
        if os.name == "nt"
        else (path.rstrip("/").split("/"))
    )


def believed(recorded: str, own: str, own_uri: str, below: tuple[str, ...]) -> str:
    """Return the artifact URI that counts, given the one that a metadata file holds.

    A folder of the store names its own artifacts. Another local place is believed only when it
    is where such a thing would be kept below an artifact root: it ends in the names that lead to
    this one. When it is what a moved or copied store still says of its former place, the store's
    own folder counts.

    Args:
        recorded: what the file says.
        own: the path of the folder that the layout gives it.
        own_uri: the URI of that folder.
        below: the last names of that path, from the experiment's on.

    Returns:
        The recorded URI or the store's own.
    """
    if recorded == own_uri or not recorded:
        return own_uri
    path = to_path(recorded)
    if path is None:
        return recorded
    parts = _parts(path)
    if ".." in parts or not os.path.isabs(path):
        return own_uri
    if os.path.normpath(path) == own:
        return recorded
    tail = below[1:] if len(below) > 1 else ()
    if tail and tuple(parts[-len(tail) :]) != tail:
        return own_uri
    if tuple(parts[-len(below) :]) == below and _was_a_store(parts, below):
        return own_uri
    return recorded


def _was_a_store(parts: list[str], below: tuple[str, ...]) -> bool:
    """Tell whether a place in the layout of a store is in one, or in one that is gone."""
    root = "/".join(parts[: -len(below)]) or "/"
    return not os.path.isdir(root) or os.path.exists(f"{root}/{below[0]}/meta.yaml")


def followed(recorded: str, root: str, root_uri: str) -> str:
    """Return the URI of artifacts that something beside their owner recorded, as it is now.

    A model version says where its files are, while they belong to a run or a logged model. Where
    that is in this store, in its layout, what counts is what `believed` makes of the owner's own
    URI: so versions of a moved or copied store lead into that store.

    Args:
        recorded: what the file says.
        root: the path of the store.
        root_uri: the URI of that folder.
    """
    path = to_path(recorded)
    if path is None:
        return recorded
    parts = _parts(path)
    if ".." in parts:
        return recorded
    for index in range(3, len(parts)):
        if parts[index] != "artifacts":
            continue
        # `<experiment>/<run>/artifacts` or `<experiment>/models/<logged model>/artifacts`.
        first = index - (3 if parts[index - 2] == "models" else 2)
        below = tuple(parts[first : index + 1])
        own = f"{root}/{'/'.join(below)}"
        if check_folders(root, own) and is_folder(own):
            if believed("/".join(parts[: index + 1]), own, "", below):
                return recorded
            return f"{root_uri}/{_quoted('/'.join(parts[first:]))}"
    return recorded
