"""Strangers' host names, origins and tokens on every route of the tracking server."""

from __future__ import annotations

import zlib

import pytest

from mlflow.server.access import Tokens
from mlflow.server.guards import PROBED
from mlflow.server.options import ServerOptions
from mlflow.server.process import guards_of
from mlflow.server.routes import PUBLIC

from .server_requests import NOT_OFFERED, Asked, legal_requests
from .server_rig import make_rig, untouched

TOKEN = "a-token-that-nobody-can-guess-0123456789"
HOST = ("Host", "localhost:5000")
# W01, the figures of W02, and what a name could hide.
HOSTS = [
    "evil.com", "10.attacker.example", "192.168.evil.com:5000", "127.0.0.1:5000.evil.com",
    "172.16.evil.test", "localhost:x@evil.com", "fd00:evil.example", "localhost.evil.com",
    "2130706433", "0177.0.0.1", "127.1", "0x7f.0.0.1", "[::1", "[::1]x", "localhost:99999999",
    "127.0.0.1@evil.com", "localhost/evil", "localhost#evil", "localhost,evil.com", "a b", "",
    "[::ffff:8.8.8.8]", "[fe80::1%25eth0]", "localhost..", "xn--lcalhost-54a", "l\xf6calhost",
]  # fmt: skip
ALLOWED_HOSTS = ["localhost", "LOCALHOST:5000", "localhost.", "127.0.0.1:5000", "[::1]:5000",
                 "mlflow:5000", "mlflow"]  # fmt: skip
# W04
ORIGINS = [
    "https://evil", "null", "http://localhost:1234", "https://good.com.evil.com", "file://",
    "https://good.comedy", "https://good.com:9999", "http://good.com@evil", "https://good.com/x",
    "HTTPS://EVIL", "http://localhost:5000.evil", "", " ", "javascript:", "https://[::1", "*",
]  # fmt: skip
KINDS = ["application/json", "text/plain", "application/x-www-form-urlencoded",
         "multipart/form-data; boundary=x", None]  # fmt: skip
READS = ("GET", "HEAD", "OPTIONS")


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    options = ServerOptions(
        "memory:", allowed_hosts="mlflow", cors_allowed_origins="https://good.com", host="127.0.0.1"
    )
    made = make_rig("memory", tmp_path_factory.mktemp("w") / "m", guards=guards_of(options, None))
    yield made
    assert 200 == made.ask(Asked("GET", "/health")).status
    made.close()


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A server that asks for a token."""
    guards = guards_of(ServerOptions("memory:"), Tokens([TOKEN]))
    made = make_rig("memory", tmp_path_factory.mktemp("a") / "m", guards=guards)
    yield made
    untouched(made)
    made.close()


def counted(rig):
    """How many things of each kind there are; a write that got through changes it."""
    store = rig.store
    return [
        len(found)
        for found in (
            store.search_experiments(3), store.search_registered_models(), store.search_model_versions(),
            store.search_runs([rig.things["<experiment>"]], "", 3),
            store.search_logged_models([rig.things["<experiment>"]]),
        )
    ]  # fmt: skip


def refused(found, *codes):
    assert found.status in (codes or (403,)), found
    assert b"application/json" == found.headers[b"content-type"]
    assert b"access-control-allow-origin" not in found.headers


def some(values, route, count):
    """A few of the values, others for each route."""
    at = zlib.crc32(route.encode())
    return [values[(at + number) % len(values)] for number in range(count)]


def test_w01_names_of_strangers(rig):
    """Every route is closed but those of probes; every name is tried."""
    tried = set()
    before = counted(rig)
    for route, asked in legal_requests(rig.app.routes).items():
        if asked.path in PROBED:
            continue
        for host in some(HOSTS, route, 6):
            tried.add(host)
            refused(rig.ask(asked, ("Host", host)))
    assert set(HOSTS) == tried
    assert before == counted(rig)


def answers(route):
    """What a request of this route is answered that nothing stands in front of."""
    return {200, 404, *(code for part, code in NOT_OFFERED.items() if part in route)}


def test_w02_names_of_ours(rig):
    """They open every route, in all their spellings; none, or two, is a bad request."""
    for route, asked in legal_requests(rig.app.routes).items():
        for host in some(ALLOWED_HOSTS, route, 2):
            found = rig.ask(asked, ("Host", host))
            assert found.status in answers(route), (route, host, found)
        if asked.path not in PROBED:
            refused(rig.ask(asked), 400)
            refused(rig.ask(asked, HOST, HOST), 400)
            refused(rig.ask(asked, HOST, ("Host", "evil.com")), 400)
        rig.refresh()


def test_w03_names_that_others_pass_on(rig):
    """Nobody is believed who says which name was meant."""
    experiments = Asked("GET", "/api/2.0/mlflow/experiments/search", {"max_results": 1})
    for name, value in (
        ("X-Forwarded-Host", "localhost"), ("X-Forwarded-For", "127.0.0.1"), ("X-Host", "localhost"),
        ("X-Forwarded-Proto", "https"), ("Forwarded", "host=localhost;for=127.0.0.1"),
        ("X-Original-URL", "/health"), ("X-Rewrite-URL", "/health"), ("X-Forwarded-Server", "localhost"),
    ):  # fmt: skip
        refused(rig.ask(experiments, ("Host", "evil.com"), (name, value)))
        refused(rig.ask(experiments, HOST, ("Origin", "http://localhost"), (name, value)))


def test_w04_pages_of_strangers(rig):
    """They neither write nor read, whatever they say that they send."""
    before = counted(rig)
    for route, asked in legal_requests(rig.app.routes).items():
        for origin in some(ORIGINS, route, 5):
            for kind in KINDS if asked.method not in READS else KINDS[:1]:
                refused(rig.ask(asked._replace(kind=kind), HOST, ("Origin", origin)))
        refused(rig.ask(asked, HOST, ("Origin", ORIGINS[0]), ("Origin", "https://good.com")), 400)
    assert before == counted(rig)


def test_w04_pages_of_ours(rig):
    """Our own, and those that were allowed, who are told so."""
    for route, asked in legal_requests(rig.app.routes).items():
        ours = rig.ask(asked, HOST, ("Origin", "http://localhost:5000"))
        assert ours.status in answers(route), route
        rig.refresh()
        theirs = rig.ask(asked, HOST, ("Origin", "https://good.com"))
        assert theirs.status in answers(route), route
        assert b"https://good.com" == theirs.headers[b"access-control-allow-origin"]
        assert b"access-control-allow-credentials" not in theirs.headers
        rig.refresh()


def test_w04_bodies_that_forms_can_send(rig):
    """A page without an origin header (an old browser's) gets no body past its type."""
    for route, asked in legal_requests(rig.app.routes).items():
        if asked.method in ("POST", "PUT") and asked.fields is not None and "mpu" not in route:
            for kind in KINDS[1:]:
                refused(rig.ask(asked._replace(kind=kind), HOST), 400)


def test_w05_and_w06_asked_beforehand(rig):
    """No pre-flight of a stranger is granted; nor a request that a browser says is of another site."""
    for route, asked in legal_requests(rig.app.routes).items():
        before = asked._replace(
            method="OPTIONS", fields=None, body=b"", path="/" if "<" in asked.path else asked.path
        )
        wanted = (("Access-Control-Request-Method", asked.method),
                  ("Access-Control-Request-Headers", "x-custom"))  # fmt: skip
        refused(rig.ask(before, HOST, ("Origin", some(ORIGINS, route, 1)[0]), *wanted))
        for site, mode in (
            ("cross-site", "no-cors"),
            ("same-site", "cors"),
            ("cross-site", "websocket"),
        ):
            refused(rig.ask(asked, HOST, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode)))


def test_w11_what_is_said_is_not_repeated_as_a_page(rig):
    """Types, paths and headers of a request come back in JSON, if at all."""
    script = "<script>alert(1)</script>"
    for route, asked in legal_requests(rig.app.routes).items():
        found = rig.ask(
            asked._replace(kind=script), HOST, ("User-Agent", script), ("Referer", script)
        )
        assert b"<script>alert(1)" not in b"".join(found.headers.values()), route
        kind = found.headers[b"content-type"]
        assert b"<script>alert(1)" not in found.body or kind == b"application/json", route
    for path in (f"/{script}", f"/api/2.0/mlflow/{script}", "/%3Cscript%3Ealert(1)%3C/script%3E"):
        found = rig.ask(Asked("GET", path), HOST)
        assert (404, b"application/json") == (found.status, found.headers[b"content-type"])
    rig.refresh()


def test_w16_frames(rig):
    """Every answer says what may frame and load it."""
    for route, asked in legal_requests(rig.app.routes).items():
        found = rig.ask(asked, HOST)
        policy = found.headers[b"content-security-policy"]
        assert b"frame-ancestors" in policy or b"sandbox" in policy, route
        assert b"nosniff" == found.headers[b"x-content-type-options"]
        rig.refresh()


# --- who may ask ---------------------------------------------------------------------------------

SPELLINGS = [
    "/{}",
    "{}/",
    "{};x",
    "{}%20",
    "/.{}",
    "/x/..{}",
    "{}?x=/health",
    "{}%00",
    "{}/.",
    "\\{}",
]


def _bearer(token):
    return ("Authorization", f"Bearer {token}")


def test_a01_no_route_is_open_by_itself(closed):
    """Without a token, or with a bad one, every route with a permission is shut, by any method."""
    public = {path for _, path, one in closed.app.routes.all() if one.permission is PUBLIC}
    before = counted(closed)
    for route, asked in legal_requests(closed.app.routes).items():
        if asked.path in public:
            continue
        refused(closed.ask(asked, HOST), 401)
        refused(closed.ask(asked, HOST, _bearer("x" * 40)), 401)
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
            refused(closed.ask(asked._replace(method=method), HOST), 401)
        assert closed.ask(asked, HOST, _bearer(TOKEN)).status in answers(route), route
        closed.refresh()
    assert len(before) == len(counted(closed))


def test_a02_other_spellings(closed):
    """Of a path lead nowhere without a token."""
    for route, asked in legal_requests(closed.app.routes).items():
        if asked.path in PROBED or "{" in route:
            continue
        for spelling in SPELLINGS:
            found = closed.ask(asked._replace(path=spelling.format(asked.path)), HOST)
            assert found.status in (401, 404), (spelling, asked.path, found)


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", "Basic", "Basic !!!", "Basic " + "A" * 1_000_000, "basic \xff", "Digest x",
     f"Bearer {TOKEN} x", f"Bearer {TOKEN.upper()}", f"bearer{TOKEN}", "Basic YTpwYXNzd29yZDEyMzQ=",
     "Basic YWRtaW46YWRtaW4=", "Basic Og==", f"Token {TOKEN}"],
)  # fmt: skip
def test_a04_to_a06_tokens_that_are_none(closed, given):
    """Default ones, broken ones, ones in other places."""
    asked = Asked("GET", "/api/2.0/mlflow/experiments/search", {"max_results": 1})
    refused(closed.ask(asked, HOST, ("Authorization", given)), 400, 401)
    for query in ({"token": TOKEN}, {"access_token": TOKEN}):
        refused(closed.ask(asked._replace(query={**asked.query, **query}), HOST), 401)
    refused(closed.ask(asked, HOST, ("Cookie", f"millstream={TOKEN}; session={given[:50]}")), 401)
    refused(closed.ask(asked, HOST, _bearer(TOKEN), _bearer("other")), 400)
