"""Bytes and counts that must not grow, and rules of accessibility."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

PLACES = {
    "experiments": "experiments",
    "runs": "experiments/{sweep}",
    "split": "experiments/{sweep}?layout=split",
    "groups": "experiments/{sweep}?group=params.depth",
    "parallel": "experiments/{sweep}?layout=charts&plot=parallel",
    "pareto": "experiments/{sweep}?layout=charts&plot=pareto",
    "compare": "compare?runs={first},{second}",
    "verdict": "compare?tab=verdict&runs={first},{second},{third},{fourth}",
    "run": "experiments/{wine}/runs/{first}",
    "run-charts": "experiments/{wine}/runs/{first}/charts",
    "models": "models",
    "trash": "trash",
}


def places(site):
    found = site.store.search_runs([site.wine], "", 1, 4)
    names = ("first", "second", "third", "fourth")
    ids = {name: run.info.run_id for name, run in zip(names, found, strict=True)}
    named = {"sweep": site.sweep, "wine": site.wine, **ids}
    return {name: place.format(**named) for name, place in PLACES.items()}


def test_little_is_sent_before_the_first_paint(tab, site):
    """At most 90 kB of programs and styles, and 150 kB of data, packed, for the table of runs."""
    sizes: dict[str, int] = {}

    def note(response):
        request = response.request
        sizes[response.url] = sizes.get(response.url, 0) + request.sizes()["responseBodySize"]

    tab.page.on("response", note)
    tab.open(f"experiments/{site.sweep}")
    tab.see("200 runs")

    code = sum(size for url, size in sizes.items() if "/static/" in url)
    data = sum(size for url, size in sizes.items() if "/ui-api/" in url)
    assert 0 < code <= 90_000
    assert 0 < data <= 150_000
    assert all(url.startswith(site.address) for url in sizes)


def test_only_what_is_in_view_exists(tab, site):
    """At most 2 000 nodes in the grid, wherever one has scrolled to."""
    columns = ",".join(f"metrics.m{at}" for at in range(500))
    tab.open(f"experiments/{site.sweep}?cols={columns}")
    tab.see("200 runs")
    grid = tab.page.get_by_role("grid")
    for left, top in ((0, 0), (20_000, 2_000), (50_000, 6_000)):
        grid.evaluate(f"element => element.scrollTo({left}, {top})")
        tab.page.wait_for_timeout(300)
        assert 2_000 >= grid.evaluate("element => element.querySelectorAll('*').length")


def test_a_hidden_tab_asks_for_nothing(tab, site):
    """And an open one is told only what has changed."""
    tab.open(f"experiments/{site.wine}")
    tab.see("runs")
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.evaluate(
        """() => {
            Object.defineProperty(document, 'hidden', { value: true, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    tab.page.wait_for_timeout(500)
    asked.clear()
    tab.page.wait_for_timeout(4_000)

    assert [] == [url for url in asked if "/ui-api/runs" in url or "/ui-api/series" in url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PLACES)
def test_rules_of_accessibility(browser, site, name, scheme):
    """WCAG 2.2 AA as far as a program can tell; pictures of every page, wide and narrow."""
    from axe_playwright_python.sync_playwright import Axe

    from .conftest import Tab

    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    for width, height in ((1440, 900), (390, 844)):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, bypass_csp=True
        )
        tab = Tab(context.new_page(), site.address)
        tab.open(places(site)[name])
        expect(
            tab.page.locator(
                ".grid-row, .list tr, .card canvas, .bar, .empty, .key-table, canvas, .verdict"
            ).first
        ).to_be_visible()
        tab.page.wait_for_timeout(600)
        tab.shot(f"{name}-{scheme}-{width}")
        found = Axe().run(tab.page, options=options)
        told = [
            (rule["id"], node["html"][:160], node["failureSummary"][:300])
            for rule in found.response["violations"]
            for node in rule["nodes"][:3]
        ]
        wide = tab.page.evaluate("document.documentElement.scrollWidth")
        context.close()
        assert [] == told
        assert wide <= width
