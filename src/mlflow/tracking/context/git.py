"""Reads a git repository's state from its files, asking the `git` program only when they do not tell."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HEX = frozenset("0123456789abcdef")
# More tracked files than this are not compared while a run starts: 10 000 take about 20 ms.
_MOST_ENTRIES = 10_000


class Repository:
    """Where a repository's parts are.

    Args:
        work: the top of the working tree.
        folder: the folder of its HEAD and index: `.git`, or that of a linked worktree.
        common: the folder of refs and config that worktrees share.
    """

    def __init__(self, work: str, folder: str, common: str) -> None:
        self.work = work
        self.folder = folder
        self.common = common


_found: dict[str, Repository | None] = {}


def find(path: str) -> Repository | None:
    """Return the repository whose working tree holds the folder; None when there is none."""
    if path not in _found:
        _found[path] = _find(path)
    return _found[path]


def _find(path: str) -> Repository | None:
    while True:
        candidate = os.path.join(path, ".git")
        folder = candidate if os.path.isdir(candidate) else _linked(candidate)
        if folder and os.path.isfile(os.path.join(folder, "HEAD")):
            common = _read(os.path.join(folder, "commondir")).strip()
            return Repository(path, folder, os.path.join(folder, common) if common else folder)
        parent = os.path.dirname(path)
        if parent == path:
            return None
        path = parent


def _linked(path: str) -> str | None:
    """Return the folder that a `.git` file (of a worktree or submodule) points to."""
    text = _read(path)
    if not text.startswith("gitdir:"):
        return None
    return os.path.join(os.path.dirname(path), text[len("gitdir:") :].strip())


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def head(repository: Repository) -> tuple[str | None, str | None]:
    """Return (commit, branch) of HEAD; a detached HEAD has no branch, a new repository no commit."""
    text = _read(os.path.join(repository.folder, "HEAD")).strip()
    branch = None
    for _ in range(5):  # a ref may point to a ref, as HEAD does
        if not text.startswith("ref:"):
            break
        name = text[len("ref:") :].strip()
        branch = name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else branch
        text = _ref(repository, name)
    if _is_commit(text):
        return text, branch
    if os.path.isdir(os.path.join(repository.common, "reftable")):
        return _ask_head(repository)
    return None, branch


def _ref(repository: Repository, name: str) -> str:
    if ".." in name.split("/"):
        return ""
    for folder in (repository.folder, repository.common):
        text = _read(os.path.join(folder, *name.split("/"))).strip()
        if text:
            return text
    for line in _read(os.path.join(repository.common, "packed-refs")).splitlines():
        commit, _, ref = line.partition(" ")
        if ref == name:
            return commit
    return ""


def _is_commit(text: str) -> bool:
    return len(text) in (40, 64) and _HEX.issuperset(text)


def _ask_head(repository: Repository) -> tuple[str | None, str | None]:
    commit = (ask(repository, "rev-parse", "HEAD") or "").strip()
    branch = (ask(repository, "symbolic-ref", "--short", "-q", "HEAD") or "").strip()
    return (commit if _is_commit(commit) else None), (branch or None)


def remote(repository: Repository) -> str | None:
    """Return the URL of `origin` (else of the first remote), without a password in it."""
    section = ""
    urls: dict[str, str] = {}
    for line in _read(os.path.join(repository.common, "config")).splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text
        elif section.startswith('[remote "'):
            key, equals, value = text.partition("=")
            if equals and key.strip() == "url":
                urls.setdefault(section[len('[remote "') : -2], value.strip())
    url = urls.get("origin") or next(iter(urls.values()), None)
    if url and "://" in url and "@" in url:
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        url = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    return url


def dirty(repository: Repository) -> bool | None:
    """Tell whether tracked files differ from HEAD; None when that is not known cheaply.

    The index holds size and times of every tracked file: where they all match, nothing was
    changed. Where one does not, its content is compared.
    """
    try:
        with open(os.path.join(repository.folder, "index"), "rb") as file:
            index = file.read()
        return _differs(repository, index)
    except (OSError, ValueError, IndexError):
        return None


def _differs(repository: Repository, index: bytes) -> bool | None:
    if index[:4] != b"DIRC" or int.from_bytes(index[4:8], "big") not in (2, 3):
        return None
    if int.from_bytes(index[8:12], "big") > _MOST_ENTRIES:
        return None
    end = 12
    for entry, name, end in _entries(index):  # noqa: B007 - the end of the last one counts
        if not entry:
            return True
        if _changed(repository, entry, name):
            return True
    return _staged(index, end)


def _entries(index: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield (fixed part, name, where it ends) of each entry; no fixed part for one that differs."""
    position = 12
    for _ in range(int.from_bytes(index[8:12], "big")):
        flags = int.from_bytes(index[position + 60 : position + 62], "big")
        fixed = 64 if flags & 0x4000 else 62
        zero = index.index(b"\0", position + fixed)
        name = index[position + fixed : zero]
        entry = index[position : position + 62]
        extended = int.from_bytes(index[position + 62 : position + 64], "big") if fixed == 64 else 0
        position += (zero - position + 8) // 8 * 8
        if extended & 0x2000 or flags & 0x3000:  # intent to add, or an unfinished merge
            yield b"", name, position
        elif flags & 0x8000 or extended & 0x4000:  # assumed unchanged, or not checked out
            continue
        else:
            yield entry, name, position


def _changed(repository: Repository, entry: bytes, name: bytes) -> bool:
    mode = int.from_bytes(entry[24:28], "big")
    if mode & 0o170000 == 0o160000:  # a submodule has a state of its own
        return False
    path = os.path.join(os.fsencode(repository.work), name)
    try:
        found = os.lstat(path)
    except OSError:
        return True
    if found.st_size & 0xFFFFFFFF != int.from_bytes(entry[36:40], "big"):
        return True
    if (found.st_mode ^ mode) & 0o100 and _keeps_modes(repository):
        return True
    when = int.from_bytes(entry[8:12], "big") * 10**9 + int.from_bytes(entry[12:16], "big")
    if found.st_mtime_ns == when:
        return False
    return _blob(path, found.st_mode & 0o170000 == 0o120000) != entry[40:60]


def _keeps_modes(repository: Repository) -> bool:
    """Tell whether the bit that makes a file a program is compared here."""
    if os.name == "nt":
        return False
    config = _read(os.path.join(repository.common, "config")).lower().replace(" ", "")
    return "filemode=false" not in config


def _blob(path: bytes, is_link: bool) -> bytes:
    from hashlib import sha1

    if is_link:
        data = os.readlink(path)
    else:
        with open(path, "rb") as file:
            data = file.read()
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).digest()


def _staged(index: bytes, position: int) -> bool | None:
    """Tell whether something was added to the index since the last commit.

    `git add` marks the trees it touches in the cached-tree extension as unknown (-1); `git commit`
    and `git checkout` fill them in.
    """
    while position + 8 <= len(index) - 20:
        size = int.from_bytes(index[position + 4 : position + 8], "big")
        if index[position : position + 4] == b"TREE":
            body = index[position + 8 : position + 8 + size]
            return body[body.index(b"\0") + 1 :].startswith(b"-1")
        position += 8 + size
    return None


def patch(repository: Repository) -> str | None:
    """Return the changes of tracked files since HEAD as a patch; None without the git program."""
    return ask(repository, "diff", "--no-ext-diff", "--no-textconv", "--binary", "HEAD")


def ask(repository: Repository, *arguments: str) -> str | None:
    """Return what the git program prints; None when it is absent or refuses."""
    import subprocess

    # The repository may be anyone's: nothing that its configuration names is to be run.
    quiet = ("git", "-c", "core.fsmonitor=false", "--no-optional-locks", "-C", repository.work)
    try:
        done = subprocess.run(  # noqa: PLW1510 - the return code is looked at
            [*quiet, *arguments], capture_output=True, stdin=subprocess.DEVNULL, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
