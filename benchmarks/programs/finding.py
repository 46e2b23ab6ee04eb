"""Time one task in the pages of three trackers, with a script that waits for nothing but the page.

The task: of 200 runs of 12 params and five seeds a setting, find the best setting, open a run of it,
register its model and set an alias. `python -m benchmarks.programs.finding --stock-python P --aim-python P`
logs the same runs to each, starts its server, and counts clicks and seconds in headless Chromium.
Aim has no registry: its part ends at the open run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect, sync_playwright

from benchmarks.programs.sweep import BEST

SWEEP = str(Path(__file__).with_name("sweep.py"))
#: Runs of a setting: each round registers the model of another one.
SEEDS = 5
#: A page that is slower than this, in milliseconds, has failed.
PATIENCE = 30_000


class Tour:
    """A page, the clicks that were made in it, and the seconds at which something was reached."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        self.marks: dict[str, tuple[int, float]] = {}
        self._start = time.perf_counter()

    def open(self, address: str) -> None:
        """Open a page and start the clock."""
        self._start = time.perf_counter()
        self.page.goto(address)

    def click(self, what: Locator, **how: Any) -> None:
        """Click, as soon as it can be clicked."""
        self.clicks += 1
        what.click(**how)

    def mark(self, name: str) -> None:
        """Note how many clicks and seconds it took to come here."""
        self.marks[name] = (self.clicks, time.perf_counter() - self._start)


def ours(tour: Tour, address: str, number: int) -> None:
    """Walk through our pages, at the end of it to the run of the best setting with that number."""
    page = tour.page
    tour.open(f"{address}/#/experiments/{_experiment(address)}")
    expect(page.get_by_text("200 runs").first).to_be_visible()
    tour.mark("table")
    tour.click(page.get_by_role("button", name="Group"))
    tour.click(page.get_by_role("button", name="All params but seed"))
    tour.click(page.locator("[data-column='metrics.val_accuracy'] .head-button"))
    best = page.locator(".grid-row").first
    expect(best.locator(".metric.best").first).to_be_visible()
    expect(best).to_contain_text("0.01")
    tour.mark("best setting")
    tour.click(best.get_by_role("button", name=re.compile("Open the group")))
    tour.click(page.locator(".grid-row .run-name").nth(number))
    register = page.get_by_role("button", name="Register").first
    expect(register).to_be_visible()
    tour.mark("run")
    tour.click(register)
    page.get_by_label(re.compile("Name of the model")).fill(f"best-{number}")
    page.get_by_label(re.compile("Alias")).fill("champion")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Version 1").first).to_be_visible()
    tour.mark("registered")
    expect(page.get_by_text("champion").first).to_be_visible()
    tour.mark("alias")


def stock(tour: Tour, address: str, number: int) -> None:
    """Walk through stock MLflow's pages; who walks knows which three params differ."""
    page = tour.page
    tour.open(f"{address}/#/experiments/{_experiment(address)}/runs")
    expect(page.get_by_text("matching runs")).to_be_visible()
    expect(page.locator("[row-index='0'] a[href*='/runs/']").first).to_be_visible()
    tour.mark("table")
    # An assistant covers a part of the table at a first visit.
    with contextlib.suppress(Exception):
        tour.click(page.get_by_role("button", name="Close").first, timeout=2000)
    tour.click(page.get_by_role("button", name="Sort: Created"))
    tour.click(page.get_by_role("menuitemcheckbox", name="val_accuracy"))
    for param in ("lr", "depth", "optimizer"):
        tour.click(page.get_by_role("button", name=re.compile("^Group by")).first)
        tour.click(page.get_by_role("menuitemcheckbox", name=param, exact=True))
    expect(page.get_by_text(re.compile("Group: lr: 0.01")).first).to_be_visible()
    tour.mark("best setting")
    run = page.locator(f"[row-index='{1 + number}'] a[href*='/runs/']").first
    tour.click(run)
    logged = page.get_by_role("link", name="model", exact=True).first
    expect(logged).to_be_visible()
    tour.mark("run")
    with page.context.expect_page() as opened:
        tour.click(logged)
    page = opened.value
    tour.click(page.get_by_role("button", name="Register model"))
    dialog = page.get_by_role("dialog")
    tour.click(dialog.get_by_role("combobox"))
    tour.click(page.get_by_text("Create New Model").last)
    dialog.get_by_placeholder("Input a model name").fill(f"best-{number}")
    tour.click(dialog.get_by_role("button", name="Register", exact=True))
    version = page.get_by_role("link", name=f"best-{number}").first
    expect(version).to_be_visible()
    tour.mark("registered")
    tour.click(version)
    tour.click(page.get_by_role("button", name="Add", exact=True).first)
    tour.click(page.get_by_role("dialog").get_by_role("combobox"))
    page.keyboard.type("champion")
    page.keyboard.press("Enter")
    tour.click(page.get_by_role("button", name="Save aliases"))
    expect(page.get_by_text("champion").first).to_be_visible()
    tour.mark("alias")


def aim(tour: Tour, address: str, number: int) -> None:
    """Walk through Aim's pages; who walks knows which three params differ."""
    page = tour.page
    tour.open(f"{address}/metrics")
    tour.click(page.get_by_role("button", name="Metrics").first)
    tour.click(page.get_by_role("option", name="val_accuracy").first)
    tour.click(page.get_by_role("button", name="Search"))
    expect(page.get_by_text("Mixed:").first).to_be_visible()
    tour.mark("table")
    tour.click(page.get_by_title("Group by color").locator("button, div").first)
    tour.click(page.get_by_placeholder("Select fields"))
    for param in ("lr", "depth", "optimizer"):
        tour.click(page.get_by_role("option", name=f"run.hparams.{param}", exact=True))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    # Means of groups instead of runs: the topmost line is the best setting, and says which it is.
    tour.click(page.get_by_title("Aggregate metrics"))
    # Lines are drawn later than the button changes; the text of the tip is in many elements.
    until = time.monotonic() + PATIENCE / 1000
    tip = re.compile(r'run\.hparams\.lr:\s*"(.*?)"')
    while not (told := tip.search(page.locator("body").inner_text())):
        if time.monotonic() > until:
            raise RuntimeError("Aim's chart shows no tip.")
        page.mouse.move(1145 + time.monotonic_ns() % 8, 188)
        page.wait_for_timeout(50)
    if told[1] != BEST["lr"]:
        raise RuntimeError(f"Aim's chart says that {told[1]} is best.")
    tour.mark("best setting")


def _experiment(address: str) -> str:
    """Return the id of the sweep at a server of MLflow's protocol."""
    path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=sweep"
    with urllib.request.urlopen(address + path) as answer:
        return re.search(r'"experiment_id":\s*"(\d+)"', answer.read().decode())[1]


@contextlib.contextmanager
def serving(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """Run a server for the time of the block, and yield its address."""
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment["PATH"] = os.path.dirname(command[0]) + os.pathsep + os.environ["PATH"]
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment,
                                  start_new_session=True)  # fmt: skip
    try:
        until = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "server.log").read_text()[-2000:])
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, 9)
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sides(arguments: argparse.Namespace) -> dict[str, tuple[Callable[..., None], str]]:
    """Return the walk and the interpreter of each tracker that is here."""
    sides = {"Millstream": (ours, sys.executable)}
    if arguments.stock_python:
        sides["MLflow"] = (stock, os.path.abspath(arguments.stock_python))
    if arguments.aim_python:
        sides["Aim"] = (aim, os.path.abspath(arguments.aim_python))
    return sides


def _log_and_serve(name: str, python: str, folder: Path, stack: contextlib.ExitStack) -> str:
    """Log the sweep with a tracker's library, start its server and return the address."""
    port, programs = _free_port(), Path(python).parent
    if name == "Aim":
        subprocess.run([programs / "aim", "init", "--yes"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        log, store = [python, SWEEP, "aim", str(folder)], str(folder)
        serve = [str(programs / "aim"), "up", "--repo", store, "--port", str(port)]
    else:
        store = f"sqlite:///{folder}/mlflow.db"
        log = [python, SWEEP, "mlflow", store]
        serve = [str(programs / "mlflow"), "server", "--backend-store-uri", store, "--workers", "1",
                 "--artifacts-destination", str(folder / "mlruns"), "--port", str(port)]  # fmt: skip
    subprocess.run(log, cwd=folder, check=True)
    return stack.enter_context(serving(serve, port, folder))


def main() -> None:
    """Log, serve, walk in turn, and print clicks and median seconds to each mark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stock-python", help="interpreter with a stock MLflow")
    parser.add_argument("--aim-python", help="interpreter with Aim")
    parser.add_argument("--rounds", type=int, default=4, choices=range(1, SEEDS))
    arguments = parser.parse_args()
    expect.set_options(timeout=PATIENCE)
    sides, found = _sides(arguments), {}
    with tempfile.TemporaryDirectory() as top, contextlib.ExitStack() as stack:
        places = {}
        for name, (_, python) in sides.items():
            folder = Path(top) / name
            folder.mkdir()
            places[name] = _log_and_serve(name, python, folder, stack)
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        # The first round warms the servers and is not counted.
        for number in range(arguments.rounds + 1):
            for name, (walk, _) in sides.items():
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                context.set_default_timeout(PATIENCE)
                tour = Tour(context.new_page())
                walk(tour, places[name], number)
                context.close()
                if number:
                    found.setdefault(name, []).append(tour.marks)
        browser.close()
    for name, tours in found.items():
        for mark in tours[0]:
            seconds = sorted(marks[mark][1] for marks in tours)
            clicks = max(marks[mark][0] for marks in tours)
            print(
                f"{name:10} {mark:12} {clicks:2} clicks {statistics.median(seconds):6.2f} s"
                f" ({seconds[0]:.2f} to {seconds[-1]:.2f})"
            )


if __name__ == "__main__":
    main()
