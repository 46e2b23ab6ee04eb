"""Hostile paths, ids, names, queries and bodies on every route of the tracking server.

Every backend answers alike, nothing but the server's own folders is touched, and no answer tells
what it should not. The whole product of routes, places and values is long: by default a sample of
it is fired at two backends, in the full run a larger one at all five, and all of it when
MILLSTREAM_HOSTILE=all says so.
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path

import pytest

from mlflow.server.dispatch import Operation
from mlflow.server.ui.pages import BUNDLE

from .server_requests import (
    BODY,
    DEEP,
    FILTERS,
    JUNK,
    NOT_OFFERED,
    ODD,
    PATH,
    QUERY,
    SPECIAL,
    WINDOWS,
    Asked,
    hostile_requests,
    legal_requests,
    slots,
    traversals,
)
from .server_rig import BACKENDS, CANARY, make_rig, same, untouched

# Read here: tests themselves run without the user's settings.
ALL = os.environ.get("MILLSTREAM_HOSTILE") == "all"
PATHS = {"path", "artifact_directory_path", "artifact_file_path"}
#: Rows of the list of hostile inputs, by the names of fields that they are about.
ROWS = {
    "T09-T13 sources": {"source"},
    "T14-T15 locations": {"artifact_location"},
    "T17 ids": {"run_id", "run_uuid", "run_ids", "runs", "source_run_id", "model_id"},
    "T18 numbers of experiments": {"experiment_id", "experiment_ids", "experiments"},
    "T19 names": {"name", "new_name", "experiment_name"},
    "T20 versions": {"alias", "stage", "stages", "version"},
    "T21 keys": {"by", "columns", "key", "keys", "metric_key", "tag_key"},
    "D01-D03 searches": {"filter", "order_by", "where"},
    "D04-D05 pages": {"buckets", "limit", "max_results", "offset", "page_token"},
}
NAMED = frozenset().union(*ROWS.values(), PATHS)
CODES = {400, 403, 404}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((("files", "sqlite"), 40), id="sample"),
        pytest.param((BACKENDS, 160), id="all-stores", marks=pytest.mark.hostile_full),
    ],
)
def fired(request, tmp_path_factory, servers):
    """The servers, and which share of the requests they are sent."""
    kinds, share = request.param
    base = tmp_path_factory.mktemp("servers")
    rigs = [make_rig(kind, base / kind, servers) for kind in kinds]
    yield rigs, 1 if ALL else share
    for rig in rigs:
        untouched(rig)
        rig.close()


@pytest.fixture
def rigs(fired):
    return fired[0]


@pytest.fixture
def oracle(oracle, rigs):
    """The audit hook; where a database is another server's, being connected to it is no finding."""
    if any(rig.kind in ("postgresql", "mysql") for rig in rigs):
        oracle.allowed = ("socket.connect", "socket.getaddrinfo")
    return oracle


@pytest.fixture
def legal(rigs):
    return legal_requests(rigs[0].app.routes)


def sample(requests, share):
    """Return every so many-th of a list, chosen by what the requests are."""
    return [one for one in requests if zlib.crc32(repr(one).encode()) % share == 0]


def fire(rigs, asked):
    found = same(rigs, asked)
    changing = ("delete", "rename", "restore", "logged-models")
    is_write = asked.method != "GET" and any(word in asked.path for word in changing)
    if found.status == 200 and is_write:
        _refresh(rigs)
    return found


def _refresh(rigs):
    for rig in rigs:
        rig.refresh()


# --- what is asked of a server by those who may ask it -------------------------------------------


def test_every_route_has_a_request(rigs, legal):
    """That is answered: the suite fires past no door that is shut for another reason."""
    missing = {"DELETE mlflow/logged-models/{model_id}/tags/{tag_key}", "GET /static/{name}",
               "POST mlflow/experiments/delete-experiment-tag", "POST mlflow/runs/delete-tag"}  # fmt: skip
    if not list(Path(BUNDLE).glob("caller-*.js")):
        missing.add("GET /ui-api/caller")  # the pages are not built
    for route, asked in legal.items():
        found = fire(rigs, asked)
        expected = next((NOT_OFFERED[one] for one in NOT_OFFERED if one in route), 200)
        assert (404 if route in missing else expected) == found.status, (route, found)
    handlers = [endpoint.handler for _, _, endpoint in rigs[0].app.routes.all()]
    assert len(SPECIAL) == len(legal) - len(
        {(one._op.name, repr(one._route)) for one in handlers if isinstance(one, Operation)}
    )


@pytest.mark.parametrize("name", ODD)
def test_t07_odd_but_legal_names(rigs, name):
    """They are kept, read back byte by byte, listed, and of no other file."""
    path = f"<home>/{name}"
    proxy = "/api/2.0/mlflow-artifacts/artifacts/<=path>"
    assert 200 == fire(rigs, Asked("PUT", proxy, {"path": path}, body=name.encode())).status
    assert name.encode() == fire(rigs, Asked("GET", proxy, {"path": path})).body
    query = {"run_id": "<run>", "path": name}
    assert name.encode() == fire(rigs, Asked("GET", "/get-artifact", query)).body
    listed = fire(rigs, Asked("GET", "/api/2.0/mlflow/artifacts/list", {"run_id": "<run>"}))
    names = [one["path"] for one in json.loads(listed.body)["files"]]
    assert name.split("/")[0] in names


# --- what nobody should ask ----------------------------------------------------------------------


def test_t01_to_t07_paths(fired, legal, oracle):
    """Dots × separators × prefixes × depths, on every route that takes a path."""
    rigs, share = fired
    shots = [
        (route, slot, value)
        for route, asked in legal.items()
        for slot in slots(asked)
        if slot.name in PATHS
        for value in [*traversals(), *WINDOWS]
    ]
    assert 10 < len({route for route, _, _ in shots})
    for route, slot, value in sample(shots, share):
        asked = slot.put(legal[route], value)
        found = fire(rigs, asked)
        assert found.status in CODES | {200, 501}, (route, value, found)
        if found.status == 200:
            # A look at a name that is not there, or one that is in its place in another spelling.
            assert CANARY not in found.body
            assert ".." not in value or "%" in value or value == "", (route, value)


@pytest.mark.parametrize("row", ROWS)
def test_hostile_values(fired, legal, oracle, row):
    """Of each kind, wherever a request has a field of that kind."""
    rigs, share = fired
    shots = [
        (route, shot)
        for route, asked in legal.items()
        for shot in hostile_requests(asked, ROWS[row])
    ]
    assert len(shots) > 20
    # A row with few of them has at least a few fired.
    chosen = sample(shots, min(share, max(1, len(shots) // 25)))
    assert chosen
    for route, (slot, value, asked) in chosen:
        found = fire(rigs, asked)
        assert found.status in CODES | {200, 501}, (route, slot, value, found)
        if row.startswith(("T17", "T18")) and value in (
            "..",
            ".",
            "../<run>",
            "<run>/../x",
            "../0",
        ):
            assert found.status in CODES or _is_listing(route, slot), (route, slot, value, found)


def _is_listing(route, slot):
    # Of unknown ids there is nothing to list; and a version's run may be another server's.
    listing = ("search", "history-bulk", "ui-api", "presigned", "mpu")
    return any(word in route for word in listing) or (
        slot.name in ("run_id", "model_id") and route == "POST mlflow/model-versions/create"
    ) or (slot.steps[0] in ("metrics", "models", "outputs"))  # fmt: skip


def test_values_of_other_kinds(fired, legal, oracle):
    """Null, lists, objects, truths, endless numbers: in every place of every request."""
    rigs, share = fired
    shots = [
        (route, slot, value)
        for route, asked in legal.items()
        for slot in slots(asked)
        for value in JUNK
    ]
    for route, slot, value in sample(shots, share // 2 or 1):
        fire(rigs, slot.put(legal[route], value))


def test_d14_texts(fired, legal, oracle):
    """Whatever is written into texts is data."""
    rigs, share = fired
    shots = [
        (route, shot)
        for route, asked in legal.items()
        for shot in hostile_requests(asked)
        if shot[0].name not in NAMED
    ]
    for _, (_, _, asked) in sample(shots, share // 2 or 1):
        fire(rigs, asked)


BODIES = {
    "deep": DEEP, "deep objects": b'{"a":' * 50_000, "not json": b"{", "array": b"[]", "null in": b"{}x",
    "number": b"1", "text": b'"x"', "bom": b"\xef\xbb\xbf{}", "utf-16": '{"a":1}'.encode("utf-16"),
    "not utf-8": b'{"a":"\xff"}', "huge integer": b'{"max_results":' + b"9" * 5000 + b"}",
    "twice": b'{"run_id":"a","run_id":"b","name":"a","name":"b","experiment_id":"1","experiment_id":"0"}',
    "twice, escaped": b'{"name":"a","n\\u0061me":"b","run_id":"a","run\\u005fid":"b"}',
    "half a pair": b'{"name":"\\ud800","run_id":"\\udfff"}', "many keys": b"{%s}" % b",".join(
        b'"k%d":1' % number for number in range(20_000)
    ),
}  # fmt: skip
REFUSED = {"deep", "deep objects", "not json", "array", "null in", "number", "text", "bom", "utf-16",
           "not utf-8", "twice", "twice, escaped", "half a pair"}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_d06_bodies(fired, legal, oracle, body):
    """What is no JSON object, or says two things at once, is refused by every route that reads it."""
    rigs, share = fired
    reads = [one for one in legal.values() if one.fields is not None and "mpu" not in one.path]
    assert len(reads) > 40
    for number, asked in enumerate(reads):
        if share > 1 and number % 8 != zlib.crc32(body.encode()) % 8:
            continue
        named = {name: value for name, value in asked.fields.items() if f"<={name}>" in asked.path}
        found = fire(rigs, asked._replace(fields=None, body=BODIES[body], query=named))
        if body in REFUSED and not (body.startswith("twice") and "ui-api" in asked.path):
            assert 400 == found.status, (asked.path, found)


GRAPHQL = {
    "aliases": "{" + " ".join(f"a{n}: runs {{ id }}" for n in range(1000)) + "}",
    "deep": "{a" * 100 + "}" * 100,
    "circle": "{...a} fragment a on Query {...b} fragment b on Query {...a}",
    "introspection": "{__schema {types {name fields {name}}}}",
    "directives": "{a " + "@include(if: true) " * 10_000 + "}",
}


@pytest.mark.parametrize("query", GRAPHQL)
def test_d09_graphql(rigs, oracle, query):
    """There is none: nothing is parsed, be it one query or a thousand."""
    for path in ("/graphql", "/ajax-api/2.0/mlflow/graphql", "/api/2.0/mlflow/graphql"):
        batch = [{"query": GRAPHQL[query]}] * (1000 if query == "circle" else 2)
        for fields in ({"query": GRAPHQL[query]}, batch):
            found = same(rigs, Asked("POST", path, fields=fields))
            assert found.status in (404, 501), (path, found)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_d07_compressed_bodies(rigs, legal, encoding):
    """No body is unpacked."""
    for asked in legal.values():
        if asked.method in ("POST", "PUT", "PATCH") and "mpu" not in asked.path:
            found = same(rigs[:1], asked, ("Content-Encoding", encoding))
            assert 415 == found.status, asked


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "_method"]
)
def test_d08_overridden_methods(rigs, name):
    """A header makes no other method of one."""
    asked = Asked("GET", "/api/2.0/mlflow-artifacts/artifacts/<=path>", {"path": "<home>/a/b"})

    assert b"inside" == same(rigs, asked, (name, "DELETE")).body
    assert b"inside" == same(rigs, asked).body


def test_t12_tags_switch_no_check_off(rigs):
    """Whatever tags a version comes with, its source is looked at."""
    for key in ("mlflow.prompt.is_prompt", "mlflow.prompt.text", "mlflow.source.type", "is_prompt"):
        fields = {"name": "<model>", "source": "/etc", "tags": [{"key": key, "value": "true"}]}
        asked = Asked("POST", "/api/2.0/mlflow/model-versions/create", fields=fields)
        assert 400 == fire(rigs, asked).status


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "sftp", "s3", "dbfs", "hdfs", "gs"])
def test_t10_and_n01_sources_are_not_fetched(rigs, oracle, scheme):
    """Nothing connects: not when it is registered, not when its files are asked for."""
    for host in ("169.254.169.254", "[::1]:1"):
        fields = {"name": "<model>", "source": f"{scheme}://{host}/latest/meta-data"}
        create = Asked("POST", "/api/2.0/mlflow/model-versions/create", fields=fields)
        made = fire(rigs, create)
        assert made.status in (200, 400)
        for version in ("2", "3"):
            query = {"name": "<model>", "version": version, "path": "a"}
            found = fire(rigs, Asked("GET", "/model-versions/get-artifact", query))
            assert found.status in CODES
    for rig in rigs:
        rig.refresh()


def test_t13_versions_that_lead_to_each_other(rigs):
    """Around in a circle, and down a long way."""
    create = "/api/2.0/mlflow/model-versions/create"
    for source in ("models:/<model>/3", "models:/<model>/2", "models:/<model>/3"):
        fire(rigs, Asked("POST", create, fields={"name": "<model>", "source": source}))
    for version in ("2", "3", "4"):
        query = {"name": "<model>", "version": version, "path": "MLmodel"}
        assert fire(rigs, Asked("GET", "/model-versions/get-artifact", query)).status in CODES
    for rig in rigs:
        rig.refresh()


def test_t05_and_t08_things_that_are_no_files(rigs, oracle):
    """Links in all places, pipes and sockets: not there, for every route that reads."""
    for rig in rigs:
        home = rig.folder / "kept" / rig.things["<home>"]
        outside = rig.folder / "outside"
        for name, where in (("to-file", outside / "canary"), ("to-folder", outside),
                            ("dangling", outside / "no"), ("up", "../../../../outside")):  # fmt: skip
            if not os.path.lexists(home / name):
                os.symlink(where, home / name)
        if not os.path.lexists(home / "pipe"):
            os.mkfifo(home / "pipe")
    for path in ("to-file", "to-folder/canary", "dangling", "up/canary", "pipe", "to-folder", ""):
        for asked in (
            Asked("GET", "/get-artifact", {"run_id": "<run>", "path": path}),
            Asked("GET", "/api/2.0/mlflow-artifacts/artifacts/<=path>", {"path": f"<home>/{path}"}),
            Asked("GET", "/ui-api/page", {"run_id": "<run>", "path": f"{path}.html"}),
        ):
            found = fire(rigs, asked)
            assert found.status in CODES, (path, asked, found)
    put = Asked("PUT", "/api/2.0/mlflow-artifacts/artifacts/<=path>", {"path": "<home>/up/new"})
    assert 400 == fire(rigs, put).status


RANGES = {"bytes=0-": 206, "bytes=-1": 206, "bytes=5-2": 416, "bytes=9999999999999-": 416,
          "bytes=0-0,2-3": 200, "bytes=" + "0-1," * 1000 + "0-1": 200, "lines=0-1": 200,
          "bytes=-": 200, "bytes=a-b": 200, "bytes=0-99999999999999999999": 200}  # fmt: skip


@pytest.mark.parametrize("given", RANGES)
def test_t23_ranges(rigs, given):
    """One range at most; never more than there is."""
    asked = Asked("GET", "/get-artifact", {"run_id": "<run>", "path": "model/MLmodel"})
    found = same(rigs, asked, ("Range", given))

    assert RANGES[given] == found.status
    assert len(found.body) <= len(b"flavors: {}")


def test_searches_are_answered(rigs):
    """Those that can be read are; the tables are still there."""
    for where in FILTERS[:: 1 if len(rigs) < len(BACKENDS) or ALL else 3]:
        for path in ("runs/search", "logged-models/search"):
            fields = {"experiment_ids": ["<experiment>"], "filter": where}
            found = fire(rigs, Asked("POST", f"/api/2.0/mlflow/{path}", fields=fields))
            assert found.status in (200, 400)
    fields = {"experiment_ids": ["<experiment>"]}
    found = fire(rigs, Asked("POST", "/api/2.0/mlflow/runs/search", fields=fields))
    assert 1 == len(json.loads(found.body)["runs"])


def test_places_are_places():
    """The words for places of fields are those that requests are made of."""
    assert {QUERY, BODY, PATH} == {where for where, _ in SPECIAL.values()}
