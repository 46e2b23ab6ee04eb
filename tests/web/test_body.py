"""Bodies are read within their bounds, and what was held is given back."""

from __future__ import annotations

import asyncio

import pytest

from mlflow.web.body import Bodies, BodyError, ClientGoneError


def read(bodies, *chunks, headers=None, gone=False):
    """Read a body that comes in these chunks."""
    messages = [{"type": "http.request", "body": one, "more_body": True} for one in chunks]
    if messages and not gone:
        messages[-1]["more_body"] = False
    if gone:
        messages.append({"type": "http.disconnect"})

    async def receive():
        if not messages:
            await asyncio.sleep(60)
        return messages.pop(0)

    return asyncio.run(bodies.read(headers or {}, receive))


def test_a_body_in_one_piece_or_several():
    """The pieces are put together."""
    bodies = Bodies(10, 5)

    assert b"abc" == read(bodies, b"abc")
    assert b"abcdef" == read(bodies, b"abc", b"", b"def")
    assert 0 == bodies.held


@pytest.mark.parametrize(
    ("chunks", "headers"),
    [((b"x" * 11,), {}), ((b"x" * 6, b"x" * 6), {}), ((b"",), {b"content-length": b"11"}),
     ((b"",), {b"content-length": b"-1"}), ((b"",), {b"content-length": b"9" * 50})],
)  # fmt: skip
def test_a_body_that_is_too_long_ends_the_connection(chunks, headers):
    """Whether it says so or not."""
    bodies = Bodies(10, 5)
    with pytest.raises(BodyError) as caught:
        read(bodies, *chunks, headers=headers)

    assert (413, True) == (caught.value.status, caught.value.closing)
    assert 0 == bodies.held


def test_a_body_that_does_not_come_ends_the_connection():
    """A slow sender does not hold the server."""
    bodies = Bodies(10, 0.01)
    with pytest.raises(BodyError) as caught:
        read(bodies)

    assert (408, True) == (caught.value.status, caught.value.closing)


def test_a_client_that_leaves():
    """A body that stops is no body."""
    bodies = Bodies(10, 5)
    with pytest.raises(ClientGoneError):
        read(bodies, b"abc", gone=True)

    assert 0 == bodies.held


def test_what_all_bodies_hold_is_bounded():
    """More than a few of the largest are not held at one time."""
    bodies = Bodies(10, 5)
    bodies.held = 35
    with pytest.raises(BodyError) as caught:
        read(bodies, b"abc", b"def")

    assert (503, False) == (caught.value.status, caught.value.closing)
    assert 35 == bodies.held
