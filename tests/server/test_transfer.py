"""Bodies and files on their way: ranges, digests, clients that leave."""

from __future__ import annotations

import asyncio
import os

import pytest

from .asking import PROXY, ask, put, sha256

# --- ranges and digests --------------------------------------------------------------------------

DATA = bytes(range(100))


@pytest.mark.parametrize(
    ("given", "status", "expected"),
    [("bytes=0-9", 206, DATA[:10]), ("bytes=90-", 206, DATA[90:]), ("bytes=-5", 206, DATA[-5:]),
     ("bytes=0-999999", 206, DATA), ("bytes=-999", 206, DATA), ("bytes=100-", 416, b""),
     ("bytes=-0", 416, b""), ("bytes=5-2", 416, b""), ("bytes=9999999999999999999-", 416, b""),
     ("bytes=0-1,3-4", 200, DATA), ("lines=1-2", 200, DATA), ("bytes=-", 200, DATA),
     ("bytes=" + ",".join(["0-0"] * 1000), 200, DATA), ("bytes=a-b", 200, DATA)],
)  # fmt: skip
def test_ranges(served, given, status, expected):
    """At most one is answered; what is not understood is passed over."""
    put(served, "f", DATA)
    answer = served.ask("GET", f"{PROXY}/f", headers=[("Range", given)])

    assert (status, expected) == (answer.status, answer.body)
    assert str(len(expected)) == answer.headers["content-length"]


def test_a_download_goes_on_if_the_file_is_the_same(served):
    put(served, "f", DATA)
    tag = served.get(f"{PROXY}/f").headers["etag"]
    further = [("Range", "bytes=50-"), ("If-Range", tag)]
    assert (206, DATA[50:]) == served.ask("GET", f"{PROXY}/f", headers=further)[::2]
    assert 304 == served.ask("GET", f"{PROXY}/f", headers=[("If-None-Match", tag)]).status
    put(served, "f", DATA[::-1])
    assert (200, DATA[::-1]) == served.ask("GET", f"{PROXY}/f", headers=further)[::2]


def test_digests(served, place):
    """A body that is not what was sent is not kept; a digest is told to who asks."""
    right, wrong = [("Content-Digest", sha256(DATA))], [("Content-Digest", sha256(b"other"))]
    assert 200 == put(served, "f", DATA, headers=right).status
    refused = put(served, "f", DATA[:50], headers=right)
    assert (400, "INVALID_PARAMETER_VALUE") == (refused.status, refused.code)
    assert 400 == put(served, "new", DATA, headers=wrong).status
    assert ["f"] == os.listdir(place / "kept")

    asked = [("Want-Repr-Digest", "sha-256=9"), ("Range", "bytes=0-1")]
    answer = served.ask("GET", f"{PROXY}/f", headers=asked)
    assert (sha256(DATA), DATA[:2]) == (answer.headers["repr-digest"], answer.body)


def test_a_head_request_reads_nothing(served):
    put(served, "f", DATA)
    answer = served.ask("HEAD", f"{PROXY}/f")
    assert (200, "100", b"") == (answer.status, answer.headers["content-length"], answer.body)


# --- clients that leave, and files of any size ---------------------------------------------------


def send_parts(client, path, parts, *, leave=False, headers=()):
    """PUT a body in parts; at the end the client leaves, or is answered."""
    sent = []
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.disconnect"} if leave else {"type": "http.request"})

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "scheme": "http", "method": "PUT", "path": f"{PROXY}/{path}",
             "raw_path": f"{PROXY}/{path}".encode(), "query_string": b"",
             "headers": list(headers)}  # fmt: skip
    client.run(client.app(scope, receive, send))
    return sent


@pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 + 7])
def test_bodies_in_parts(served, place, size):
    data = os.urandom(size)
    parts = [data[at : at + 65_536] for at in range(0, size, 65_536)]
    assert 200 == send_parts(served, "big", parts)[0]["status"]

    assert (place / "kept" / "big").read_bytes() == data
    assert served.get(f"{PROXY}/big").body == data


@pytest.mark.parametrize("parts", [0, 1, 40])
def test_a_client_that_leaves_changes_nothing(served, place, parts):
    put(served, "f", b"before")
    assert [] == send_parts(served, "f", [b"x" * 65_536] * parts, leave=True)

    assert b"before" == served.get(f"{PROXY}/f").body
    assert ["f"] == os.listdir(place / "kept")


def test_a_reader_that_leaves_is_not_read_for(served):
    """No file stays open, and the rest is not read."""
    put(served, "big", b"x" * (8 * 2**20))
    sent = []
    left = asyncio.Event

    async def leave():
        event = left()
        scope = {"type": "http", "scheme": "http", "method": "GET", "path": f"{PROXY}/big",
                 "raw_path": f"{PROXY}/big".encode(), "query_string": b"", "headers": []}  # fmt: skip

        async def receive():
            await event.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)
            if len(sent) == 3:
                event.set()
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        await served.app(scope, receive, send)

    served.run(leave())
    assert 3 <= len(sent) <= 5


def test_the_newest_of_two_uploads_is_whole(served, place):
    """Two clients write one name at the same time."""
    one, two = b"1" * 2**21, b"2" * 2**21

    async def both():
        await asyncio.gather(*(
            ask(served.app, "PUT", f"{PROXY}/f", body=body, kind=None) for body in (one, two)
        ))  # fmt: skip

    served.run(both())
    assert (place / "kept" / "f").read_bytes() in (one, two)
