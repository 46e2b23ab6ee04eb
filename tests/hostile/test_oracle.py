"""The oracle sees what hostile input would do, so that its silence means something."""

from __future__ import annotations

import os
import pickle
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.oracle import watched

FORBIDDEN = {
    "a shell": lambda _: subprocess.run("true", shell=True, check=False),
    "a program": lambda _: subprocess.run(["true"], check=False),
    "system": lambda _: os.system("true"),
    "a look-up": lambda _: socket.getaddrinfo("localhost", 80),
    "a connection": lambda _: socket.create_connection(("127.0.0.1", 9), 1),
    "a pickle": lambda _: pickle.loads(b"cos\ngetcwd\n(tR."),
    "a write": lambda outside: (outside / "x").write_text("x"),
    "a removal": lambda outside: (outside / "kept").unlink(),
    "a folder": lambda outside: (outside / "d").mkdir(),
    "a rename": lambda outside: os.rename(outside / "kept", outside / "taken"),
    "a tree": lambda outside: shutil.rmtree(outside),
    "a write through a link": lambda outside: (outside.parent / "in" / "link" / "x").touch(),
    "a secret": lambda _: Path("/etc/passwd").read_bytes(),
}


@pytest.mark.skipif(os.name == "nt", reason="the programs and files are not there")
@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_should_not_happen_is_seen(name, tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "kept").write_text("x")
    (inside / "link").symlink_to(outside)
    with pytest.raises(AssertionError), watched(inside):
        FORBIDDEN[name](outside)


def test_what_tests_do_is_not_held_against_them(tmp_path):
    with watched(tmp_path):
        (tmp_path / "a").write_text("x")
        os.rename(tmp_path / "a", tmp_path / "b")
        assert (tmp_path / "b").read_text() == "x"
        subprocess.run([sys.executable, "-c", ""], check=True)
        Path(__file__).read_text()
        (tmp_path / "b").unlink()
