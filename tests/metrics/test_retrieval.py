"""Metrics of retrievers."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest

from mlflow.metrics import ndcg_at_k, precision_at_k, recall_at_k

FOUND = pd.Series([["a", "x", "b"], [], ["a", "a"], ["x"], []])
WANTED = pd.Series([["a", "b"], ["a"], ["a"], [], []])


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (precision_at_k, [0.5, 0, 1, 0, 0]),
        (recall_at_k, [0.5, 0, 1, 0, 1]),
        (ndcg_at_k, [1 / (1 + 1 / np.log2(3)), 0, 1, 0, 1]),
    ],
)
def test_scores(make, expected):
    metric = make(2)

    value = metric.eval_fn(FOUND, WANTED)

    assert value.scores == pytest.approx(expected)
    assert value.aggregate_results["mean"] == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(
    ("k", "found", "told"),
    [
        (0, FOUND, "'k' should be a positive integer; found: 0"),
        (True, FOUND, "found: True"),
        (2, pd.Series(["a"]), "on row 0, value a"),
        (2, pd.Series([["a"], [1.5]]), "on row 1"),
    ],
)
def test_what_cannot_be_computed_is_said(k, found, told, caplog):
    with caplog.at_level(logging.WARNING, "mlflow"):
        assert precision_at_k(k).eval_fn(found, WANTED[: len(found)]) is None

    assert told in caplog.text


def test_targets_that_are_no_lists(caplog):
    assert recall_at_k(2).eval_fn(FOUND[:1], pd.Series(["a"])) is None
    assert "`targets`" in caplog.text
