"""Addresses in every place of every request: a tracking server asks nobody.

What could be done to a server by what it fetches (redirects, names that change their meaning,
endless answers, credentials that travel) needs a first connection; there is none.
"""

from __future__ import annotations

import pytest

from .server_requests import Asked, legal_requests, slots
from .server_rig import make_rig, same, untouched

HOSTS = [
    "127.0.0.1", "127.1", "0", "0x7f.1", "2130706433", "0177.1", "[::]", "[::1]", "localhost.",
    "①②⑦.0.0.1", "169.254.169.254", "metadata.google.internal", "100.100.100.200",
    "[64:ff9b::169.254.169.254]", "[::ffff:100.64.0.1]", "[::ffff:127.0.0.1]", "[2002:7f00:1::]",
    "[fe80::1%25eth0]", "[fc00::1]", "100.64.0.1", "198.18.0.1", "192.0.0.192",
]  # fmt: skip
ADDRESSES = [
    *(f"http://{host}/latest" for host in HOSTS),
    "http://u:p@127.0.0.1/x", "http://good.example#@127.0.0.1", "http://good.example\\@127.0.0.1",
    "http://127.0.0.1%2f@good.example", "http://127.0.0.1/\r\nX: y", "https://127.0.0.1/x",
    "s3://127.0.0.1/x", "ftp://127.0.0.1/x", "mlflow-artifacts://127.0.0.1:1/x", "gopher://127.0.0.1/x",
]  # fmt: skip


@pytest.fixture(scope="module")
def rigs(tmp_path_factory, servers):
    base = tmp_path_factory.mktemp("addresses")
    made = [make_rig(kind, base / kind, servers) for kind in ("files", "sqlite")]
    yield made
    for rig in made:
        untouched(rig)
        rig.close()


@pytest.mark.parametrize("address", ADDRESSES)
def test_n01_to_n08_nobody_is_asked(rigs, oracle, address):
    """The audit hook sees every connection and every look-up of a name."""
    for asked in legal_requests(rigs[0].app.routes).values():
        for slot in slots(asked):
            if slot.name not in ("path", "order_by", "filter"):
                same(rigs, slot.put(asked, address))
    for rig in rigs:
        rig.refresh()


@pytest.mark.parametrize("address", ADDRESSES)
def test_n01_to_n08_not_later_either(rigs, oracle, address):
    """Not when what was kept with such an address is looked at, listed, downloaded and ended."""
    api = "/api/2.0/mlflow"
    fields = {"name": "<new>", "artifact_location": address}
    made = same(rigs[:1], Asked("POST", f"{api}/experiments/create", fields=fields))
    fields = {"name": "<model>", "source": address, "run_link": address}
    same(rigs, Asked("POST", f"{api}/model-versions/create", fields=fields))
    dataset = {"name": "d", "digest": "x", "source_type": "http", "source": address}
    fields = {"run_id": "<run>", "datasets": [{"dataset": dataset, "tags": []}]}
    same(rigs, Asked("POST", f"{api}/runs/log-inputs", fields=fields))
    for version in ("1", "2", "3"):
        query = {"name": "<model>", "version": version, "path": "MLmodel"}
        same(rigs, Asked("GET", "/model-versions/get-artifact", query))
        query = {"name": "<model>", "version": version}
        same(rigs, Asked("GET", f"{api}/model-versions/get-download-uri", query))
    same(rigs, Asked("GET", f"{api}/runs/get", {"run_id": "<run>"}))
    same(rigs, Asked("POST", "/ui-api/compare", fields={"runs": ["<run>"]}))
    for rig in rigs:
        rig.refresh()
    assert made.status in (200, 400)
