"""Requests of old Python clients, and of those for R and Java, are answered as MLflow answers them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.server.running import server

from .replaying import ROOT_OF_ARTIFACTS, Replay, plain

# Client → its requests in order, each with the status and answer of MLflow 3.17.2.
RECORDED = json.loads(Path(__file__).with_name("client_requests.json").read_text())
# What MLflow 3 answers 404 and is answered here, for those who still ask.
ONLY_HERE = ("/experiments/list", "/registered-models/list")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    arguments = ("--default-artifact-root", ROOT_OF_ARTIFACTS)
    with server(folder, "--backend-store-uri", "sqlite:///x.db", *arguments) as (_, address):
        yield address


@pytest.mark.parametrize("client", RECORDED)
def test_a_client_is_answered_as_by_mlflow(address, client):
    """The same status and the same JSON to each request, but for ids and times."""
    replay = Replay(address)
    different = []
    for recorded in RECORDED[client]:
        status, answer = replay.ask(recorded)
        if any(path in recorded["path"] for path in ONLY_HERE):
            assert status == 200
            continue
        there = recorded["status"], plain(recorded["answer"])
        if (status, plain(answer)) != there:
            different.append((recorded["method"], recorded["path"], there, (status, plain(answer))))

    assert different == []
