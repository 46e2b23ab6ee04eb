"""The power goes at any call of a program: what was acknowledged at the level `disk` is there."""

from __future__ import annotations

import os
import tempfile

import pytest

from tests.conftest import ALL, FULL
from tests.faults import shim

# Kind of store: states of the disk in a quick run, a full one, and one of everything.
STATES = {
    "file": (260, 260, 30_000),
    "journal": (150, 150, 20_000),
    "os": (0, 230, 20_000),
    "shared": (0, 240, 20_000),
    "sqlite": (30, 40, 10_000),
}

pytestmark = [
    pytest.mark.skipif(bool(shim.MISSING), reason=shim.MISSING),
    pytest.mark.timeout(7200),  # all the states take a quarter of an hour
]


def _counts() -> list[tuple[str, int]]:
    place = 2 if ALL else int(FULL)
    return [(kind, counts[place]) for kind, counts in STATES.items() if counts[place]]


@pytest.mark.parametrize(("kind", "count"), _counts())
def test_what_was_acknowledged_is_there_after_a_power_cut(tmp_path, kind, count):
    """See `power_rounds`; each state of the disk is laid out, read, and written on."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as place:
        told = shim.run(tmp_path, "tests.faults.power_rounds", kind, str(count), place)

    print(told)
    assert f" {count} states" in told
