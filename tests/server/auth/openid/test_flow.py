"""What a browser keeps of a sign-in, and what is derived from it."""

from __future__ import annotations

import hashlib

import pytest

from mlflow.server.auth.openid.flow import LIFETIME, Flow, safe_place

from .lying import b64

NOW = 1_700_000_000.5


def test_what_is_kept_is_read_again():
    flow = Flow.begin(NOW, "/x?a=%20#b")
    assert flow == Flow.read(flow.kept, NOW + 5)
    assert flow == Flow.read(flow.kept, NOW - 30)  # another server's clock
    assert flow.fits(flow.state)
    assert b64(hashlib.sha256(flow.verifier.encode()).digest()) == flow.challenge
    shown = {flow.state, flow.nonce, flow.verifier, flow.challenge, flow.secret}
    assert 5 == len(shown)
    assert {43} == {len(one) for one in shown}
    assert Flow.begin(NOW, "/").state != Flow.begin(NOW, "/").state


def test_it_ends():
    flow = Flow.begin(NOW, "/")
    assert Flow.read(flow.kept, NOW + LIFETIME + 1) is None
    assert Flow.read(flow.kept, NOW - LIFETIME - 1) is None


def test_a_part_that_was_changed_does_not_fit():
    flow = Flow.begin(NOW, "/")
    for changed in (flow._replace(place="/x"), flow._replace(started=flow.started + 1),
                    flow._replace(secret="x" * 43)):  # fmt: skip
        again = Flow.read(changed.kept, NOW)
        assert not again.fits(flow.state)


@pytest.mark.parametrize(
    "kept", ["", ".", "..", "x.1.", "é", "x" * 43, f"{'x' * 43}.1700000000.é", f"{'x' * 43}.1700000000.====",
             f"{'x' * 43}.1700000000.w6k=", f"{'x' * 43}.{'9' * 5000}.", f"{'x' * 43}.-5.", f"{'é' * 43}.1700000000."]
)  # fmt: skip
def test_what_is_none(kept):
    found = Flow.read(kept, NOW)
    assert found is None or found.place == ""


@pytest.mark.parametrize("state", ["", "x", "é" * 43, "\ud800"])
def test_states_that_do_not_fit(state):
    assert not Flow.begin(NOW, "/").fits(state)


@pytest.mark.parametrize(
    ("place", "prefix", "expected"),
    [("/", "", "/"), ("/x?next=//evil", "", "/x?next=//evil"), ("//evil", "", "/"), ("/\\evil", "", "/"),
     ("/a/x", "/a", "/a/x"), ("/b/x", "/a", "/a/"), ("/a", "/a", "/a/"), ("/ax", "/a", "/a/"), ("//a/", "/a", "/a/"),
     *((one, "", "/") for one in ("\\\\evil", "https://evil.example/", "///evil", "evil", "/\tevil", "/x\r\nY: z",
                                  "javascript:alert(1)", "/é", "/" + "x" * 2000, "")),
     ("https://evil", "/a", "/a/"), ("/%09/evil", "", "/%09/evil")],
)  # fmt: skip
def test_places(place, prefix, expected):
    assert expected == safe_place(place, prefix)
