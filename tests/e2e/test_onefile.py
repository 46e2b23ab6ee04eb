"""Runs sent as one page: saved from the pages, opened from a disk without a network."""

from __future__ import annotations

import re
import struct
import zlib

from playwright.sync_api import expect

from mlflow.entities.run import Metric

from .conftest import Tab

HOSTILE = "</script><img src=x onerror='window.__bad=1'>"


def picture() -> bytes:
    """Return a red PNG picture of two pixels by two."""
    rows = b"".join(b"\0" + b"\xff\0\0" * 2 for _ in range(2))

    def part(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    ends = part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + ends


def test_an_experiment_as_one_page(tab, site, browser, tmp_path):
    """Table, filter, groups, charts, comparison, a run and its files; nothing is asked of anybody."""
    experiment = site.store.create_experiment(f"sent {HOSTILE}")
    for number in range(12):
        points = [Metric("loss", (number + 1) / (step + 1), 1, step) for step in range(50)]
        run_id = site.run(
            experiment, HOSTILE if number == 3 else f"sent-{number}", metrics=points,
            params={"lr": ("0.1", "0.01")[number % 2], "seed": number // 2, "h": HOSTILE},
        )  # fmt: skip
    site.put(run_id, "plots/red.png", picture())
    site.put(run_id, "notes.md", "# Notes\n\nall **fine**\n")
    site.put(run_id, "page.html", "<script>parent.__bad = 1</script>")
    site.put(run_id, "weights.bin", b"\0" * 5000)
    tab.open(f"experiments/{experiment}?sort=metrics.loss")
    tab.see("12 runs")
    tab.page.get_by_role("button", name="Share").click()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("menuitem", name="Save as one page").click()
    path = tmp_path / "sent.html"
    download.value.save_as(path)
    tab.see("it opens in any browser")

    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    copy = Tab(context.new_page(), f"file://{path}")
    asked = []
    copy.page.on("request", lambda request: asked.append(request.url))
    copy.page.goto(copy.address)
    copy.see("12 runs")
    expect(copy.page).to_have_url(re.compile("sort=metrics.loss"))
    expect(copy.page.locator(".grid-row .metric.best").first).to_be_visible()
    copy.see("A copy made")
    copy.shot("copy-runs")
    line = copy.page.get_by_role("combobox", name="Filter runs")
    line.fill("params.lr = '0.1' AND metrics.loss < 0.15")
    line.press("Enter")
    copy.see("4 runs")
    copy.page.goto(f"{copy.address}#/experiments/{experiment}?layout=split&group=params.lr")
    row = copy.page.locator(".grid-row").first
    expect(row).to_contain_text("±")
    expect(copy.page.get_by_role("article", name="Chart of loss").locator("canvas")).to_be_visible()
    copy.page.goto(f"{copy.address}#/experiments/{experiment}?layout=charts&plot=parallel")
    copy.see("What moves loss")

    copy.page.goto(f"{copy.address}#/experiments/{experiment}/runs/{run_id}")
    expect(copy.page.get_by_role("region", name="Metrics")).to_contain_text("0.24")
    expect(copy.page.get_by_role("button", name="Add a description")).to_have_count(0)
    copy.page.get_by_role("tab", name="Charts").click()
    expect(copy.page.get_by_role("article", name="Chart of loss").locator("canvas")).to_be_visible()
    copy.page.get_by_role("tab", name="Artifacts").click()
    copy.page.get_by_role("button", name="notes.md").click()
    expect(copy.page.locator(".markdown strong")).to_have_text("fine")
    copy.page.get_by_role("button", name=re.compile("^plots")).click()
    copy.page.get_by_role("button", name=re.compile("red.png")).first.click()
    shown = copy.page.locator(".picture img")
    expect(shown).to_be_visible()
    assert 2 == shown.evaluate("image => image.decode().then(() => image.naturalWidth)")
    copy.page.get_by_role("button", name=re.compile("^page.html")).click()
    copy.see("parent.__bad = 1")
    copy.page.get_by_role("button", name=re.compile("^weights.bin")).click()
    copy.see("What is in this file is not in this copy")
    copy.shot("copy-files")
    assert copy.page.evaluate("window.__bad") is None
    assert 0 == copy.page.locator("img[src=x]").count()
    assert [] == [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
    context.close()
    assert [] == copy.trouble


def test_a_run_as_one_page(tab, site, browser, tmp_path):
    """The run itself, where the page of it was."""
    run_id = site.store.search_runs([site.wine], "run_name = 'forest'", 1, 1)[0].info.run_id
    tab.open(f"experiments/{site.wine}/runs/{run_id}")
    tab.page.get_by_role("button", name="Actions").click()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("menuitem", name="Save as one page").click()
    path = tmp_path / "run.html"
    download.value.save_as(path)
    page = browser.new_page(offline=True)
    page.goto(f"file://{path}")
    expect(page.get_by_role("heading", name="forest", level=1)).to_be_visible()
    expect(page.get_by_role("region", name="Datasets")).to_contain_text("1599 rows")
    page.get_by_role("link", name="wine-quality").first.click()
    expect(page.locator(".grid-row .run-name")).to_have_text(["forest"])
    page.close()
