"""The site of the pages, as `scripts/docs` builds it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import FULL
from tests.docs.blocks import ROOT


@pytest.mark.skipif(not FULL, reason="building takes seconds: MILLSTREAM_FULL=1 does it")
def test_every_page_is_in_the_site_and_every_link_leads_somewhere(tmp_path):
    """And readers' browsers load nothing from elsewhere."""
    command = re.search(r"python (-m sphinx .*) build/doctrees docs build/docs\n",
                        (ROOT / "scripts/docs").read_text(encoding="utf-8"))[1]  # fmt: skip
    done = subprocess.run(
        [sys.executable, *command.split(), str(tmp_path / "doctrees"), "docs", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    pages = {
        path.relative_to(ROOT / "docs").with_suffix(".html")
        for path in (ROOT / "docs").rglob("*.md")
    }
    built = {path.relative_to(tmp_path) for path in tmp_path.rglob("*.html")}
    assert pages <= built
    for path in built:
        page = (tmp_path / path).read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|link)\b[^>]*?(?:src|href)=\"([^\"]+)", page)
        assert [] == [one for one in loaded if "//" in one], path
