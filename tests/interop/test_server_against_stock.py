"""Our server beside a stock MLflow server, and stock MLflow's own client on ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.running import server

from . import rest_calls
from .stock_server import stock_server

CLIENT = Path(__file__).with_name("stock_client.py")
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")
STOCK26 = os.environ.get("MILLSTREAM_STOCK26_PYTHON", "")

pytestmark = pytest.mark.interop
needs_stock = pytest.mark.skipif(
    not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
)
needs_stock26 = pytest.mark.skipif(
    not STOCK26, reason="MILLSTREAM_STOCK26_PYTHON names no interpreter with MLflow 2.6"
)

# Requests that are answered differently on purpose: (part, label): why.
DIFFERENT = {
    ("experiments", "create list"): "a request that is wrong is 400, not 500",
    ("experiments", "search enum none"): "an unknown name is refused, not left out",
    ("experiments", "no path"): "refusals are JSON, with a code",
    ("experiments", "no method"): "refusals are JSON, with a code",
    ("runs", "create without experiment"): "the missing field is named, not the SQL that failed",
    ("runs", "metric True"): "a truth is no number",
    ("runs", "metric [1]"): "a request that is wrong is 400, not 500",
    ("runs", "metric fraction"): "half a millisecond is refused, not taken for zero",
    ("runs", "update unknown"): "an unknown name is refused, not left out",
    ("registry", "get with alias"): "a version says its aliases wherever it is shown",
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """{(part, label): (our answer, stock's answer)}, both on SQLite."""
    folder = tmp_path_factory.mktemp("ours")
    root = "s3://bucket/root"
    with server(
        folder, "--backend-store-uri", "sqlite:///ours.db", "--default-artifact-root", root
    ) as (_, address):
        ours = rest_calls.answers(address)
    with stock_server(STOCK, str(tmp_path_factory.mktemp("stock")), root) as stock:
        stocks = rest_calls.answers(stock.uri)
    assert list(ours) == list(stocks)
    return {key: (ours[key], stocks[key]) for key in ours}


@needs_stock
def test_answers_are_those_of_stock(pairs):
    """Status, and every field of the answer; of refusals the code."""
    different = {
        key: pair
        for key, pair in pairs.items()
        if key not in DIFFERENT and essence(pair[0]) != essence(pair[1])
    }

    assert {} == different


@needs_stock
def test_differences_are_differences(pairs):
    """What is listed as different is, and stock does not answer it better."""
    assert [] == [key for key in DIFFERENT if essence(pairs[key][0]) == essence(pairs[key][1])]
    assert set(DIFFERENT) <= set(pairs)


def essence(answer):
    """What clients look at: of refusals status and code, of the rest all."""
    status, value = answer
    if status >= 400:
        code = value.get("error_code") if isinstance(value, dict) else None
        return status, code
    return status, ordered(value)


def ordered(value):
    """Pairs of key and value are a set, whatever order they are listed in."""
    if isinstance(value, dict):
        return {name: ordered(one) for name, one in value.items()}
    if isinstance(value, list):
        made = [ordered(one) for one in value]
        return (
            sorted(made, key=str)
            if made and isinstance(made[0], dict) and "key" in made[0]
            else made
        )
    return value


@needs_stock
@pytest.mark.parametrize("backend", ["sqlite:///runs.db", "./mlruns", "postgresql", "mysql"])
def test_the_client_of_stock_works_on_our_server(tmp_path, backend, servers):
    """The newest one, on every store."""
    drive(STOCK, tmp_path, servers[backend].empty() if backend in servers else backend)


@needs_stock26
def test_the_client_of_2_6_works_on_our_server(tmp_path):
    """The one of the seed's days."""
    drive(STOCK26, tmp_path, "./mlruns")


def test_our_client_works_on_our_server(tmp_path):
    """The same program."""
    drive(sys.executable, tmp_path, "sqlite:///runs.db")


@needs_stock
def test_our_client_works_on_a_stock_server(tmp_path):
    """The same program, on the server that others run."""
    with stock_server(STOCK, str(tmp_path), "s3://bucket/root") as stock:
        run_client(sys.executable, stock.uri, tmp_path)


@needs_stock
def test_our_server_over_a_stock_server(tmp_path):
    """Nothing is moved: our server asks the other one."""
    with (
        stock_server(STOCK, str(tmp_path), "s3://bucket/root") as stock,
        server(tmp_path, "--backend-store-uri", stock.uri, command="ui") as (_, address),
    ):
        run_client(sys.executable, address, tmp_path)


def drive(python, folder, backend):
    with server(
        folder, "--backend-store-uri", backend, "--default-artifact-root", "s3://bucket/root"
    ) as (_, address):
        run_client(python, address, folder)
    assert "Traceback" not in (folder / "server.log").read_text()


def run_client(python, address, folder):
    done = subprocess.run(
        [python, str(CLIENT), address], capture_output=True, text=True, check=False, timeout=280,
        cwd=folder, env={**os.environ, "GIT_PYTHON_REFRESH": "quiet"},
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout[-2000:] + done.stderr[-4000:]
    assert "done 3.17.2" in done.stdout or "done 2.6" in done.stdout
