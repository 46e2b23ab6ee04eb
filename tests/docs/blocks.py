"""The code blocks of the pages, and how one page of them is run.

A block may be marked by a comment on the line before it, which readers do not see:

- `<!-- not run: why -->`: it needs what a test does not have, or is only looked at.
- `<!-- server -->`: it is started, has to answer, and goes on until the page is done.
- `<!-- file: name -->`: it is the content of a file in the folder of the page.

A block of `text` after one that was run is what that printed; `…` stands for anything. The ports
5000 and 5001 stand for free ones.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    if "decisions" not in path.parts
)
RUN = ("python", "sh")
SECONDS = 120
_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.M | re.S)
_MARK = re.compile(r"<!-- (not run|server|file)(?:: (.*?))? -->\s*\Z")
_CHECKER = doctest.OutputChecker()


@dataclass
class Block:
    """One fenced block: where it is, what it says, and what its mark says of it."""

    page: str
    line: int
    language: str
    text: str
    mark: str
    note: str

    @property
    def place(self) -> str:
        """Return what names it in a failure."""
        return f"{self.page}:{self.line}"

    @property
    def is_run(self) -> bool:
        """Whether it is a program that a test runs."""
        return self.language in RUN and self.mark in ("", "server")


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        mark = _MARK.search(text[: fence.start()].rstrip("\n"))
        found.append(
            Block(
                page,
                text.count("\n", 0, fence.start()) + 1,
                fence[1],
                fence[2],
                mark[1] if mark else "",
                (mark[2] or "") if mark else "",
            )
        )
    return found


def unmarked(page: str) -> str:
    """Return a page without its blocks."""
    return _FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))


class Session:
    """What a reader has open: a folder, a terminal with its environment, a Python, and servers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.servers: list[subprocess.Popen[bytes]] = []
        # What the block before printed; None when it was not run.
        self.printed: str | None = None
        self.ports = {"5000": _free_port(), "5001": _free_port()}
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        os.environ["COLUMNS"] = "200"

    def run(self, block: Block) -> None:
        """Do what a reader would do with a block."""
        text = re.sub(r"\b500[01]\b", lambda port: self.ports[port[0]], block.text)
        if block.mark == "not run":
            self.printed = None
            return
        if block.mark == "file":
            (self.folder / block.note).write_text(text, encoding="utf-8")
        elif block.mark == "server":
            self._serve(block, text)
        elif block.language == "python":
            self._python(block, text)
        elif block.language == "sh":
            self._shell(block, text)
        elif block.language == "text" and self.printed is not None:
            self._compare(block, text)

    def _python(self, block: Block, text: str) -> None:
        printed = io.StringIO()
        code = compile("\n" * block.line + text, str(ROOT / block.page), "exec")
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            # A reader's Python shows warnings and goes on.
            warnings.simplefilter("default")
            exec(code, self.names)
        self.printed = printed.getvalue()

    def _shell(self, block: Block, text: str) -> None:
        kept = self.folder / ".environment"
        # The next block finds what this one exported, as in one terminal.
        script = f"set -eu\n{text}\nenv -0 >'{kept}'\n"
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.folder, capture_output=True, text=True, timeout=SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert 0 == done.returncode, f"{block.place}\n{done.stdout}\n{done.stderr}"
        self.printed = done.stdout
        lines = kept.read_text(encoding="utf-8").split("\0")
        os.environ.update(dict(line.split("=", 1) for line in lines if "=" in line))
        kept.unlink()

    def _serve(self, block: Block, text: str) -> None:
        port = next(port for port in self.ports.values() if port in text)
        log = (self.folder / f".server-{port}").open("wb")
        server = subprocess.Popen(
            ["sh", "-c", f"exec {text}"],
            cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        log.close()
        self.servers.append(server)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            said = Path(log.name).read_text(encoding="utf-8")
            assert server.poll() is None, f"{block.place}\n{said}"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                return
            time.sleep(0.05)
        raise AssertionError(f"{block.place} did not answer within {SECONDS} s")

    def _compare(self, block: Block, text: str) -> None:
        wanted = text.replace("…", "...")
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert self.printed is not None
        assert _CHECKER.check_output(wanted, self.printed, flags), (
            f"{block.place} says\n{text}and the block before it printed\n{self.printed}"
        )

    def close(self) -> None:
        """End the servers, as Ctrl-C in their terminals would."""
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(timeout=20)


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
