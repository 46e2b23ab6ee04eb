"""A page that watches a live run for long: its heap, elements and listeners stay what they were."""

from __future__ import annotations

import os
import threading
import time

import pytest

from mlflow.entities.run import Metric

# In every run, and in one that is asked for everything.
SECONDS = 1_800 if os.environ.get("MILLSTREAM_FULL") == "all" else 20
WARM = SECONDS // 10
LOOKS = 10
KEYS = 4
# Bytes that longer charts and what is not collected may take; a page that kept what it has drawn
# would take ten times as much.
GROWTH = 500_000 if SECONDS < 100 else 5_000_000


class Training(threading.Thread):
    """Logs four metrics twenty times a second, until told to stop."""

    def __init__(self, store, run_id):
        super().__init__(daemon=True)
        self._store, self._run_id = store, run_id
        self.stopped = threading.Event()
        self.step = 0

    def run(self):
        while not self.stopped.wait(0.05):
            points = [
                Metric(f"m{key}", 1 / (self.step + key + 1), int(time.time() * 1000), self.step)
                for key in range(KEYS)
            ]
            self._store.log_batch(self._run_id, points, [], [])
            self.step += 1


def counts(session):
    """Return (bytes of heap, elements, listeners), after collecting what nobody holds."""
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return found["JSHeapUsedSize"], found["Nodes"], found["JSEventListeners"]


@pytest.mark.timeout(SECONDS * 2 + 300)
def test_a_live_run_is_watched_at_a_flat_heap(tab, site, record_property):
    """The second half of the time needs no more than the first one did."""
    experiment = site.store.create_experiment("long")
    run_id = site.run(experiment, "training", status=1)
    training = Training(site.store, run_id)
    training.start()
    try:
        tab.open(f"experiments/{experiment}?layout=split")
        tab.page.get_by_role("article", name="Chart of m0").locator("canvas").wait_for()
        session = tab.page.context.new_cdp_session(tab.page)
        session.send("Performance.enable")
        tab.page.wait_for_timeout(WARM * 1000)
        seen = []
        for _ in range(LOOKS):
            tab.page.wait_for_timeout((SECONDS - WARM) * 1000 / LOOKS)
            seen.append(counts(session))
    finally:
        training.stopped.set()
        training.join()
    record_property("heap", seen)
    print(f"{SECONDS} s, {training.step} steps: {seen}")  # noqa: T201 - the figures, with -s

    first, last = seen[: LOOKS // 2], seen[LOOKS // 2 :]
    heap, nodes, listeners = (
        (max(one[at] for one in first), max(one[at] for one in last)) for at in range(3)
    )
    assert heap[1] <= heap[0] + GROWTH
    assert heap[1] < 200_000_000
    assert nodes[1] <= nodes[0] * 1.2 + 200
    assert listeners[1] <= listeners[0] * 1.2 + 50
