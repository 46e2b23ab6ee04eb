"""Guards refuse strangers' names and pages, and let through what users do."""

from __future__ import annotations

from functools import partial

import pytest

from mlflow.exceptions import MlflowException
from mlflow.server.guards import HostGuard, OriginGuard, PageHeaders
from mlflow.web.hosts import AllowedHosts

from .asking import Client

HOST = ("Host", "localhost:5000")
SAME = ("Origin", "http://localhost:5000")
EVIL = [
    "https://evil.example", "null", "http://localhost:1234", "http://localhost",
    "https://good.example.evil.example", "https://good.exampleedy", "https://good.example:9999",
    "http://localhost:5000@evil.example", "http://localhost:5000/", "",
]  # fmt: skip
KINDS = ["application/json", "text/plain", "application/x-www-form-urlencoded",
         "multipart/form-data; boundary=x"]  # fmt: skip


def hosts(client_options=(), prefix=""):
    allowed = AllowedHosts("127.0.0.1", client_options)
    return partial(HostGuard, hosts=allowed, prefix=prefix)


@pytest.fixture
def guarded():
    origins = partial(OriginGuard, origins=["https://good.example"])
    with Client(guards=[PageHeaders, hosts(), origins]) as client:
        yield client


def names(client):
    return {one.name for one in client.store.search_experiments()}


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.1", "a b"])
def test_another_name(guarded, host):
    """Every route but those of probes is closed, whatever the method."""
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        answer = guarded.ask(method, "experiments/search", {}, headers=[("Host", host)])
        assert (403, "PERMISSION_DENIED") == (answer.status, answer.code)
        assert "--allowed-hosts" in answer.json["message"]


def test_a_host_that_is_missing_or_given_twice(guarded):
    """Is a bad request: two readers could see two servers."""
    assert 400 == guarded.get("experiments/search").status
    assert 400 == guarded.ask("GET", "/", headers=[HOST, HOST]).status


@pytest.mark.parametrize("path", ["/health", "/version", "/ml/health", "/ml/version"])
def test_probes_ask_under_any_name(path):
    """They know the address of a pod, and nothing else."""
    from mlflow.server.app import Settings

    with Client(settings=Settings(prefix="/ml"), guards=[hosts(prefix="/ml")]) as client:
        assert 200 == client.ask("GET", path, headers=[("Host", "10.0.0.1:5000")]).status
        assert 200 == client.ask("GET", path).status


@pytest.mark.parametrize("path", ["//health", "/health/", "/HEALTH", "/%68ealth", "/health;x"])
def test_other_spellings_are_not_exempt(guarded, path):
    assert 403 == guarded.ask("GET", path, headers=[("Host", "evil.example")]).status


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("origin", EVIL)
def test_pages_of_other_sites_write_nothing(guarded, origin, kind):
    """Whatever a page can make a browser send, with or without asking first."""
    for method, path in (("POST", "experiments/create"), ("DELETE", "experiments/delete")):
        answer = guarded.ask(
            method, path, {"name": "theirs"}, headers=[HOST, ("Origin", origin)], kind=kind
        )
        assert (403, "PERMISSION_DENIED") == (answer.status, answer.code)
        assert "access-control-allow-origin" not in answer.headers

    assert {"Default"} == names(guarded)


@pytest.mark.parametrize("origin", EVIL)
def test_pages_of_other_sites_read_nothing(guarded, origin):
    given = [HOST, ("Origin", origin)]
    assert 403 == guarded.ask("GET", "experiments/search", headers=given).status


def test_pages_of_other_sites_are_told_no_beforehand(guarded):
    asked = [HOST, ("Origin", EVIL[0]), ("Access-Control-Request-Method", "POST")]
    answer = guarded.ask("OPTIONS", "experiments/create", headers=asked)

    assert 403 == answer.status
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("mode", ["no-cors", "cors", "websocket", "navigate"])
def test_requests_of_other_sites_without_an_origin(guarded, site, mode):
    """Scripts, images, frames and forms; only a link that was followed is let in."""
    told = [HOST, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode)]
    for destination in ("script", "image", "iframe", "object"):
        given = [*told, ("Sec-Fetch-Dest", destination)]
        assert 403 == guarded.ask("GET", "/", headers=given).status
        assert 403 == guarded.ask("POST", "experiments/create", {"name": "x"}, headers=given).status
    followed = guarded.ask("GET", "/", headers=[*told, ("Sec-Fetch-Dest", "document")])

    assert (200 if mode == "navigate" else 403) == followed.status
    assert {"Default"} == names(guarded)


def test_what_users_do(guarded):
    """Programs send no origin, our own pages send ours, and allowed pages are told so."""
    for given in ([HOST], [HOST, SAME, ("Sec-Fetch-Site", "same-origin")]):
        answer = guarded.ask("GET", "experiments/get", query={"experiment_id": 0}, headers=given)
        assert 200 == answer.status
        assert "access-control-allow-origin" not in answer.headers

    good = [HOST, ("Origin", "https://good.example"), ("Sec-Fetch-Site", "cross-site")]
    answer = guarded.ask("POST", "experiments/create", {"name": "ours"}, headers=good)
    assert (200, "https://good.example") == (
        answer.status, answer.headers["access-control-allow-origin"]
    )  # fmt: skip
    assert "access-control-allow-credentials" not in answer.headers

    asked = [*good, ("Access-Control-Request-Method", "POST")]
    answer = guarded.ask("OPTIONS", "experiments/create", headers=asked)
    assert (204, "Origin") == (answer.status, answer.headers["vary"])


def test_forwarded_names_are_not_believed(guarded):
    for name in ("X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"):
        given = [("Host", "evil.example"), (name, "localhost:5000")]
        assert 403 == guarded.ask("GET", "/", headers=given).status


def test_pages_load_their_own_only(guarded):
    """Refusals too: what is in an address may come back in an answer."""
    for given in ([HOST], [("Host", "evil.example")]):
        answer = guarded.ask("GET", "/", headers=given)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'self'" in policy
        assert "SAMEORIGIN" == answer.headers["x-frame-options"]


@pytest.mark.parametrize(
    ("word", "ancestors"), [("DENY", "frame-ancestors 'none'"), ("none", None)]
)
def test_which_pages_may_frame(word, ancestors):
    with Client(guards=[partial(PageHeaders, framing=word)]) as client:
        answer = client.get("/")

    policy = answer.headers["content-security-policy"]
    assert (ancestors in policy) if ancestors else ("frame-ancestors" not in policy)
    assert answer.headers.get("x-frame-options") == ("DENY" if ancestors else None)


def test_an_unknown_word_for_framing():
    with pytest.raises(MlflowException, match="SAMEORIGIN, DENY or NONE, not 'ALLOWALL'"):
        PageHeaders(None, "ALLOWALL")
