"""The network between a program and its server goes away without a word: nothing hangs, is lost or doubled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ALL


@pytest.mark.skipif(
    not ALL, reason="cuts the network for a quarter of a minute: MILLSTREAM_FULL=all"
)
def test_a_network_that_is_cut(tmp_path):
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("not run: network namespaces need Linux, root, and the command ip")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.faults.network_rounds", str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=400,
        cwd=Path(__file__).resolve().parents[2],
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])

    again = told["again"]
    assert (0, "FINISHED", True) == (again["code"], again["status"], again["whole"]), again
    assert "Traceback" not in again["error"] + (tmp_path / "server.log").read_text()
    assert told["good"]["bounded"]
    assert told["address"].removeprefix("http://") in told["good"]["said"]
