"""The parsed form: equality, listing of conditions."""

from __future__ import annotations

from mlflow.search.nodes import And, Compare, Not, Or, OrderTerm, comparisons

A = Compare("metric", "a", ">", 1.0)
B = Compare("param", "b", "=", "x")
C = Compare("tag", "c", "IS NULL", None)


def test_conditions_are_listed_from_left_to_right():
    """Joined and negated conditions are found, in order."""
    assert [A, B, C] == comparisons(And((A, Or((Not(B), C)))))
    assert [] == comparisons(None)


def test_equality_is_by_value_and_type():
    """1 and 1.0 bind page tokens differently, so they differ; equal trees are equal and hash so."""
    assert Compare("metric", "a", ">", 1) != Compare("metric", "a", ">", 1.0)
    assert And((A, B)) == And((A, B)) != Or((A, B))
    assert Not(A) == Not(A) != Not(B)
    assert 1 == len({And((A, B)), And((A, B))})
    assert 1 == len({Not(A), Not(A)})


def test_an_order_term_names_its_target_without_direction():
    """Two directions of one key have one target."""
    up, down = OrderTerm("metric", "a"), OrderTerm("metric", "a", False)

    assert up != down
    assert up.target == down.target
    assert up == OrderTerm("metric", "a", True)
    assert 1 == len({up, OrderTerm("metric", "a")})
