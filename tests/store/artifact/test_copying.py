"""Copies: the kernel's way and the plain way are the same; the bar is for terminals."""

from __future__ import annotations

import os
from io import BytesIO, StringIO

import pytest

from mlflow.store.artifact import copying
from mlflow.store.artifact.copying import Progress, copy_bytes

SIZES = [0, 1, 4096, (1 << 20) - 1, (1 << 20) + 1, (3 << 20) + 7]


def _copied(tmp_path, data: bytes, start: int = 0) -> bytes:
    (tmp_path / "source").write_bytes(data)
    with open(tmp_path / "source", "rb") as source:
        source.read(start)
        with open(tmp_path / "target", "wb", buffering=0) as target:
            copy_bytes(source, target)
    return (tmp_path / "target").read_bytes()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("start", [0, 3])
def test_the_kernels_copy_equals_the_plain_one(tmp_path, monkeypatch, size, start):
    data = os.urandom(size)
    fast = _copied(tmp_path, data, start)
    monkeypatch.setattr(copying, "_copied_by_kernel", lambda *arguments: False)
    plain = _copied(tmp_path, data, start)

    assert fast == plain == data[start:]


def test_streams_that_are_no_files_are_copied(tmp_path):
    with open(tmp_path / "target", "wb", buffering=0) as target:
        copy_bytes(BytesIO(b"text" * 1000), target)

    assert (tmp_path / "target").read_bytes() == b"text" * 1000


def test_files_without_a_size_are_copied(tmp_path):
    if not os.path.exists("/proc/self/status"):
        pytest.skip("there is no /proc here")
    with open("/proc/self/status", "rb", buffering=0) as source:
        with open(tmp_path / "target", "wb", buffering=0) as target:
            copy_bytes(source, target)

    assert b"Pid:" in (tmp_path / "target").read_bytes()


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "wanted", "is_drawn"),
    [(_Terminal, "true", True), (_Terminal, "false", False), (StringIO, "true", False)],
)
def test_the_bar_is_drawn_on_terminals_unless_unwanted(monkeypatch, stream, wanted, is_drawn):
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", wanted)
    monkeypatch.setattr(Progress, "DELAY", 0)
    out = stream()

    bar = Progress("Logging artifacts", 4 << 20, out)
    for _ in range(4):
        bar.add(1 << 20)
    bar.close()

    assert ("Logging artifacts" in out.getvalue()) == is_drawn
    assert not is_drawn or "100% 4/4 MiB" in out.getvalue()


def test_short_copies_draw_nothing(monkeypatch):
    out = _Terminal()
    bar = Progress("Logging artifacts", 10, out)
    bar.add(10)
    bar.close()

    assert out.getvalue() == ""
