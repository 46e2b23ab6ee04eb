"""What pages ask of their server: the files of the first paint, a table of runs, a chart.

Each side's pages ask in their own way: `ui-api/` is Millstream's, `ajax-api/` MLflow's.
"""

from __future__ import annotations

import gzip
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

# Columns of pixels that a chart has, and rows that a table shows.
WIDTH, ROWS = 600, 100


def first_paint(port: int) -> float | None:
    """Return the kilobytes that have to be there before a browser paints, as gzip compresses them.

    These are the page, its scripts and styles, and the modules that the scripts import; what they
    fetch later is not counted. Nothing is returned where the pages are not built.
    """
    address = f"http://127.0.0.1:{port}/"
    with urllib.request.urlopen(address, timeout=30) as answer:
        page, address = answer.read(), answer.url
    tags = re.findall(r"<script[^>]+src=[^>]+>|<link[^>]+>", page.decode())
    loaded = [one for one in tags if re.search(r"<script|stylesheet|modulepreload", one)]
    waiting = [
        urllib.parse.urljoin(address, found[1])
        for one in loaded
        if (found := re.search(r"(?:src|href)=\"([^\"]+)", one))
    ]
    sizes: dict[str, int] = {}
    while waiting:
        one = waiting.pop()
        if one in sizes:
            continue
        with urllib.request.urlopen(one, timeout=30) as answer:
            body = answer.read()
        sizes[one] = len(gzip.compress(body))
        modules = re.findall(rb"\b(?:from|import) ?\"(\./[^\"]+\.js)\"", body)
        waiting += [urllib.parse.urljoin(one, name.decode()) for name in modules]
    return (len(gzip.compress(page)) + sum(sizes.values())) / 1000 if sizes else None


def table(port: int, experiment: str) -> None:
    """Ask for the newest runs of an experiment, as a table shows them at first."""
    ours = {"experiments": [experiment], "limit": ROWS}
    told = _post(port, "ui-api/runs", ours)
    if told is None:
        theirs = {"experiment_ids": [experiment], "max_results": ROWS,
                  "order_by": ["attributes.start_time DESC"]}  # fmt: skip
        told = _post(port, "ajax-api/2.0/mlflow/runs/search", theirs)
    _check(told)


def chart(port: int, run: str, key: str) -> None:
    """Ask for the points of a chart of one series."""
    told = _post(port, "ui-api/series", {"runs": [run], "keys": [key], "buckets": WIDTH})
    if told is None:
        query = urllib.parse.urlencode({"run_ids": run, "metric_key": key, "max_results": WIDTH})
        way = f"ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{way}", timeout=300) as answer:
            told = json.load(answer)
    _check(told)


def _post(port: int, path: str, body: dict[str, Any]) -> Any:
    """Return the answer, or nothing where the server has no such address."""
    message = urllib.request.Request(
        f"http://127.0.0.1:{port}/{path}", json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(message, timeout=300) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code not in {404, 405}:
            raise
        return None


def _check(told: Any) -> None:
    """Nobody is measured by an empty answer."""
    if len(str(told)) < 1000:
        msg = f"the server told too little: {told}"
        raise RuntimeError(msg)
