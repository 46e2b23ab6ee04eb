"""Inputs that a fuzzer led to, or that once broke something, each given to its target."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS, examine

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus(name):
    """Only errors of this project are raised, and what is read is written as it was."""
    inputs = sorted((CORPUS / name).iterdir())
    for path in inputs:
        try:
            examine(name, path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{path.name}: {type(error).__name__}: {error}") from error

    assert inputs


def test_every_corpus_has_its_target():
    assert {one.name for one in CORPUS.iterdir()} == set(TARGETS)
