"""Files made to run in the pages, or to stop them: shown inert, in part, or not at all."""

from __future__ import annotations

import struct
import zlib

import pytest
from playwright.sync_api import expect

PROGRAM = "window.top.__bad = 1; document.title = 'bad'"
SCRIPT = f"<script>{PROGRAM}</script>"


def huge_picture() -> bytes:
    """Return a PNG of 50 000 x 50 000 points that are not there."""

    def part(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    size = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 6, 0, 0, 0)
    pieces = part(b"IHDR", size) + part(b"IDAT", zlib.compress(bytes(10_000))) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pieces


def laughs(words: str, reference: str, depth: int = 9) -> str:
    """Return lines in which each is ten of the one before."""
    return "\n".join(words.format(at, reference.format(at - 1) * 10) for at in range(1, depth))


FILES = {
    "style.xml": f'<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><html>{SCRIPT}</html>',
    "fake.png": f"<html>{SCRIPT}</html>",
    "both.gif": b"GIF89a/*" + bytes(20) + f"*/={PROGRAM};".encode(),
    "map.geojson": '{"type": "Point", "properties": {"name": "<img src=x onerror=alert(1)>"}}',
    "code.js": PROGRAM,
    "huge.png": huge_picture(),
    "laughs.svg": "<!DOCTYPE svg [<!ENTITY a0 'ha'>"
    + laughs("<!ENTITY a{} '{}'>", "&a{};")
    + "]><svg xmlns='http://www.w3.org/2000/svg'><text>&a8;</text></svg>",
    "page.md": f"<img src=x onerror='{PROGRAM}'> [x](javascript:{PROGRAM}) ![y](data:text/html,{SCRIPT})",
    "wide.csv": ",".join(f"c{at}" for at in range(100_000)) + "\n" + "1," * 99_999 + "1",
    "deep.json": "[" * 100_000 + "]" * 100_000,
    "fine.txt": "this is fine",
    "js/MLmodel": f"flavors: !!js/function 'function() {{ {PROGRAM} }}'\n",
    "python/MLmodel": "flavors: !!python/object/apply:os.system ['x']\n",
    "bomb/MLmodel": "a0: &a0 [ha]\n" + laughs("a{0}: &a{0} [{1}]", "*a{},"),
}


@pytest.fixture(scope="module")
def place(site):
    experiment = site.store.create_experiment("hostile files")
    run_id = site.run(experiment, "hostile")
    for name, content in FILES.items():
        site.put(run_id, f"f/{name}", content)
    return f"experiments/{experiment}/runs/{run_id}/artifacts"


def test_w08_w09_and_w14_files(tab, place):
    """The page is quick to show another one after each, and none of them reached it."""
    tab.allowed = ("Content Security Policy", "Failed to load", "sandboxed", "Blocked script",
                   "could not be decoded", "SecurityError", "cross-origin", "40")  # fmt: skip
    for name in FILES:
        tab.open(f"{place}/f/{name}")
        tab.see(name.rpartition("/")[2])
        tab.page.wait_for_timeout(150)
        tab.open(f"{place}/f/fine.txt")
        tab.see("this is fine")
        assert tab.page.evaluate("window.__bad") is None, name
        assert "bad" != tab.page.title(), name
    expect(tab.page.locator("img[onerror]")).to_have_count(0)
    assert tab.page.evaluate("Object.keys(Object.prototype).length") == 0
