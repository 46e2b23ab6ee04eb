"""Sends recorded requests of clients to a server, with the ids that this server has given."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request

#: Where both servers say that artifacts are.
ROOT_OF_ARTIFACTS = "mlflow-artifacts:/root"
#: What differs from server to server, and is asked for again.
IDS = ("experiment_id", "run_id", "run_uuid")


def send(address, request):
    """Send a request; return (status, text)."""
    body = request["body"]
    asked = urllib.request.Request(
        address + request["path"], None if body is None else body.encode(), method=request["method"]
    )
    if request.get("type"):
        asked.add_header("Content-Type", request["type"])
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class Replay:
    """One server, and what the ids of a recording are there."""

    def __init__(self, address):
        self.address = address
        self._ids = {}

    def ask(self, recorded):
        """Send a recorded request; return (status, answer) with the recording's ids."""
        request = {
            **recorded,
            "path": self._here(recorded["path"]),
            "body": recorded["body"] and self._here(recorded["body"]),
        }
        status, text = send(self.address, request)
        answer = parsed(text)
        self._learn(recorded["answer"], answer)
        for there, here in self._ids.items():
            text = text.replace(here, there)
        return status, parsed(text)

    def _here(self, text):
        for there, here in self._ids.items():
            text = text.replace(there, here)
        return text

    def _learn(self, there, here):
        if isinstance(there, dict) and isinstance(here, dict):
            for key in there.keys() & here.keys():
                if key in IDS and isinstance(here[key], str) and len(there[key]) == 32:
                    self._ids[there[key]] = here[key]
                self._learn(there[key], here[key])
        elif isinstance(there, list) and isinstance(here, list):
            for one, other in zip(there, here, strict=False):
                self._learn(one, other)


def parsed(text):
    """Return an answer's JSON; text that is none stays what it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def plain(answer):
    """Return an answer as it is compared.

    Times and generated names differ from call to call. Infinities are `Infinity` here, and the
    largest double in MLflow; messages are in each server's own words; a field that is empty is one
    that is left out, as it is to JSON of protocol buffers.
    """
    text = json.dumps(answer, sort_keys=True)
    text = re.sub(r"\b(17|18)\d{11}\b", "9", text)
    text = re.sub(r'"[a-z]+-[a-z]+-\d+"', '"NAME"', text)
    text = text.replace("1.7976931348623157e+308", "Infinity").replace('"Infinity"', "Infinity")
    text = text.replace('"-Infinity"', "-Infinity")
    text = re.sub(r'"next_page_token": "[^"]+"', '"next_page_token": "TOKEN"', text)
    return _without_empty(json.loads(text)) or {}


def _without_empty(value):
    if isinstance(value, dict):
        kept = {key: _without_empty(one) for key, one in value.items() if key != "message"}
        return {key: one for key, one in kept.items() if one not in ("", None)}
    if isinstance(value, list):
        return [_without_empty(one) for one in value]
    return value
