"""Files of a run: found, read in part, downloaded; nothing in them runs. A model becomes a version."""

from __future__ import annotations

import base64
import io
import json
import re
import time
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import expect

from mlflow import MlflowClient
from mlflow.entities.run import Metric
from mlflow.store.artifact.locate import artifact_repository

from .test_pages import MODEL

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgaGD4DwAChAGAXKkqRAAAAABJRU5ErkJggg=="
)
PROGRAM = "window.top.__bad = 1; document.title = 'bad'"


@pytest.fixture(scope="module")
def run(site):
    """A run with a file of every kind, and its place in the pages."""
    experiment = site.store.create_experiment("files")
    run_id = site.run(experiment, "files", metrics=[Metric("rmse", 0.4, 1, 0)])
    lines = "\n".join(f"{at},{at * at},text {at}" for at in range(200_000))
    notebook = {"cells": [{"cell_type": "markdown", "source": ["# Notes"]}, {
        "cell_type": "code", "source": "1 + 1",
        "outputs": [{"data": {"text/plain": "2", "text/html": f"<script>{PROGRAM}</script>"}}],
    }]}  # fmt: skip
    for path, content in {
        "notes/readme.md": f"# Title\n\n<script>{PROGRAM}</script>\n\n[x](javascript:{PROGRAM})",
        "notes/page.html": f"<h1>A page</h1><script>{PROGRAM}</script><img src=x onerror='{PROGRAM}'>",
        "notes/drawing.svg": f"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script>{PROGRAM}</script></svg>",
        "notes/book.ipynb": json.dumps(notebook),
        "notes/settings.json": json.dumps({"a": {"b": [1, 2]}}),
        "notes/train.log": "line one\nline two\n",
        "notes/odd.xyz": "still text",
        "notes/raw.bin": bytes(range(256)),
        "notes/empty.txt": "",
        "data/large.csv": f"a,b,c\n{lines}",
        "data/table.json": json.dumps({"columns": ["q", "a"], "data": [["why", "because"]]}),
        "pictures/pixel.png": PIXEL,
        "model/MLmodel": MODEL,
        "model/requirements.txt": "scikit-learn\n",
        "names/a b ü #?.txt": "odd name",
    }.items():
        site.put(run_id, path, content)
    return f"experiments/{experiment}/runs/{run_id}/artifacts", run_id


@pytest.mark.parametrize(
    ("path", "text"),
    [("notes/readme.md", "Title"), ("notes/book.ipynb", "Notes"), ("notes/settings.json", '"b": ['),
     ("notes/train.log", "line two"), ("notes/odd.xyz", "still text"),
     ("notes/raw.bin", "This is not text"), ("notes/empty.txt", "This file is empty"),
     ("data/large.csv", "text 5"), ("data/table.json", "because"),
     ("names/a%20b%20%C3%BC%20%23%3F.txt", "odd name")],
)  # fmt: skip
def test_previews(tab, run, path, text):
    """Each kind is shown as what it is."""
    tab.allowed = ("416",)
    tab.open(f"{run[0]}/{path}")
    tab.see(text)


def test_a_large_file_is_read_in_part(tab, run):
    """The first part of it, and more on demand."""
    sizes = []
    tab.page.on(
        "response",
        lambda reply: (
            sizes.append(reply.request.sizes()["responseBodySize"])
            if "get-artifact" in reply.url
            else None
        ),
    )
    tab.open(f"{run[0]}/data/large.csv")
    tab.see("The first")
    tab.shot("artifact-csv")
    tab.page.wait_for_timeout(300)

    assert sum(sizes) <= 300_000


def test_nothing_in_a_file_runs(tab, run):
    """Pages, drawings, notebooks and Markdown are looked at."""
    tab.allowed = (
        "Content Security Policy",
        "sandboxed",
        "Blocked script",
        "Failed to load",
        "SecurityError",
        "cross-origin",
        "Unexpected end",
    )
    for path in ("page.html", "drawing.svg", "book.ipynb", "readme.md"):
        tab.open(f"{run[0]}/notes/{path}")
        expect(tab.page.locator("iframe, img, .notebook, .markdown").first).to_be_visible()
        tab.page.wait_for_timeout(300)

    assert tab.page.evaluate("window.__bad") is None
    assert "bad" != tab.page.title()
    assert 0 == tab.page.locator("a[href^='javascript']").count()
    # By itself it is a download, never a page of this server.
    with tab.page.expect_download():
        tab.page.evaluate(
            "place => { location.href = place }",
            f"get-artifact?path=notes/page.html&run_uuid={run[1]}",
        )


def test_a_chart_saved_as_html_is_drawn(tab, site, run):
    """Its own program runs, with no origin: nothing of ours and no network is in its reach."""
    page = """<p id=told>nothing</p><style>#told { color: rgb(1, 2, 3) }</style><script>
      const told = [];
      for (const [name, reach] of [["cookie", () => document.cookie], ["storage", () => localStorage],
                                   ["parent", () => parent.document.title]])
        try { reach(); told.push(name) } catch { /* as it should be */ }
      fetch("/version").then(() => told.push("network"), () => 0).finally(() => {
        document.getElementById("told").textContent = "drawn " + told.join();
      });
    </script>"""
    site.put(run[1], "notes/chart.html", page)
    tab.allowed = ("Content Security Policy", "Failed to load", "fetch")
    tab.open(f"{run[0]}/notes/chart.html")
    told = tab.page.frame_locator("iframe").locator("#told")

    expect(told).to_have_text("drawn ")
    assert "rgb(1, 2, 3)" == told.evaluate("element => getComputedStyle(element).color")


def test_a_document_is_drawn(tab, site, run):
    """By the browser's own viewer, which a sandboxed frame would not start."""
    objects = (
        "<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>",
    )
    body = "".join(f"{at} 0 obj{one}endobj\n" for at, one in enumerate(objects, 1))
    site.put(run[1], "notes/paper.pdf", f"%PDF-1.4\n{body}trailer<</Root 1 0 R>>\n")
    tab.open(f"{run[0]}/notes/paper.pdf")
    expect(tab.page.locator("iframe[title='paper.pdf']")).to_be_visible()
    end = time.monotonic() + 20
    while not any(frame.url.startswith("chrome-extension:") for frame in tab.page.frames):
        assert time.monotonic() < end, [frame.url for frame in tab.page.frames]
        tab.page.wait_for_timeout(100)


def test_series_of_images(tab, site):
    """Steps and runs as a grid; two runs side by side, one over the other, step by step."""
    experiment = site.store.create_experiment("pictures")
    client = MlflowClient(site.address)
    ids = []
    for run, color in (("red", (220, 60, 50)), ("blue", (60, 90, 220))):
        run_id = site.run(experiment, run)
        for step in (0, 10, 20):
            image = Image.new("RGB", (24, 24), tuple(one * (step + 10) // 30 for one in color))
            client.log_image(run_id, image, key="val/sample", step=step)
        ids.append(run_id)
    client.log_image(ids[0], Image.new("RGB", (24, 24)), key="val/sample", step=30)
    tab.open(f"experiments/{experiment}/runs/{ids[0]}")
    tab.page.get_by_role("tab", name="Images").click()
    grid = tab.page.get_by_role("region", name="Grid of val/sample")
    expect(grid.get_by_role("button")).to_have_count(4)

    tab.open(f"compare?runs={','.join(ids)}&tab=images")
    expect(grid.get_by_role("button")).to_have_count(7)
    loaded = "images => images.every(one => one.complete && one.naturalWidth === 24)"
    end = time.monotonic() + 20
    while not grid.locator("img").evaluate_all(loaded):
        assert time.monotonic() < end
        tab.page.wait_for_timeout(50)
    tab.shot("images")
    grid.get_by_role("button", name="val/sample of blue at step 10").click()
    dialog = tab.page.get_by_role("dialog", name="val/sample")
    expect(dialog.get_by_alt_text("red at step 10")).to_be_visible()
    expect(dialog.get_by_alt_text("blue at step 10")).to_be_visible()
    for _ in range(2):
        tab.page.keyboard.press("ArrowRight")
    expect(dialog.get_by_alt_text("red at step 30")).to_be_visible()
    expect(dialog.get_by_alt_text("blue at step 20")).to_be_visible()
    tab.shot("images-beside")
    dialog.get_by_role("button", name="One over the other").click()
    expect(dialog.get_by_label("How much of each image")).to_be_visible()
    expect(dialog.locator(".image-wipe img")).to_have_count(2)
    tab.shot("images-over")


def test_where_a_file_is(tab, run):
    """The full path and the URI are shown, to copy."""
    tab.open(f"{run[0]}/model")
    tab.see(f"runs:/{run[1]}/model", exact=True)
    tab.page.get_by_role("button", name="Copy the URI").click()

    assert f"runs:/{run[1]}/model" == tab.page.evaluate("navigator.clipboard.readText()")
    expect(tab.page.locator(".where")).to_contain_text(f"{run[1]}/artifacts/model")


def test_the_tree_opens_by_hand(tab, run):
    """Folders open, files are chosen, a download has the file's name."""
    tab.open(run[0])
    tab.page.get_by_role("tree").get_by_role("button", name="notes").click()
    tab.page.get_by_role("tree").get_by_role("button", name=re.compile("train.log")).click()
    tab.see("line one")
    tab.shot("artifacts")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="Download").click()
    assert "train.log" == download.value.suggested_filename


def test_a_folder_is_downloaded_whole(tab, run):
    """As an archive; so are all files of a run."""
    for path, name in (("/notes", "notes.zip"), ("", ".zip")):
        tab.open(f"{run[0]}{path}")
        with tab.page.expect_download() as download:
            tab.page.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename.endswith(name)
        assert "train.log" in " ".join(zipfile.ZipFile(download.value.path()).namelist())


def test_a_model_is_registered_from_its_folder(tab, site, run):
    """Signature and snippets, then a name, an alias: four clicks and two texts."""
    tab.open(f"{run[0]}/model")
    expect(tab.page.get_by_role("region", name="Inputs")).to_contain_text("alcohol")
    tab.shot("artifact-model")
    tab.page.get_by_role("button", name="Register model").click()
    tab.page.get_by_label(re.compile("Name of the model")).fill("from-files")
    tab.page.get_by_role("button", name="Register", exact=True).click()
    tab.see("Version 1")
    tab.page.get_by_role("button", name="Aliases").click()
    tab.page.get_by_role("textbox", name=re.compile("New alias")).fill("champion")
    tab.page.get_by_role("button", name="Set", exact=True).click()
    tab.see("@champion")

    version = site.store.get_model_version_by_alias("from-files", "champion")
    assert (run[1], True) == (version.run_id, version.source.endswith("/artifacts/model"))


def test_pages_and_documents_of_a_model(tab, site):
    """Are shown where its files are, without an origin."""
    experiment = site.store.create_experiment("model pages")
    model = site.store.create_logged_model(experiment, "card")
    repository = artifact_repository(model.artifact_location)
    page = "<p id='told'></p><script>told.textContent = origin + ' ' + 6 * 7</script>"
    files = {
        "MLmodel": b"flavors: {}\n",
        "card.html": page.encode(),
        "paper.pdf": b"%PDF-1.4\n%%EOF\n",
    }
    for name, body in files.items():
        repository.log_stream(io.BytesIO(body), name)
    tab.open(f"experiments/{experiment}/models/{model.model_id}")
    tab.page.get_by_role("button", name="card.html").click()
    expect(tab.page.frame_locator("iframe").locator("#told")).to_have_text("null 42")
    tab.page.get_by_role("button", name="paper.pdf").click()
    expect(tab.page.locator("iframe[title='paper.pdf']")).to_be_visible()
