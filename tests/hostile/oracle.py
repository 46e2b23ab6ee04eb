"""What a process may do while it handles hostile input, watched by an audit hook.

A test asserts what it thought of; the hook sees the rest: programs that were started, connections,
classes that a pickle named, and changes or secrets outside of the folders of the test.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn")
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
CHANGES = (
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
    "os.symlink", "os.truncate", "shutil.move", "shutil.rmtree",
)  # fmt: skip
# Nothing that is read by a test has such a name unless it was led there.
SECRETS = ("/etc/passwd", "/etc/shadow", "/canary", "/.ssh/")
# What the interpreter and the test tools write for themselves.
OWN = ("__pycache__", "/.hypothesis", "/.pytest_cache", "/dev/null")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """What happened that should not have.

    Args:
        roots: the folders in which anything may be changed.
    """

    def __init__(self, roots: Sequence[str | Path]) -> None:
        self.found: list[str] = []
        #: Events that are part of what a test is about.
        self.allowed: tuple[str, ...] = ()
        self._roots = tuple(os.path.realpath(root) + os.sep for root in roots)

    def see(self, event: str, arguments: tuple) -> None:
        """Look at an audit event."""
        if event in self.allowed:
            return
        if event == "subprocess.Popen":
            # Tests start this interpreter; a shell, or another program, is never right.
            if arguments[0] != sys.executable and list(arguments[1])[:1] != [sys.executable]:
                self.found.append(f"{event} {arguments[:2]}")
        elif event in PROGRAMS or event in NETWORK or event == "pickle.find_class":
            self.found.append(f"{event} {arguments}")
        elif event == "open":
            path, mode, flags = arguments
            self._look(event, path, bool(flags & _WRITING) if mode is None else mode not in _READ)
        elif event in CHANGES:
            # What a link leads to is not changed by making it; a name that is renamed is.
            if event not in ("os.link", "os.symlink"):
                self._look(event, arguments[0], changes=True)
            if event in ("os.link", "os.rename", "os.symlink", "shutil.move"):
                self._look(event, arguments[1], changes=True)

    def _look(self, event: str, path: object, changes: bool) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a descriptor: its file was looked at when it was opened
        text = os.fsdecode(path)
        if any(mark in text for mark in OWN):
            return
        is_secret = any(mark in text for mark in SECRETS)
        # A bare name is one in an open folder, which no event tells; that folder was looked at.
        if is_secret or (changes and os.sep in text and not self._is_inside(text)):
            self.found.append(f"{event} {text}")

    def _is_inside(self, path: str) -> bool:
        folder, name = os.path.split(os.path.abspath(path))
        return (os.path.join(os.path.realpath(folder), name) + os.sep).startswith(self._roots)


_READ = ("r", "rb", "rt", "U")
_watches: list[Watch] = []


def _hook(event: str, arguments: tuple) -> None:
    for watch in _watches:
        watch.see(event, arguments)


sys.addaudithook(_hook)


@contextmanager
def watched(*roots: str | Path) -> Iterator[Watch]:
    """Watch a block; it fails when something happened that should not have."""
    watch = Watch(roots)
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)
        # Also when the block was left by an error: a refusal that comes too late is none.
        if watch.found:
            raise AssertionError("what should not happen:\n" + "\n".join(watch.found))
