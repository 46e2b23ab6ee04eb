"""A real server over real files, and the browser of the system looking at it."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from mlflow.entities.run import Dataset, DatasetInput, Metric, Param, RunTag
from mlflow.store.artifact.locate import artifact_repository
from mlflow.store.backends.file import FileBackend
from mlflow.store.local import LocalStore

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / ".screenshots"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--force-device-scale-factor=1",
]  # fmt: skip
PATIENCE = 20_000  # ms: the machine may be busy


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.fspath).parents:
            item.add_marker(pytest.mark.e2e)
            # One browser and one server for all of them.
            item.add_marker(pytest.mark.xdist_group("e2e"))


def _missing() -> str | None:
    if not (ROOT / "src/mlflow/server/static/index.html").is_file():
        return "the pages are not built: run scripts/ui"
    if _chromium() is None:
        return "Chromium is not installed: apt-get install chromium"
    return None


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser():
    reason = _missing()
    if reason is not None:
        if os.environ.get("MILLSTREAM_FULL") in ("1", "all"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        yield made
        made.close()


class Site:
    """A server process over a folder of runs.

    Attributes:
        store: the same folder, written by this process as a training script would.
        address: where the server listens.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalStore(FileBackend(str(folder)))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri",
                   str(self.folder), "--port", str(self.port)]  # fmt: skip
        environment = {**os.environ, "MILLSTREAM_CACHE_DIR": str(self.folder.parent / "cache")}
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.address}/health", timeout=5).close()
                return
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.05)
        raise AssertionError("the server did not answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def run(self, experiment, name, *, params=(), metrics=(), tags=(), status=3, start=None):
        """Log a run and return its id."""
        start = start or int(time.time() * 1000) - 60_000
        store = self.store
        tags = [RunTag(key, value) for key, value in dict(tags).items()]
        run_id = store.create_run(experiment, "ada", start, tags, name).info.run_id
        pairs = [Param(key, str(value)) for key, value in dict(params).items()]
        points = list(metrics)
        for at in range(0, max(1, len(points)), 500):
            store.log_batch(run_id, points[at : at + 500], pairs if at == 0 else [], [])
        if status != 1:
            store.update_run_info(run_id, status, start + 30_000, None)
        return run_id

    def put(self, run_id, path, content):
        """Write a file of a run."""
        root = self.store.get_run(run_id).info.artifact_uri
        repository = artifact_repository(root)
        data = content if isinstance(content, bytes) else content.encode()
        repository.log_stream(io.BytesIO(data), path)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site") / "mlruns")
    made.sweep = _sweep(made)
    made.wine = _wine(made)
    made.start()
    yield made
    made.stop()


def _sweep(site: Site) -> str:
    """Log 200 runs of 12 params and 5 seeds, ten of them failed, one running, and return the id."""
    experiment = site.store.create_experiment("vision/sweep")
    luck = random.Random(7)
    base = int(time.time() * 1000) - 200 * 60_000
    number = 0
    for optimizer in ("adam", "sgd"):
        for depth in ("18", "50"):
            for lr in ("0.3", "0.1", "0.03", "0.01", "0.003", "0.001", "0.0003", "0.0001",
                       "0.00003", "0.00001"):  # fmt: skip
                for seed in range(5):
                    _add(site, experiment, luck, base, number, optimizer, depth, lr, seed)
                    number += 1
    return experiment


def _add(site, experiment, luck, base, number, optimizer, depth, lr, seed):
    params = {
        "lr": lr, "optimizer": optimizer, "depth": depth, "seed": seed, "epochs": 30,
        "batch_size": 128, "dataset": "imagenet-100", "image_size": 224, "warmup": 500,
        "dropout": "0.1", "scheduler": "cosine", "precision": "bf16",
    }  # fmt: skip
    good = 0.9 - 0.05 * abs(math.log10(float(lr)) + 2) + (0.03 if depth == "50" else 0)
    good += luck.gauss(0, 0.004)
    start = base + number * 60_000
    steps = 60 if number > 180 else 3
    points = []
    for step in range(steps):
        part = (step + 1) / steps
        points.append(Metric("val/accuracy", good * (1 - math.exp(-4 * part)), start, step))
        points.append(Metric("val/loss", 2 * math.exp(-3 * part * good), start, step))
        points.append(Metric("train/loss", 1.8 * math.exp(-3 * part * good), start, step))
    status = 1 if number == 199 else 4 if number % 20 == 7 else 3
    tags = {"team": "core" if number % 2 else "apps"}
    if status == 4:
        tags["millstream.error.type"] = "ValueError" if number % 40 == 7 else "MemoryError"
    site.run(experiment, f"r{depth}-{optimizer}-{number}", params=params, metrics=points,
             tags=tags, status=status, start=start)  # fmt: skip


def _wine(site: Site) -> str:
    """Log four runs as the wine examples do, with datasets of two digests, and return the id."""
    experiment = site.store.create_experiment("wine-quality")
    for name, rmse, digest in (
        ("forest", 0.57, "aaa"), ("elastic", 0.79, "aaa"), ("linear", 0.66, "aaa"),
        ("forest-new-data", 0.55, "bbb"),
    ):  # fmt: skip
        points = [Metric("rmse", rmse, 1, 0), Metric("r2", 1 - rmse, 1, 0)]
        run_id = site.run(experiment, name, params={"model": name, "alpha": rmse}, metrics=points)
        dataset = Dataset("wine", digest, "local", "{}", None, json.dumps({"num_rows": 1599}))
        site.store.log_inputs(run_id, [DatasetInput(dataset, [])])
    return experiment


class Tab:
    """A page of the browser, and what went wrong in it."""

    def __init__(self, page, address: str) -> None:
        self.page = page
        self.address = address
        self.trouble: list[str] = []
        self.allowed: tuple[str, ...] = ()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message) -> None:
        if message.type == "error":
            self.trouble.append(message.text)

    def open(self, place: str) -> None:
        """Show a place of the pages, as an address that somebody sent would."""
        self.page.goto(f"{self.address}/#/{place}")

    def see(self, text: str, *, exact: bool = False) -> None:
        """Wait until a text is there."""
        self.page.get_by_text(text, exact=exact).first.wait_for()

    def shot(self, name: str) -> None:
        """Keep a picture for those who look."""
        SHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.stash[FAILED] = outcome.get_result().failed


FAILED = pytest.StashKey[bool]()


@pytest.fixture
def tab(browser, site, request):
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    made = Tab(context.new_page(), site.address)
    yield made
    if request.node.stash.get(FAILED, False):
        made.shot(f"failed-{request.node.name}")
    context.close()
    trouble = [one for one in made.trouble if not any(part in one for part in made.allowed)]
    assert [] == trouble
