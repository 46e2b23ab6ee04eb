"""Bytes and counts that must not grow, and rules of accessibility."""

from __future__ import annotations

import re
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from mlflow.entities.run import Metric

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


def wait_until(true, seconds=20):
    """Wait until something outside of the page is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_little_is_sent_before_the_first_paint(tab, site):
    """At most 90 kB of programs and styles, and 150 kB of data, packed, for the table of runs."""
    sizes: dict[str, int] = {}

    def note(response):
        if "/changes?" in response.url:  # a stream, whose size is known when it ends
            return
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


def streams(site):
    """How many pages the server tells of changes."""
    with urllib.request.urlopen(f"{site.address}/metrics") as answer:
        found = re.search(rb"mlflow_event_streams (\d+)", answer.read())
    return int(found[1])


def hide(page, hidden):
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


def test_pages_are_told_of_changes(tab, site):
    """A page that is told does not ask while nothing changes; hidden, it is told nothing."""
    experiment = site.store.create_experiment("told")
    run_id = site.run(experiment, "training", metrics=[Metric("loss", 5.0, 1, 0)], status=1)
    tab.open(f"experiments/{experiment}?layout=split")
    tab.see("training")
    wait_until(lambda: streams(site) == 1)
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.page.wait_for_timeout(4_000)  # each used to be asked for by now
    asked.clear()
    tab.page.wait_for_timeout(3_000)
    assert 2 >= len([url for url in asked if "/ui-api/runs" in url or "/ui-api/series" in url])

    site.store.log_metric(run_id, Metric("loss", 4.125, 2, 1))
    expect(tab.page.locator(".grid-row").get_by_text("4.125", exact=True)).to_be_visible()
    hide(tab.page, True)
    wait_until(lambda: streams(site) == 0)
    asked.clear()
    site.store.log_metric(run_id, Metric("loss", 3.125, 3, 2))
    tab.page.wait_for_timeout(4_000)
    assert [] == [url for url in asked if "/ui-api/" in url]
    hide(tab.page, False)
    expect(tab.page.locator(".grid-row").get_by_text("3.125", exact=True)).to_be_visible()


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
