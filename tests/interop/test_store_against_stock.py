"""The same calls on stock MLflow's file store and on ours are answered the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CALLS = Path(__file__).with_name("store_calls.py")
# Read here: tests themselves run without the user's settings.
STOCK = os.environ.get("MILLSTREAM_STOCK_PYTHON", "")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(
        not STOCK, reason="MILLSTREAM_STOCK_PYTHON names no interpreter with stock MLflow"
    ),
]

# Calls that are answered differently on purpose: (part, label): why.
DIFFERENT = {
    ("experiments", "delete default"): "a request that is wrong is 400, not 500",
    ("experiments", "rename deleted"): "an MlflowException (INVALID_STATE), not a bare Exception",
    ("runs", "history 'xxxxxxxxx'"): "a key that cannot be logged is refused when read too",
    ("runs", "batch changed"): "the code of `log_param`, not INTERNAL_ERROR",
    ("logged_models", "model"): "versions in mlflow.modelVersions are always numbers",
    ("logged_models", "search"): "the same",
    ("logged_models", "deleted, allowed"): "the same",
    ("registry", "stage NONE, archive"): "a request that is wrong is 400, not 500",
    ("registry", "stage archived, archive"): "a request that is wrong is 400, not 500",
    ("registry", "rename"): "stock cannot rename a model whose versions have tags",
    ("registry", "renamed"): "the same",
}
# Refusals whose words clients look for; the other messages are ours.
SAME_WORDS = (
    "Could not find experiment with ID",
    "Could not find deleted experiment with ID",
    "already exists",
    "Run '",
    "must not resolve to other names when treated as such. This name would resolve to",
    "Names may only contain alphanumerics",
    "Invalid experiment name: '",
    "Changing param values is not allowed",
    "must be in 'active' lifecycle_stage",
    "No tag with name",
    "A batch logging request can contain at most",
    "Duplicate parameter keys have been submitted",
    "exceeds the maximum length",
    "Missing value for required parameter",
    "Registered Model with name=",
    "Registered Model (name=",
    "Model Version (name=",
    "Registered model alias",
    "alias name",
    "Invalid alias name",
    "Invalid Model Version stage",
    "Parameter 'version' must be an integer",
    "Names cannot contain '/' or ':'",
    "Tag value cannot be None",
    "Both 'run_name' argument and",
    "Please specify value as a valid double",
    "Timestamp must be a nonnegative long",
    "Step must be a valid long",
)


def _notes(python, folder):
    environment = dict(os.environ) | {"MLFLOW_ALLOW_FILE_STORE": "true"}
    run = subprocess.run(
        [python, str(CALLS), str(folder / "mlruns")],
        capture_output=True, text=True, check=False, timeout=250, env=environment, cwd=folder,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """(part, our note, stock's note) of every call."""
    ours = _notes(sys.executable, tmp_path_factory.mktemp("ours"))
    stock = _notes(STOCK, tmp_path_factory.mktemp("stock"))
    assert [note[0] for note in ours] == [note[0] for note in stock]
    rows, part = [], ""
    for mine, theirs in zip(ours, stock, strict=True):
        if len(mine) == 1:
            part = mine[0].removeprefix("== ")
        else:
            rows.append((part, mine, theirs))
    return rows


def test_answers_and_codes_are_the_same(answers):
    """What is returned, what is refused, and with which code."""
    unlike = [
        (part, mine, theirs)
        for part, mine, theirs in answers
        if mine[:3] != theirs[:3] and (part, mine[0]) not in DIFFERENT
    ]

    assert unlike == []
    assert len(answers) > 300


def test_differences_are_real(answers):
    """What is listed as different is."""
    same = {(part, mine[0]) for part, mine, theirs in answers if mine[:3] == theirs[:3]}
    unlike = {(part, mine[0]) for part, mine, theirs in answers if mine[:3] != theirs[:3]}

    assert set(DIFFERENT) - unlike == set()
    assert len(same) > 250


def test_words_that_clients_look_for(answers):
    """Messages that clients search are the same up to what ours add at the end."""
    unlike, seen = [], set()
    for part, mine, theirs in answers:
        if mine[1] != "refused" or theirs[1] != "refused":
            continue
        for words in SAME_WORDS:
            if words in theirs[3]:
                seen.add(words)
                if words not in mine[3]:
                    unlike.append((part, words, mine, theirs))

    assert unlike == []
    assert set(SAME_WORDS) - seen == set()
