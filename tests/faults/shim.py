"""Compiles `shim.c`, starts programs with it, and reads what it wrote down of their calls."""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: Why programs cannot be watched here, or nothing.
MISSING = ""
if not sys.platform.startswith("linux"):
    MISSING = "calls of the system are watched on Linux"
elif shutil.which("cc") is None:
    MISSING = "calls of the system are watched by a library that needs a C compiler, `cc`"

KILL, SHORT, TORN = -1, -2, -3
_HEAD = struct.Struct("<cQQIII")


def compiled(folder: Path) -> Path:
    """Make the library; return its path."""
    library = folder / "shim.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / "shim.c"), "-ldl"]
    subprocess.run(command, check=True)
    return library


def run(folder: Path, module: str, *arguments: str, **settings: str) -> str:
    """Run a module of the tests with the library; return what it printed.

    Raises:
        AssertionError: it failed; with what it said.
    """
    environment = {**os.environ, **settings, "LD_PRELOAD": str(compiled(folder))}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (0, "") == (done.returncode, done.stderr), done.stdout[-4000:] + done.stderr[-8000:]
    return done.stdout


class Call(NamedTuple):
    """A call that changed something.

    Args:
        kind: the letter that `shim.c` gives it.
        node: the number of the file, where it is known.
        at: where the bytes begin, or how long the file is now.
        one: the path, or the text of a mark.
        other: the new path.
        data: the bytes.
    """

    kind: str
    node: int
    at: int
    one: str
    other: str
    data: bytes


class Shim:
    """The library in this process, which was started with it.

    Args:
        folder: what is watched; it and what is in it.
    """

    def __init__(self, folder: str) -> None:
        self._library = ctypes.CDLL(None)
        self._library.shim_name.restype = ctypes.c_char_p
        self._library.shim_disarm.restype = ctypes.c_long
        self._library.shim_arm.argtypes = [ctypes.c_long, ctypes.c_long]
        self._library.shim_name.argtypes = [ctypes.c_long]
        self._library.shim_watch(os.path.realpath(folder).encode())

    def watch_network(self, *, on: bool) -> None:
        """Watch connections to servers, too, or no more."""
        self._library.shim_network(int(on))

    def arm(self, number: int, fault: int) -> None:
        """Count calls from now on; the one of this number fails (0: none does).

        Args:
            number: from 1 on.
            fault: the number of an error, or `KILL`, `SHORT`, `TORN`.
        """
        self._library.shim_arm(number, fault)

    def disarm(self) -> list[str]:
        """Count no more; return the names of the calls that were counted."""
        count = self._library.shim_disarm()
        return [self._library.shim_name(number + 1).decode() for number in range(count)]

    def record(self, file: int) -> None:
        """Write calls down in an open file; -1 ends it."""
        self._library.shim_record(file)

    def mark(self, text: str) -> None:
        """Write a text down among the calls."""
        self._library.shim_mark(text.encode())


def recorded(path: str) -> Iterator[Call]:
    """Yield the calls that were written down."""
    data = Path(path).read_bytes()
    at = 0
    while at < len(data):
        kind, node, place, first, second, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        parts = []
        for size in (first, second, length):
            parts.append(data[at : at + size])
            at += size
        yield Call(kind.decode(), node, place, parts[0].decode(), parts[1].decode(), parts[2])
